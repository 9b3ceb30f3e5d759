"""The map of a finished run on this machine: a place for each image of its mapped table, made once and kept.

It is a file below `<state>/mapped/`. What makes it is given by the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.errors import RunFailedError
from sparkcore.progress import Watch
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import mapped_path
from sparkcore.runs.store import RunStore
from sparkcore.runs.vectors import Vectors, map_vectors
from sparkcore.storage.local import hold_lock, replacing

X, Y = "map_x", "map_y"  # columns of a table with places
_SUFFIX = ".layout"


@dataclass(frozen=True, slots=True)
class Layout:
    """Hold the place of each image, float32 [n, 2], from 0 to 1, NaN for images without an embedding.

    Of the ten images that are most similar to one, the share `kept` is among the fifty nearest to it on the map.
    """

    places: npt.NDArray[np.float32]
    kept: float


def is_laid_out(store: RunStore, manifest: Manifest) -> bool:
    """Tell whether this machine has the map of a run."""
    return mapped_path(store, manifest, _SUFFIX).is_file()


def read_layout(store: RunStore, manifest: Manifest) -> Layout:
    """Return the map of a run; raises RunFailedError where this machine has none, or a damaged one."""
    path = mapped_path(store, manifest, _SUFFIX)
    try:
        with np.load(path) as found:
            return Layout(found["places"], float(found["kept"]))
    except (OSError, ValueError, KeyError) as error:
        raise RunFailedError(f"Expected the map of run {manifest.run_id} in {path}. Delete this file.") from error


def keep_layout(
    store: RunStore, run_id: str, make: Callable[[Vectors, Watch], Layout], watch: Watch | None = None
) -> Layout:
    """Return the map of a finished run; where this machine has none, `make` makes it and it is kept.

    Other processes wait for it. Raises RequestError for a run without embeddings, RunFailedError where the state folder
    cannot be written.
    """
    manifest, watch = store.recall(run_id), watch or Watch()
    path = mapped_path(store, manifest, _SUFFIX)
    if not path.is_file():
        vectors = map_vectors(store, run_id, watch)
        try:
            with hold_lock(store.state / "locks" / f"layout-{run_id}.lock", watch.check):
                if not path.is_file():
                    _write(path, make(vectors, watch))
        except OSError as error:
            raise RunFailedError(
                f"Expected to write the map of run {run_id} to {path}, but: {error}. Check permissions and free space."
            ) from error
    return read_layout(store, manifest)


def with_places(table: pa.Table, layout: Layout) -> pa.Table:
    """Return the table of a run with the columns X and Y, null for images without a place."""
    columns = {name: pa.array(layout.places[:, axis], from_pandas=True) for axis, name in enumerate((X, Y))}
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def _write(path: Path, layout: Layout) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, places=layout.places, kept=np.float64(layout.kept))
