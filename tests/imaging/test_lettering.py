from __future__ import annotations

import pytest

from sparkcore.imaging.lettering import ELLIPSIS, clean, display_name, percent, shorten, text_width, wrap


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("great_grey_owl", "great grey owl"),
        ("  a \n\t b\0c\x1b ", "a b c"),
        ("café Grüße", "cafe Gruße"),
        ("\ud800x\u202e", "x"),
        ("y" * 1000, "y" * 300),
        ("", ""),
    ],
)
def test_clean(text: str, expected: str):
    assert clean(text) == expected


def test_shares_are_percent_with_one_digit():
    assert [percent(share) for share in (0.0, 5 / 6, 0.99996, 1.0)] == ["0.0 %", "83.3 %", "100.0 %", "100.0 %"]


def test_display_names_have_spaces():
    assert display_name("great_grey_owl") == "great grey owl"


def test_shorten_fills_the_room():
    text = "American Staffordshire terrier"
    room = text_width(text, 20) / 2
    short = shorten(text, 20, room)
    kept = short.removesuffix(ELLIPSIS)
    assert short.endswith(ELLIPSIS)
    assert text.startswith(kept)
    assert text_width(short, 20) <= room < text_width(text[: len(kept) + 2] + ELLIPSIS, 20)
    assert shorten(text, 20, text_width(text, 20)) == text
    assert shorten(text, 20, 1) == ""


def test_wrap_keeps_words_whole_and_shortens_the_last_line():
    room = text_width("one two three", 16)
    assert wrap("one two three four five six", 16, room, 5) == ["one two three", "four five six"]
    assert wrap("one two three four five six seven", 16, room, 2)[0] == "one two three"
    assert wrap("one two three four five six seven", 16, room, 2)[1].endswith(ELLIPSIS)
    assert wrap("one", 16, room, 0) == []
