"""An S3 server on this machine for a measurement, and the environment by which everybody here finds it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from sparkcore.storage.opening import open_storage
from tests.storage.s3_server import BUCKET, CREDENTIALS, s3_server

_WRITES_AT_ONCE = 16


@contextmanager
def object_store(folder: Path) -> Iterator[tuple[str, str]]:
    """Run the server during the block; yield its address and the URI of its bucket.

    Sessions and processes that are started within the block inherit address and keys.
    """
    (folder / "s3").mkdir()
    with s3_server(folder / "s3") as address, reached_at(address):
        yield address, f"s3://{BUCKET}"


@contextmanager
def reached_at(address: str) -> Iterator[None]:
    """Let this process and its children reach the server at another address, such as that of a slow line."""
    values = {**CREDENTIALS, "AWS_ENDPOINT_URL": address, "AWS_ALLOW_HTTP": "true"}
    with patch.dict(os.environ, values):
        yield


def upload(folder: Path, uri: str) -> None:
    """Write the files of a folder below a URI."""
    storage = open_storage(uri)
    with ThreadPoolExecutor(_WRITES_AT_ONCE) as pool:
        list(pool.map(lambda path: storage.write(path.name, path.read_bytes()), folder.iterdir()))
