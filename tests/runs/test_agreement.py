from __future__ import annotations

from typing import Any

import pytest

from sparkcore.runs.agreement import Agreement, agreement_text


@pytest.mark.parametrize(
    ("kept", "images", "low", "high"),
    # Newcombe 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_that_of_wilson(kept: int, images: int, low: float, high: float) -> None:
    found = Agreement.of([True] * kept + [False] * (images - kept), [0.0] * images)
    assert (found.images, found.same_label) == (images, pytest.approx(kept / images, abs=1e-6))
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_all_labels_kept() -> None:
    found = Agreement.of([True] * 100, [0.0, 0.5] * 50)
    assert found == Agreement(100, 1.0, pytest.approx(0.963, abs=5e-4), 1.0, 0.25, 0.5)


@pytest.mark.parametrize(
    ("effective", "text"),
    [
        ("int8", ""),
        ("float32", " That is less than 97 %: computed in float32."),
    ],
)
def test_what_a_manifest_says(effective: str, text: str) -> None:
    stated = {"precision": "int8", "run_id": "abc", "images": 1000, "same_label": 0.95, "low": 0.935, "high": 0.962}
    manifest: dict[str, Any] = {"model": {"precision": effective}, "config": {"min_agreement": 0.97}}
    said = (
        "int8 keeps the first label of 95.0 % of 1,000 images (95 % interval: 93.5 to 96.2 %), as run abc has measured."
    )
    assert agreement_text({**manifest, "agreement": stated}) == said + text
    assert agreement_text(manifest) == agreement_text({**manifest, "agreement": {}}) == ""
