"""The house: which folder may import what. A change here is a change of the design."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WORDS = {
    "sparkcore",
    "sparkcore.child",
    "sparkcore.config",
    "sparkcore.errors",
    "sparkcore.origins",
    "sparkcore.progress",
    "sparkcore.schema",
}
STORAGE = WORDS | {"sparkcore.storage"}

# room -> (own packages it may import, heavy libraries it may import at all)
HOUSE: dict[str, tuple[set[str], set[str]]] = {
    "storage": (WORDS, set()),
    "imaging": (WORDS, {"PIL"}),
    "samples": (WORDS, {"PIL"}),
    "models": (STORAGE | {"sparkcore.imaging"}, {"tensorflow", "keras"}),
    "runs": (STORAGE, {"pyarrow"}),
    "analysis": (WORDS | {"sparkcore.imaging", "sparkcore.runs"}, {"pyarrow", "altair", "vl_convert", "jinja2"}),
    "engine": (
        STORAGE | {"sparkcore.imaging", "sparkcore.models", "sparkcore.runs"},
        {"pyspark", "pyarrow", "PIL"},
    ),
}
TOP_LEVEL: dict[str, set[str]] = {
    "child": set(),
    "config": {"sparkcore.errors"},
    "errors": set(),
    "schema": set(),
    "origins": set(),
    "progress": set(),
    "pictures": WORDS,
    "prepared_samples": {"sparkcore.samples"},
    "intake": WORDS | {"sparkcore.imaging", "sparkcore.pictures"},
    "terminal": WORDS,
    "client": WORDS | {"sparkcore.runs", "sparkcore.models"},
    "commands": WORDS
    | {f"sparkcore.{room}" for room in ("client", "terminal", "runs", "analysis", "engine", "samples", "pictures")},
    "cli": WORDS | {"sparkcore.commands"},
    "__main__": {"sparkcore.cli"},
    "__init__": set(),
}
PAGES = WORDS | {
    f"sparkcore.{room}"
    for room in ("client", "runs", "analysis", "imaging", "samples", "intake", "pictures", "prepared_samples")
}
HEAVY = {"pyspark", "tensorflow", "keras", "streamlit", "altair", "vl_convert", "jinja2", "PIL", "pandas"}


def imports(path: Path, *, at_top: bool = False) -> set[str]:
    """Return the modules that a file imports, not counting those for type checkers only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        or (at_top and isinstance(node, ast.FunctionDef))
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: absolute imports only"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(names: set[str]) -> set[str]:
    return {name for name in names if name.split(".")[0] == "sparkcore"}


def heavy(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names} & HEAVY


def is_inside(name: str, rooms: set[str]) -> bool:
    return any(name == room or (room != "sparkcore" and name.startswith(f"{room}.")) for room in rooms)


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("room", sorted(HOUSE))
def test_rooms_import_only_against_the_flow(room: str) -> None:
    allowed, libraries = HOUSE[room]
    for path in files(f"sparkcore/{room}"):
        names = imports(path)
        strangers = {
            n for n in ours(names) if not is_inside(n, allowed | {f"sparkcore.{room}"}) and n != "sparkcore.__version__"
        }
        assert not strangers, f"{path.relative_to(ROOT)} imports {strangers}"
        assert heavy(names) <= libraries, f"{path.relative_to(ROOT)} imports {heavy(names) - libraries}"


def test_every_room_and_file_has_its_place() -> None:
    rooms = {path.name for path in (ROOT / "sparkcore").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == set(HOUSE)
    assert {path.stem for path in (ROOT / "sparkcore").glob("*.py")} == set(TOP_LEVEL)


@pytest.mark.parametrize("name", sorted(TOP_LEVEL))
def test_top_level_files(name: str) -> None:
    names = imports(ROOT / "sparkcore" / f"{name}.py")
    strangers = {n for n in ours(names) if not is_inside(n, TOP_LEVEL[name]) and n != "sparkcore.__version__"}
    assert not strangers
    assert heavy(names) <= ({"PIL"} if name == "intake" else set())


def test_pages_import_neither_spark_nor_models() -> None:
    for path in [*files("pages"), ROOT / "dashboard.py"]:
        names = imports(path)
        assert not {n for n in ours(names) if not is_inside(n, PAGES)}, path
        assert not heavy(names) & {"pyspark", "tensorflow", "keras"}, path


def test_importing_does_nothing_heavy() -> None:
    for path in files("sparkcore"):
        at_top = heavy(imports(path, at_top=True))
        assert not at_top & {"pyspark", "tensorflow", "keras", "streamlit", "vl_convert", "jinja2"}, path


def test_the_whole_package_imports_without_its_heavy_libraries() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in files("sparkcore")
        if path.name not in ("__main__.py", "svg_worker.py")
    ]
    code = (
        f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        "print([m for m in ('pyspark', 'tensorflow', 'keras', 'streamlit') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_driver_code_uses_only_the_dataframe_api() -> None:
    for path in files("sparkcore/engine"):
        names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not names & {"rdd", "_jvm", "_jsc", "_jdf", "_jsparkSession", "parallelize"}, path
