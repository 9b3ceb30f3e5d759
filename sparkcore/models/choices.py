"""List the known models and whether they can be used on this machine right now."""

from __future__ import annotations

from dataclasses import dataclass

from sparkcore.models.published_weights import PackagedWeights
from sparkcore.models.registry import BUILT_IN, MODEL_SPECS, REFERENCE, ModelSpec, find_spec
from sparkcore.models.weights import keras_cache


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Name a model; `ready` tells whether its weights are here, `note` where they are or how to get them."""

    name: str
    ready: bool
    note: str


def available_models() -> list[ModelChoice]:
    """Return all known models, those that are ready first."""
    choices = [_choice(spec) for spec in MODEL_SPECS]
    return sorted(choices, key=lambda choice: not choice.ready)


def default_model() -> str:
    """Return the reference model where its weights are here, else the built-in one."""
    return REFERENCE if _choice(find_spec(REFERENCE)).ready else BUILT_IN


def _choice(spec: ModelSpec) -> ModelChoice:
    published = spec.weights
    if isinstance(published, PackagedWeights):
        return ModelChoice(spec.name, published.find() is not None, f"built in: {published.package} has its weights")
    # No checksum here: the list is built often, and a run checks the file anyway.
    if (keras_cache() / published.file_name).is_file():
        return ModelChoice(spec.name, True, "its weights are in the Keras cache")
    return ModelChoice(
        spec.name, False, f"needs its weights: a file, a download, or {published.file_name} in the cache"
    )
