"""Downloads from a server on this machine."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sparkcore.errors import RunCancelledError, WeightsError
from sparkcore.models import download as download_module
from sparkcore.models.download import Download, download, remember_offline, was_offline
from sparkcore.progress import Step, Watch

CONTENT = os.urandom(1_000_000)
released = threading.Event()
TITLE = "the weights of a model"


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        if self.path != "/stalled":
            self.wfile.write(CONTENT[: len(CONTENT) // 2] if self.path == "/half" else CONTENT)

        if self.path == "/stalled":
            self.wfile.write(CONTENT[:9])
            self.wfile.flush()
            released.wait()

    def do_HEAD(self):
        self.send_error(405)  # an answer all the same

    def log_message(self, *_: object):
        """Say nothing."""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("SPARKCORE_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        released.set()
        http.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "checksum",
    [None, hashlib.md5(CONTENT).hexdigest(), hashlib.sha256(CONTENT).hexdigest()],
    ids=["none", "md5", "sha256"],
)
def test_file_arrives(server: str, tmp_path: Path, checksum: str | None):
    target = tmp_path / "models" / "weights.h5"
    download(Download(TITLE, f"{server}/weights", checksum), target, Watch())
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_progress_counts_bytes(server: str, tmp_path: Path):
    steps: list[Step] = []
    download(Download(TITLE, f"{server}/weights", None), tmp_path / "weights.h5", Watch(progress=steps.append))
    assert {(step.phase, step.total, step.unit) for step in steps} == {(f"downloading {TITLE}", len(CONTENT), "bytes")}
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert len(set(done)) >= 4
    assert done[-1] == len(CONTENT)


def test_cancellation_does_not_wait_for_a_server_that_stops_sending(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(download_module, "READ_TIMEOUT_S", 3600.0)
    has_begun = threading.Event()

    def check() -> None:
        if has_begun.is_set() or any(tmp_path.glob("m/*")):
            has_begun.set()
            raise RunCancelledError("enough")

    with pytest.raises(RunCancelledError):
        download(Download(TITLE, f"{server}/stalled", None), tmp_path / "m" / "w.h5", Watch(check=check))
    assert has_begun.is_set()


def test_cancellation_stops_at_once_and_leaves_nothing(server: str, tmp_path: Path):
    steps: list[Step] = []

    def check() -> None:
        if len(steps) == 2:
            raise RunCancelledError("enough")

    with pytest.raises(RunCancelledError, match="enough"):
        download(Download(TITLE, f"{server}/weights", None), tmp_path / "m" / "w.h5", Watch(steps.append, check))
    assert len(steps) == 2
    assert list((tmp_path / "m").iterdir()) == []


def test_a_damaged_file_is_replaced(server: str, tmp_path: Path):
    (tmp_path / "w.h5").write_bytes(b"half")
    download(Download(TITLE, f"{server}/weights", None), tmp_path / "w.h5", Watch())
    assert (tmp_path / "w.h5").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("page", "checksum", "reason"),
    [("weights", "0" * 32, "did not arrive whole"), ("half", None, "cannot be downloaded"), ("missing", None, "404")],
)
def test_failed_download_leaves_nothing(server: str, tmp_path: Path, page: str, checksum: str | None, reason: str):
    with pytest.raises(WeightsError, match=reason):
        download(Download(TITLE, f"{server}/{page}", checksum), tmp_path / "m" / "w.h5", Watch())
    assert list((tmp_path / "m").iterdir()) == []
    assert not was_offline()


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def test_closed_port_is_remembered_as_offline(tmp_path: Path):
    wanted = Download(TITLE, f"http://127.0.0.1:{closed_port()}/w.h5", None)
    with pytest.raises(WeightsError, match=r"127\.0\.0\.1 cannot be reached \(the connection failed\)"):
        download(wanted, tmp_path / "weights.h5", Watch())
    assert was_offline()


def test_server_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download_module, "ANSWER_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        wanted = Download(TITLE, f"http://127.0.0.1:{silent.getsockname()[1]}/w.h5", None)
        with pytest.raises(WeightsError, match="cannot be reached"):
            download(wanted, tmp_path / "weights.h5", Watch())


def test_name_lookup_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download_module, "ANSWER_TIMEOUT_S", 0.2)
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(60))
    with pytest.raises(WeightsError, match=r"nowhere\.test cannot be reached \(no answer within 0\.2 s\)"):
        download(Download(TITLE, "https://nowhere.test/w.h5", None), tmp_path / "weights.h5", Watch())
    release.set()


def test_waiting_for_an_answer_can_be_cancelled(tmp_path: Path):
    def check() -> None:
        raise RunCancelledError("enough")

    with socket.create_server(("127.0.0.1", 0)) as silent:
        wanted = Download(TITLE, f"http://127.0.0.1:{silent.getsockname()[1]}/w.h5", None)
        with pytest.raises(RunCancelledError):
            download(wanted, tmp_path / "weights.h5", Watch(check=check))


def test_offline_is_forgotten_after_an_hour_and_after_a_download(server: str, tmp_path: Path):
    assert not was_offline()
    remember_offline()
    assert was_offline()
    two_hours_ago = time.time() - 7200
    os.utime(tmp_path / "cache" / "offline", (two_hours_ago, two_hours_ago))
    assert not was_offline()
    remember_offline()
    download(Download(TITLE, f"{server}/weights", None), tmp_path / "weights.h5", Watch())
    assert not was_offline()
