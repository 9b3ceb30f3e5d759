"""Pictures for large tiles, made from the originals where this server may read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any

from sparkcore import intake
from sparkcore.errors import ImageError
from sparkcore.imaging.decode import ImageSize, decode
from sparkcore.imaging.thumbnail import LONG_SIDE, thumbnail
from sparkcore.origins import local_path
from sparkcore.roots import Root
from sparkcore.runs.store import RunStore
from sparkcore.schema import STATUS_OK

TILE_LONG_SIDE = 640  # pixels
_KEPT = 400  # pictures of about 80 KB
_THREADS = 4
_ANY_SIZE = ImageSize(1, 1)

Row = Mapping[str, Any]


def tile_pictures(store: RunStore, rows: Sequence[Row]) -> list[bytes | None]:
    """Return JPEG pictures of TILE_LONG_SIDE; None where the thumbnail of the run is as good or all that there is.

    Rows need status, origin, width and height.
    """
    roots = intake.allowed_roots(store.state)
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(partial(_tile_picture, roots), rows))


def _tile_picture(roots: tuple[Root, ...], row: Row) -> bytes | None:
    path = local_path(row["origin"])
    if row["status"] != STATUS_OK or path is None or max(row["height"] or 0, row["width"] or 0) <= LONG_SIDE:
        return None
    try:
        return _reduced(row["origin"], roots, path.stat().st_mtime_ns)
    except (ImageError, OSError):  # it is gone, elsewhere or has changed
        return None


@lru_cache(maxsize=_KEPT)
def _reduced(origin: str, roots: tuple[Root, ...], modified_ns: int) -> bytes:  # noqa: ARG001, the cache's key
    image = decode(intake.open_allowed(origin, roots), target=_ANY_SIZE, long_side=TILE_LONG_SIDE).image
    return thumbnail(image, TILE_LONG_SIDE)
