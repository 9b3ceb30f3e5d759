"""One image before the model: read, decode, filter by size, thumbnail, resize."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image

from sparkcore.config import Fit, RunConfig
from sparkcore.errors import ImageError
from sparkcore.imaging.damage import no_memory
from sparkcore.imaging.decode import Decoded, ImageSize, LargeImageError
from sparkcore.imaging.model_input import decode_model_input
from sparkcore.imaging.quality import measure
from sparkcore.imaging.spark_image import from_spark_image
from sparkcore.imaging.thumbnail import encode, shrink
from sparkcore.imaging.transforms import resize, to_array
from sparkcore.worker.opening import read_file, unopened

LARGE_FILE_BYTES = 100_000_000
CONTENT_DIGITS = 32  # of the sha256 of a file
_SPARK_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True, slots=True)
class Source:
    """One input row: `others` is its batch without the picture, `row` its index there.

    `content` is the file's bytes, a Spark image struct, or None for a file that is not opened yet; `reading` gives the
    bytes of an object that is being read. `size_bytes` is what the image holds in memory until it is decoded,
    `listed_size_bytes` the size of the file, None where it is not known.
    """

    origin: str
    content: pa.Scalar | None
    size_bytes: int
    others: pa.RecordBatch
    row: int
    listed_size_bytes: int | None = None
    reading: Future[bytes] | None = None


@dataclass(slots=True)
class Prepared:
    """An image ready for the model; `pixels` is uint8 [height, width, 3], or None if it failed or was filtered out."""

    source: Source
    pixels: npt.NDArray[np.uint8] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    thumbnail: bytes | None = None
    full_pixels: bytes | None = None
    error: ImageError | None = None
    decode_s: float = 0.0


def prepare(source: Source, config: RunConfig, size: ImageSize, fit: Fit, most_pixels: int | None = None) -> Prepared:
    """Decode and resize one image; one that cannot be used is returned with its `error`.

    Raises LargeImageError where more than `most_pixels` would have to be decoded.
    """
    started = time.thread_time()
    prepared = Prepared(replace(source, reading=None))  # the bytes are free after decoding
    try:
        content = _content(source, most_pixels)
        if content:
            prepared.facts["content_hash"] = hashlib.sha256(content).hexdigest()[:CONTENT_DIGITS]
        if _is_struct(source):
            decoded = _from_struct(source.content, content)
        else:
            full_size = "pixels" in config.keep
            decoded = decode_model_input(content, size, fit, full_size=full_size, most_pixels=most_pixels)
        _fill(prepared, decoded, config, size, fit)
    except LargeImageError:
        raise
    except ImageError as error:
        prepared.error = error
    except MemoryError:
        prepared.error = no_memory()
    except Exception as error:  # noqa: BLE001 (one image must not take the others down)
        prepared.error = ImageError("internal", f"{type(error).__name__}: {error}")
    prepared.decode_s = time.thread_time() - started
    return prepared


def passes(config: RunConfig, *, height: int, width: int, channels: int) -> bool:
    """Tell whether an image of this size passes the size filters of the request."""
    sides = {"height": height, "width": width, "channels": channels}
    return all(
        (getattr(config, f"min_{side}") or value) <= value <= (getattr(config, f"max_{side}") or value)
        for side, value in sides.items()
    )


def _fill(prepared: Prepared, decoded: Decoded, config: RunConfig, size: ImageSize, fit: Fit) -> None:
    prepared.facts |= {
        name: getattr(decoded, name) or None for name in ("format", "mode", "height", "width", "channels")
    }
    if not passes(config, height=decoded.height, width=decoded.width, channels=decoded.channels):
        return
    small = shrink(decoded.image)
    prepared.thumbnail = encode(small)
    prepared.facts |= measure(small)._asdict()
    if "pixels" in config.keep:
        prepared.full_pixels = decoded.image.tobytes()
    prepared.pixels = to_array(resize(decoded.image, size, fit, config.interpolation))


def _is_struct(source: Source) -> bool:
    return source.content is not None and pa.types.is_struct(source.content.type)


def _content(source: Source, most_pixels: int | None) -> bytes:
    """Return the bytes of the file, of a Spark image struct those of its pixels.

    Raises LargeImageError for what would take much memory before it can be looked at.
    """
    if source.content is None and source.listed_size_bytes is not None:
        reason = unopened(source.origin, source.listed_size_bytes)
        if reason is not None:
            raise reason
        if source.listed_size_bytes > LARGE_FILE_BYTES and source.reading is None and most_pixels is not None:
            raise LargeImageError
    if source.reading is not None:
        return source.reading.result()
    if source.content is None:
        return read_file(source.origin)
    if not _is_struct(source):
        return source.content.as_buffer().to_pybytes()
    if most_pixels is not None and source.content["height"].as_py() * source.content["width"].as_py() > most_pixels:
        raise LargeImageError
    data = source.content["data"].as_buffer()
    return b"" if data is None else data.to_pybytes()


def _from_struct(struct: pa.Scalar, data: bytes) -> Decoded:
    height, width, channels, mode = (struct[name].as_py() for name in ("height", "width", "nChannels", "mode"))
    image: Image.Image = from_spark_image(height, width, channels, mode, data)
    return Decoded(image, "", _SPARK_MODES[channels], height, width, channels)
