from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sparkcore.engine.spark_listing import list_with_spark
from sparkcore.engine.spill import sorted_files
from sparkcore.errors import InputError
from tests.engine.listings import listed
from tests.engine.test_local_listing import ODD_NAMES, write

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_spark_lists_the_same_files_as_the_local_walk(tmp_path: Path, spark: SparkSession) -> None:
    folder = tmp_path / "in"
    write(folder, *ODD_NAMES, "sub/deep.jpg", "empty.jpg")
    (folder / "empty.jpg").write_bytes(b"")
    with sorted_files(list_with_spark(spark, f"file://{folder}"), tmp_path / "spill") as found:
        (by_spark,) = found.pieces()
    columns = ["image_id", "origin", "size_bytes"]
    assert by_spark.select(columns) == listed(folder).table.select(columns)


def test_spark_says_what_is_wrong_with_a_uri(spark: SparkSession) -> None:
    with pytest.raises(InputError, match="received 'file:///no/such/folder'"):
        list(list_with_spark(spark, "file:///no/such/folder"))
