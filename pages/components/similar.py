"""Similar pictures: a strip on the page of one image, and an order of the gallery."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow.compute as pc
import streamlit as st

from pages.components import address, gallery, text, trouble
from pages.components.frame import PAGES
from pages.components.opened import Key, Opened
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.similarity import RANKED, Neighbors, neighbors
from sparkcore.errors import SparkcoreError
from sparkcore.progress import Step, Watch
from sparkcore.runs.vectors import Vectors, has_embeddings, map_vectors

SORT = "similar-desc"
LIKE = "like"  # the parameter with the id of the image that others are compared with
_STRIP = 12
_SPINNER_ROWS = 20_000


def _key_of(opened: Opened) -> Key:
    return opened.key


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Opened: _key_of})
def vectors(opened: Opened) -> Vectors:
    """Return the embeddings of a run; the first viewer waits for the copy, with a bar where it takes a while."""
    place = st.empty()

    def show(step: Step) -> None:
        if step.total > _SPINNER_ROWS:
            place.progress(min(1.0, step.done / step.total), f"Reading embeddings: {step.done:,} of {step.total:,}")

    found = map_vectors(opened.store, opened.run_id, Watch(progress=show))
    place.empty()
    return found


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={Opened: _key_of})
def nearest(opened: Opened, image_id: str, count: int) -> Neighbors | None:
    """Return the rows most similar to an image of the run; None where it is not there or has no embedding."""
    row = pc.index(opened.table["image_id"], image_id).as_py()
    found = vectors(opened)
    if row < 0 or not found.has(row):
        return None
    return neighbors(found, found.embeddings[row], count, exclude=row)


def show_strip(opened: Opened, image_id: str) -> None:
    """Draw the twelve most similar pictures of the run, and the way to all others."""
    st.header("Similar pictures", anchor=False)
    if not has_embeddings(opened.manifest):
        show_missing(opened, "embedding")
        return
    try:
        found = nearest(opened, image_id, _STRIP)
    except SparkcoreError as error:
        trouble.show(error)
        return
    if found is None or not len(found.rows):
        st.caption("No other picture of this run has an embedding.")
        return
    said = [f"{100 * value:.0f} % similar" for value in found.similarities]
    gallery.wall(opened, found.rows, key="similar", notes=lambda _rows: said)
    st.page_link(
        "pages/gallery.py",
        label="See all by similarity",
        icon=PAGES["gallery"][1],
        query_params=address.carried(sort=SORT, like=image_id),
    )


def show_missing(opened: Opened, what: str) -> None:
    """Say why a run has no features of one kind, "embedding" or "activation", and offer to run again with them."""
    features = opened.manifest.model.get("features") or {}
    reason = features.get("reason", "the run was made by an earlier version")
    names = {"embedding": "no embeddings", "activation": "no activation maps"}
    st.caption(f"This run has {names[what]}: {text.escape(reason)}.")
    if not features or opened.manifest.config.get("features") == "none":
        st.page_link(
            "pages/run.py",
            label="Run again with features",
            icon=":material/replay:",
            query_params={"repeat": opened.run_id, "features": "all"},
        )


def is_chosen() -> bool:
    """Tell whether the address asks for an order by similarity."""
    return bool(address.get(LIKE))


def ordered(opened: Opened, rows: Rows) -> Rows:
    """Return rows, the image of the address and those most similar to it first; others keep their order."""
    image_id = address.get(LIKE)
    found = nearest(opened, image_id, RANKED) if has_embeddings(opened.manifest) else None
    if found is None:
        return rows
    own = pc.index(opened.table["image_id"], image_id).as_py()
    first = np.concatenate([[own], found.rows])
    return np.concatenate([first[np.isin(first, rows)], rows[~np.isin(rows, first)]])


def notes(opened: Opened) -> Callable[[Rows], list[str]]:
    """Return the function that gives each tile its similarity to the image of the address."""
    found = nearest(opened, address.get(LIKE), RANKED) if has_embeddings(opened.manifest) else None
    known = {} if found is None else dict(zip(found.rows.tolist(), found.similarities.tolist(), strict=True))

    def say_all(rows: Rows) -> list[str]:
        return [f"{100 * known[row]:.0f} % similar" if row in known else "" for row in rows.tolist()]

    return say_all


def show_chip(opened: Opened) -> None:
    """Draw what the pictures are compared with, as a button that removes it."""
    image_id = address.get(LIKE)
    if not image_id:
        return
    row = pc.index(opened.table["image_id"], image_id).as_py()
    name = opened.table["file_name"][row].as_py() if row >= 0 else image_id
    if not has_embeddings(opened.manifest) or row < 0:
        said = "has no embeddings" if row >= 0 else "does not have this image"
        st.warning(f"This run {said}, so that it cannot be ordered by similarity to {text.escape(name)}.")
    st.button(
        f"similar to {text.escape(name)}",
        key="chip_like",
        icon=":material/close:",
        icon_position="right",
        help="Go back to the usual order",
        on_click=address.change,
        args=({LIKE: None, "sort": None, "page": None},),
    )
