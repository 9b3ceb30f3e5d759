"""Names of images that do not exist, for measurements of what the driver does with names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sparkcore.engine.listing import Listing
from sparkcore.engine.spill import ListedFile, sorted_files

FOLDER_FILES = 1000
_START_NS = 1_790_000_000_000_000_000


def made_up_files(count: int, root: str = "s3://some-bucket/pictures") -> Iterator[ListedFile]:
    """Yield `count` files in folders of 1,000 below an origin."""
    for number in range(count):
        origin = f"{root}/2026/folder%20{number // FOLDER_FILES:05d}/IMG_{number:08d}.jpg"
        modified_ns = _START_NS + number * 1_000_003
        yield ListedFile(origin, 100_000 + number % 50_000, modified_ns // 1_000_000, str(modified_ns))


@contextmanager
def made_up_listing(count: int, root: str, spill: Path) -> Iterator[Listing]:
    """Give a listing of such files, made as that of a real request; `spill` is the folder for many names."""
    with sorted_files(made_up_files(count, root), spill) as found:
        yield Listing(found.images, found.size_bytes, found.digest, (root,), _pieces=found.pieces)
