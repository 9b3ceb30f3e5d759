from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from benchmarks import listing
from sparkcore.engine import spill
from sparkcore.storage.opening import open_storage


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Give a function that runs the benchmark with arguments and returns what it prints."""

    def run(*arguments: str) -> dict[str, Any]:
        monkeypatch.setattr(sys, "argv", ["listing", *arguments])
        listing.main()
        return dict(json.loads(capsys.readouterr().out))

    return run


def test_files(measured: Any) -> None:
    figures = measured("files", "--count", "1001")
    assert (figures["kind"], figures["count"], figures["images"]) == ("files", 1001, 1001)
    assert measured("files", "--count", "20", "--sample", "5")["images"] == 5


def test_objects_are_deleted_afterwards(measured: Any, s3_prefix: str) -> None:
    assert measured("objects", s3_prefix, "--count", "1001")["images"] == 1001
    assert list(open_storage(s3_prefix).list()) == []


def test_names_go_through_the_spill(measured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "_IN_MEMORY_ROWS", 100)
    monkeypatch.setattr(spill, "_BATCH_ROWS", 70)
    assert measured("names", "--count", "1000")["images"] == 1000
