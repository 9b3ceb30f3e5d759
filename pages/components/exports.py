"""The export menu: exactly the images that are shown, as files for others."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from sparkcore import intake
from sparkcore.analysis import export
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.filters import Filters
from sparkcore.analysis.report import render_report
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.results import load_thumbnails
from sparkcore.runs.store import RunStore

# The archive is made in memory, and somebody waits for it.
MOST_PICTURES = 1_000
MOST_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Shown:
    """Hold what is exported: these rows of a run's table, in this order, and the filters that left them."""

    store: RunStore
    manifest: Manifest
    table: pa.Table
    rows: Rows
    filters: Filters


@dataclass(frozen=True, slots=True)
class _Format:
    label: str
    icon: str
    suffix: str
    mime: str
    write: Callable[[Shown], bytes]
    help: str


def show(shown: Shown, *, key: str = "export") -> None:
    """Draw a button that opens the menu of formats; each file is made when it is asked for."""
    count = len(shown.rows)
    with st.popover("Export", icon=":material/download:", disabled=count == 0, key=key):
        st.caption(f"Exactly the {_images(count)} shown, in this order.")
        too_much = _too_much(shown)
        for offer in _FORMATS:
            refused = too_much if offer.suffix == "zip" else ""
            st.download_button(
                offer.label,
                data=partial(offer.write, shown),
                file_name=f"{_stem(shown)}.{offer.suffix}",
                mime=offer.mime,
                on_click="ignore",
                icon=offer.icon,
                help=refused or offer.help,
                disabled=bool(refused),
                width="stretch",
                key=f"{key}-{offer.suffix}",
            )
        if too_much:
            st.caption(too_much)


def csv_bytes(shown: Shown) -> bytes:
    """Return the rows as CSV."""
    buffer = BytesIO()
    export.write_csv(_part(shown), buffer)
    return buffer.getvalue()


def parquet_bytes(shown: Shown) -> bytes:
    """Return the rows as Parquet, without pictures."""
    buffer = BytesIO()
    export.write_parquet(_part(shown), buffer, manifest=shown.manifest.to_dict())
    return buffer.getvalue()


def zip_bytes(shown: Shown) -> bytes:
    """Return the annotated pictures in full size as a ZIP archive."""
    buffer = BytesIO()
    open_image = partial(intake.open_allowed, roots=intake.allowed_roots(shown.store.root))
    export.write_zip(_part(shown), buffer, open_image, manifest=shown.manifest.to_dict())
    return buffer.getvalue()


def report_bytes(shown: Shown) -> bytes:
    """Return the report as one HTML file."""
    thumbnails = partial(load_thumbnails, shown.store, shown.manifest.run_id)
    manifest = shown.manifest.to_dict()
    return render_report(shown.table, manifest, filters=shown.filters, thumbnails=thumbnails).encode()


_FORMATS = (
    _Format(
        "Table (CSV)",
        ":material/table:",
        "csv",
        "text/csv",
        csv_bytes,
        "Opens in any spreadsheet. All columns but the pictures.",
    ),
    _Format(
        "Table (Parquet)",
        ":material/database:",
        "parquet",
        "application/vnd.apache.parquet",
        parquet_bytes,
        "Keeps all types and the whole top-k lists. Without pictures.",
    ),
    _Format(
        "Annotated pictures (ZIP)",
        ":material/photo_library:",
        "zip",
        "application/zip",
        zip_bytes,
        "In full size, as JPEG, with label and score drawn.",
    ),
    _Format(
        "Report (HTML)",
        ":material/description:",
        "html",
        "text/html",
        report_bytes,
        "One file with settings, numbers, charts and pictures. Opens offline, and fits into a mail.",
    ),
)


def _part(shown: Shown) -> pa.Table:
    return shown.table.take(pa.array(shown.rows))


def _stem(shown: Shown) -> str:
    # A model can be a file's path: only what every file system takes stays in the name.
    model = re.sub(r"[^A-Za-z0-9_-]+", "-", str(shown.manifest.model.get("name", "")))[-40:].strip("-")
    return f"{model or 'run'}-{shown.manifest.run_id[:8]}"


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _too_much(shown: Shown) -> str:
    """Return why the pictures cannot be packed, or nothing when they can."""
    count = len(shown.rows)
    size_bytes = 0 if count > MOST_PICTURES else pc.sum(_sizes(shown)).as_py() or 0
    if count <= MOST_PICTURES and size_bytes <= MOST_BYTES:
        return ""
    return (
        f"The ZIP takes up to {MOST_PICTURES:,} images and {MOST_BYTES // 1_000_000} MB: filter further, or use "
        f"`python -m sparkcore export {shown.manifest.run_id[:8]} --format zip OUT` for all of the run."
    )


def _sizes(shown: Shown) -> pa.ChunkedArray:
    return shown.table["size_bytes"].take(pa.array(shown.rows))
