"""What a verification finds, one line for each thing that is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.errors import first_line

# What Arrow raises for a file that is no Parquet, or not all of one.
DAMAGED = (pa.ArrowException, OSError, EOFError, ValueError, KeyError, TypeError)


@dataclass(slots=True)
class Findings:
    """Collect problems in the order in which they are found."""

    lines: list[str] = field(default_factory=list)

    def add(self, name: str, problem: str) -> None:
        """Note what is wrong with an object or a part of it."""
        self.lines.append(f"{name}: {problem}")

    def compare(self, name: str, what: str, received: object, expected: object) -> None:
        """Note a value that is not the expected one."""
        if received != expected:
            self.add(name, f"expected {what} {expected}, received {received}")

    def unreadable(self, name: str, error: BaseException) -> None:
        """Note an object that cannot be read as what it should be."""
        self.add(name, f"cannot be read: {first_line(error)}")


def is_ascending(ids: pa.ChunkedArray | pa.Array) -> bool:
    """Tell whether image ids are sorted and distinct, none of them null."""
    if ids.null_count:
        return False
    return len(ids) < 2 or bool(pc.all(pc.less(ids.slice(0, len(ids) - 1), ids.slice(1))).as_py())
