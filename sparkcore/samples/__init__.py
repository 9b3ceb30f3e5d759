"""Built-in samples: labelled pictures made by rendering, for demos, tests and load tests without any photo."""

from __future__ import annotations

import numpy as np
from PIL import Image

from sparkcore.samples.catalog import CLASSES, SampleClass, find_class
from sparkcore.samples.files import write_samples

__all__ = ["SampleClass", "render_sample", "sample_classes", "write_samples"]


def sample_classes() -> tuple[SampleClass, ...]:
    """List the classes that can be rendered."""
    return CLASSES


def render_sample(class_name: str, rng: np.random.Generator) -> Image.Image:
    """Render one RGB picture of a class; sides are within 300..1,200 pixels.

    Raises ConfigError for an unknown class.
    """
    return find_class(class_name).picture(rng)
