"""From pictures of any size to the input of a model: resize, and pixels as arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from sparkcore.config import INTERPOLATIONS, RESIZE_MODES
from sparkcore.errors import ConfigError
from sparkcore.imaging.decode import ImageSize

__all__ = ["PADDING", "ImageSize", "resize", "to_array"]

# The mean color of ImageNet's photos. Preprocessing takes it to about zero, which is what a network's own padding is,
# so that the border says nothing; black would be the darkest of all values and draw an edge around the picture.
PADDING = (124, 116, 104)

_RESAMPLING = {name: Image.Resampling[name.upper()] for name in INTERPOLATIONS}


def resize(image: Image.Image, size: ImageSize, mode: str, interpolation: str) -> Image.Image:
    """Resize an RGB image to exactly `size`.

    `stretch` changes the proportions (what Keras does by default); `crop` scales the shorter side to fit and keeps
    the middle of the longer one; `pad` scales the longer side to fit and puts the rest in `PADDING`.

    Raises ConfigError for an unknown mode or interpolation.
    """
    if mode not in RESIZE_MODES:
        raise ConfigError.unexpected("resize", "one of " + ", ".join(RESIZE_MODES), mode)
    if interpolation not in _RESAMPLING:
        raise ConfigError.unexpected("interpolation", "one of " + ", ".join(INTERPOLATIONS), interpolation)
    resampling = _RESAMPLING[interpolation]
    if mode == "crop":
        return _crop(image, size, resampling)
    if mode == "pad":
        return _pad(image, size, resampling)
    return image.resize((size.width, size.height), resampling)


def to_array(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return an RGB image as uint8 of shape (height, width, 3), read-only."""
    return np.asarray(image)


def _crop(image: Image.Image, size: ImageSize, resampling: Image.Resampling) -> Image.Image:
    scale = max(size.width / image.width, size.height / image.height)
    width, height = min(size.width / scale, image.width), min(size.height / scale, image.height)
    left, top = (image.width - width) / 2, (image.height - height) / 2
    # With a box nothing outside of the crop is computed: 1 x 5,000 pixels would else become 1,120,000 wide first.
    return image.resize((size.width, size.height), resampling, (left, top, left + width, top + height))


def _pad(image: Image.Image, size: ImageSize, resampling: Image.Resampling) -> Image.Image:
    scale = min(size.width / image.width, size.height / image.height)
    width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    canvas = Image.new("RGB", (size.width, size.height), PADDING)
    canvas.paste(image.resize((width, height), resampling), ((size.width - width) // 2, (size.height - height) // 2))
    return canvas
