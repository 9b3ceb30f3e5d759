from __future__ import annotations

import threading
import uuid
from pathlib import Path

import pytest

from sparkcore.errors import RequestError
from sparkcore.reviews.book import ReviewBook
from sparkcore.reviews.review import CLASS, NONE, OPEN, Answer, Change, Entry, Picture
from sparkcore.runs.store import RunStore

CAT, DOG = Answer(CLASS, "cat", "n1"), Answer(CLASS, "dog")
ONE, TWO = Picture(("sha256:1", "1@7"), "file:/1.jpg"), Picture(("sha256:2", "2@7"), "file:/2.jpg")


def said(change: Change, *pictures: Picture) -> list[Entry]:
    return [Entry(change, pictures)]


@pytest.fixture(params=["folder", "memory", "s3"])
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> list[ReviewBook]:
    """Give the reviews of one store as two machines see them, each with a state folder of its own."""
    kind = request.param
    uri = str(tmp_path / "store") if kind == "folder" else f"memory://{uuid.uuid4().hex}"
    uri = request.getfixturevalue("s3_prefix") if kind == "s3" else uri
    return [ReviewBook(RunStore(uri, tmp_path / name)) for name in ("left", "right")]


def test_two_servers_at_once_lose_nothing_and_come_to_the_same(servers: list[ReviewBook]) -> None:
    def work(book: ReviewBook, by: str) -> None:
        for number in range(5):
            tag = Change(add_tags=(f"{by}-{number}",))
            book.add(by, said(tag, ONE, Picture((f"{by}@{number}",), "file:/x")))

    people = [threading.Thread(target=work, args=(servers[n % 2], f"p{n}")) for n in range(4)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    for book in servers:
        book.sync()
        assert set(book.states()["sha256:1"].tags) == {f"p{n}-{number}" for n in range(4) for number in range(5)}
        assert (book.revision(), len(book.states())) == (20, 22)
    assert servers[0].states() == servers[1].states()


def test_the_newest_word_counts_and_nothing_is_overwritten(tmp_path: Path) -> None:
    book = ReviewBook(RunStore(tmp_path))
    book.add("ann", said(Change(CAT, star=True, add_tags=("blurry, dark", "zoo"), note=" far away "), ONE, TWO))
    book.add("bob", said(Change(Answer(NONE), star=False, remove_tags=("zoo",), note=""), ONE))
    one, two = book.states()["1@7"], book.states()["sha256:2"]
    assert (one.answer, one.star, one.tags, one.note, one.by) == (Answer(NONE), False, ("blurry dark",), "", "bob")
    assert (two.answer, two.star, two.tags, two.note, two.by) == (CAT, True, ("blurry dark", "zoo"), "far away", "ann")
    book.add("bob", said(Change(Answer(OPEN)), ONE))
    assert book.states()["1@7"].answer is None
    assert [(one.by, one.change.answer) for one in book.history(ONE.keys)] == [
        ("ann", CAT),
        ("bob", Answer(NONE)),
        ("bob", Answer(OPEN)),
    ]


def test_undo_takes_back_the_last_word_of_a_person_and_can_be_undone(tmp_path: Path) -> None:
    book = ReviewBook(RunStore(tmp_path))
    first = book.add("ann", said(Change(CAT), ONE, TWO))
    second = book.add("ann", said(Change(DOG), ONE))
    book.add("bob", said(Change(star=True), ONE))
    assert book.last("ann") == second
    taken_back = book.undo("ann", second)
    assert (book.states()["1@7"].answer, book.states()["1@7"].star) == (CAT, True)
    assert book.last("ann") == first
    book.undo("ann", first)
    assert set(book.states()) == set(ONE.keys)
    assert book.last("ann") is None
    book.undo("ann", taken_back)
    assert book.states()["1@7"].answer == DOG
    assert [one.is_undone for one in book.history(ONE.keys)] == [True, False, False]


def test_a_lost_index_is_made_again_in_any_order(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "store", tmp_path / "state")
    book = ReviewBook(store)
    taken_back = book.add("ann", said(Change(DOG), ONE))
    book.undo("ann", taken_back)
    book.add("ann", said(Change(CAT), TWO))
    store.storage.write("reviews/damaged.json", b'{"entries": 3}')
    before = book.states()
    (tmp_path / "state" / "reviews.sqlite").unlink()
    undone = tmp_path / "store" / "reviews" / f"{taken_back}.json"
    late = undone.read_bytes()
    undone.unlink()
    again = ReviewBook(store)
    again.sync()
    undone.write_bytes(late)  # it arrives after the one that takes it back
    again.sync()
    assert again.states() == before
    assert set(before) == set(TWO.keys)


def test_nothing_said_is_refused(tmp_path: Path) -> None:
    book = ReviewBook(RunStore(tmp_path))
    for entries in ([], said(Change(), ONE), said(Change(CAT))):
        with pytest.raises(RequestError, match="Expected at least one picture"):
            book.add("ann", entries)
    with pytest.raises(ValueError, match="Expected a kind"):
        Answer(CLASS, " ")
