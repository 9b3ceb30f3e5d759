from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sparkcore.child import child_environment
from sparkcore.engine.elsewhere import call_elsewhere
from sparkcore.errors import ConfigError, RunCancelledError, RunFailedError
from sparkcore.progress import Step, Watch
from tests.child_actions import die, double, fail, refuse, sleep
from tests.conftest import wait_until
from tests.processes import is_running


def test_result_and_steps() -> None:
    steps: list[Step] = []
    number, pid = call_elsewhere(double, 21, "no", Watch(progress=steps.append))
    assert (number, pid != os.getpid()) == (42, True)
    assert steps == [Step("doubling", done, 3) for done in range(3)]


def test_errors_of_ours_arrive_as_they_are() -> None:
    with pytest.raises(ConfigError, match="number: expected another, received 3"):
        call_elsewhere(refuse, 3, "no")


def test_a_death_is_an_error() -> None:
    with pytest.raises(RunFailedError, match=r"^It failed: its process ended with status -9"):
        call_elsewhere(die, int(signal.SIGKILL), "It failed")
    with pytest.raises(RunFailedError, match=r"^It failed: .*ZeroDivisionError: of no kind that is expected"):
        call_elsewhere(fail, 0, "It failed")


def test_whoever_cancels_ends_the_process(tmp_path: Path) -> None:
    marker = tmp_path / "pid"

    def check() -> None:
        if marker.exists() and marker.read_text():
            raise RunCancelledError("enough")

    with pytest.raises(RunCancelledError):
        call_elsewhere(sleep, str(marker), "no", Watch(check=check))
    pid = int(marker.read_text())
    wait_until(lambda: not is_running(pid))


def test_a_child_ends_with_its_parent_and_leaves_it_the_interrupt(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    code = "from sparkcore.engine.elsewhere import call_elsewhere; from tests.child_actions import sleep; "
    code += f"call_elsewhere(sleep, {str(marker)!r}, 'no')"
    environment = {**child_environment(), "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment) as parent:
        wait_until(lambda: marker.exists() and bool(marker.read_text()))
        pid = int(marker.read_text())
        os.kill(pid, signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            parent.wait(0.5)  # it would fail with its child
        assert is_running(pid)
        assert list(tmp_path.glob("sparkcore-child-*"))
        parent.kill()
    wait_until(lambda: not is_running(pid))
    assert not list(tmp_path.glob("sparkcore-child-*"))
