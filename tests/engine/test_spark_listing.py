from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from sparkcore.config import RunConfig
from sparkcore.engine.listing import list_images
from sparkcore.engine.reader import load_payloads, only, read_images
from sparkcore.engine.spark_listing import list_with_spark
from sparkcore.engine.spill import sorted_files
from sparkcore.errors import InputError, RunCancelledError, StorageError
from tests.engine.ftp_server import PASSWORD, USER, ftp_server
from tests.engine.listings import listed
from tests.engine.test_local_listing import ODD_NAMES, write
from tests.storage.s3_server import free_ports

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture
def ftp(tmp_path: Path) -> Iterator[str]:
    """Give the host and port of an FTP server with some files."""
    write(tmp_path / "served", "a b.jpg", "50%.jpg", "sub/deep#1.jpg", "_SUCCESS", ".hidden.jpg")
    (tmp_path / "served" / "empty.jpg").touch()
    with ftp_server(tmp_path / "served") as place:
        yield place


def test_spark_lists_the_same_files_as_the_local_walk(tmp_path: Path, spark: SparkSession) -> None:
    folder = tmp_path / "in"
    write(folder, *ODD_NAMES, "sub/deep.jpg")
    with sorted_files(list_with_spark(spark, f"file://{folder}"), tmp_path / "spill") as found:
        (by_spark,) = found.pieces()
    columns = ["image_id", "origin", "size_bytes", "modified_at"]
    assert by_spark.select(columns) == listed(folder).table.select(columns)


def test_a_hadoop_file_system_is_listed_without_the_password(ftp: str, spark: SparkSession, tmp_path: Path) -> None:
    config = RunConfig(f"ftp://{USER}:{PASSWORD}@{ftp}/")
    with list_images(config, lambda: spark, tmp_path) as listing:
        table = pa.concat_tables(listing.pieces())
    names = ["50%25.jpg", "a%20b.jpg", "sub/deep%231.jpg"]
    assert sorted(table["origin"].to_pylist()) == [f"ftp://{USER}@{ftp}/{name}" for name in names]
    assert table["size_bytes"].to_pylist() == [3, 3, 3]
    seconds = [int(version) / 1e9 for version in table["version"].to_pylist()]
    assert [time.timestamp() for time in table["modified_at"].to_pylist()] == seconds
    assert listing.spark_paths == (config.images,)
    assert PASSWORD not in repr(listing)


def test_payloads_are_found_by_origins_without_the_password(ftp: str, spark: SparkSession) -> None:
    payloads = load_payloads(spark, (f"ftp://{USER}:{PASSWORD}@{ftp}/",), "bytes")
    wanted = [f"ftp://{USER}@{ftp}/{name}" for name in ("a%20b.jpg", "sub/deep%231.jpg")]
    rows = only(payloads, wanted).collect()
    assert {row.origin: bytes(row.content) for row in rows} == dict.fromkeys(wanted, b"123")


def test_a_frame_of_images_has_no_password(ftp: str, spark: SparkSession) -> None:
    frame = read_images(spark, f"ftp://{USER}:{PASSWORD}@{ftp}/sub")
    origin = f"ftp://{USER}@{ftp}/sub/deep%231.jpg"
    assert [row.origin for row in frame.collect()] == [origin]
    frame = read_images(spark, f"ftp://{USER}:{PASSWORD}@{ftp}/sub", "image")
    assert [(row.origin, row.image.origin, row.image.mode) for row in frame.collect()] == [(origin, origin, -1)]


def test_a_listing_by_spark_can_be_cancelled(tmp_path: Path, spark: SparkSession) -> None:
    write(tmp_path, "a.jpg")

    def cancel() -> None:
        raise RunCancelledError("cancelled")

    for uri in (f"file://{tmp_path}", "file:///no/such/folder"):
        with pytest.raises(RunCancelledError):
            list(list_with_spark(spark, uri, cancel))


def test_a_wrong_password_is_said_in_one_line_and_not_repeated(ftp: str, spark: SparkSession) -> None:
    with pytest.raises(StorageError) as caught:
        list(list_with_spark(spark, f"ftp://{USER}:wr0ng@{ftp}/"))
    place, port = ftp.split(":")
    assert str(caught.value) == (
        f"Expected a folder, a file, a pattern or a URI that Spark can list, received 'ftp://{USER}@{ftp}/': "
        f"Login failed on server - {place}, port - {port} as user '{USER}'. "
        "Check the user and the password in the address."
    )
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("images", ["/nowhere", "/nowhere/*.jpg"])
def test_no_such_path_is_said_without_the_password(ftp: str, spark: SparkSession, images: str) -> None:
    with pytest.raises(InputError, match="Path does not exist") as caught:
        list(list_with_spark(spark, f"ftp://{USER}:{PASSWORD}@{ftp}{images}"))
    assert PASSWORD not in str(caught.value)


def test_the_log_of_spark_has_no_password(
    tmp_path: Path, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write(tmp_path, "a.jpg")
    with ftp_server(tmp_path) as place:
        frame = read_images(spark, f"ftp://{USER}:{PASSWORD}@{place}/")
    with pytest.raises(Exception, match="FAILED_READ_FILE"):
        frame.collect()
    text = "".join(log.read_text() for log in tmp_path_factory.getbasetemp().glob("spark*/**/spark.log"))
    assert f"ftp://{USER}@{place}/a.jpg" in text
    assert PASSWORD not in text


def test_a_refused_connection_is_said_in_one_line(spark: SparkSession) -> None:
    place = f"127.0.0.1:{free_ports(1)[0]}"
    for uri in (f"ftp://{USER}:{PASSWORD}@{place}/", f"hdfs://{place}/photos"):
        with pytest.raises(StorageError) as caught:
            list(list_with_spark(spark, uri))
        assert str(caught.value).endswith(": Connection refused. Check the host, the port and the network."), uri
        assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("file:///no/such/folder", r"received 'file:///no/such/folder': \[PATH_NOT_FOUND\] Path does not exist"),
        ("s3n://bucket/x", 'No FileSystem for scheme "s3n". Spark has no driver for s3n://. Name its package'),
        ("abfss://c@host/x", r"Class \S+ not found. Spark has no driver for abfss://. Name its package"),
        ("hdfs:///photos", "Incomplete HDFS URI, no host: hdfs:///photos. Name the host as in"),
        ("http://127.0.0.1:1/x", "hasn't implemented listStatus. .*Spark has no driver for http://"),
        ("ftp://reader@127.0.0.1:1/x", "Invalid username / password. Check the user and the password"),
        ("ftp://reader:p[w@127.0.0.1:1/x", "Illegal character in user info at index 14: ftp://reader@127.0.0.1:1/x"),
    ],
)
def test_spark_says_in_one_line_what_is_wrong_with_a_uri(spark: SparkSession, uri: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        list(list_with_spark(spark, uri))
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=message):
        read_images(spark, uri)
