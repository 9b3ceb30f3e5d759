"""What tests let child processes do. They import this module, which is why pytest and all fixtures are elsewhere."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from sparkcore.engine.elsewhere import Report
from sparkcore.errors import ConfigError
from sparkcore.imaging.bounded_child import Message
from sparkcore.progress import Step


def act(question: Message) -> Message:
    """Do, in the child, what a test asks for."""
    if question.facts.get("do") == "abort":
        os.abort()
    if question.facts.get("do") == "sleep":
        time.sleep(3600)
    if question.facts.get("do") == "allocate":
        return Message({"got": len(bytearray(question.facts["size_bytes"]))})
    return Message({**question.facts, "pid": os.getpid()}, question.blobs)


def double(number: int, report: Report) -> tuple[int, int]:
    sys.stdout.write("what a library prints\n")
    for done in range(3):
        report(Step("doubling", done, 3))
    return 2 * number, os.getpid()


def refuse(number: int, _: Report) -> None:
    raise ConfigError.unexpected("number", "another", number)


def die(number: int, _: Report) -> None:
    os.kill(os.getpid(), number)


def fail(_: int, _report: Report) -> None:
    raise ZeroDivisionError("of no kind that is expected")


def sleep(marker: str, _: Report) -> None:
    Path(marker).write_text(str(os.getpid()))
    time.sleep(60)
