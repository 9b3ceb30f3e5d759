"""The embeddings of a finished run as arrays on this machine, in the order of its mapped table.

They are copied once from the part files below `<state>/mapped/`: the embeddings themselves, and a short version that
is searched first. One million images take 1 GB and 64 MB.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.errors import RequestError, RunFailedError
from sparkcore.progress import Step, Watch
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_results, mapped_path
from sparkcore.runs.parts import read_files_ahead, stored_parts, without_excluded
from sparkcore.runs.store import RunStore
from sparkcore.storage.local import hold_lock, replacing

SHORT_LENGTH = 64
_AXES, _SHORT = ".axes", ".short"
_SAMPLE_ROWS = 20_000  # of which the short version keeps most
_BLOCK_ROWS = 65_536
_LARGEST_BYTE = 127
_READ_ROWS = 4_096

Halves = npt.NDArray[np.float16]
Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Vectors:
    """Hold the embeddings of a run, float16 [n, length], zero for images without one, and the short version.

    `short` is int8 [n, at most 64]: coordinates along the main axes of the embeddings, in one scale: (embedding -
    `center`) @ `axes`. A distance there is about that of the embeddings.
    """

    embeddings: Halves
    short: Bytes
    center: Floats
    axes: Floats

    def has(self, row: int) -> bool:
        """Tell whether an image has an embedding."""
        return bool(self.embeddings[row].any())

    def at(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Return the embeddings of rows, float32.

        Few rows are read, not mapped: the system may map two megabytes of the file for each.
        """
        if not isinstance(self.embeddings, np.memmap) or len(rows) > _READ_ROWS:
            return np.asarray(self.embeddings[rows], np.float32)
        found = np.empty((len(rows), self.embeddings.shape[1]), np.float16)
        with Path(str(self.embeddings.filename)).open("rb", buffering=0) as file:
            for place, row in enumerate(rows.tolist()):
                os.preadv(file.fileno(), [found[place].data], row * found[place].nbytes)
        return found.astype(np.float32)

    @property
    def scale(self) -> float:
        """Return the length of a distance of 1 in the short version."""
        return float(np.linalg.norm(self.axes[:, 0]))


def has_embeddings(manifest: Manifest) -> bool:
    """Tell whether the images of a run have embeddings."""
    return "embedding" in (manifest.model.get("features") or {})


def vectors_of(store: RunStore, manifest: Manifest) -> Vectors | None:
    """Return the embeddings of a run, None where it has none."""
    return map_vectors(store, manifest.run_id) if has_embeddings(manifest) else None


def check_embeddings(manifest: Manifest) -> None:
    """Raise RequestError for a run whose images have no embeddings."""
    if not has_embeddings(manifest):
        reason = (manifest.model.get("features") or {}).get("reason", "it was made by an earlier version")
        raise RequestError(
            f"Expected a run with embeddings, run {manifest.run_id} has none: {reason}. Run again with features, with "
            "a model that pools a feature map."
        )


def check_comparable(left: Manifest, right: Manifest) -> None:
    """Raise RequestError unless embeddings of two runs have a distance: one model, which saw the images alike."""
    differing = [name for name in ("digest", "resize", "crop_ratio") if left.model.get(name) != right.model.get(name)]
    if left.config.get("interpolation") != right.config.get("interpolation"):
        differing.append("interpolation")
    if differing:
        names = {"digest": "model", "resize": "resize mode", "crop_ratio": "resize mode"}
        said = " and ".join(dict.fromkeys(names.get(name, name) for name in differing))
        raise RequestError(
            f"Expected two runs of one model and resize mode, runs {left.run_id} ({left.model['name']}) and "
            f"{right.run_id} ({right.model['name']}) differ in {said}: distances between their embeddings mean "
            "nothing. Run both folders with the same settings."
        )


def map_vectors(store: RunStore, run_id: str, watch: Watch | None = None) -> Vectors:
    """Return the embeddings of a finished run, memory-mapped; the first call copies them.

    `watch` sees how far that is, and may end it. Raises RequestError for a run without embeddings, RunFailedError where
    part files are missing.
    """
    manifest, watch = store.recall(run_id), watch or Watch()
    check_embeddings(manifest)
    rows, length = map_results(store, run_id).num_rows, int(manifest.model["features"]["embedding"])
    path = mapped_path(store, manifest, ".embeddings")
    try:
        _keep(store, manifest, path, (rows, length), watch)
    except OSError:  # a state folder that this user may only read
        path = Path(_own_folder().name, "mapped", path.name)
        _keep(store, manifest, path, (rows, length), watch)
    try:
        return open_arrays(path, (rows, length))
    except ValueError as error:
        raise RunFailedError(
            f"Expected {rows:,} embeddings of {length} numbers in {path}. Delete this file."
        ) from error


