"""The pages over a store of many runs and jobs, against one of a few: `python -m benchmarks.many_runs`.

Prints the processor time of the server for each page over both stores, by turns, and their ratio.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from benchmarks.dashboard import Server, serve
from benchmarks.load import QUERIES
from benchmarks.synthetic import write_synthetic_run
from benchmarks.tabs import Tab
from sparkcore import client
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.runs.jobs import JobTable
from sparkcore.runs.store import RunStore

FEW, MANY = (10, 100), (200, 100_000)  # runs, jobs
_ROWS, _SIDE = 100, 64


def fill(folder: Path, runs: int, jobs: int) -> str:
    """Write runs over the same pictures, and jobs that have ended; return the id of a run."""
    store = RunStore(folder)
    ids = [write_synthetic_run(store, _ROWS, _SIDE, seed) for seed in range(runs)]
    table = JobTable(store.jobs_path)
    table.request_cancel(table.submit(RunConfig(images="/photos", model="resnet50")).job_id)
    config, now = json.dumps(RunConfig(images="/photos", model="resnet50").to_dict()), time.time()
    with closing(sqlite3.connect(store.jobs_path)) as db, db:
        db.executemany(
            "INSERT INTO jobs (job_id, request, config, retry_failed, state, created_at) "
            "VALUES (?, ?, ?, 0, 'cancelled', ?)",
            ((f"{number:012x}", f"{number}", config, now - number) for number in range(1, jobs)),
        )
    return ids[0]


def cpu_ms(servers: dict[str, tuple[Server, str]], page: str, rounds: int) -> dict[str, float]:
    """Return the mean processor time of a page on each server, which are asked by turns."""
    seconds = dict.fromkeys(servers, 0.0)
    for number in range(rounds + 1):
        for name, (server, run) in servers.items():
            before = server.cpu_s()
            with Tab(server.port) as tab:
                tab.open(page, run=run)
            if number:  # the first time, runs are opened and measured
                seconds[name] += server.cpu_s() - before
    return {name: 1000 * value / rounds for name, value in seconds.items()}


def calls_ms(folder: Path) -> dict[str, float]:
    """Return the time of what programs and the shell ask of a store."""
    engine, store = EngineConfig(store=str(folder)), RunStore(folder)
    found = {}
    for name, call in {
        "latest, first time": lambda: RunStore(folder).find("latest"),
        "all runs again": store.runs,
        "newest jobs": lambda: client.jobs(engine),
        "oldest job": lambda: client.status(client.jobs(engine, limit=1)[0].job_id, engine),
    }.items():
        start = time.perf_counter()
        call()
        found[name] = 1000 * (time.perf_counter() - start)
    return found


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder, "few"), Path(folder, "many")
        runs = fill(few, *FEW), fill(many, *MANY)
        with serve(str(few)) as one, serve(str(many)) as other:
            servers = {"few": (one, runs[0]), "many": (other, runs[1])}
            print(f"{'page':12} {FEW[0]:5} runs {MANY[0]:5} runs  ratio")
            for page in QUERIES:
                found = cpu_ms(servers, page, options.rounds)
                print(f"{page:12} {found['few']:7.0f} ms {found['many']:7.0f} ms  {found['many'] / found['few']:5.2f}")
        both = calls_ms(few), calls_ms(many)
        for name in both[0]:
            print(f"{name:20} {both[0][name]:7.1f} ms {both[1][name]:7.1f} ms")


if __name__ == "__main__":
    main()
