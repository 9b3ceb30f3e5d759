"""Which tests run in one process, so that what they share is started once: Spark, the engine, TensorFlow.

pytest-xdist's own `--dist loadgroup` has no effect with pytest 9.2: https://github.com/pytest-dev/pytest-xdist/issues/1386.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

# The large groups, which start first. Each other file is a group and goes to the process that is done sooner.
GROUPS = {
    "spark": (
        "tests/engine/",
        "tests/examples/",
        "tests/test_cli.py",
        "tests/commands/test_exploration.py",
        "tests/test_remote_store.py",
    ),
    "engine": ("tests/browser/", "tests/test_client.py"),
    "kills": ("tests/test_kills.py", "tests/test_bad_disks.py"),  # long, and shares nothing
    "tensorflow": ("tests/models/", "tests/worker/"),
    "hostile": ("tests/pages/test_hostile.py",),  # long: at the end it would keep one process alone
}
_OWNERS = {"spark": "spark", "served": "engine", "browser": "engine"}  # fixture -> the group of all tests that use it


class GroupScheduling(LoadScopeScheduling):
    """Give each process whole groups of tests."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """Return the name of a test's group."""
    for name, places in GROUPS.items():
        if nodeid.startswith(places):
            return name
    return nodeid.partition("::")[0]


def sort_by_group(items: list[pytest.Item]) -> None:
    """Put the large groups first; raises UsageError where a test uses a shared fixture outside of its group."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            owner = _OWNERS.get(fixture)
            if owner and group_of(item.nodeid) != owner:
                raise pytest.UsageError(
                    f"{item.nodeid} uses the fixture {fixture!r}, which would be started a second time: "
                    f"add its file to the group {owner!r} in tests/schedule.py."
                )
    order = {name: place for place, name in enumerate(GROUPS)}
    items.sort(key=lambda item: order.get(group_of(item.nodeid), len(order)))
