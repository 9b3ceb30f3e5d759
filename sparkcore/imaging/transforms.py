"""Resizing of pictures to the input size of a model, and their pixels as arrays."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from sparkcore.config import INTERPOLATIONS, Fit
from sparkcore.errors import ConfigError
from sparkcore.imaging.decode import ImageSize

__all__ = ["PADDING", "ImageSize", "resize", "size_before_crop", "to_array"]

# The mean color of ImageNet. Preprocessing maps it to about zero, the value of a network's own padding, so the border
# carries no signal; black would draw a strong edge around the picture.
PADDING = (124, 116, 104)

_RESAMPLING = {name: Image.Resampling[name.upper()] for name in INTERPOLATIONS}


def resize(image: Image.Image, size: ImageSize, fit: Fit, interpolation: str) -> Image.Image:
    """Resize an RGB image to exactly `size`.

    `stretch` ignores the aspect ratio (Keras's default). `crop` takes the largest centered box of the target's aspect
    ratio, scaled by `crop_ratio`. `pad` fits the longer side and fills the rest with `PADDING`.

    Raises ConfigError for an unknown interpolation.
    """
    if interpolation not in _RESAMPLING:
        raise ConfigError.unexpected("interpolation", "one of " + ", ".join(INTERPOLATIONS), interpolation)
    resampling = _RESAMPLING[interpolation]
    if fit.mode == "crop":
        return _crop(image, size, fit.crop_ratio, resampling)
    if fit.mode == "pad":
        return _pad(image, size, resampling)
    return image.resize((size.width, size.height), resampling)


def size_before_crop(size: ImageSize, fit: Fit) -> ImageSize:
    """Return the size of the whole image, in pixels, whose crop has the given size."""
    return ImageSize(math.ceil(size.height / fit.crop_ratio), math.ceil(size.width / fit.crop_ratio))


def to_array(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return an RGB image as uint8 of shape (height, width, 3), read-only."""
    return np.asarray(image)


def _crop(image: Image.Image, size: ImageSize, ratio: float, resampling: Image.Resampling) -> Image.Image:
    scale = max(size.width / image.width, size.height / image.height) / ratio
    width, height = (max(1, math.floor(side / scale + 1e-6)) for side in (size.width, size.height))
    left, top = (image.width - width + 1) // 2, (image.height - height + 1) // 2
    # Crop before resizing, as EfficientNet's authors do, so that pixels outside the box have no influence.
    return image.crop((left, top, left + width, top + height)).resize((size.width, size.height), resampling)


def _pad(image: Image.Image, size: ImageSize, resampling: Image.Resampling) -> Image.Image:
    scale = min(size.width / image.width, size.height / image.height)
    width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    canvas = Image.new("RGB", (size.width, size.height), PADDING)
    canvas.paste(image.resize((width, height), resampling), ((size.width - width) // 2, (size.height - height) // 2))
    return canvas
