"""Download published files: whole or not at all, with progress, and without a long wait where there is no network."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sparkcore.background import in_background, result_of
from sparkcore.config import cache_folder
from sparkcore.errors import WeightsError, first_line
from sparkcore.progress import Step, Watch
from sparkcore.storage.local import write_bytes

ANSWER_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 10.0
OFFLINE_MEMORY_S = 3600.0
_CHUNK_BYTES = 256 << 10
_POLL_S = 0.1
_STOP_S = 1.0


@dataclass(frozen=True, slots=True)
class Download:
    """Describe a file to fetch: a title for people, the URL, and md5 or sha256 in hex (None: unknown)."""

    title: str
    url: str
    checksum: str | None


def download(wanted: Download, target: Path, watch: Watch) -> None:
    """Fetch a file into `target`, whole or not at all.

    Raises WeightsError if no server answers within 3 s, the server stops sending, or the checksum differs; and
    anything that `watch.check` raises, which is called ten times a second, whether the server sends or not.
    """
    import pooch
    import requests

    _check_answer(wanted.url, watch)
    pooch.get_logger().setLevel(logging.ERROR)

    def retrieve(check: Callable[[], None]) -> None:
        progress = _Progress(watch, check, f"downloading {wanted.title}")
        downloader = pooch.HTTPDownloader(progressbar=progress, chunk_size=_CHUNK_BYTES, timeout=READ_TIMEOUT_S)
        pooch.retrieve(wanted.url, _known_hash(wanted.checksum), target.name, target.parent, downloader=downloader)

    try:
        target.unlink(missing_ok=True)  # a damaged file
        # In a thread: a read that waits for the server must not delay a cancellation.
        retrieving = in_background(retrieve, "download")
        try:
            result_of(retrieving, watch.check)
        except BaseException:
            wait([retrieving], timeout=_STOP_S)  # it removes what it has
            raise
    except ValueError as error:  # pooch's error for another checksum
        raise WeightsError(f"{wanted.url} did not arrive whole: its checksum is not {wanted.checksum}") from error
    except (OSError, requests.RequestException) as error:
        raise WeightsError(f"{wanted.url} cannot be downloaded: {_reason(error)}") from error
    _offline_file().unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    """Return why a download failed, without the numbers of the operating system."""
    import requests

    if isinstance(error, requests.HTTPError):
        return first_line(error)
    if isinstance(error, requests.Timeout):
        return "the server stopped sending"
    if isinstance(error, requests.ConnectionError):
        return "the connection failed"
    return getattr(error, "strerror", None) or first_line(error)


def was_offline() -> bool:
    """Tell whether a download found no network within the last hour."""
    try:
        return abs(time.time() - _offline_file().stat().st_mtime) < OFFLINE_MEMORY_S  # a clock may be set back
    except OSError:
        return False


def remember_offline() -> None:
    """Make `was_offline` true for an hour, in all processes that share the cache folder."""
    write_bytes(_offline_file(), b"No network was found when this file was written.\n")


def _offline_file() -> Path:
    return cache_folder() / "offline"


def _check_answer(url: str, watch: Watch) -> None:
    """Raise WeightsError unless the server answers in time, be it with an error."""
    import requests

    def ask() -> None:
        try:
            requests.head(url, timeout=ANSWER_TIMEOUT_S)
            answers.put(None)
        except Exception as error:  # noqa: BLE001 (any error is handed to the waiting thread)
            answers.put(_reason(error))

    answers: queue.Queue[str | None] = queue.Queue()
    # In a thread of its own: looking up a host name obeys no timeout.
    threading.Thread(target=ask, name="reach", daemon=True).start()
    problem = _wait_for(answers, watch.check)
    if problem is not None:
        remember_offline()
        raise WeightsError(f"{urlsplit(url).hostname} cannot be reached ({problem})")


def _wait_for(answers: queue.Queue[str | None], check: Callable[[], None]) -> str | None:
    deadline = time.monotonic() + ANSWER_TIMEOUT_S
    while time.monotonic() < deadline:
        check()
        try:
            return answers.get(timeout=_POLL_S)
        except queue.Empty:
            continue
    return f"no answer within {ANSWER_TIMEOUT_S:g} s"


def _known_hash(checksum: str | None) -> str | None:
    if checksum is None:
        return None
    return f"{'sha256' if len(checksum) == 64 else 'md5'}:{checksum}"


class _Progress:
    """The part of tqdm's interface that pooch uses, for a Watch."""

    def __init__(self, watch: Watch, check: Callable[[], None], phase: str) -> None:
        self._watch, self._check, self._phase = watch, check, phase
        self.total = self._done = 0

    def update(self, count: int) -> None:
        self._watch.check()
        self._check()
        self._done = min(self._done + count, self.total or self._done + count)
        self._watch.progress(Step(self._phase, self._done, self.total, unit="bytes"))

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        """Do nothing: the next step replaces this one."""
