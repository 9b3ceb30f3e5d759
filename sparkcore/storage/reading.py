"""An object as a file to read in: a few large requests in the place of many small ones."""

from __future__ import annotations

import io
from collections.abc import Callable

_WINDOW_BYTES = 1 << 20
_WHOLE_BYTES = 4 << 20  # a smaller object is read at once


class RangeReader(io.RawIOBase):
    """Read an object of a known size by ranges; the bytes of the last request are kept.

    `read_range` takes start and length and returns exactly these bytes.
    """

    def __init__(self, read_range: Callable[[int, int], bytes], size_bytes: int) -> None:
        super().__init__()
        self._read_range = read_range
        self._size_bytes = size_bytes
        self._position = 0
        self._start, self._window = 0, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size_bytes}[whence]
        if base + offset < 0:
            raise ValueError(f"Expected a position of at least 0, received {base + offset}.")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def read(self, size: int = -1, /) -> bytes:
        left = max(0, self._size_bytes - self._position)
        length = left if size is None or size < 0 else min(size, left)
        if not length:
            return b""
        if not self._start <= self._position <= self._position + length <= self._start + len(self._window):
            self._fetch(length)
        offset = self._position - self._start
        self._position += length
        return self._window[offset : offset + length]

    def _fetch(self, length: int) -> None:
        """Read a window around the position: readers of Parquet begin at the end of a file."""
        if self._size_bytes <= _WHOLE_BYTES:
            start, length = 0, self._size_bytes
        else:
            length = max(length, _WINDOW_BYTES)
            start = min(self._position, max(0, self._size_bytes - length))
        length = min(length, self._size_bytes - start)
        self._window = self._read_range(start, length)
        self._start = start
