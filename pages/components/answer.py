"""What a person says of one picture: the correct label by one key, star, tags and note."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.components import cached, keyboard, reviews, text
from pages.components.opened import Opened
from sparkcore.analysis.class_lookup import ClassLookup
from sparkcore.analysis.reviewed import describe_answer
from sparkcore.errors import RequestError
from sparkcore.imaging.lettering import display_name
from sparkcore.reviews.pictures import pictures_at
from sparkcore.reviews.review import CLASS, NONE, OPEN, UNSURE, Answer, Change, State
from sparkcore.schema import STATUS_OK

KEYS = (
    ("1 to 5", "the picture shows this one of the five labels"),
    ("Enter", "confirm the first label"),
    ("a letter or /", "search all classes, or name a new one; Enter takes it"),
    ("0", "not in any class"),
    ("9", "I cannot tell"),
    ("Space", "star"),
    ("Shift+T", "tags"),
    ("Shift+N", "note"),
    ("Backspace", "undo"),
    ("Left, Right", "previous and next picture"),
    ("?", "this list"),
)
_SHOWN = 5
_SEARCH, _TAGS, _NOTE = "answer_search", "answer_tags", "answer_note"
_TEXTS = {NONE: "**Not in any class**", UNSURE: "**Cannot tell**"}


@dataclass(frozen=True)
class Subject:
    """Hold the picture that is asked about; `done` is called after each answer, in a callback."""

    opened: Opened
    number: int
    row: dict[str, Any]
    done: Callable[[], None] = lambda: None

    @property
    def state(self) -> State:
        """Return what is said of it."""
        return self.opened.said.get(self.number, State())

    def say(self, change: Change) -> None:
        """Keep a change, and go on after an answer."""
        reviews.say(self.opened.store, pictures_at(self.opened.plain, [self.number]), change)
        if change.answer is not None and change.answer.kind != OPEN:
            self.done()


def show(subject: Subject) -> None:
    """Draw what is said of a picture and everything that can be said."""
    reviews.show_error()
    _show_state(subject)
    if subject.row["status"] == STATUS_OK:
        _show_labels(subject)
        _show_search(subject)
    with st.container(horizontal=True, gap="small"):
        _button(subject, "None of these classes", "0", ":material/block:", Change(Answer(NONE)), "none")
        _button(subject, "Cannot tell", "9", ":material/help:", Change(Answer(UNSURE)), "unsure")
    with st.container(horizontal=True, gap="small"):
        starred = subject.state.star
        icon = ":material/star:" if not starred else ":material/star_half:"
        _button(subject, "Remove star" if starred else "Star", "Space", icon, Change(star=not starred), "star")
        st.button(
            "Undo",
            key="answer_undo",
            icon=":material/undo:",
            shortcut="Backspace",
            disabled=not reviews.can_undo(),
            on_click=reviews.undo,
            args=(subject.opened.store,),
        )
        st.button("Keys", key="answer_keys", icon=":material/keyboard:", type="tertiary", on_click=keyboard.ask_help)
    _show_words(subject)
    reviews.show_name()
    keyboard.show(
        KEYS,
        subject=f"{subject.opened.run_id} {subject.row['image_id']}",
        search=_SEARCH,
        places={"T": _TAGS, "N": _NOTE, "/": _SEARCH},
    )


def _show_state(subject: Subject) -> None:
    state = subject.state
    if state.answer is None:
        return
    said = _TEXTS.get(state.answer.kind) or f"**{text.escape(display_name(describe_answer(state) or ''))}**"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/how_to_reg: {said}, said {text.escape(state.by)} on {text.moment(state.at)} UTC")
        st.button(
            "Take back",
            key="answer_open",
            type="tertiary",
            help="Removes the answer. It stays in the history.",
            on_click=subject.say,
            args=(Change(Answer(OPEN)),),
        )


def _show_labels(subject: Subject) -> None:
    for place, one in enumerate(subject.row["top"][:_SHOWN]):
        said = f"{text.escape(display_name(one['label']))} · {text.percent(one['score'])}"
        change = Change(Answer(CLASS, one["label"], one["class_id"] or ""))
        with st.container(horizontal=True, gap="small", key=f"answer_row_{place}"):
            _button(subject, said, str(place + 1), None, change, f"label_{place}", width="stretch")
            if place == 0:
                _button(subject, "Confirm", "Enter", ":material/check:", change, "confirm", kind="primary")


def _button(subject: Subject, label: str, key: str, icon: str | None, change: Change, name: str, **looks: Any) -> None:
    st.button(
        label,
        key=f"answer_{name}",
        icon=icon,
        shortcut=key,
        on_click=subject.say,
        args=(change,),
        type=looks.get("kind", "secondary"),
        width=looks.get("width", "content"),
    )


def _show_search(subject: Subject) -> None:
    lookup = cached.classes(subject.opened.without_reviews)
    new = {one.answer.label for one in subject.opened.said.values() if one.answer and one.answer.kind == CLASS}
    names = [one.label for one in lookup.classes]
    # A new widget for each answer: it begins empty.
    key = f"{_SEARCH}_{subject.row['image_id']}_{subject.state.at}"

    def take() -> None:
        chosen = st.session_state[key]
        if chosen:
            subject.say(Change(_answer(lookup, chosen)))

    with st.container(key=_SEARCH):
        st.selectbox(
            "Another class",
            [*names, *sorted(new.difference(names))],
            index=None,
            key=key,
            format_func=display_name,
            placeholder="Another class: type to search, or name a new one",
            accept_new_options=True,
            label_visibility="collapsed",
            on_change=take,
        )


def _answer(lookup: ClassLookup, chosen: str) -> Answer:
    exact = next((one for one in lookup.classes if one.label == chosen), None)
    if exact:
        return Answer(CLASS, exact.label, exact.class_id)
    try:
        return lookup.answer(chosen)
    except RequestError:  # words of several classes: a person has to choose one of them, and chose to name a new one
        return Answer(CLASS, chosen)


def _show_words(subject: Subject) -> None:
    state, stamp = subject.state, f"{subject.row['image_id']}_{subject.state.at}"
    tags_key, note_key = f"{_TAGS}_{stamp}", f"{_NOTE}_{stamp}"
    used = sorted({tag for one in subject.opened.said.values() for tag in one.tags})

    def write_tags() -> None:
        chosen = tuple(st.session_state[tags_key])
        added = tuple(tag for tag in chosen if tag not in state.tags)
        subject.say(Change(add_tags=added, remove_tags=tuple(tag for tag in state.tags if tag not in chosen)))

    with st.container(key=_TAGS):
        st.multiselect(
            "Tags",
            list(dict.fromkeys([*state.tags, *used])),
            default=list(state.tags),
            key=tags_key,
            accept_new_options=True,
            placeholder="None",
            on_change=write_tags,
        )
    with st.container(key=_NOTE):
        st.text_input(
            "Note",
            value=state.note,
            key=note_key,
            placeholder="None",
            on_change=lambda: subject.say(Change(note=st.session_state[note_key])),
        )
