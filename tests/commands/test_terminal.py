"""Progress and tables, on a real terminal of a given width and in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from sparkcore.commands.terminal import print_table, watching
from sparkcore.progress import Step

ROOT = Path(__file__).resolve().parents[2]
TABLE = """
from sparkcore.commands.terminal import print_table
print_table(("run", "images", "source"), [("a1b2c3d4e5f60718", 1200000, "/photos/" + "x" * 40), ("b" * 16, 7, "[red]")])
"""
PROGRESS = """
import sys
from sparkcore.progress import Step
from sparkcore.commands.terminal import watching
with watching(sys.stderr) as watch:
    watch.progress(Step("listing"))
    watch.progress(Step("downloading resnet50", 12_000_000, 100_000_000, unit="bytes"))
    watch.progress(Step("classifying", 40, 1200))
    watch.progress(Step("classifying", 1100, 1200, errors=1))
print("result")
"""


def on_terminal(code: str, width: int) -> str:
    """Run code on a terminal `width` characters wide and return what it drew, redrawn lines one below another."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT)}
    for name in ("COLUMNS", "LINES"):  # a size from outside would hide that of the terminal
        environment.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=terminal, stdout=terminal, stderr=terminal, env=environment
    )
    os.close(terminal)
    drawn = b""
    try:
        while block := os.read(controller, 65536):
            drawn += block
    except OSError:  # how Linux reports that the other end was closed
        pass
    finally:
        os.close(controller)
    assert process.wait(60) == 0, drawn.decode()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn.decode()).replace("\r\n", "\n").replace("\r", "\n")


def test_tables_in_a_pipe_have_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("label", "images", "score"), [("red [bold] \x1b[31m", 1200000, 0.25), ("x" * 200, 7, 1.0)])
    header, first, second = capsys.readouterr().out.strip().splitlines()
    assert header.split() == ["label", "images", "score"]
    assert first.split() == ["red", "[bold]", "\N{REPLACEMENT CHARACTER}[31m", "1,200,000", "0.250"]
    assert second.split() == ["x" * 200, "7", "1.000"]
    assert first.index("1,200,000") + len("1,200,000") == second.index("7") + 1  # aligned to the right


def test_no_rows_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("label",), [])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("width", "lines"), [(80, 3), (60, 4)])
def test_tables_fold_the_widest_column(width: int, lines: int) -> None:
    drawn = on_terminal(TABLE, width).strip().splitlines()
    assert len(drawn) == lines
    assert max(map(len, drawn)) <= width
    assert drawn[1].startswith("a1b2c3d4e5f60718  1,200,000  /photos/xxx")
    assert drawn[-1].split() == ["b" * 16, "7", "[red]"]


def test_tables_become_lists_on_a_narrow_terminal() -> None:
    drawn = on_terminal(TABLE, 30).split("\n")
    assert drawn[1:3] == ["run: a1b2c3d4e5f60718", "images: 1,200,000"]
    assert drawn[-5:-2] == ["run: bbbbbbbbbbbbbbbb", "images: 7", "source: [red]"]


def test_progress_in_a_pipe_is_a_line_per_phase() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRESS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "result\n"
    assert done.stderr.splitlines() == [
        "listing",
        "downloading resnet50 12.0/100.0 MB",
        "classifying 40/1,200 images",
    ]


@pytest.mark.parametrize("width", [120, 60])
def test_progress_on_a_terminal(width: int) -> None:
    drawn = on_terminal(PROGRESS, width)
    assert "classifying" in drawn
    assert "1,100/1,200 images, 1 error" in drawn
    assert ("━" in drawn) == (width == 120)
    assert max(map(len, drawn.split("\n"))) <= width
    assert drawn.rstrip().endswith("result")


def test_progress_does_not_follow_a_redirected_descriptor(tmp_path: Path) -> None:
    log = tmp_path / "spark.log"
    redirect = f"    import os; os.dup2(os.open({str(log)!r}, os.O_CREAT | os.O_WRONLY), 2)\n"
    first = '    watch.progress(Step("classifying", 40'
    redirected = PROGRESS.replace(first, redirect + first)
    assert "1,100/1,200 images" in on_terminal(redirected, 120)
    assert log.read_text() == ""


def test_a_phase_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    with watching(sys.stderr) as watch:
        for done in range(100):
            watch.progress(Step("classifying", done, 100))
    assert capsys.readouterr().err == "classifying 0/100 images\n"
