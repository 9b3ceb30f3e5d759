"""Ctrl-C ends a run soon, whether it has executors or waits for them, and nothing starts again."""

from __future__ import annotations

import logging
import os
import re
import signal
import time
from pathlib import Path

import pytest

from tests.cluster.conftest import Cluster, cluster_of
from tests.cluster.drivers import Driver, Order, committed, driver
from tests.cluster.faults import write_faults
from tests.conftest import wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
SLOW_S = 5.0  # so long that no run ends by itself
LIMIT_S = 30  # 2 s, where nobody else needs the cores
CANCELLED = 130
_log = logging.getLogger(__name__)


def order(folder: Path, sixty: Path, model: Path, name: str) -> Order:
    return Order(str(sixty), model, str(folder / name), folder / f"{name}-state", ("--bucket-size", "5"))


def interrupt(run: Driver) -> float:
    """Send what Ctrl-C sends; return after how many seconds the driver has ended, and told that it was cancelled."""
    begun = time.monotonic()
    os.killpg(run.process.pid, signal.SIGINT)  # a terminal sends it to the whole group
    assert run.process.wait(LIMIT_S) == CANCELLED, run.progress
    assert "Traceback" not in run.progress
    assert re.search("^Cancelled: finished images are kept", run.progress, re.MULTILINE)
    return round(time.monotonic() - begun, 1)


def test_a_local_run(tmp_path: Path, sixty: Path, colors_model: Path) -> None:
    faults = write_faults(tmp_path / "faults", SLOW_S)
    with driver(Cluster("local[2]"), order(tmp_path, sixty, colors_model, "store"), faults) as run:
        wait_until(lambda: faults.opened > 0, 200)
        _log.info("local: ended %s s after the signal", interrupt(run))
        done, opened = committed(run.order.store), faults.opened
        time.sleep(2)
        assert (committed(run.order.store), faults.opened) == (done, opened), "something went on"


def test_a_run_with_executors_and_one_without(
    tmp_path: Path, request: pytest.FixtureRequest, sixty: Path, colors_model: Path
) -> None:
    cluster = cluster_of(request, "standalone")
    faults = write_faults(tmp_path / "faults", SLOW_S)
    with driver(cluster, order(tmp_path, sixty, colors_model, "first"), faults) as first:
        wait_until(lambda: faults.opened > 0, 200)
        with driver(cluster, order(tmp_path, sixty, colors_model, "second")) as second:
            wait_until(lambda: "waiting for a free executor" in second.progress, 200)
            _log.info("waiting: ended %s s after the signal", interrupt(second))
        assert first.process.poll() is None, first.progress
        _log.info("standalone: ended %s s after the signal", interrupt(first))
        wait_until(lambda: not first.executors())
        done, opened = committed(first.order.store), faults.opened
        time.sleep(2)
        assert (committed(first.order.store), faults.opened) == (done, opened), "something went on"
