"""What the tests of commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sparkcore.cli import main


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Give the function that runs a command and returns its JSON."""

    def call(*arguments: object) -> Any:
        code = main([*map(str, arguments), "--json", "--store", str(tmp_path / "store")])
        said = capsys.readouterr()
        assert code == 0, said.err
        return json.loads(said.out)

    return call
