"""Names of runs for people: "photos · mobilenet_v2 · crop". Ids are in the details only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pages.components import text
from sparkcore.config import DEFAULT_MODEL, MODEL_SUFFIXES, RunConfig
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.notes import Note, Notes, source_name

QUICK_LOOK = 75  # images
_DEFAULTS = RunConfig(images="-").to_dict()
_SPEAK_FOR_THEMSELVES = ("resize", "interpolation", "precision")
_NUMBERS = ("top_k", *(f"{end}_{side}" for side in ("height", "width", "channels") for end in ("min", "max")))


def request_name(config: Mapping[str, Any], model: str | None = None) -> str:
    """Return what a request is called: pictures, model, and the settings that are not the default.

    `config` is `RunConfig.to_dict`, maybe of another version; `model` is the name of the model once it is known.
    """
    source, sample = source_name(config["images"]), config.get("sample")
    if sample:
        source = f"{sample:,} of {source}"
    name = " · ".join([source, model or _model_name(config["model"]), *_changed(config)])
    return f"Quick look: {name}" if sample == QUICK_LOOK else name


def run_name(manifest: Manifest, note: Note) -> str:
    """Return the name that somebody gave a run, or that of its request."""
    return note.name or request_name(manifest.config, manifest.model.get("name"))


def run_choices(manifests: Sequence[Manifest], notes: Notes) -> dict[str, str]:
    """Return run id -> text in a list of choices; only runs that would read the same show the start of their ids."""
    texts = {m.run_id: _choice(m, notes.of(m.run_id)) for m in manifests}
    uses = Counter(texts.values())
    return {run_id: said if uses[said] == 1 else f"{said} · {run_id[:8]}" for run_id, said in texts.items()}


def _choice(manifest: Manifest, note: Note) -> str:
    count = text.images(manifest.counts["images"])
    return f"{run_name(manifest, note)} · {count} · {text.moment(manifest.finished_at)}"


def _model_name(model: str) -> str:
    if model == DEFAULT_MODEL:
        return "default model"
    return Path(model).stem if model.endswith(MODEL_SUFFIXES) else model


def changed_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a request that are not the default."""
    return {name: value for name, value in config.items() if value != _DEFAULTS.get(name)}


def _changed(config: Mapping[str, Any]) -> list[str]:
    changed = changed_settings(config)
    words = [str(changed[name]) for name in _SPEAK_FOR_THEMSELVES if name in changed]
    return words + [f"{text.setting_name(name)} {changed[name]}" for name in _NUMBERS if name in changed]
