"""One image: the picture itself, its predictions, its details, and the predictions of other runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components import address, cached, copying, tables, text, zoom
from pages.components.naming import run_name
from pages.components.opened import Opened, finished_runs, open_run
from sparkcore import intake
from sparkcore.analysis.truth import has_truth, in_top
from sparkcore.errors import ImageError, SparkcoreError
from sparkcore.imaging.annotate import annotated_jpeg
from sparkcore.imaging.decode import ImageSize
from sparkcore.imaging.lettering import display_name
from sparkcore.imaging.model_input import model_input_jpeg
from sparkcore.runs.mapped import read_thumbnails
from sparkcore.runs.notes import read_notes
from sparkcore.runs.store import RunStore
from sparkcore.schema import STATUS_OK

LONG_SIDE = 1600
_OTHER_RUNS = 10
_OTHER_ROWS = 100_000  # opening larger runs takes seconds the first time

Row = dict[str, Any]


def show(opened: Opened, number: int, row: Row) -> None:
    """Draw the picture with its label, and below it the model's input; `number` is the row's place in the table."""
    if row["status"] != STATUS_OK:
        st.error(f"**{display_name(row['error_type']).capitalize()}**: {text.escape(row['error_message'])}")
        return
    alt = f"{row['file_name']}, predicted {display_name(row['label'])} with {text.percent(row['score'])}"
    try:
        content = _open(opened, row["origin"])
        st.image(annotated_picture(content, row["label"], row["score"], LONG_SIDE), width="stretch", alt=alt)
    except ImageError as error:
        thumbnail = read_thumbnails(opened.store, opened.run_id, [number])[0]
        if thumbnail:
            st.image(annotated_picture(thumbnail, row["label"], row["score"], None), alt=alt)
        st.caption(f"Only the thumbnail: {text.escape(str(error))}")
        _show_copying(row)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        zoom.show_button(content, row["file_name"])
        _offer_downloads(content, row)
        _show_copying(row)
    seen = st.expander("What the model saw", on_change="rerun", key="seen")
    if seen.open:
        with seen:
            _show_model_input(opened, content, row)


def show_verdict(opened: Opened, number: int, row: Row) -> None:
    """Draw the prediction and, where it is known, the true label."""
    if row["status"] != STATUS_OK:
        return
    said = f"Prediction: **{text.escape(display_name(row['label']))}** ({text.percent(row['score'])})"
    known = cached.truth(opened)
    if known is None or known.truth[number] < 0:
        st.markdown(said)
    elif known.correct[number]:
        st.success(f"{said}. It is correct.", icon=":material/check_circle:")
    else:
        true_label = text.escape(display_name(known.names[known.truth[number]]))
        st.warning(f"{said}. It is incorrect: the true label is **{true_label}**.", icon=":material/cancel:")


def show_predictions(opened: Opened, number: int, row: Row) -> None:
    """Draw the most likely labels as bars and numbers, the true one marked."""
    if row["status"] != STATUS_OK:
        return
    st.header("Predictions", anchor=False)
    true_place = _true_place(opened, number)
    columns: dict[str, list[Any]] = {
        "label": [display_name(one["label"]) for one in row["top"]],
        "score": [100 * one["score"] for one in row["top"]],
    }
    if true_place is not None:
        columns["true"] = ["true label" if place == true_place else "" for place in range(len(row["top"]))]
    st.dataframe(
        pa.table(columns),
        hide_index=True,
        width="stretch",
        column_config={
            "label": st.column_config.TextColumn("Label"),
            "score": tables.bar("Score"),
            "true": st.column_config.TextColumn("", width="small"),
        },
        alt="Table of the most likely labels with their scores",
    )


def show_details(row: Row) -> None:
    """Draw everything else that is known of the image."""
    st.header("Details", anchor=False)
    details = {
        "Margin": f"{row['margin']:.3f}" if row["margin"] is not None else None,
        "Entropy": f"{row['entropy']:.3f}" if row["entropy"] is not None else None,
        "Size": f"{text.pixels(row['height'], row['width'])} pixels" if row["width"] else None,
        "Format": " ".join(filter(None, (row["format"], row["mode"]))) or None,
        "File size": text.size(row["size_bytes"]) if row["size_bytes"] is not None else None,
        "Modified": f"{row['modified_at']:%Y-%m-%d %H:%M} UTC" if row["modified_at"] else None,
        "Path": text.path(row["origin"]),
        "Image id": row["image_id"],
    }
    st.html(text.details_html(details))


def show_other_runs(opened: Opened, row: Row) -> None:
    """Draw the predictions of the newest other runs for the same image."""
    image_id = row["image_id"]
    others = [
        manifest
        for manifest in finished_runs(opened.store)
        if manifest.run_id != opened.run_id and manifest.counts["images"] <= _OTHER_ROWS
    ][:_OTHER_RUNS]
    found = [(other, seen) for other in others if (seen := _row_in(opened.store, other.run_id, image_id))]
    if not found:
        return
    st.header("In other runs", anchor=False)
    notes = read_notes(opened.store)
    for manifest, seen in found:
        same = seen["label"] == row["label"]
        said = f"{display_name(seen['label'])} {text.percent(seen['score'])}" if seen["label"] else "unreadable"
        name = run_name(manifest, notes.of(manifest.run_id))
        st.button(
            f"**{text.escape(said)}** · {'same label' if same else 'differs'} · {text.escape(name)}",
            key=f"other_{manifest.run_id}",
            type="tertiary",
            icon=":material/equal:" if same else ":material/compare_arrows:",
            help="Open the image in this run",
            on_click=address.change,
            args=({"run": manifest.run_id, "image": image_id},),
        )


@st.cache_data(max_entries=64, max_size="256mb", show_spinner=False)
def annotated_picture(content: bytes, label: str, score: float, long_side: int | None) -> bytes:
    """Return the annotated picture; it is computed once for all viewers."""
    return annotated_jpeg(content, label, score, long_side)


def _true_place(opened: Opened, number: int) -> int | None:
    """Return the place of the true label among the kept predictions of a row."""
    part = opened.table.slice(number, 1)
    if not has_truth(part):
        return None
    kept = len(part["top"][0])
    return next((place for place in range(kept) if in_top(part, place + 1)[0].as_py()), None)


def _open(opened: Opened, origin: str) -> bytes:
    return intake.open_allowed(origin, intake.allowed_roots(opened.store.state))


def _show_copying(row: Row) -> None:
    copying.show({"Copy link": "", "Copy path": text.path(row["origin"])}, key="copy")


def _offer_downloads(content: bytes, row: Row) -> None:
    st.download_button(
        "Original",
        data=lambda: content,
        file_name=row["file_name"],
        mime="application/octet-stream",
        on_click="ignore",
        icon=":material/download:",
        help=f"The file as it is: {text.size(len(content))}.",
    )
    data: Callable[[], bytes] = partial(annotated_jpeg, content, row["label"], row["score"])
    st.download_button(
        "With label",
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
    left.image(content, width="stretch", alt=f"{row['file_name']}, original")
    left.caption(f"Original, {text.pixels(row['height'], row['width'])}")
    seen = model_input_jpeg(content, config, size, opened.manifest.fit)
    right.image(seen, width="stretch", alt=f"{row['file_name']}, input of the model")
    right.caption(f"{text.pixels(*size)}, {opened.manifest.fit}, {config['interpolation']}")


def _row_in(store: RunStore, run_id: str, image_id: str) -> Row | None:
    try:
        table = open_run(store, run_id).table
    except SparkcoreError:
        return None
    place = pc.index(table["image_id"], image_id).as_py()
    return table.select(["label", "score"]).slice(place, 1).to_pylist()[0] if place >= 0 else None
