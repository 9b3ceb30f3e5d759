from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparkcore.config import RunConfig
from sparkcore.engine.occlusion import occlude
from sparkcore.errors import ImageError, ModelError
from sparkcore.models.resolve import resolve_model
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.store import RunStore
from tests.runs_fixture import write_run


@pytest.fixture
def manifest(tmp_path: Path, request_for: Callable[..., RunConfig]) -> Manifest:
    """Give the manifest of a run of the tiny model."""
    config = request_for("/photos", features="none")
    store = RunStore(tmp_path)
    known = store.manifest(write_run(store, features=False))
    return replace(known, config=config.to_dict(), model={**known.model, "digest": resolve_model(config).digest})


@pytest.fixture
def halves() -> bytes:
    """Give a picture that is red on the left and blue on the right."""
    picture = Image.new("RGB", (80, 60), (255, 0, 0))
    picture.paste((0, 0, 255), (40, 0, 80, 60))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def test_each_color_is_found_where_it_is(manifest: Manifest, halves: bytes) -> None:
    ids = {one.label: one.class_id for one in resolve_model(RunConfig.from_dict(manifest.config)).classes}
    maps = occlude(manifest, halves, [ids["red"], ids["blue"]])
    assert maps.shape == (2, 7, 7)
    assert np.abs(maps).max() == 1
    red, blue = maps.mean(axis=1)
    assert red[:3].mean() > red[4:].mean() + 0.1
    assert blue[4:].mean() > blue[:3].mean() + 0.1


def test_what_cannot_be_read_or_computed_is_said(manifest: Manifest, halves: bytes) -> None:
    with pytest.raises(ImageError):
        occlude(manifest, b"no picture", ["n01"])
    other = replace(manifest, model={**manifest.model, "digest": "1" * 64})
    with pytest.raises(ModelError, match="found another one"):
        occlude(other, halves, ["n01"])
