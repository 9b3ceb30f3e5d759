"""Ask for runs from another program: submit, follow, cancel. Imports neither Spark nor TensorFlow."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from sparkcore.child import child_environment
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.models.choices import ModelChoice, available_models, default_model
from sparkcore.runs.jobs import Job, JobTable
from sparkcore.runs.store import RunStore

__all__ = [
    "ModelChoice",
    "available_models",
    "cancel",
    "default_model",
    "engine_pid",
    "jobs",
    "start_engine",
    "status",
    "stop_engine",
    "submit",
]


def submit(config: RunConfig, engine: EngineConfig | None = None, *, retry_failed: bool = False) -> Job:
    """Ask for a run and return its job at once; an equal request that is still under way is joined, not repeated.

    The job is carried out by the engine process of the store, which is started when it does not live. Raises
    ConfigError for impossible values; everything else that is wrong ends in the job's `message`.
    """
    engine = engine or EngineConfig.from_environment()
    job = _table(engine).submit(config, retry_failed=retry_failed)
    start_engine(engine)
    return job


def status(job_id: str, engine: EngineConfig | None = None) -> Job:
    """Return a job as it stands now; raises RunNotFoundError."""
    return _table(engine).get(job_id)


def cancel(job_id: str, engine: EngineConfig | None = None) -> Job:
    """Ask for the end of a job; its finished parts stay. Raises RunNotFoundError."""
    return _table(engine).request_cancel(job_id)


def jobs(engine: EngineConfig | None = None, *, limit: int = 100) -> list[Job]:
    """Return the newest jobs of a store, newest first."""
    return _table(engine).jobs(limit)


def start_engine(engine: EngineConfig | None = None) -> bool:
    """Start the engine process of a store unless it lives; tell whether it was started now."""
    engine = engine or EngineConfig.from_environment()
    if engine_pid(engine) is not None:
        return False
    store = RunStore(engine.store)
    log = store.root / "logs" / "engine.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        subprocess.Popen(
            [sys.executable, "-m", "sparkcore", "engine", "serve", *_flags(engine, store.root)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # it outlives the tab, the server and the terminal that asked
            env=child_environment(),
        )
    return True


def stop_engine(engine: EngineConfig | None = None) -> bool:
    """Ask the engine process to leave; what it was computing waits for the next one. Tell whether there was one."""
    pid = engine_pid(engine)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
    return pid is not None


def engine_pid(engine: EngineConfig | None = None) -> int | None:
    """Return the process id of the living engine of a store, or None."""
    path = engine_lock(RunStore((engine or EngineConfig.from_environment()).store))
    try:
        with path.open("r") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(json.loads(handle.read() or "{}").get("pid", 0)) or None
    except FileNotFoundError:
        pass
    return None


def engine_lock(store: RunStore) -> Path:
    """Return the file that a living engine holds locked and has written its process id into."""
    return store.root / "locks" / "engine.lock"


def _table(engine: EngineConfig | None) -> JobTable:
    return JobTable(RunStore((engine or EngineConfig.from_environment()).store).jobs_path)


def _flags(engine: EngineConfig, store: Path) -> list[str]:
    given = {
        "--master": engine.master,
        "--batch-size": engine.batch_size,
        "--threads": engine.threads,
        "--part-size": engine.part_size,
    }
    flags = [text for flag, value in given.items() if value is not None for text in (flag, str(value))]
    return ["--store", str(store), *flags]
