"""The line above the images of a page: how many pass the filters, and the menu that exports exactly those."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components import address, policies, text
from pages.components.frame import PAGES
from pages.components.opened import Opened
from sparkcore import intake
from sparkcore.analysis import archive, export
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.filters import Filters
from sparkcore.analysis.policy import Policy, with_decisions
from sparkcore.analysis.report import Wanted, render_report
from sparkcore.runs.results import load_thumbnails
from sparkcore.runs.vectors import vectors_of

_LONGEST_NAME = 60
LONGEST_TITLE = 120
# The archive is made in memory, while somebody waits for it.
MAX_PICTURES = 1_000
MAX_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Exported:
    """Hold what is exported: these rows of a run, in this order, and the filters that they pass.

    With `originals`, a ZIP holds the original files too. The tables get the decisions of a `policy` as a column, the
    report its `title` (empty: the name of the run).
    """

    opened: Opened
    rows: Rows
    filters: Filters
    originals: bool = False
    policy: Policy | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class _Format:
    label: str
    icon: str
    suffix: str
    mime: str
    write: Callable[[Exported], bytes]
    help: str


def show(opened: Opened, rows: Rows, filters: Filters) -> None:
    """Draw the count of images, a link to them in the gallery, and the export menu."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        show_count(opened, rows, filters)
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            if len(rows):
                st.page_link(
                    "pages/gallery.py",
                    label="See them in the gallery",
                    icon=PAGES["gallery"][1],
                    query_params=address.carried(**filters.to_query()),
                )
            show_menu(Exported(opened, rows, filters))


def show_count(opened: Opened, rows: Rows, filters: Filters) -> None:
    """Draw the count of images that pass the filters."""
    total = opened.table.num_rows
    said = f"{len(rows):,} of {text.images(total)}" if filters != Filters() else text.images(total)
    st.markdown(f"**{said}**", width="content")


def show_menu(exported: Exported, *, key: str = "export") -> None:
    """Draw a button that opens the menu of formats; each file is made when it is requested."""
    count = len(exported.rows)
    with st.popover("Export", icon=":material/download:", disabled=count == 0, key=key):
        st.caption(f"Exactly the {text.images(count)} shown, in this order.")
        originals = st.checkbox(
            "ZIP with originals",
            key=f"{key}-originals",
            help="Adds the original files, as far as they lie in the folders that this server may read.",
        )
        policy = policies.choose(exported.opened.store, f"{key}-policy", "Add the decisions of a policy")
        title = st.text_input(
            "Title of the report", key=f"{key}-title", max_chars=LONGEST_TITLE, placeholder=exported.opened.name
        )
        exported = replace(exported, originals=originals, policy=policy, title=title.strip())
        too_large = _too_large(exported)
        for offer in _FORMATS:
            refused = too_large if offer.suffix == "zip" else ""
            st.download_button(
                offer.label,
                data=partial(offer.write, exported),
                file_name=f"{file_stem(exported)}.{offer.suffix}",
                mime=offer.mime,
                on_click="ignore",
                icon=offer.icon,
                help=refused or offer.help,
                disabled=bool(refused),
                width="stretch",
                key=f"{key}-{offer.suffix}",
            )
        if too_large:
            st.caption(too_large)


def csv_bytes(exported: Exported) -> bytes:
    """Return the rows as CSV."""
    buffer = BytesIO()
    export.write_csv(_part(exported), buffer)
    return buffer.getvalue()


def parquet_bytes(exported: Exported) -> bytes:
    """Return the rows as Parquet, without pictures."""
    buffer = BytesIO()
    export.write_parquet(_part(exported), buffer, manifest=exported.opened.manifest.to_dict())
    return buffer.getvalue()


def zip_bytes(exported: Exported) -> bytes:
    """Return a ZIP archive with the annotated pictures in full size, their table and, on request, the originals."""
    buffer = BytesIO()
    open_image = partial(intake.open_allowed, roots=intake.allowed_roots(exported.opened.store.state))
    manifest = exported.opened.manifest.to_dict()
    archive.write_zip(_part(exported), buffer, open_image, manifest=manifest, originals=exported.originals)
    return buffer.getvalue()


def report_bytes(exported: Exported) -> bytes:
    """Return the report as one HTML file."""
    opened = exported.opened
    thumbnails = partial(load_thumbnails, opened.store, opened.run_id)
    vectors = vectors_of(opened.store, opened.manifest)
    wanted = Wanted(exported.filters, exported.title or opened.name, thumbnails, vectors)
    return render_report(opened.table, opened.manifest.to_dict(), wanted).encode()


_FORMATS = (
    _Format(
        "Table (CSV)",
        ":material/table:",
        "csv",
        "text/csv",
        csv_bytes,
        "Opens in any spreadsheet. Without pictures.",
    ),
    _Format(
        "Table (Parquet)",
        ":material/database:",
        "parquet",
        "application/vnd.apache.parquet",
        parquet_bytes,
        "Keeps all types and the full top-k lists. Without pictures.",
    ),
    _Format(
        "Annotated pictures (ZIP)",
        ":material/photo_library:",
        "zip",
        "application/zip",
        zip_bytes,
        "In full size, as JPEG, with label and score drawn on them, and with their results as a table.",
    ),
    _Format(
        "Report (HTML)",
        ":material/description:",
        "html",
        "text/html",
        report_bytes,
        "What is in it, how good it is and what to look at, on at most six printed pages. Opens offline.",
    ),
)


def _part(exported: Exported) -> pa.Table:
    part = exported.opened.table.take(pa.array(exported.rows))
    return with_decisions(part, exported.policy) if exported.policy else part


def file_stem(exported: Exported) -> str:
    """Return the name of the file without its extension; that of a filtered export says so."""
    # A name may be in any script or hold slashes: keep only what every file system accepts.
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", exported.opened.name)[:_LONGEST_NAME].strip("-")
    count, total = len(exported.rows), exported.opened.table.num_rows
    part = "" if exported.filters == Filters() and count == total else f"-filtered-{count}-of-{total}"
    return f"{name or 'run'}-{exported.opened.run_id[:8]}{part}"


def _too_large(exported: Exported) -> str:
    """Return why the pictures do not fit into a ZIP, or nothing where they do."""
    count = len(exported.rows)
    size_bytes = 0 if count > MAX_PICTURES else pc.sum(_sizes(exported)).as_py() or 0
    size_bytes *= 2 if exported.originals else 1  # an annotated picture is about as large as its original
    if count <= MAX_PICTURES and size_bytes <= MAX_BYTES:
        return ""
    return f"The ZIP takes up to {MAX_PICTURES:,} images and {MAX_BYTES // 1_000_000} MB. Filter further."


def _sizes(exported: Exported) -> pa.ChunkedArray:
    return exported.opened.table["size_bytes"].take(pa.array(exported.rows))
