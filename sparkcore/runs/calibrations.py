"""What the store keeps of a precision below float32: its agreement, and the quantized model. Created once."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sparkcore.errors import RunFailedError
from sparkcore.runs.agreement import Agreement
from sparkcore.storage.interface import Entry, Storage
from sparkcore.storage.local import replacing

FOLDER = "calibrations"
_SUFFIX = ".ir"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Hold what was found when a model was first used in a precision.

    `run_id` is the run that it was done for, `processor` the kind that compared: without VNNI or AMX, sums of 8 bits
    saturate. `model` is the digest of the model in float32, `quantized` the sha256 of the model in int8, which was
    calibrated on `calibrated_on` images; bfloat16 has no model of its own ("" and 0).
    """

    key: str
    precision: str
    run_id: str
    model: str
    processor: str
    agreement: Agreement
    quantized: str = ""
    calibrated_on: int = 0

    def statement(self) -> dict[str, Any]:
        """Return what the manifest of a run says."""
        own = {name: getattr(self, name) for name in ("key", "precision", "run_id", "processor", "calibrated_on")}
        return {**own, **asdict(self.agreement)}


def record_name(key: str) -> str:
    """Return the name of the record of a calibration."""
    return f"{FOLDER}/{key}/calibration.json"


def graph_name(key: str, quantized: str) -> str:
    """Return the name of a quantized model; the record says which one counts."""
    return f"{FOLDER}/{key}/{quantized}{_SUFFIX}"


def read_calibration(storage: Storage, key: str) -> Calibration | None:
    """Return a calibration, or None where there is none; raises RunFailedError for a damaged record."""
    try:
        values = json.loads(storage.read(record_name(key)))
        return Calibration(**{**values, "agreement": Agreement(**values["agreement"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise RunFailedError(
            f"{storage.uri}/{record_name(key)} is damaged: {error!r}. Delete it, and the next run makes it anew."
        ) from error


def unused_graphs(storage: Storage) -> Iterator[Entry]:
    """Yield quantized models that no record names: of drivers that were killed, or were not the first."""
    for entry in storage.list(FOLDER):
        _, _, rest = entry.name.partition("/")
        key, _, file = rest.partition("/")
        if file.endswith(_SUFFIX) and not _is_named(storage, key, file.removesuffix(_SUFFIX)):
            yield entry


def _is_named(storage: Storage, key: str, quantized: str) -> bool:
    try:
        calibration = read_calibration(storage, key)
    except RunFailedError:
        return True  # a damaged record is left alone
    return calibration is not None and calibration.quantized == quantized


def create_calibration(storage: Storage, calibration: Calibration, graph: Path | None) -> Calibration:
    """Write the quantized model and the record; return the calibration that counts: the first one written."""
    name = graph_name(calibration.key, calibration.quantized)
    if graph is not None:
        with graph.open("rb") as source, storage.open_writer(name) as target:
            shutil.copyfileobj(source, target)
    content = json.dumps(asdict(calibration), indent=2).encode()
    if storage.write_new(record_name(calibration.key), content):
        return calibration
    first = read_calibration(storage, calibration.key)
    if first is None:
        raise RunFailedError(f"{storage.uri}/{record_name(calibration.key)} was deleted meanwhile. Run again.")
    if graph is not None and first.quantized != calibration.quantized:
        storage.delete(name)
    return first


def fetch_graph(storage: Storage, calibration: Calibration, target: Path) -> None:
    """Copy the quantized model to a local file; raises RunFailedError where it is missing or damaged."""
    name, digest = graph_name(calibration.key, calibration.quantized), hashlib.sha256()
    try:
        with storage.open_reader(name) as source, replacing(target) as temporary, temporary.open("wb") as file:
            while piece := source.read(1 << 20):
                digest.update(piece)
                file.write(piece)
            if digest.hexdigest() != calibration.quantized:
                raise RunFailedError(f"{storage.uri}/{name} is damaged. Delete its folder, and run again.")
    except FileNotFoundError:
        raise RunFailedError(f"{storage.uri}/{name} is missing. Delete its folder, and run again.") from None
