from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from sparkcore.engine import spill
from sparkcore.engine.spill import ListedFile, sorted_files
from sparkcore.errors import StorageError
from sparkcore.schema import image_id

FILES = [ListedFile(f"file:/p/{number}.jpg", number, 1_700_000_000_123, str(number)) for number in range(3000)]


@pytest.fixture
def spilling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep only a hundred names in memory."""
    monkeypatch.setattr(spill, "_IN_MEMORY_ROWS", 100)
    monkeypatch.setattr(spill, "_BATCH_ROWS", 70)


def test_what_is_spilled_is_what_stays_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sorted_files([*FILES, *FILES], tmp_path / "memory") as found:
        (table,) = found.pieces()
    assert not (tmp_path / "memory").exists()
    monkeypatch.setattr(spill, "_IN_MEMORY_ROWS", 100)
    monkeypatch.setattr(spill, "_BATCH_ROWS", 70)
    with sorted_files(reversed([*FILES, *FILES]), tmp_path / "spill") as spilled:
        pieces = list(spilled.pieces())
        assert pieces == list(spilled.pieces())
        assert len(pieces) == 256
        assert pa.concat_tables(pieces).combine_chunks() == table
        assert (spilled.images, spilled.size_bytes, spilled.digest) == (found.images, found.size_bytes, found.digest)
    assert table["image_id"].to_pylist() == sorted(image_id(file.origin) for file in FILES)
    assert (found.images, found.size_bytes) == (3000, sum(range(3000)))


@pytest.mark.usefixtures("spilling")
def test_the_spill_is_removed_at_the_end_whatever_happens(tmp_path: Path) -> None:
    with sorted_files(FILES, tmp_path):
        assert len(list(tmp_path.glob("listing-*/*.arrow"))) == 256
    assert not list(tmp_path.iterdir())
    with pytest.raises(ZeroDivisionError), sorted_files(FILES, tmp_path):
        raise ZeroDivisionError

    def breaking() -> Iterator[ListedFile]:
        yield from FILES
        assert list(tmp_path.glob("listing-*/*.arrow"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), sorted_files(breaking(), tmp_path):
        pytest.fail("the listing went on")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("spilling")
def test_of_two_rows_for_one_file_the_same_one_stays(tmp_path: Path) -> None:
    changed = [file._replace(version="9999") for file in FILES]
    with sorted_files([*FILES, *changed], tmp_path) as one, sorted_files([*changed, *FILES], tmp_path) as other:
        assert one.images == 3000
        assert (one.digest, list(one.pieces())) == (other.digest, list(other.pieces()))


@pytest.mark.parametrize("field", [{"origin": "file:/p/x"}, {"size_bytes": 5}, {"version": "x"}])
def test_the_digest_changes_with_each_property_of_a_file(tmp_path: Path, field: dict[str, str]) -> None:
    digests = set()
    for files in (FILES[:2], [FILES[0], FILES[1]._replace(**field)], FILES[:1]):  # type: ignore[arg-type]
        with sorted_files(files, tmp_path) as found:
            digests.add(found.digest)
    assert len(digests) == 3


def test_no_files_are_no_pieces(tmp_path: Path) -> None:
    with sorted_files([], tmp_path) as found:
        assert (found.images, found.size_bytes, list(found.pieces())) == (0, 0, [])


@pytest.mark.usefixtures("spilling")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageError, match=r"file/spill: .*Not a directory\. Choose"),
        sorted_files(FILES, tmp_path / "file/spill"),
    ):
        pytest.fail("nothing was spilled")
