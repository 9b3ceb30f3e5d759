"""A finished run as a frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.finished import read_run
from sparkcore.engine.pipeline import run
from sparkcore.errors import RunNotFoundError
from sparkcore.runs.results import load_thumbnails
from sparkcore.runs.store import RunStore
from sparkcore.schema import result_schema
from tests.conftest import write_colors

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_all_rows_of_a_run_with_their_thumbnails(
    tmp_path: Path, spark: SparkSession, s3_prefix: str, request_for: Callable[..., RunConfig]
) -> None:
    write_colors(tmp_path / "in", 10)  # 40 to 49 wide
    (tmp_path / "in" / "broken.png").write_text("no image")
    engine = EngineConfig(store=f"{s3_prefix}/runs", state=tmp_path / "state", bucket_size=4)
    made = run(request_for(tmp_path / "in", max_width=46), engine)
    frame = read_run(spark, made.manifest.run_id[:6], engine.store)
    assert frame.columns == result_schema().names
    assert frame.rdd.getNumPartitions() == 3
    rows = {row.image_id: row for row in frame.collect()}
    assert sorted(row.status for row in rows.values()) == ["error", *["ok"] * 7]
    thumbnails = load_thumbnails(RunStore(engine.store, engine.state), made.manifest.run_id, rows)
    assert {name: bytes(row.thumbnail) for name, row in rows.items() if row.thumbnail} == thumbnails
    assert frame.groupBy("label").count().where("label = 'red'").first()["count"] == 2  # type: ignore[index]


def test_a_run_that_is_not_there(spark: SparkSession, engine: EngineConfig) -> None:
    with pytest.raises(RunNotFoundError):
        read_run(spark, "nothing", engine.store)
