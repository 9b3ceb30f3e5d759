"""Fetch a file with a checksum, and give up soon where there is no network."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

from sparkcore.errors import WeightsError

CONNECT_TIMEOUT_S = 5.0
# Looking up a host's address does not obey a socket's timeout, so the answer as a whole has a limit of its own.
ANSWER_TIMEOUT_S = 8.0
CHUNK_BYTES = 1 << 20


def download(url: str, target: Path, checksum: str | None) -> None:
    """Write the content of `url` to `target`, whole or not at all.

    `checksum` is md5 or sha256 in hex. Raises WeightsError within seconds where the server does not answer, and
    where the content does not fit the checksum.
    """
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _open(url) as response, unfinished.open("wb") as file:
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
        if checksum and file_checksum(unfinished, checksum) != checksum:
            raise WeightsError(f"{url} did not arrive whole: its checksum differs from {checksum}")
        unfinished.replace(target)
    except (OSError, HTTPException) as error:
        raise WeightsError(f"{url} cannot be downloaded: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def file_checksum(path: Path, like: str) -> str:
    """Return the sha256 of a file in hex, or its md5 where `like` is as short as an md5."""
    algorithm = "sha256" if len(like) == 64 else "md5"
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _open(url: str) -> Any:
    answers: queue.Queue[Any] = queue.Queue()

    def ask() -> None:
        try:
            answers.put(urllib.request.urlopen(url, timeout=CONNECT_TIMEOUT_S))
        except (OSError, HTTPException) as error:
            answers.put(error)

    threading.Thread(target=ask, name="download", daemon=True).start()
    try:
        answer = answers.get(timeout=ANSWER_TIMEOUT_S)
    except queue.Empty:
        raise TimeoutError(f"no answer within {ANSWER_TIMEOUT_S:.0f} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer
