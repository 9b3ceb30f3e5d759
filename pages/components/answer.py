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
from sparkcore.reviews.review import CLASS, LONGEST_LABEL, NONE, OPEN, UNSURE, Answer, Change, State
from sparkcore.schema import STATUS_OK

KEYS = (
    ("1 to 5", "the picture shows this one of the five labels"),
    ("Enter", "confirm the first label"),
    ("a letter or /", "search all classes; Enter takes the one that is marked"),
    ("+", "name a new class"),
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
_SEARCH, _NEW, _TAGS, _NOTE = "answer_search", "answer_new", "answer_tags", "answer_note"
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
        with st.container(gap="xsmall"):
            _show_labels(subject)
        _show_search(subject)
    with st.container(horizontal=True, gap="small"):
        _button(subject, "Not in any class", "0", ":material/block:", Change(Answer(NONE)), "none")
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
    with st.container(horizontal=True, gap="small"):
        _show_words(subject)
    with st.sidebar:
        reviews.show_name()
    keyboard.show(
        KEYS,
        subject=f"{subject.opened.run_id} {subject.row['image_id']}",
        search=_SEARCH,
        places={"T": _TAGS, "N": _NOTE, "/": _SEARCH, "+": _NEW},
    )


def _show_state(subject: Subject) -> None:
    state = subject.state
    if state.answer is None:
        return
    said = _TEXTS.get(state.answer.kind) or f"**{text.escape(display_name(describe_answer(state) or ''))}**"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/how_to_reg: {said}, said {text.escape(state.by)} on {text.escape(text.moment(state.at))} UTC"
        )
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


def class_names(opened: Opened, lookup: ClassLookup) -> list[str]:
    """Return the names of all classes of the model, followed by those that people have added."""
    new = {one.answer.label for one in opened.said.values() if one.answer and one.answer.kind == CLASS}
    names = [one.label for one in lookup.classes]
    return [*names, *sorted(new.difference(names))]


def used_tags(opened: Opened) -> list[str]:
    """Return all tags of the run's pictures."""
    return list(cached.filter_options(opened).tags)


def answer_of(lookup: ClassLookup, chosen: str) -> Answer:
    """Return the answer that a choice of `class_names`, or a text that somebody typed, stands for."""
    exact = next((one for one in lookup.classes if one.label == chosen), None)
    if exact:
        return Answer(CLASS, exact.label, exact.class_id)
    try:
        return lookup.answer(chosen)
    except RequestError:  # words that several classes share: whoever typed them chose none of these
        return Answer(CLASS, chosen)


def _show_search(subject: Subject) -> None:
    lookup = cached.classes(subject.opened.without_reviews)
    # New widgets for each answer: they begin empty.
    stamp = f"{subject.row['image_id']}_{subject.state.at}"
    key, new_key = f"{_SEARCH}_{stamp}", f"{_NEW}_{stamp}"

    def take(name: str) -> None:
        typed = (st.session_state[name] or "").strip()
        if typed:
            subject.say(Change(answer_of(lookup, typed)))

    with st.container(horizontal=True, gap="small"):
        with st.container(key=_SEARCH):
            st.selectbox(
                "Another class",
                class_names(subject.opened, lookup),
                index=None,
                key=key,
                format_func=display_name,
                placeholder="Another class: type",
                label_visibility="collapsed",
                on_change=take,
                args=(key,),
            )
        with st.container(key=_NEW, width=150):
            st.text_input(
                "New class",
                key=new_key,
                max_chars=LONGEST_LABEL,
                placeholder="New class: +",
                label_visibility="collapsed",
                on_change=take,
                args=(new_key,),
            )


def _show_words(subject: Subject) -> None:
    state, stamp = subject.state, f"{subject.row['image_id']}_{subject.state.at}"
    tags_key, note_key = f"{_TAGS}_{stamp}", f"{_NOTE}_{stamp}"

    def write_tags() -> None:
        chosen = tuple(st.session_state[tags_key])
        added = tuple(tag for tag in chosen if tag not in state.tags)
        subject.say(Change(add_tags=added, remove_tags=tuple(tag for tag in state.tags if tag not in chosen)))

    with st.container(key=_TAGS):
        st.multiselect(
            "Tags",
            list(dict.fromkeys([*state.tags, *used_tags(subject.opened)])),
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
