from __future__ import annotations

import hashlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sparkcore.errors import WeightsError
from sparkcore.models import download as download_module
from sparkcore.models.download import download

CONTENT = b"weights" * 1000


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/weights.h5":
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_: object):
        """Say nothing."""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server():
    with HTTPServer(("127.0.0.1", 0), Server) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.mark.parametrize("checksum", [None, hashlib.md5(CONTENT).hexdigest(), hashlib.sha256(CONTENT).hexdigest()])
def test_file_arrives(server: str, tmp_path: Path, checksum: str | None):
    target = tmp_path / "models" / "weights.h5"
    download(f"{server}/weights.h5", target, checksum)
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_wrong_checksum_leaves_nothing(server: str, tmp_path: Path):
    with pytest.raises(WeightsError, match="did not arrive whole"):
        download(f"{server}/weights.h5", tmp_path / "weights.h5", "0" * 32)
    assert list(tmp_path.iterdir()) == []


def test_missing_file(server: str, tmp_path: Path):
    with pytest.raises(WeightsError, match="404"):
        download(f"{server}/other.h5", tmp_path / "weights.h5", None)


def test_closed_port(tmp_path: Path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(WeightsError, match="cannot be downloaded"):
        download(f"http://127.0.0.1:{port}/weights.h5", tmp_path / "weights.h5", None)


def test_server_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download_module, "ANSWER_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(WeightsError, match="no answer within"):
        download(f"http://127.0.0.1:{silent.getsockname()[1]}/w.h5", tmp_path / "weights.h5", None)
