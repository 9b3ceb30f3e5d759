"""The accuracy and the picture of each run in the list of all runs, measured a little at a time."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence

import streamlit as st

from pages.components import reviews, text
from sparkcore.analysis.intervals import clopper_pearson
from sparkcore.analysis.run_card import measure_card
from sparkcore.errors import SparkcoreError
from sparkcore.reviews.book import ReviewBook
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import is_mapped
from sparkcore.runs.run_cards import ANY_REVIEWS, Key, RunCard, card_key, keep_cards, read_cards
from sparkcore.runs.store import RunStore

_PASS_S = 0.4  # of measuring before what is known is drawn
_MOST_ROWS = 100_000  # of a run that this machine has not opened yet: copying more takes seconds


def known(store: RunStore) -> dict[Key, RunCard]:
    """Return the cards that this machine has; `measure` adds the others."""
    revision = reviews.revision(store)
    measured = {key: card for key, card in _measured(store.uri).items() if card.reviews in (ANY_REVIEWS, revision)}
    return {**read_cards(store, revision), **measured}


def measure(store: RunStore, manifests: Sequence[Manifest]) -> None:
    """Measure some of the runs without a card, and draw the page again; call it at the end of a page."""
    there, revision = known(store), reviews.revision(store)
    missing = [one for one in manifests if card_key(one) not in there and _is_quick(store, one)]
    if not missing:
        return
    states = ReviewBook(store).states() if revision else {}
    found: dict[Key, RunCard] = {}
    end = time.monotonic() + _PASS_S
    for manifest in missing:
        try:
            found[card_key(manifest)] = measure_card(store, manifest, states, revision)
        except (SparkcoreError, OSError):  # deleted meanwhile, or damaged: its own pages say so
            _measured(store.uri)[card_key(manifest)] = RunCard(0, 0)
        if time.monotonic() > end:
            break
    _measured(store.uri).update(found)  # also where the state folder is read-only
    keep_cards(store, found, [card_key(one) for one in manifests])
    st.rerun()


def accuracy(card: RunCard | None) -> float | None:
    """Return the share of correct images in percent; None where none is judged."""
    return 100 * card.correct / card.judged if card and card.judged else None


def interval(card: RunCard | None) -> str:
    """Return the 95 % interval of the accuracy, and of how many images it is."""
    if card is None or not card.judged:
        return ""
    low, high = clopper_pearson(card.correct, card.judged)
    return f"{100 * low:.1f} to {text.percent(high)} of {text.images(card.judged)}"


def picture(card: RunCard | None) -> str | None:
    """Return the address of the picture of a run."""
    return f"data:image/jpeg;base64,{base64.b64encode(card.picture).decode()}" if card and card.picture else None


def _is_quick(store: RunStore, manifest: Manifest) -> bool:
    try:
        return manifest.counts["images"] <= _MOST_ROWS or is_mapped(store, manifest.run_id)
    except SparkcoreError:  # deleted meanwhile
        return False


@st.cache_resource(max_entries=4, show_spinner=False)
def _measured(uri: str) -> dict[Key, RunCard]:
    del uri
    return {}
