"""A real server and a real browser; nothing may leave this machine."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from sparkcore.analysis.layout import lay_out
from sparkcore.classes import ClassName
from sparkcore.runs.layouts import keep_layout
from sparkcore.runs.store import RunStore
from tests.runs_fixture import LABELS, picture, write_run

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_MS = 60_000
SHOWN_ROWS = 60
GROUPS = {"n01": ("Fruit", "Round"), "n02": ("Fruit", "Long"), "n03": ("Dishes",), "n04": ("Plants",)}
expect.set_options(timeout=TIMEOUT_MS)
_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# What the browser would otherwise ask of the internet by itself.
_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all of these tests as slow."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """One dashboard server on a store; it can be stopped and started again on the same port."""

    store: RunStore
    roots: Path
    port: int = field(default_factory=_free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        env = {**os.environ, "SPARKCORE_STORE": self.store.uri, "SPARKCORE_ROOTS": str(self.roots)}
        command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.port", str(self.port)]
        self.process = subprocess.Popen([*command, "--server.fileWatcherType", "none"], cwd=ROOT, env=env)
        for _ in range(600):
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/_stcore/health") as answer:
                if answer.read() == b"ok":
                    return
            time.sleep(0.1)
        raise RuntimeError("The server did not start within a minute.")

    def stop(self) -> None:
        """Stop the server; an engine that it started lives on."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
            self.process = None


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give the browser of this machine."""
    if _CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip("There is no Chromium here; install it to run the tests in the browser.")
    assert _CHROMIUM, "There is no Chromium: in CI these tests must run."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server whose store holds two finished runs over 60 pictures that are there; tests only look at them."""
    folder = tmp_path_factory.mktemp("shown")
    photos = folder / "photos"
    for number in range(SHOWN_ROWS):
        path = photos / LABELS[number % len(LABELS)][0] / f"image-{number:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = picture(number)
        image.resize((4 * image.width, 4 * image.height)).save(path)
    store = RunStore(folder / "store")
    for day in (0, 1):
        run = write_run(store, rows=SHOWN_ROWS, images=str(photos), shift=day, day=day)
        store.write_classes(run, [ClassName(*label) for label in LABELS], GROUPS)
    keep_layout(store, run, lay_out)
    server = Server(store, folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> Callable[..., BrowserContext]:
    """Give the function that returns the browser's profile for a kind of screen: its cache spares each page a second.

    Streamlit knows visitors by their connection, so pages of one profile are as strange to each other as browsers are.
    """

    @cache
    def context(width: int, height: int, scheme: Literal["dark", "light"]) -> BrowserContext:
        made = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        made.set_default_timeout(TIMEOUT_MS)
        return made

    return context


@pytest.fixture
def visit(contexts: Callable[..., BrowserContext]) -> Iterator[Callable[..., Page]]:
    """Give the function that opens an address in a page of its own; asserts that no request left the machine."""
    pages: list[Page] = []
    strangers: list[str] = []

    def note(request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname != "127.0.0.1":
            strangers.append(request.url)

    def open_it(url: str, *, width: int = 1440, height: int = 900, dark: bool = False) -> Page:
        page = contexts(width, height, "dark" if dark else "light").new_page()
        page.on("request", note)
        pages.append(page)
        page.goto(url)
        settle(page)
        return page

    yield open_it
    for page in pages:
        page.close()
    assert strangers == []


def settle(page: Page) -> None:
    """Wait until the page is drawn and its script is at rest."""
    page.wait_for_selector("h1")
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    # Parts of the page that the browser loads when they are first needed.
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]') && document.fonts.status === 'loaded'")
