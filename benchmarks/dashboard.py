"""Measure the dashboard at scale, through the real server: `python -m benchmarks.dashboard --help`.

Streamlit's agent API runs the same page scripts as a browser and returns the finished page with its pictures.
CPU and memory are those of the server process; drawing in the browser is not measured.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.synthetic import make_store

ROOT = Path(__file__).resolve().parents[1]
FEW, MANY, MOST = 100, 10_000, 1_000_000
FLIPS = 20
PAGES = ("gallery", "labels", "scores", "evaluate", "problems")
MB = 1_000_000

# figure -> (unit, maximum; None: no target)
LIMITS: dict[str, tuple[str, float | None]] = {
    "server_start_s": ("s", 5.0),
    "server_memory_mb": ("MB", 350.0),
    "flip_cpu_ms": ("ms", 150.0),
    "flip_wall_ms": ("ms", None),
    "viewers_median_ms": ("ms", 1000.0),
    "viewers_p95_ms": ("ms", None),
    "viewers_errors": ("", 0.0),
    "viewers_nonstop_median_ms": ("ms", None),
    "large_first_open_ever_s": ("s", None),
    "large_open_s": ("s", 2.0),
    "large_open_cpu_s": ("s", None),
    "large_filter_label_s": ("s", 0.5),
    "large_filter_score_s": ("s", 0.5),
    "large_filter_name_s": ("s", 0.5),
    "large_memory_mb": ("MB", 500.0),
    "large_memory_all_pages_mb": ("MB", None),
    "large_own_memory_all_pages_mb": ("MB", 500.0),
    **{f"large_{when}_{page}_s": ("s", None) for page in PAGES[1:] for when in ("open", "again")},
}


@dataclass(frozen=True, slots=True)
class Server:
    """A running dashboard: port, process id and start-up time."""

    port: int
    pid: int
    start_s: float

    def cpu_s(self) -> float:
        """Return the CPU seconds that the process has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self, kind: str = "VmRSS") -> float:
        """Return the process's memory in MB; RssAnon excludes memory-mapped files."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith(f"{kind}:"))
        return int(line.split()[1]) * 1024 / MB


class Viewer:
    """One open tab."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
        self._session: str | None = None

    def open(self, page: str, **query: str | list[str]) -> float:
        """Open a page by its address; return the seconds until it is complete."""
        texts = {name: [value] if isinstance(value, str) else value for name, value in query.items()}
        return self._ask({"page": page, "query_params": texts})

    def set(self, key: str, value: Any) -> float:
        """Change a widget; return the seconds until the page is complete."""
        return self._ask({"widget_state": {key: value}})

    def _ask(self, request: dict[str, Any]) -> float:
        start = time.perf_counter()
        answer = self._post(request)
        while answer.get("error", {}).get("code") == "wait_timed_out":  # the page is still running
            answer = self._post({})
        if answer.get("status") != "ready":
            raise RuntimeError(f"{request}: {json.dumps(answer)[:500]}")
        return time.perf_counter() - start

    def _post(self, request: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(request if self._session is None else {**request, "session_id": self._session})
        self._connection.request("POST", "/_stcore/agent/interact", body, {"Content-Type": "application/json"})
        answer: dict[str, Any] = json.loads(self._connection.getresponse().read())
        self._connection.close()  # the server drops connections that are idle for a few seconds
        self._session = answer.get("session_id", self._session)
        return answer


@contextmanager
def serve(store: str, log: int = subprocess.DEVNULL) -> Iterator[Server]:
    """Run the dashboard on a store, in a child process that writes to the file descriptor `log`, during the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.enableAgentApi=true", "--server.agentMaxSessions=500", "--server.address=127.0.0.1"]
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", f"--server.port={port}", *options]
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "SPARKCORE_STORE": store},
        stdout=log,
        stderr=log,
    )
    try:
        _wait(port, process)
        yield Server(port, process.pid, time.perf_counter() - start)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def measure_flips(server: Server, run: str) -> dict[str, float]:
    """Return CPU and wall time of one page flip in the gallery."""
    viewer = Viewer(server)
    viewer.open("gallery", run=run)
    viewer.set("wall_page", 2)
    before, walls = server.cpu_s(), []
    for page in range(3, 3 + FLIPS):
        walls.append(viewer.set("wall_page", page))
    return {
        "flip_cpu_ms": (server.cpu_s() - before) / FLIPS * 1000,
        "flip_wall_ms": statistics.median(walls) * 1000,
    }


def measure_viewers(server: Server, run: str, viewers: int, pause_s: float, flips: int) -> tuple[list[float], int]:
    """Simulate concurrent viewers; return the seconds of all page flips and the number of failed viewers."""
    seconds: list[float] = []
    failed = [0]

    def view(number: int) -> None:
        viewer = Viewer(server)
        try:
            viewer.open("gallery", run=run)
            time.sleep(pause_s * number / viewers)  # spread the clicks
            for flip in range(flips):
                seconds.append(viewer.set("wall_page", 2 + (7 * number + flip) % 400))
                time.sleep(pause_s)
        except (RuntimeError, OSError, http.client.HTTPException):
            failed[0] += 1

    threads = [threading.Thread(target=view, args=(number,)) for number in range(viewers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds, failed[0]


def measure_large(store: str, small: str, large: str) -> dict[str, float]:
    """Return the cost of a run with a million rows, on fresh servers."""
    figures = {}
    with serve(store) as server:
        Viewer(server).open("gallery", run=small)
        figures["large_first_open_ever_s"] = Viewer(server).open("gallery", run=large)
    with serve(store) as server:
        viewer = Viewer(server)
        viewer.open("gallery", run=small)
        empty, empty_own = server.memory_mb(), server.memory_mb("RssAnon")
        viewer = Viewer(server)
        before = server.cpu_s()
        figures["large_open_s"] = viewer.open("gallery", run=large)
        figures["large_open_cpu_s"] = server.cpu_s() - before
        figures["large_filter_label_s"] = viewer.open("gallery", run=large, label=["class_007"])
        figures["large_filter_score_s"] = viewer.open("gallery", run=large, score=["0.4", "0.6"])
        figures["large_filter_name_s"] = viewer.open("gallery", run=large, name="0012")
        figures["large_memory_mb"] = server.memory_mb() - empty
        for page in PAGES[1:]:
            figures[f"large_open_{page}_s"] = viewer.open(page, run=large)
            figures[f"large_again_{page}_s"] = viewer.open(page, run=large)
        figures["large_memory_all_pages_mb"] = server.memory_mb() - empty
        figures["large_own_memory_all_pages_mb"] = server.memory_mb("RssAnon") - empty_own
    return figures


def measure(store: str, options: argparse.Namespace) -> dict[str, float]:
    """Run all measurements and return the figures by name."""
    runs = make_store(store, {FEW: 256, MANY: 256, **({} if options.quick else {MOST: 48})})
    with serve(store) as server:
        Viewer(server).open("gallery", run=runs[FEW])
        figures = {"server_start_s": server.start_s, "server_memory_mb": server.memory_mb()}
        figures |= measure_flips(server, runs[MANY])
        seconds, errors = measure_viewers(server, runs[MANY], options.viewers, options.pause, flips=5)
        nonstop, more = measure_viewers(server, runs[MANY], options.viewers, 0.0, flips=5)
        figures |= {
            "viewers_median_ms": statistics.median(seconds) * 1000,
            "viewers_p95_ms": statistics.quantiles(seconds, n=20)[-1] * 1000,
            "viewers_errors": errors + more,
            "viewers_nonstop_median_ms": statistics.median(nonstop) * 1000,
        }
    return figures if options.quick else figures | measure_large(store, runs[FEW], runs[MOST])


def main() -> None:
    """Measure and print the figures as a table and as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", help="path or URI for the synthetic runs (default: a temporary folder)")
    parser.add_argument("--viewers", type=int, default=20, help="concurrent viewers (default: 20)")
    parser.add_argument("--pause", type=float, default=5.0, help="seconds between clicks of a viewer (default: 5)")
    parser.add_argument("--quick", action="store_true", help="skip the run with a million rows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(options.store or folder, options)
    for name, value in figures.items():
        unit, maximum = LIMITS[name]
        verdict = "" if maximum is None else f"  at most {maximum:g} {unit}: {'ok' if value <= maximum else 'MISSED'}"
        print(f"{name:28} {value:10.2f} {unit:3}{verdict}")
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with code {process.returncode}.")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/_stcore/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise RuntimeError("The server does not answer.")


if __name__ == "__main__":
    main()
