"""Which models can be used on this machine right now, and which one a request without a model means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sparkcore.models.registry import MODEL_SPECS, ModelSpec, find_spec
from sparkcore.models.weights import BUILT_IN, REFERENCE, keras_cache


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Name a model and tell whether its weights are here; `note` says in words where they are or how to get them."""

    name: str
    ready: bool
    note: str


def available_models() -> list[ModelChoice]:
    """Return all models that are known by name, those that can be used at once first."""
    choices = [_choice(spec) for spec in MODEL_SPECS]
    return sorted(choices, key=lambda choice: not choice.ready)


def default_model() -> str:
    """Return the reference model where its weights are here, else the built-in one."""
    return REFERENCE if _choice(find_spec(REFERENCE)).ready else BUILT_IN


def _choice(spec: ModelSpec) -> ModelChoice:
    if spec.weights.url is None:
        ready = Path(__file__).with_name(spec.weights.file_name).is_file()
        return ModelChoice(spec.name, ready, "built in: its weights come with this package")
    if (keras_cache() / spec.weights.file_name).is_file():
        return ModelChoice(spec.name, True, "its weights are in the Keras cache")
    return ModelChoice(
        spec.name, False, f"needs its weights: a file, a download, or {spec.weights.file_name} in the cache"
    )
