"""The documentation: its size, its links, and examples that use the public API only."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

import sparkcore
from sparkcore.cli import main

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "examples" / "step_by_step.ipynb"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "sparkcore" / "ARCHITECTURE.md"])
README_MAX_LINES = 145


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def notebook_code() -> list[str]:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def test_the_readme_is_short() -> None:
    assert len(readme().splitlines()) <= README_MAX_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("source", ["readme", "notebook"])
def test_examples_use_the_public_api_only(source: str) -> None:
    blocks = notebook_code() if source == "notebook" else re.findall(r"```python\n(.*?)```", readme(), re.DOTALL)
    nodes = [node for block in blocks for node in ast.walk(ast.parse(block))]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert [name for name in plain if name.startswith("sparkcore.")] == []
    modules = {node.module: node for node in nodes if isinstance(node, ast.ImportFrom)}
    assert [name for name in modules if str(name).startswith("sparkcore.")] == []
    assert {alias.name for alias in modules["sparkcore"].names} <= set(sparkcore.__all__)


def test_the_readme_shows_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = re.findall(r"^    (\w+) ", capsys.readouterr().out, re.MULTILINE)
    assert "run" in commands
    assert [command for command in commands if f"sparkcore {command} " not in readme().replace("\n", " ")] == []
