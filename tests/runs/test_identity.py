from __future__ import annotations

import pytest

from sparkcore.config import Fit, RunConfig
from sparkcore.runs.identity import recipe_id, request_id, run_id

STRETCH = Fit("stretch")
FILES = "digest of the listing"


def test_equal_content_makes_equal_requests() -> None:
    one = request_id(RunConfig(images="./x", model="resnet50", weights="/a.h5"), FILES, "digest", STRETCH)
    assert one == request_id(RunConfig(images="/x", model="resnet50", sample=2, seed=9), FILES, "digest", STRETCH)
    assert one != request_id(RunConfig(images="/x"), FILES, "other digest", STRETCH)
    assert one != request_id(RunConfig(images="/x"), "another listing", "digest", STRETCH)


@pytest.mark.parametrize("setting", [{"top_k": 4}, {"min_width": 3}, {"truth": "folder"}, {"keep": ("scores",)}])
def test_settings_that_change_rows_change_the_request(setting: dict[str, object]) -> None:
    changed = RunConfig.from_dict({"images": "x", **setting})
    assert request_id(changed, FILES, "d", STRETCH) != request_id(RunConfig(images="x"), FILES, "d", STRETCH)


def test_the_resize_mode_counts_as_the_one_in_effect() -> None:
    automatic, explicit = RunConfig(images="x"), RunConfig(images="x", resize="stretch")
    fits = (STRETCH, Fit("pad"), Fit("crop"), Fit("crop", 0.875))
    for identity in (lambda config, fit: request_id(config, FILES, "d", fit), lambda c, fit: recipe_id(c, "d", fit)):
        assert identity(automatic, STRETCH) == identity(explicit, STRETCH)
        assert len({identity(automatic, fit) for fit in fits}) == len(fits)


def test_filters_are_not_part_of_the_recipe() -> None:
    plain = recipe_id(RunConfig(images="x"), "d", STRETCH)
    assert recipe_id(RunConfig(images="y", min_width=3, max_channels=3, sample=1), "d", STRETCH) == plain
    assert recipe_id(RunConfig(images="x", interpolation="box"), "d", STRETCH) != plain


def test_run_id() -> None:
    assert len(run_id("r")) == 16
    assert run_id("r") == run_id("r", 0) != run_id("r", 1)
