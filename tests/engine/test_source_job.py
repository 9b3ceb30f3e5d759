"""Whole runs over a file system that only Hadoop opens: the same rows, and no password in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.pipeline import Outcome, run
from sparkcore.runs.results import read_parts
from sparkcore.runs.store import RunStore
from sparkcore.schema import result_schema
from tests.conftest import write_colors
from tests.engine.ftp_server import PASSWORD, USER, ftp_server
from tests.imaging.pictures import write_awkward_folder

Request = Callable[..., RunConfig]
PLACE = {"image_id", "origin", "modified_at", "version"}  # what differs between two file systems
pytestmark = pytest.mark.usefixtures("spark")


@pytest.fixture
def ftp(tmp_path: Path) -> Iterator[str]:
    with ftp_server(tmp_path) as address:
        yield f"ftp://{USER}:{PASSWORD}@{address}"


def rows(outcome: Outcome, engine: EngineConfig) -> dict[str, dict[str, object]]:
    columns = [name for name in result_schema().names if name not in PLACE]
    table = read_parts(RunStore(engine.store), outcome.manifest.run_id, columns)
    return {str(row["file_name"]): row for row in table.to_pylist()}


@pytest.mark.parametrize("reader", ["bytes", "image"])
def test_a_hadoop_file_system_gives_the_same_rows_as_a_folder(
    tmp_path: Path, ftp: str, request_for: Request, reader: str
) -> None:
    write_awkward_folder(tmp_path / "in")
    write_colors(tmp_path / "in" / "a b", 40)
    for path in (tmp_path / "in").rglob("*"):  # Spark's sources hide empty files, and FTP knows ASCII names only
        if path.is_file() and (not path.stat().st_size or not path.name.isascii()):
            path.unlink()
    engine = EngineConfig(store=tmp_path / "store", bucket_size=7, batch_size=8)
    expected = rows(run(request_for(tmp_path / "in", reader=reader, truth="folder"), engine), engine)
    outcome = run(request_for(f"{ftp}/in", reader=reader, truth="folder"), engine)
    assert rows(outcome, engine) == expected
    assert len(expected) > 40
    assert outcome.manifest.config["images"].startswith(f"ftp://{USER}@127.0.0.1:")
    written = [path for path in Path(engine.store).rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if PASSWORD.encode() in path.read_bytes()]
    assert run(request_for(f"{ftp}/in", reader=reader, truth="folder"), engine).status == "cached"
