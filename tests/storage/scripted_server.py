"""An HTTP server with scripted answers: failures that a real S3 server does not show on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and content; with `cut`, the connection ends after half of the content."""

    status: int
    content: bytes = b""
    cut: bool = False


@contextmanager
def scripted_server(answers: Sequence[Answer]) -> Iterator[tuple[str, list[str]]]:
    """Answer requests in this order, and all further ones with the last answer.

    Yields the server's address and the list of requests so far, such as "GET /bucket/key".
    """
    script, requests, lock = chain(answers, repeat(answers[-1])), list[str](), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                requests.append(f"{self.command} {self.path.partition('?')[0]}")
                answer = next(script)
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
            content, size = answer.content[start:], len(answer.content)
            self.send_response(206 if start else answer.status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Tue, 24 Nov 2026 09:00:00 GMT")
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if answer.cut else content)
            self.close_connection = answer.cut

        do_GET = do_PUT = do_HEAD = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
