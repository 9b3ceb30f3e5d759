"""Errors on a page: what went wrong, what to do, and a short id under which the log has the rest."""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import ParamSpec

import streamlit as st

from pages.components import text
from sparkcore.errors import SparkcoreError
from sparkcore.runs.logs import DASHBOARD_LOG, MAX_LOG_BYTES, log_path

P = ParamSpec("P")
_log = logging.getLogger("pages")


def show(error: SparkcoreError, said: str = "") -> None:
    """Draw an error, or what is `said` of it in Markdown."""
    st.error(_with_id(error, said), icon=":material/error:")


def toast(error: SparkcoreError) -> None:
    """Show an error for a moment."""
    st.toast(_with_id(error), icon=":material/error:")


@contextmanager
def guarded() -> Iterator[None]:
    """Draw an error; of one of the program itself only a line, without its details."""
    try:
        yield
    except SparkcoreError as error:
        show(error)
    except Exception as error:  # noqa: BLE001 (the log has it, whatever it is)
        number = _noted(error, logging.ERROR)
        st.error(
            f"Something went wrong here that should not. Reload the page; if that does not help, report the error "
            f"{number}, whose details are in the server's log.",
            icon=":material/error:",
        )


def guard(draw: Callable[P, None]) -> Callable[P, None]:
    """Guard a function that Streamlit calls by itself, such as a fragment."""

    @functools.wraps(draw)
    def guarded_draw(*arguments: P.args, **named: P.kwargs) -> None:
        with guarded():
            draw(*arguments, **named)

    return guarded_draw


@st.cache_resource(max_entries=4, show_spinner=False)
def keep_log(state: Path) -> None:
    """Write the errors of this server into the log of a store, from now on; not where the store is read-only."""
    try:
        path = log_path(state, DASHBOARD_LOG)
        handler = RotatingFileHandler(path, maxBytes=MAX_LOG_BYTES, backupCount=1, encoding="utf-8", delay=False)
    except OSError as error:
        _log.warning("No log in %s: %s", state, error)
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for old in _log.handlers[:]:
        _log.removeHandler(old)
        old.close()
    _log.addHandler(handler)


def _with_id(error: SparkcoreError, said: str = "") -> str:
    return f"{said or text.escape(str(error))} :small[Error {_noted(error, logging.WARNING)}]"


def _noted(error: Exception, level: int) -> str:
    """Write an error to the log; return the id that it has there."""
    number = uuid.uuid4().hex[:6]
    trace = error if level == logging.ERROR else None
    _log.log(level, "error %s: %s: %s", number, type(error).__name__, " ".join(str(error).split()), exc_info=trace)
    return number
