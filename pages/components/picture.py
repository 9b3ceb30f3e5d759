"""One image: the picture itself, its guesses, its facts, and what other runs say about it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components import address, facts, frame, text
from pages.components.frame import Opened
from pages.components.judged import judge
from sparkcore import intake
from sparkcore.errors import ImageError, SparkcoreError
from sparkcore.imaging.annotate import annotated_jpeg
from sparkcore.imaging.decode import ImageSize
from sparkcore.imaging.model_input import model_input_jpeg
from sparkcore.runs.mapped import read_thumbnails
from sparkcore.runs.notes import read_notes
from sparkcore.runs.store import RunStore
from sparkcore.schema import STATUS_OK

LONG_SIDE = 1600
_OTHER_RUNS = 10
_OTHER_ROWS = 100_000  # to look into larger ones takes seconds the first time

Row = dict[str, Any]


def show(opened: Opened, number: int, row: Row) -> None:
    """Draw the picture with its label, and below it what the model saw; `number` is the row's in the table."""
    if row["status"] != STATUS_OK:
        st.error(f"**{text.words(row['error_type']).capitalize()}**: {text.escape(row['error_message'])}")
        return
    alt = f"{row['file_name']}, guessed {text.words(row['label'])} with {row['score']:.1%}"
    try:
        content = _open(opened, row["origin"])
        st.image(annotated_picture(content, row["label"], row["score"], LONG_SIDE), width="stretch", alt=alt)
    except ImageError as error:
        thumbnail = read_thumbnails(opened.store, opened.run_id, [number])[0]
        if thumbnail:
            st.image(annotated_picture(thumbnail, row["label"], row["score"], None), alt=alt)
        st.caption(f"Only the thumbnail: {text.escape(str(error))}")
        return
    _offer_download(content, row)
    seen = st.expander("What the model saw", on_change="rerun", key="seen")
    if seen.open:
        with seen:
            _show_model_input(opened, content, row)


def show_guesses(row: Row) -> None:
    """Draw the top guesses as bars and numbers."""
    if row["status"] != STATUS_OK:
        return
    st.header("Guesses", anchor=False)
    top = pa.table(
        {"label": [text.words(one["label"]) for one in row["top"]], "score": [100 * one["score"] for one in row["top"]]}
    )
    st.dataframe(
        top,
        hide_index=True,
        width="stretch",
        column_config={
            "label": st.column_config.TextColumn("Label"),
            "score": st.column_config.ProgressColumn("Score", format="%.1f %%", min_value=0.0, max_value=100.0),
        },
        alt="Table of the most likely labels with their scores",
    )


def show_facts(opened: Opened, number: int, row: Row) -> None:
    """Draw everything that is known of the image."""
    st.header("Facts", anchor=False)
    size = f"{text.pixels(row['height'], row['width'])} pixels" if row["width"] else None
    known = {
        "True label": truth_text(opened, number),
        "Margin to the second": f"{row['margin']:.3f}" if row["margin"] is not None else None,
        "Entropy": f"{row['entropy']:.3f}" if row["entropy"] is not None else None,
        "Size": size,
        "Format": " ".join(filter(None, (row["format"], row["mode"]))) or None,
        "File": text.size(row["size_bytes"]) if row["size_bytes"] is not None else None,
        "Changed": f"{row['modified_at']:%Y-%m-%d %H:%M} UTC" if row["modified_at"] else None,
        "Origin": row["origin"],
        "Image id": row["image_id"],
    }
    facts.show(known)


def show_other_runs(opened: Opened, row: Row) -> None:
    """Draw what the newest other runs say about the same image."""
    image_id = row["image_id"]
    others = [
        manifest
        for manifest in frame.finished_runs(opened.store)
        if manifest.run_id != opened.run_id and manifest.counts["images"] <= _OTHER_ROWS
    ][:_OTHER_RUNS]
    found = [(other, said) for other in others if (said := _row_in(opened.store, other.run_id, image_id))]
    if not found:
        return
    st.header("In other runs", anchor=False)
    notes = read_notes(opened.store)
    for manifest, said in found:
        guess = f"{text.words(said['label'])} {said['score']:.1%}" if said["label"] else "not readable"
        title = frame.run_title(manifest, notes.of(manifest.run_id))
        st.button(
            f"**{text.escape(guess)}** · {text.escape(title)}",
            key=f"other_{manifest.run_id}",
            type="tertiary",
            icon=":material/check:" if said["label"] == row["label"] else ":material/change_circle:",
            help="The same label" if said["label"] == row["label"] else "Another label",
            on_click=address.change,
            args=({"run": manifest.run_id, "image": image_id},),
        )


def truth_text(opened: Opened, number: int) -> str | None:
    """Return the true label of a row and whether the guess is right."""
    judged = judge(opened)
    if judged is None or judged.truth[number] < 0:
        return None
    return f"{text.words(judged.names[judged.truth[number]])} ({'right' if judged.correct[number] else 'wrong'})"


@st.cache_data(max_entries=64, max_size="256mb", show_spinner=False)
def annotated_picture(content: bytes, label: str, score: float, long_side: int | None) -> bytes:
    """Return the annotated picture; a viewer who comes back to it waits no second time."""
    return annotated_jpeg(content, label, score, long_side)


def _open(opened: Opened, origin: str) -> bytes:
    return intake.open_allowed(origin, intake.allowed_roots(opened.store.root))


def _offer_download(content: bytes, row: Row) -> None:
    data: Callable[[], bytes] = partial(annotated_jpeg, content, row["label"], row["score"])
    st.download_button(
        "Download with label",
        data=data,
        file_name=f"{PurePosixPath(row['file_name']).stem}-{row['label']}.jpg",
        mime="image/jpeg",
        on_click="ignore",
        icon=":material/download:",
        help="The picture in full size, with label and score drawn on it.",
    )


def _show_model_input(opened: Opened, content: bytes, row: Row) -> None:
    config, model = opened.manifest.config, opened.manifest.model
    size = ImageSize(model["height"], model["width"])
    left, right = st.columns(2)
    left.image(content, width="stretch", alt=f"{row['file_name']} as it is")
    left.caption(f"Original, {text.pixels(row['height'], row['width'])}")
    seen = model_input_jpeg(content, config, size, opened.manifest.fit)
    right.image(seen, width="stretch", alt=f"{row['file_name']} as the model got it")
    right.caption(f"{text.pixels(*size)}, {opened.manifest.fit}, {config['interpolation']}")


def _row_in(store: RunStore, run_id: str, image_id: str) -> Row | None:
    try:
        table = frame.open_run(store, run_id).table
    except SparkcoreError:
        return None
    place = pc.index(table["image_id"], image_id).as_py()
    return table.select(["label", "score"]).slice(place, 1).to_pylist()[0] if place >= 0 else None
