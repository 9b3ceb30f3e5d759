"""Request runs from another program: submit, follow, cancel. Imports neither Spark nor TensorFlow.

A background command does what needs more than this process should do: a map of a run, the evidence for a label.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from sparkcore.child import child_environment
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.models.choices import ModelChoice, available_models, default_model
from sparkcore.origins import absolute_path, is_local, list_file
from sparkcore.roots import Root
from sparkcore.runs import engine_lock
from sparkcore.runs.jobs import Job, JobTable
from sparkcore.runs.logs import ENGINE_LOG, log_path
from sparkcore.runs.store import RunStore

__all__ = [
    "BackgroundCommand",
    "ModelChoice",
    "available_models",
    "cancel",
    "default_model",
    "engine_pid",
    "jobs",
    "start_command",
    "start_engine",
    "status",
    "stop_engine",
    "submit",
]

_READ_BYTES = 4_096


@dataclass(slots=True)
class BackgroundCommand:
    """A command of this package in a process of its own."""

    process: subprocess.Popen[bytes]
    _output: IO[bytes] = field(repr=False)

    @property
    def is_running(self) -> bool:
        """Tell whether the command goes on."""
        return self.process.poll() is None

    @property
    def has_failed(self) -> bool:
        """Tell whether the command has ended with an error."""
        return bool(self.process.poll())

    @property
    def said(self) -> str:
        """Return the last line that the command printed: how far it is, or its error."""
        file = self._output.fileno()
        text = os.pread(file, _READ_BYTES, max(0, os.fstat(file).st_size - _READ_BYTES))
        lines = text.decode(errors="replace").strip().splitlines() or [""]
        return lines[-1].removeprefix("Error: ").removeprefix("Failed: ")

    def wait(self, timeout_s: float) -> None:
        """Wait until the command ends, at most so long."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout_s)


def start_command(words: Sequence[str | Path], engine: EngineConfig | None = None) -> BackgroundCommand:
    """Start a command, such as ("map", run_id), on a store; it outlives this process."""
    engine = engine or EngineConfig.from_environment()
    store = _store(engine)
    output = tempfile.TemporaryFile()  # noqa: SIM115 (read while the command goes on)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "sparkcore",
            *(str(word) for word in words),
            "--store",
            store.uri,
            "--state",
            store.state,
        ],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        env=child_environment(),
    )
    return BackgroundCommand(process, output)


def submit(
    config: RunConfig,
    engine: EngineConfig | None = None,
    *,
    retry_failed: bool = False,
    roots: Sequence[Root] | None = None,
) -> Job:
    """Request a run and return its job at once; an equal request in progress is joined, not repeated.

    The engine process of the store carries out the job; it is started if necessary. With `roots`, the engine reads
    only files whose real path lies below one of them. Raises ConfigError for an address with a password; other errors
    of the request end in the job's `message`.
    """
    engine = engine or EngineConfig.from_environment()
    job = _table(engine).submit(_absolute(config), retry_failed=retry_failed, roots=roots)
    start_engine(engine)
    return job


def status(job_id: str, engine: EngineConfig | None = None) -> Job:
    """Return the state of a job; raises RunNotFoundError."""
    return _table(engine).get(job_id)


def cancel(job_id: str, engine: EngineConfig | None = None) -> Job:
    """Cancel a job; its finished images are kept. Raises RunNotFoundError."""
    job = _table(engine).request_cancel(job_id)
    # Without an engine, which was killed, nobody would ever read the request.
    return _table(engine).end_cancelled(job_id) if job.active and engine_pid(engine) is None else job


def jobs(engine: EngineConfig | None = None, *, limit: int = 100) -> list[Job]:
    """Return the newest jobs of a store, newest first."""
    return _table(engine).jobs(limit)


def start_engine(engine: EngineConfig | None = None) -> bool:
    """Start the engine process of a store unless one runs; tell whether it was started now."""
    engine = engine or EngineConfig.from_environment()
    if engine_pid(engine) is not None:
        return False
    store = _store(engine)
    with log_path(store.state, ENGINE_LOG).open("ab") as output:
        subprocess.Popen(
            [sys.executable, "-m", "sparkcore", "engine", "serve", *_flags(engine, store)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # outlives the browser tab, the server and the terminal
            env=child_environment(),
        )
    return True


def stop_engine(engine: EngineConfig | None = None) -> bool:
    """Stop the engine process; its job waits for the next one. Tell whether there was one."""
    pid = engine_pid(engine)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
    return pid is not None


def engine_pid(engine: EngineConfig | None = None) -> int | None:
    """Return the process id of the engine that serves a store, or None."""
    return engine_lock.engine_pid(_store(engine))


def _table(engine: EngineConfig | None) -> JobTable:
    return JobTable(_store(engine).jobs_path)


def _store(engine: EngineConfig | None) -> RunStore:
    engine = engine or EngineConfig.from_environment()
    return RunStore(engine.store, engine.state)


def _absolute(config: RunConfig) -> RunConfig:
    """Make local paths absolute: the engine process has another current folder."""
    return replace(
        config,
        images=_absolute_images(config.images),
        model=_absolute_file(config.model),
        weights=config.weights and _absolute_file(config.weights),
        labels=config.labels and _absolute_file(config.labels),
    )


def _absolute_images(images: str) -> str:
    path = list_file(images)
    if path is not None:
        return f"@{path}"
    return str(absolute_path(images)) if is_local(images) else images


def _absolute_file(text: str) -> str:
    """Return the absolute path of a file that exists; names of models and weights are returned as they are."""
    return str(absolute_path(text)) if os.path.isfile(os.path.expanduser(text)) else text


def _flags(engine: EngineConfig, store: RunStore) -> list[str]:
    given = {
        "--state": store.state,
        "--master": engine.master,
        "--batch-size": engine.batch_size,
        "--threads": engine.threads,
        "--bucket-size": engine.bucket_size,
    }
    flags = [text for flag, value in given.items() if value is not None for text in (flag, str(value))]
    settings = [text for name, value in engine.spark_conf for text in ("--spark-conf", f"{name}={value}")]
    return ["--store", store.uri, *flags, *settings]
