from __future__ import annotations

import hashlib

from sparkcore.engine.sample import sampled
from sparkcore.engine.spill import ListedFile

FILES = [ListedFile(f"file:/p/{number}.jpg", number, 0, "0") for number in range(200)]


def test_the_files_of_the_lowest_hashes_are_chosen() -> None:
    by_hash = sorted(FILES, key=lambda file: hashlib.sha256(f"7\0{file.origin}".encode()).digest())
    for sample in (1, 20, 199, 200, 300):
        assert set(sampled(FILES, sample, 7)) == set(by_hash[:sample])


def test_the_order_and_repetitions_do_not_matter() -> None:
    assert sorted(sampled([*reversed(FILES), *FILES], 20, 3)) == sorted(sampled(FILES, 20, 3))


def test_without_a_sample_all_pass() -> None:
    assert list(sampled(iter(FILES), None, 0)) == FILES
