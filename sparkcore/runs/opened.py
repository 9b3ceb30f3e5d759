"""A finished run, opened for reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from sparkcore.config import EngineConfig
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_results
from sparkcore.runs.results import load_thumbnails
from sparkcore.runs.store import RunStore


@dataclass(frozen=True, slots=True)
class Run:
    """Hold a finished run: its manifest, its rows without pictures, and the store that has the pictures."""

    manifest: Manifest
    table: pa.Table
    store: RunStore

    def thumbnails(self, image_ids: Iterable[str]) -> dict[str, bytes]:
        """Return JPEG thumbnails by image id; images without one are absent."""
        return load_thumbnails(self.store, self.manifest.run_id, image_ids)


def open_run(run: str = "latest", store: Path | str | None = None) -> Run:
    """Open a finished run by its id, the first characters of its id, or "latest".

    `store` is the path or URI of the store (None: SPARKCORE_STORE, else ./runs-store). The table has one row per
    image and is mapped into memory; its columns are those of `schema.result_schema` without the pictures.

    Raises RunNotFoundError unless exactly one run matches.
    """
    engine = EngineConfig.from_environment(store=store)
    opened = RunStore(engine.store, engine.state)
    manifest = opened.find(run)
    return Run(manifest, map_results(opened, manifest.run_id), opened)
