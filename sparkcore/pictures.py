"""Open the original of an image by its origin, for those who show or export it."""

from __future__ import annotations

from sparkcore.errors import ImageError
from sparkcore.origins import local_path


def open_image(origin: str) -> bytes:
    """Return the bytes of a local image; raises ImageError where it is gone or lies on another file system."""
    path = local_path(origin)
    if path is None:
        raise ImageError("unreadable", f"Only local files can be opened here, and this one is {origin}.")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError("vanished", "The file is not there any more.") from None
    except OSError as error:
        raise ImageError("unreadable", f"The file cannot be opened: {error.strerror or error}.") from None