def _keep(store: RunStore, manifest: Manifest, path: Path, shape: tuple[int, int], watch: Watch) -> None:
    """Copy the embeddings of a run to a file, unless they are there."""
    short = path.with_suffix(_SHORT)
    if not short.is_file():
        with hold_lock(path.parents[1] / "locks" / f"vectors-{manifest.run_id}.lock", watch.check):
            if not short.is_file():
                _copy(store, manifest, path, watch)
                shorten(path, shape)


@cache
def _own_folder() -> TemporaryDirectory[str]:
    """Return a folder that lives as long as this process."""
    return TemporaryDirectory(prefix="sparkcore-vectors-")


def open_arrays(path: Path, shape: tuple[int, int]) -> Vectors:
    """Map the embeddings in a file, and the short version beside it; raises ValueError for another shape."""
    rows, length = shape
    width = min(length, SHORT_LENGTH)
    short = path.with_suffix(_SHORT)
    if (path.stat().st_size, short.stat().st_size) != (2 * rows * length, rows * width):
        raise ValueError(f"{path} does not hold {shape}")
    scale = np.fromfile(path.with_suffix(_AXES), np.float32).reshape(1 + width, length)
    return Vectors(_mapped(path, shape, np.float16), _mapped(short, (rows, width), np.int8), scale[0], scale[1:].T)


def _mapped(path: Path, shape: tuple[int, int], kind: Any) -> npt.NDArray[Any]:
    return np.memmap(path, kind, "r", shape=shape) if shape[0] else np.empty(shape, kind)


def _copy(store: RunStore, manifest: Manifest, path: Path, watch: Watch) -> None:
    length, done = int(manifest.model["features"]["embedding"]), 0
    parts = stored_parts(store.storage, manifest.run_id, manifest)
    with replacing(path) as temporary, temporary.open("wb") as file:
        for table in read_files_ahead(store.storage, parts, ["status", "embedding"]):
            watch.check()
            rows = without_excluded(table)
            file.write(_array(rows["embedding"], length).data)
            done += rows.num_rows
            watch.progress(Step("opening embeddings", done, manifest.counts["images"]))


def _array(column: pa.ChunkedArray, length: int) -> Halves:
    """Return a column of bytes as float16 [n, length]; null is zero."""
    found = np.zeros((len(column), length), np.float16)
    values = pa.concat_arrays(column.chunks).drop_null() if column.num_chunks else pa.array([], pa.binary())
    if len(values):
        start = values.offset
        offsets = np.frombuffer(values.buffers()[1], np.int32)[start : start + len(values) + 1]
        data = np.frombuffer(values.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
        found[column.is_valid().to_numpy()] = data.view("<f2").reshape(len(values), length)
    return found


def shorten(path: Path, shape: tuple[int, int]) -> None:
    """Write, beside a file of embeddings, their coordinates along the main axes of an even sample, and these axes."""
    length = shape[1]
    sample = _sample(path, shape)
    center = sample.mean(axis=0) if len(sample) else np.zeros(length, np.float32)
    _, found = np.linalg.eigh((sample - center).T @ (sample - center))
    axes = found[:, ::-1][:, :SHORT_LENGTH].astype(np.float32)
    axes *= _LARGEST_BYTE / np.abs((sample - center) @ axes).max(initial=1e-6)
    with replacing(path.with_suffix(_AXES)) as temporary:
        np.vstack([center, axes.T]).tofile(temporary)
    with replacing(path.with_suffix(_SHORT)) as temporary, temporary.open("wb") as target, path.open("rb") as source:
        for block in _blocks(source, length):
            coordinates = np.rint((block - center) @ axes).clip(-_LARGEST_BYTE, _LARGEST_BYTE)
            target.write(coordinates.astype(np.int8).data)


def _sample(path: Path, shape: tuple[int, int]) -> Floats:
    rows, length = shape
    if not rows:
        return np.empty(shape, np.float32)
    stored = np.memmap(path, np.float16, "r", shape=shape)
    sample = np.asarray(stored[:: -(-rows // _SAMPLE_ROWS)], np.float32)
    return sample[sample.any(axis=1)].reshape(-1, length)


def _blocks(file: BinaryIO, length: int) -> Iterator[Floats]:
    while content := file.read(_BLOCK_ROWS * length * np.dtype(np.float16).itemsize):
        yield np.frombuffer(content, np.float16).reshape(-1, length).astype(np.float32)
