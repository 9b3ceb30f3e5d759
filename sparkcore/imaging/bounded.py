"""Check of untrusted pictures in a child process with bounds on pixels, memory and time."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from io import BytesIO
from types import TracebackType

from PIL import Image

from sparkcore.errors import ImageError
from sparkcore.imaging.bounded_child import BoundedChild, ChildDiedError, Limits, Message
from sparkcore.imaging.decode import FORMATS, ImageSize, decode
from sparkcore.imaging.formats import MAX_DECODING_BYTES
from sparkcore.imaging.thumbnail import thumbnail

_PREVIEW = ImageSize(64, 64)  # large JPEG files are decoded at a fraction of their size
_AT_ONCE = threading.BoundedSemaphore(2)  # so that many uploads at a time do not add up


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limit what one picture may take: pixels, memory beyond that of an idle child, and time to check it.

    Memory is bounded on Linux only.
    """

    pixels: int = 100_000_000
    memory_bytes: int = MAX_DECODING_BYTES
    time_s: float = 30.0


class PictureChecker:
    """Decode pictures in a child process, which starts with the first one; use it in a `with` statement."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._child = BoundedChild(judge, Limits(bounds.memory_bytes, bounds.time_s))

    def __enter__(self) -> PictureChecker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._child.end()

    def check(self, content: bytes, long_side: int = 0) -> bytes | None:
        """Return a thumbnail with this long side in pixels (0: None) if the picture can be decoded within the bounds.

        The child that a picture ended is replaced for the next one. Raises ImageError for any other picture,
        RunFailedError where no child can be started.
        """
        question = {"max_pixels": self._bounds.pixels, "long_side": long_side}
        try:
            with _AT_ONCE:
                answer = self._child.ask(Message(question, [content]))
        except ChildDiedError as died:
            raise _fatal(died, self._bounds) from None
        if answer.facts:
            raise ImageError(answer.facts["error_type"], answer.facts["message"])
        return answer.blobs[0] if answer.blobs else None


def judge(question: Message) -> Message:
    """Answer a picture, in the child: with nothing or its thumbnail, or with the reason against it."""
    content, max_pixels, long_side = question.blobs[0] or b"", question.facts["max_pixels"], question.facts["long_side"]
    try:
        pixels = _pixels(content)
        if pixels > max_pixels:
            said = f"{pixels // 10**6:,} million pixels, more than the limit of {max_pixels // 10**6:,}"
            raise ImageError("too_large", said)
        image = decode(content, target=_PREVIEW, long_side=long_side).image
    except ImageError as error:
        return Message({"error_type": error.error_type, "message": error.message})
    return Message({}, [thumbnail(image, long_side)] if long_side else [])


def _pixels(content: bytes) -> int:
    """Return the pixel count of the header, or 0 without one: decoding then finds the reason."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as source:
            return source.width * source.height
    except Exception:  # noqa: BLE001 (damaged bytes raise anything)
        return 0


def _fatal(died: ChildDiedError, bounds: Bounds) -> ImageError:
    if died.is_overdue:
        return ImageError("too_large", f"Decoding takes more than {bounds.time_s:g} s.")
    memory_mb = bounds.memory_bytes // 10**6
    return ImageError("too_large", f"The decoder crashed ({died.cause}): hostile, or over {memory_mb:,} MB of memory.")
