"""`classify` on plain frames, alone and inside a user's own job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from sparkcore.config import RunConfig
from sparkcore.engine.classification import classify
from sparkcore.engine.reader import read_images
from sparkcore.errors import RequestError
from tests.conftest import write_colors

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.parametrize("reader", ["bytes", "image"])
def test_the_posts_steps(
    spark: SparkSession, tmp_path: Path, request_for: Callable[..., RunConfig], reader: str
) -> None:
    write_colors(tmp_path / "cls=a", 4)
    images = read_images(spark, str(tmp_path), reader)
    config = request_for(tmp_path, keep=["scores", "resized", "pixels"], truth="folder")
    labelled = classify(images, config)
    assert labelled.columns[:3] == ["origin", "size_bytes", "modified_at"]
    assert not {"content", "image", "cost"} & set(labelled.columns)
    rows = {row.file_name: row for row in labelled.collect()}
    assert {name: row.label for name, row in rows.items()} == {
        "red-0.png": "red", "green-1.png": "green", "blue-2.png": "blue", "white-3.png": "white",
    }  # fmt: skip
    row = rows["green-1.png"]
    assert (row.cls, row.truth, row.status) == ("a", "a", "ok")
    assert row.top[0].label == "green"
    assert len(row.scores) == 9
    pixels = np.frombuffer(row.pixels, np.uint8).reshape(row.height, row.width, 3)
    assert np.array_equal(pixels, np.asarray(Image.open(tmp_path / "cls=a" / "green-1.png")))


def test_it_composes_with_spark_sql(spark: SparkSession, tmp_path: Path, request_for: Callable[..., RunConfig]) -> None:
    write_colors(tmp_path, 6)
    labelled = classify(read_images(spark, str(tmp_path)), request_for(tmp_path, max_width=44))
    counts = {row.label: row["count"] for row in labelled.groupBy("label").count().collect()}
    assert counts == {"red": 2, "green": 1, "blue": 1, "white": 1}


def test_a_frame_of_something_else(spark: SparkSession, request_for: Callable[..., RunConfig]) -> None:
    with pytest.raises(RequestError, match="Make it with read_images"):
        classify(spark.range(3), request_for("x"))
