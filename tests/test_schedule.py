from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.schedule import group_of, sort_by_group


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/engine/test_parts.py::test_a", "spark"),
        ("tests/test_cli.py::test_a[x@y]", "spark"),
        ("tests/browser/test_links.py::test_a", "engine"),
        ("tests/models/test_freeze.py::test_a", "tensorflow"),
        ("tests/imaging/test_decode.py::test_a[a::b]", "tests/imaging/test_decode.py"),
    ],
)
def test_every_test_has_a_group(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group


def test_large_groups_come_first() -> None:
    names = ["tests/a.py::b", "tests/models/a.py::b", "tests/a.py::a", "tests/engine/a.py::b", "tests/engine/a.py::a"]
    items = [SimpleNamespace(nodeid=name, fixturenames=()) for name in names]
    sort_by_group(items)  # type: ignore[arg-type]
    assert [one.nodeid for one in items] == [names[3], names[4], names[1], names[0], names[2]]


def test_a_shared_fixture_stays_in_its_group() -> None:
    stranger = SimpleNamespace(nodeid="tests/runs/test_store.py::test_a", fixturenames=("tmp_path", "spark"))
    with pytest.raises(pytest.UsageError, match="add its file to the group 'spark'"):
        sort_by_group([stranger])  # type: ignore[list-item]
