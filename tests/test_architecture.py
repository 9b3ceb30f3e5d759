"""The house: which room may import what, and no import circle. A change here is a change of the design."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WORDS = {
    "background", "child", "classes", "config", "errors", "groups", "origins", "progress", "roots", "schema", "version",
}  # fmt: skip

COMPUTING = {"openvino", "tensorflow", "keras"}

# room or file of sparkcore -> (what it may import of ours, the heavy libraries that it may import)
HOUSE: dict[str, tuple[set[str], set[str]]] = {
    "background": (set(), set()),
    "child": (set(), set()),
    "classes": (set(), set()),
    "config": ({"errors"}, set()),
    "errors": (set(), set()),
    "groups": ({"classes"}, set()),
    "origins": (set(), set()),
    "progress": (set(), set()),
    "roots": ({"errors", "origins"}, set()),
    "schema": (set(), {"pyarrow"}),
    "version": (set(), set()),
    "storage": (WORDS, set()),
    "imaging": (WORDS, {"PIL"}),
    "samples": ({"errors"}, set()),
    "models": (WORDS | {"storage", "imaging"}, COMPUTING),
    "worker": (WORDS | {"storage", "imaging", "models", "runs"}, {"PIL", "pyarrow"}),
    "runs": (WORDS | {"storage"}, {"pyarrow"}),
    "engine": (WORDS | {"storage", "imaging", "models", "runs", "worker"}, {"pyspark", "py4j", "pyarrow", "PIL"}),
    "reviews": (WORDS | {"storage", "runs"}, {"pyarrow"}),
    "analysis": (WORDS | {"imaging", "runs", "reviews"}, {"pyarrow", "altair", "vl_convert", "jinja2"}),
    "intake": (WORDS | {"storage"}, set()),
    "folders": (WORDS | {"storage"}, set()),
    "uploads": ({"errors", "imaging"}, set()),
    "client": (WORDS | {"runs", "models"}, set()),
    "commands": (
        WORDS | {"client", "runs", "reviews", "analysis", "imaging", "engine", "samples", "intake"},
        {"pyarrow", "rich"},
    ),
    "cli": ({"commands", "errors"}, set()),
    "__main__": ({"cli"}, set()),
    "__init__": ({"config", "engine", "runs", "version"}, set()),
}
PAGES = WORDS | {"client", "runs", "reviews", "analysis", "imaging", "samples", "intake", "folders", "uploads"}
HEAVY = {"pyspark", "py4j", "streamlit", "altair", "vl_convert", "jinja2", "PIL", "pandas"} | COMPUTING


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@cache
def imports(path: Path, *, at_top: bool = False) -> frozenset[str]:
    """Return the names that a file imports, those inside functions and for type checkers included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inner = {id(node) for function in functions for node in ast.walk(function)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if at_top and id(node) in inner:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: absolute imports only"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def modules(folders: tuple[str, ...]) -> dict[str, Path]:
    """Return the files of our packages by module name."""
    found = {}
    for folder in folders:
        for path in files(folder):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def targets(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Yield the modules of `known` that a file imports."""
    for name in imports(path):
        parts = name.split(".")
        prefixes = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
        yield from [prefix for prefix in prefixes if prefix in known][:1]


def rooms_of(names: frozenset[str]) -> set[str]:
    """Return the rooms and files of sparkcore among imported names."""
    split = [name.split(".") for name in names]
    return {parts[1] for parts in split if parts[0] == "sparkcore" and len(parts) > 1}


def heavy(names: frozenset[str]) -> set[str]:
    return {name.split(".")[0] for name in names} & HEAVY


def test_every_room_and_file_has_its_place() -> None:
    inside = (ROOT / "sparkcore").iterdir()
    rooms = {path.stem for path in inside if path.suffix == ".py" or (path.is_dir() and list(path.glob("*.py")))}
    assert rooms == set(HOUSE)


@pytest.mark.parametrize("room", sorted(HOUSE))
def test_imports_follow_the_flow(room: str) -> None:
    allowed, libraries = HOUSE[room]
    folder = ROOT / "sparkcore" / room
    for path in files(f"sparkcore/{room}") if folder.is_dir() else [folder.with_suffix(".py")]:
        strangers = rooms_of(imports(path)) - allowed - {room}
        assert not strangers, f"{path.relative_to(ROOT)} imports {strangers}"
        assert heavy(imports(path)) <= libraries, f"{path.relative_to(ROOT)} imports {heavy(imports(path)) - libraries}"


def test_pages_import_neither_spark_nor_models() -> None:
    for path in [*files("pages"), ROOT / "dashboard.py"]:
        assert not rooms_of(imports(path)) - PAGES, path
        assert not heavy(imports(path)) & ({"pyspark"} | COMPUTING), path


@pytest.mark.parametrize("folders", [("sparkcore",), ("pages", "sparkcore"), ("benchmarks", "sparkcore")])
def test_no_import_circle(folders: tuple[str, ...]) -> None:
    known = modules(folders)
    graph = {name: {one for one in targets(path, known) if one != name} for name, path in known.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import circle: {' <- '.join(error.args[1])}")


def test_importing_does_nothing_heavy() -> None:
    for path in files("sparkcore"):
        at_top = heavy(imports(path, at_top=True) - type_checking_imports(path))
        assert not at_top & ({"pyspark", "streamlit", "vl_convert", "jinja2"} | COMPUTING), path


def type_checking_imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    blocks = [n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    nodes = [n for block in blocks for n in ast.walk(block) if isinstance(n, ast.ImportFrom)]
    names = {f"{n.module}.{alias.name}" for n in nodes for alias in n.names}
    plain = [n for block in blocks for n in ast.walk(block) if isinstance(n, ast.Import)]
    return names | {alias.name for n in plain for alias in n.names}


def loaded_after(code: str) -> set[str]:
    """Return which heavy libraries a fresh interpreter has loaded after `code`."""
    program = f"import sys\n{code}\nprint(*[name for name in {sorted(HEAVY)!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=100
    )
    return set(done.stdout.split())


def test_the_whole_package_imports_without_its_heavy_libraries() -> None:
    names = [name for name in modules(("sparkcore",)) if not name.endswith("__main__")]
    code = "\n".join(f"import {name}" for name in names)
    assert not loaded_after(code) & ({"pyspark", "streamlit"} | COMPUTING)


def test_a_worker_loads_neither_spark_nor_the_engine() -> None:
    code = "import sparkcore.worker.loop, sparkcore.worker.rows\nassert 'sparkcore.engine' not in sys.modules"
    assert "pyspark" not in loaded_after(code)


def test_driver_code_uses_only_the_dataframe_api() -> None:
    for path in files("sparkcore/engine"):
        names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not names & {"rdd", "_jvm", "_jsc", "_jdf", "parallelize"}, path
