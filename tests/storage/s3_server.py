"""A real S3 server on this machine's loopback address."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from obstore.exceptions import BaseError
from obstore.store import S3Store

BUCKET = "pictures"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test-key",
    "AWS_SECRET_ACCESS_KEY": "test-secret-0123456789",
    "AWS_REGION": "us-east-1",
    "AWS_METADATA_ENDPOINT": "http://127.0.0.1:1",  # no test asks a cloud for its keys
}
_WEED = Path(sys.executable).with_name("weed")
_START_LIMIT_S = 60
_SERVICES = ("master", "volume", "filer", "admin", "s3")  # each has a port for HTTP and one for gRPC


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Run SeaweedFS with the bucket BUCKET until the end of the block; yield its address."""
    ports = iter(free_ports(2 * len(_SERVICES)))
    named = {f"-{name}.port{kind}": next(ports) for name in _SERVICES for kind in ("", ".grpc")}
    options = [f"{name}={port}" for name, port in named.items()]
    fixed = [f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-webdav=false"]
    more = ["-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false", f"-bucket={BUCKET}"]
    environment = {**os.environ, **CREDENTIALS, "HOME": str(folder), "TMPDIR": str(folder)}
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [_WEED, "mini", *fixed, *more, *options], stdout=log, stderr=log, env=environment, cwd=folder
        )
    try:
        address = f"http://127.0.0.1:{named['-s3.port']}"
        _wait(server, address, folder / "server.log")
        yield address
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(20)
        for port in named.values():
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink(missing_ok=True)


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback address that nobody listens on."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in held]


def _wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Wait until the bucket is there."""
    client = S3Store(
        BUCKET,
        endpoint=address,
        access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region=CREDENTIALS["AWS_REGION"],
        client_options={"allow_http": True},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=1)},
    )
    end = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < end and server.poll() is None:
        try:
            client.put("ready", b"")
            client.delete("ready")
        except (BaseError, OSError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the S3 server did not start:\n{log.read_text(errors='replace')[-2000:]}")
