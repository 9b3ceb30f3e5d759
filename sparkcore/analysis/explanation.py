"""Why a model chose a label: the stored class activation maps of an image, as a heat map over its picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sparkcore.errors import RequestError
from sparkcore.imaging.decode import ImageSize
from sparkcore.imaging.heat_map import heat_map_jpeg, heat_map_png
from sparkcore.imaging.lettering import display_name
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.results import load_rows
from sparkcore.runs.store import RunStore

_ZERO = 128  # the byte of no evidence
_SPAN = 127


@dataclass(frozen=True, slots=True)
class Explanation:
    """Hold the labels of an image, best first, and how much each place speaks for them, float32 [k, height, width].

    The evidence is from -1 to 1, in one scale for all labels of the image.
    """

    labels: tuple[str, ...]
    maps: npt.NDArray[np.float32]

    def evidence(self, label: str | None = None, against: str | None = None) -> npt.NDArray[np.float32]:
        """Return the evidence for a label (None: the best), [height, width]; with `against`, for it and not that one.

        The values are stretched so that the strongest is 1 or -1. Raises RequestError for a label without a map.
        """
        found = self.maps[self._place(label)]
        if against is not None:
            found = found - self.maps[self._place(against)]
        largest = np.abs(found).max()
        return np.asarray(found / largest if largest > 0 else found, np.float32)

    def _place(self, label: str | None) -> int:
        if label is None:
            return 0
        names = [one.casefold() for one in self.labels]
        wanted = label.casefold()
        shown = [display_name(one).casefold() for one in self.labels]
        for known in (names, shown):
            if wanted in known:
                return known.index(wanted)
        raise RequestError(f"label: expected one of {', '.join(self.labels)}, received {label!r}.")


def has_maps(manifest: Manifest) -> bool:
    """Tell whether the images of a run have class activation maps."""
    return "activation" in (manifest.model.get("features") or {})


def load_explanation(store: RunStore, manifest: Manifest, image_id: str) -> Explanation:
    """Read the maps of an image; raises RequestError where the run or the image has none."""
    if not has_maps(manifest):
        reason = (manifest.model.get("features") or {}).get("reason", "it was made by an earlier version")
        raise RequestError(
            f"Expected a run with class activation maps, run {manifest.run_id} has none: {reason}. Run again with "
            "features, with a model in which one layer follows the pooling."
        )
    rows = load_rows(store, manifest.run_id, [image_id], ["activation", "top"]).to_pylist()
    if not rows:
        raise RequestError(f"Expected the id of an image of run {manifest.run_id}, received {image_id!r}.")
    if rows[0]["activation"] is None:
        raise RequestError(f"The image {image_id} could not be read, so that it has no class activation maps.")
    return _explanation(rows[0], manifest)


def _explanation(row: Mapping[str, Any], manifest: Manifest) -> Explanation:
    maps = np.frombuffer(row["activation"], np.uint8).reshape(-1, *manifest.model["features"]["activation"])
    labels = tuple(entry["label"] for entry in row["top"][: len(maps)])
    return Explanation(labels, (maps.astype(np.float32) - np.float32(_ZERO)) / np.float32(_SPAN))


def explanation_png(content: bytes, evidence: npt.NDArray[np.float32], manifest: Manifest) -> bytes:
    """Return an image file, upright, under its evidence, where the model saw it, as PNG; raises ImageError."""
    model = ImageSize(manifest.model["height"], manifest.model["width"])
    return heat_map_png(content, evidence, model, manifest.fit)


def heat_thumbnails(store: RunStore, manifest: Manifest, thumbnails: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return thumbnails, by image id, under the evidence for the best label, as JPEG; those without maps are absent."""
    if not has_maps(manifest):
        return {}
    model = ImageSize(manifest.model["height"], manifest.model["width"])
    rows = load_rows(store, manifest.run_id, thumbnails, ["image_id", "activation", "top"]).to_pylist()
    return {
        row["image_id"]: heat_map_jpeg(
            thumbnails[row["image_id"]], _explanation(row, manifest).evidence(), model, manifest.fit
        )
        for row in rows
        if row["activation"] is not None
    }
