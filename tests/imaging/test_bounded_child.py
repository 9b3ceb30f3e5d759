from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkcore.child import child_environment
from sparkcore.engine.shipping import write_package
from sparkcore.errors import RunFailedError
from sparkcore.imaging.bounded_child import BoundedChild, ChildDiedError, Limits, Message
from tests.child_actions import act
from tests.conftest import wait_until
from tests.processes import is_running

ROOT = Path(__file__).resolve().parents[2]
LIMITS = Limits(memory_bytes=500_000_000, time_s=60.0)
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux only")


@pytest.fixture
def child() -> Iterator[BoundedChild]:
    """Give a child process that does what a test asks for."""
    child = BoundedChild(act, LIMITS)
    yield child
    child.end()


def test_messages_arrive_whole_in_both_directions(child: BoundedChild):
    blobs = [b"", None, os.urandom(3_000_000), b"\n"]
    facts = {"number": 0.1, "text": "späte \ud83d Grüße\n", "none": None}
    for _ in range(2):
        answer = child.ask(Message(facts, blobs))
        assert answer == Message({**facts, "pid": child.pid}, blobs)


def test_a_crash_names_its_signal_and_the_next_question_gets_a_new_child(child: BoundedChild):
    first = child.ask(Message({})).facts["pid"]
    with pytest.raises(ChildDiedError, match="SIGABRT") as died:
        child.ask(Message({"do": "abort"}))
    assert not died.value.is_overdue
    assert not is_running(first)
    assert child.ask(Message({})).facts["pid"] not in (first, os.getpid())


def test_an_overdue_child_is_killed_and_replaced():
    child = BoundedChild(act, Limits(LIMITS.memory_bytes, time_s=3))
    with pytest.raises(ChildDiedError, match="SIGKILL") as died:
        child.ask(Message({"do": "sleep"}))
    assert died.value.is_overdue
    child.ask(Message({}))
    child.end()


@linux_only
def test_memory_is_bounded(child: BoundedChild):
    assert child.ask(Message({"do": "allocate", "size_bytes": 450_000_000})).facts == {"got": 450_000_000}
    with pytest.raises(ChildDiedError, match="status 1"):
        child.ask(Message({"do": "allocate", "size_bytes": 550_000_000}))


def test_a_child_that_was_killed_in_between_is_replaced(child: BoundedChild):
    first = child.ask(Message({})).facts["pid"]
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)  # a killed process may be a zombie before its parent can tell
    assert child.ask(Message({})).facts["pid"] != first


def test_no_child_is_left_behind(child: BoundedChild):
    pid = child.ask(Message({})).facts["pid"]
    child.end()
    assert not is_running(pid)
    child.end()


def test_a_child_that_does_not_start_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "sitecustomize.py").write_text("import os; os._exit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RunFailedError, match=r"decodes pictures could not be started \(exit status 3\)"):
        BoundedChild(act, LIMITS).ask(Message({}))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(RunFailedError, match=r"decodes pictures could not be started: .*No such file"):
        BoundedChild(act, LIMITS).ask(Message({}))


PARENT = """
import resource, sys
from sparkcore.imaging.bounded_child import BoundedChild, Limits, Message
from tests.child_actions import act
{before}
child = BoundedChild(act, Limits(10**15, 2.0))
print(child.ask(Message({{}})).facts["pid"], flush=True)
{after}
"""


def parent(before: str = "", after: str = "") -> subprocess.Popen[str]:
    program = PARENT.format(before=before, after=after)
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=child_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "waits_for", ["sys.stdin.read()", 'child.ask(Message({"do": "sleep"}))'], ids=["a question", "a decoder"]
)
def test_a_child_ends_when_its_parent_is_killed(waits_for: str):
    with parent(after=waits_for) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert is_running(pid)
        process.kill()
        wait_until(lambda: not is_running(pid))


@linux_only
def test_a_lower_limit_of_the_parent_holds():
    with parent(before="resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))") as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.strip().isdigit()


WITH_ARCHIVES = """
import sys
sys.path[:0] = ["./sparkcore.zip", "./shipped.zip"]
import shipped
from sparkcore.imaging.bounded_child import BoundedChild, Limits, Message
child = BoundedChild(shipped.where, Limits(10**9, 60.0))
print(child.ask(Message({})).facts["files"])
"""
SHIPPED = """
import sparkcore
from sparkcore.imaging.bounded_child import Message

def where(question):
    return Message({"files": [__file__, sparkcore.__file__]})
"""


def test_children_find_packages_in_archives_with_relative_names(tmp_path: Path):
    write_package(tmp_path / "sparkcore.zip")
    with zipfile.ZipFile(tmp_path / "shipped.zip", "w") as archive:
        archive.writestr("shipped.py", SHIPPED)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", WITH_ARCHIVES],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    files = [f"{tmp_path}/shipped.zip/shipped.py", f"{tmp_path}/sparkcore.zip/sparkcore/__init__.py"]
    assert done.stdout.strip() == str(files)
