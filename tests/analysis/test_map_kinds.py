from __future__ import annotations

from sparkcore.analysis.columns import Encoded
from sparkcore.analysis.map_kinds import GROUP, LABEL, TRUTH, kinds_of
from tests.analysis.tables import failed, row, table_of

_ROWS = [
    row("a.jpg", ("n02085620", "Chihuahua", 0.9), truth="Chihuahua"),
    row("b.jpg", ("n02123045", "tabby", 0.8), truth="Chihuahua"),
    row("c.jpg", ("n99999999", "thing", 0.8)),
    failed("d.jpg", "empty", "The file is empty."),
]


def kinds(by: str, within: tuple[str, ...] = ()) -> list[str | None]:
    found: Encoded = kinds_of(table_of(*_ROWS), by, within)
    return [found.values[code] if code >= 0 else None for code in found.codes]


def test_each_image_has_a_kind() -> None:
    assert kinds(LABEL) == ["Chihuahua", "tabby", "thing", None]
    assert kinds(TRUTH) == ["correct", "incorrect", None, None]
    assert kinds(GROUP) == ["Animals", "Animals", None, None]
    dogs, cats, *others = kinds(GROUP, ("Animals",))
    assert dogs
    assert dogs.startswith("Animals > ")
    assert cats != dogs
    assert others == [None, None]
