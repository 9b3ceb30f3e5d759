"""A browser's tab without the browser: Streamlit's own connection, on which pages are asked for and drawn."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

WAIT_S = 120.0
_BROKEN = "Something went wrong"  # how a page says that the program itself has an error


@dataclass(slots=True)
class Seen:
    """What came of one request: its duration, the bytes of all messages, and what should not be on a page."""

    seconds: float = 0.0
    size_bytes: int = 0
    errors: list[str] = field(default_factory=list)


class Tab:
    """One session of the dashboard on this machine, for as long as the block."""

    def __init__(self, port: int) -> None:
        self._connection = connect(
            f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=["streamlit"], max_size=None, proxy=None
        )
        self._page, self._query = "", ""
        self.refreshed: str | None = None  # the part of the page that asks to be drawn again and again

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def open(self, page: str, /, **query: str) -> Seen:
        """Open a page by its address, and return once it is complete."""
        self._page, self._query, self.refreshed = page, urlencode(query), None
        return self._ask()

    def refresh(self) -> Seen:
        """Draw again the part of the page that asks for it."""
        return self._ask(fragment_id=self.refreshed or "", is_auto_rerun=True)

    def _ask(self, **more: Any) -> Seen:
        request = BackMsg()
        state = request.rerun_script
        state.page_name, state.query_string = self._page, self._query
        for name, value in more.items():
            setattr(state, name, value)
        start, seen = time.perf_counter(), Seen()
        self._connection.send(request.SerializeToString())
        while not self._is_complete(seen):
            pass
        seen.seconds = time.perf_counter() - start
        return seen

    def _is_complete(self, seen: Seen) -> bool:
        """Read one message; tell whether it is the last one of the page."""
        content = self._connection.recv(timeout=WAIT_S)
        assert isinstance(content, bytes)
        seen.size_bytes += len(content)
        message = ForwardMsg.FromString(content)
        kind = message.WhichOneof("type")
        if kind == "delta":
            seen.errors += [f"{self._page}?{self._query}: {error}" for error in _errors_in(message)]
        elif kind == "page_not_found":
            seen.errors.append(f"There is no page {self._page}.")
        elif kind == "auto_rerun":
            self.refreshed = message.auto_rerun.fragment_id
        elif kind == "script_finished":
            if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return True
            self.refreshed = None  # the whole page is drawn anew, maybe without that part
        return False


def _errors_in(message: Any) -> list[str]:
    element = message.delta.new_element
    if element.WhichOneof("type") == "exception":
        return [f"{element.exception.type}: {element.exception.message}"]
    is_broken = element.WhichOneof("type") == "alert" and _BROKEN in element.alert.body
    return [element.alert.body] if is_broken else []
