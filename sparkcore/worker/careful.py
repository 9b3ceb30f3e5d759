"""Reading and decoding in child processes: an image that ends its decoder is a row, and the worker lives on.

A worker that dies of an image takes its whole task with it, so the second attempt of a task works like this. The first
attempt does so with large images alone, which would take too much of the worker's memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from sparkcore.config import Fit, RunConfig
from sparkcore.errors import ImageError, SparkcoreError
from sparkcore.imaging.bounded_child import BoundedChild, ChildDiedError, Limits, Message
from sparkcore.imaging.decode import ImageSize, LargeImageError
from sparkcore.imaging.formats import MAX_DECODING_BYTES
from sparkcore.worker.image import Prepared, Source, prepare
from sparkcore.worker.task import WorkerTask

LIMITS = Limits(memory_bytes=MAX_DECODING_BYTES, time_s=60.0)
LARGE_PIXELS = 25_000_000  # at most 0.6 GB
_NO_COLUMNS = pa.record_batch({})


@contextmanager
def preparation(task: WorkerTask) -> Iterator[Callable[[Source], Prepared]]:
    """Give the function that prepares images for a task, to be called by its decoding threads."""
    size = ImageSize(task.model.height, task.model.width)
    decoder = _CarefulDecoder(task.config, size, task.model.fit)
    here = partial(prepare, config=task.config, size=size, fit=task.model.fit, most_pixels=LARGE_PIXELS)
    try:
        yield decoder.prepare if task.careful else partial(_prepare_here, here, decoder)
    finally:
        decoder.end()


def _prepare_here(here: Callable[[Source], Prepared], decoder: _CarefulDecoder, source: Source) -> Prepared:
    """Prepare an image in this process, unless it is large."""
    try:
        return here(source)
    except LargeImageError:
        return decoder.prepare_large(source)


class _CarefulDecoder:
    """Prepare images in child processes, one for each thread that calls at the same time; large ones one by one."""

    def __init__(self, config: RunConfig, size: ImageSize, fit: Fit) -> None:
        self._size = size
        self._settings = {"config": config.to_dict(), "size": size, "fit": asdict(fit)}
        self._lock = threading.Lock()
        self._large = threading.Lock()
        self._idle: list[BoundedChild] = []
        self._busy: set[BoundedChild] = set()
        self._has_ended = False

    def prepare(self, source: Source) -> Prepared:
        """Do what `image.prepare` does; a child that dies of an image or takes too long is the image's `error`.

        Raises RunFailedError where no child can be started.
        """
        try:
            with self._child() as child:
                return self._ask(child, source, LARGE_PIXELS)
        except LargeImageError:
            return self.prepare_large(source)

    def prepare_large(self, source: Source) -> Prepared:
        """Prepare an image of any size like `prepare`, while no other large one is prepared.

        Each has a child of its own: decoders keep memory, that of JPEG 2000 for good.
        """
        with self._large, self._child() as child:
            child.end()
            try:
                return self._ask(child, source, None)
            finally:
                child.end()

    def _ask(self, child: BoundedChild, source: Source, most_pixels: int | None) -> Prepared:
        prepared = Prepared(replace(source, reading=None))
        try:
            question = _question(source, {**self._settings, "most_pixels": most_pixels})
            _fill(prepared, child.ask(question), self._size)
        except LargeImageError:
            raise
        except ImageError as error:
            prepared.error = error
        except ChildDiedError as died:
            prepared.error = _fatal(died)
        except SparkcoreError:
            raise
        except Exception as error:  # noqa: BLE001 (one image must not take the others down)
            prepared.error = ImageError("internal", f"{type(error).__name__}: {error}")
        return prepared

    def end(self) -> None:
        """End all children; those that are at work are killed, and the calls that wait for them return."""
        with self._lock:
            self._has_ended = True
            for child in self._busy:
                child.kill()
            for child in self._idle:
                child.end()

    @contextmanager
    def _child(self) -> Iterator[BoundedChild]:
        with self._lock:
            if self._has_ended:
                raise CancelledError
            child = self._idle.pop() if self._idle else BoundedChild(answer, LIMITS)
            self._busy.add(child)
        try:
            yield child
        finally:
            with self._lock:
                self._busy.remove(child)
                if self._has_ended:
                    child.end()
                else:
                    self._idle.append(child)


def answer(question: Message) -> Message:
    """Prepare an image, in the child."""
    facts = question.facts
    source = _source(facts, question.blobs[0])
    config, size = RunConfig.from_dict(facts["config"]), ImageSize(*facts["size"])
    try:
        prepared = prepare(source, config, size, Fit(**facts["fit"]), facts["most_pixels"])
    except LargeImageError:
        return Message({"is_large": True})
    error = prepared.error and (prepared.error.error_type, prepared.error.message)
    pixels = None if prepared.pixels is None else prepared.pixels.tobytes()
    return Message(
        {"facts": prepared.facts, "error": error, "decode_s": prepared.decode_s},
        [pixels, prepared.thumbnail, prepared.full_pixels],
    )


def _question(source: Source, settings: dict[str, Any]) -> Message:
    """Return what the child needs of an image; it opens local files itself. Raises ImageError."""
    struct, content = None, None
    if source.reading is not None:
        content = source.reading.result()
    elif source.content is not None and pa.types.is_struct(source.content.type):
        struct = source.content.as_py()
        content = struct.pop("data")
    elif source.content is not None:
        content = source.content.as_buffer().to_pybytes()
    facts = {"origin": source.origin, "listed_size_bytes": source.listed_size_bytes, "struct": struct}
    return Message({**settings, **facts}, [content])


def _source(facts: dict[str, Any], content: bytes | None) -> Source:
    source = Source(facts["origin"], None, 0, _NO_COLUMNS, 0, facts["listed_size_bytes"])
    if facts["struct"] is not None:
        return replace(source, content=pa.scalar({**facts["struct"], "data": content}))
    if content is None:
        return source
    reading: Future[bytes] = Future()  # unlike a scalar, it needs no copy
    reading.set_result(content)
    return replace(source, reading=reading)


def _fill(prepared: Prepared, reply: Message, size: ImageSize) -> None:
    if reply.facts.get("is_large"):
        raise LargeImageError
    pixels, thumbnail, full_pixels = reply.blobs
    if pixels is not None:
        prepared.pixels = np.frombuffer(pixels, np.uint8).reshape(size.height, size.width, 3)
    prepared.thumbnail, prepared.full_pixels = thumbnail, full_pixels
    prepared.facts, prepared.decode_s = reply.facts["facts"], reply.facts["decode_s"]
    prepared.error = ImageError(*reply.facts["error"]) if reply.facts["error"] else None


def _fatal(died: ChildDiedError) -> ImageError:
    advice = "Save it anew as JPEG or PNG with another program, or leave it out."
    if died.is_overdue:
        return ImageError("too_slow", f"Reading and decoding the image takes more than {LIMITS.time_s:g} s. {advice}")
    if died.cause == "SIGKILL":
        lacking = "The system killed the decoder (SIGKILL), most likely because this machine was short of memory."
        return ImageError("internal", f"{lacking} Give the executors more memory, or leave the image out.")
    memory_mb = LIMITS.memory_bytes // 10**6
    reason = f"the file is damaged or hostile, or needs more than {memory_mb:,} MB of memory"
    return ImageError("internal", f"The decoder crashed ({died.cause}): {reason}. {advice}")
