"""A store on a disk that is full: a clear message, nothing is lost, and the run goes on when there is room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.pipeline import run
from sparkcore.errors import SparkcoreError
from sparkcore.runs.files_table import parts_so_far
from sparkcore.runs.results import read_parts
from sparkcore.runs.store import RunStore
from sparkcore.runs.verification import verify_run
from sparkcore.schema import result_schema
from tests.small_disk import enlarge, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "1m") as folder:
        yield folder


@pytest.mark.soak  # Spark tries each task again and again
@pytest.mark.timeout(300)
def test_a_run_goes_on_when_there_is_room(
    tmp_path: Path, disk: Path, spark: object, request_for: Callable[..., RunConfig]
) -> None:
    del spark
    for number in range(24):
        path = tmp_path / "in" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (150, 150, 3), np.uint8)).save(path)
    request = request_for(tmp_path / "in", keep=("pixels",))  # 68 KB an image
    engine = EngineConfig(store=disk / "store", state=tmp_path / "state", bucket_size=2)
    with pytest.raises(SparkcoreError, match=r"(?i)no space left"):
        run(request, engine)
    store = RunStore(engine.store, engine.state)
    assert store.runs() == []
    kept = sum(part.rows for name in store.unfinished() for part in parts_so_far(store.storage, name))
    enlarge(disk, "200m")
    manifest = run(request, engine).manifest
    assert 0 < kept < 24
    assert (manifest.counts["ok"], manifest.counts["resumed"]) == (24, kept)
    assert verify_run(store.storage, manifest.run_id).problems == ()
    undisturbed = EngineConfig(store=tmp_path / "undisturbed")
    assert run(request, undisturbed).manifest.run_id == manifest.run_id
    names = result_schema(("pixels",)).names
    rows, expected = (
        read_parts(RunStore(one.store, one.state), manifest.run_id, names).sort_by("image_id").to_pylist()
        for one in (engine, undisturbed)
    )
    assert rows == expected
