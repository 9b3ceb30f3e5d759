from __future__ import annotations

import pytest

from sparkcore.config import Fit, RunConfig
from sparkcore.runs.identity import recipe_id, request_id, run_id

STRETCH = Fit("stretch")
FILES = "digest of the listing"
COMPUTED = ("openvino", "float32")


def _request_id(config: RunConfig, fit: Fit) -> str:
    return request_id(config, FILES, "d", fit, "openvino")


def _recipe_id(config: RunConfig, fit: Fit) -> str:
    return recipe_id(config, "d", fit, COMPUTED)


def test_equal_content_makes_equal_requests() -> None:
    one = request_id(RunConfig(images="./x", model="resnet50", weights="/a.h5"), FILES, "digest", STRETCH, "openvino")
    assert one == request_id(
        RunConfig(images="/x", model="resnet50", sample=2, seed=9), FILES, "digest", STRETCH, "openvino"
    )
    assert one != request_id(RunConfig(images="/x"), FILES, "other digest", STRETCH, "openvino")
    assert one != request_id(RunConfig(images="/x"), "another listing", "digest", STRETCH, "openvino")


def test_runtimes_make_different_requests() -> None:
    config = RunConfig(images="x")
    assert len({request_id(config, FILES, "d", STRETCH, runtime) for runtime in ("openvino", "tensorflow")}) == 2
    assert len({recipe_id(config, "d", STRETCH, (runtime, "float32")) for runtime in ("openvino", "tensorflow")}) == 2


def test_precisions_never_mix() -> None:
    """What is asked for is part of the request, what is computed of the run and of the recipe."""
    asked = [RunConfig(images="x"), RunConfig(images="x", precision="bfloat16")]
    first, second = (request_id(config, FILES, "d", STRETCH, "openvino") for config in asked)
    assert first != second
    assert run_id(second, "bfloat16") != run_id(second, "float32")
    assert len({recipe_id(config, "d", STRETCH, ("openvino", "float32")) for config in asked}) == 1
    assert recipe_id(asked[1], "d", STRETCH, ("openvino", "bfloat16")) != recipe_id(asked[1], "d", STRETCH, COMPUTED)


@pytest.mark.parametrize("setting", [{"top_k": 4}, {"min_width": 3}, {"truth": "folder"}, {"keep": ("scores",)}])
def test_settings_that_change_rows_change_the_request(setting: dict[str, object]) -> None:
    changed = RunConfig.from_dict({"images": "x", **setting})
    assert request_id(changed, FILES, "d", STRETCH, "openvino") != request_id(
        RunConfig(images="x"), FILES, "d", STRETCH, "openvino"
    )


def test_the_resize_mode_counts_as_the_one_in_effect() -> None:
    automatic, explicit = RunConfig(images="x"), RunConfig(images="x", resize="stretch")
    fits = (STRETCH, Fit("pad"), Fit("crop"), Fit("crop", 0.875))
    for identity in (_request_id, _recipe_id):
        assert identity(automatic, STRETCH) == identity(explicit, STRETCH)
        assert len({identity(automatic, fit) for fit in fits}) == len(fits)


def test_filters_are_not_part_of_the_recipe() -> None:
    plain = recipe_id(RunConfig(images="x"), "d", STRETCH, COMPUTED)
    assert recipe_id(RunConfig(images="y", min_width=3, max_channels=3, sample=1), "d", STRETCH, COMPUTED) == plain
    assert recipe_id(RunConfig(images="x", interpolation="box"), "d", STRETCH, COMPUTED) != plain


def test_run_id() -> None:
    assert len(run_id("r", "float32")) == 16
    assert run_id("r", "float32") == run_id("r", "float32", 0) != run_id("r", "float32", 1)
