"""Groups of labels: the way down from all groups to one, a chart of each level, and accuracy by group."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components import address, cached, filters, tables, text
from pages.components.crossfilter import show_selectable
from pages.components.opened import Opened
from pages.components.panel import Panel, emphasize
from sparkcore.analysis import charts
from sparkcore.analysis.filters import Filters
from sparkcore.groups import GroupPath, is_below, parse_path, path_text


def level(wanted: Filters, paths: Mapping[str, GroupPath]) -> GroupPath:
    """Return the group whose parts a chart shows: the wanted one, or that around it where it has no parts."""
    if len(wanted.groups) != 1:
        return ()
    path = parse_path(wanted.groups[0])
    has_parts = any(is_below(one, path) and len(one) > len(path) for one in paths.values())
    return path if has_parts else path[:-1]


def show_way(wanted: Filters) -> None:
    """Draw the groups around the wanted one as buttons that lead back to them."""
    path = parse_path(wanted.groups[0]) if len(wanted.groups) == 1 else ()
    if not path:
        return
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="group_way"):
        for depth in range(len(path)):
            group = path_text(path[:depth])
            name = path[depth - 1] if depth else "All groups"
            st.button(
                text.escape(name),
                key=f"group_way_{depth}",
                type="tertiary",
                on_click=filters.set_filter,
                kwargs={"groups": (group,) if group else None},
            )
            st.markdown(":material/chevron_right:", width="content")
        st.markdown(f"**{text.escape(path[-1])}**", width="content")


def show_chart(opened: Opened, wanted: Filters) -> None:
    """Draw how many images each group of the level has; a click leads into a group."""
    within = level(wanted, cached.filter_options(opened).labels)
    counts = cached.summary(opened, wanted.without("groups").without("labels"), "group_counts", within=within)

    def choose(selection: Any) -> None:
        chosen = [value for value in selection[-1].values() if isinstance(value, str)] if selection else []
        if chosen:
            again = (chosen[0],) == address.filters().groups
            group = path_text(within) if again else chosen[0]
            filters.set_filter(groups=(group,) if group else None, labels=None)

    show_selectable(_panel(counts, wanted), "chart-groups", "group", wanted.groups, choose)


def _panel(counts: pa.Table, wanted: Filters) -> Panel:
    chart = charts.label_bars(counts, "group").properties(description="Images per group of labels")
    chosen = [group for group in wanted.groups if group in counts["group"].to_pylist()]
    return Panel(
        title="Images per group",
        chart=emphasize(chart, {"group": chosen}) if chosen else chart,
        table=counts,
        columns={
            "label": ("Group", "label"),
            "count": ("Images", "count"),
            "share": ("Share", "share"),
            "labels": ("Labels", "count"),
        },
        note="The groups of the most likely labels. Click a bar to look into a group.",
    )


def show_accuracy(found: pa.Table) -> None:
    """Draw the accuracy of each group of true classes; `found` is `label_table.group_accuracy`."""
    if found.num_rows < 2:
        return
    columns = {"group": found["group"], "images": found["images"]}
    columns |= {name: pc.multiply(found[name], 100) for name in ("accuracy", "low", "high")}
    tables.show(
        "**Groups**",
        "Accuracy on the images whose true class is in a group, with its 95 % interval if they are a random sample.",
        columns,
        {
            "group": st.column_config.TextColumn("Group", pinned=True),
            "images": tables.count("Images"),
            "accuracy": tables.bar("Accuracy"),
            "low": tables.percent("From"),
            "high": tables.percent("To"),
        },
        alt="Accuracy and its interval for every group of true classes",
    )


def show_labels(found: pa.Table, wanted: Filters) -> None:
    """Draw all labels as a table; a click on a row filters. `found` is `label_table.label_table`."""
    judged = found["correct"].null_count < found.num_rows
    columns = {"label": text.display_names(found["label"])}
    columns |= {"count": found["count"], "score": pc.multiply(found["score"], 100)}
    if judged:
        columns["correct"] = pc.multiply(found["correct"], 100)
    if found["group"].null_count < found.num_rows:  # last, because it is the widest
        columns["group"] = found["group"]
    key = f"labels_table_{'-'.join(wanted.labels)}"
    tables.show(
        f"**All labels** · {found.num_rows:,}",
        "Search labels and groups by words in the sidebar. Choose a row to filter.",
        columns,
        {
            "label": st.column_config.TextColumn("Label", pinned=True),
            "group": st.column_config.TextColumn("Group"),
            "count": tables.count("Images"),
            "score": tables.bar("Mean score"),
            "correct": tables.bar("Correct", help="Share of the judged images with this label that are correct."),
        },
        key=key,
        on_select=partial(_choose_label, found["label"], key),
        selection_mode="single-row",
        alt="All labels with their groups, numbers of images and mean scores",
    )


def _choose_label(labels: pa.ChunkedArray, key: str) -> None:
    rows = st.session_state[key].selection.rows
    if rows:
        filters.set_filter(labels=(labels[rows[0]].as_py(),))
