"""Values as text for people; everywhere the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from html import escape as escape_html
from typing import Any

import pyarrow as pa

from sparkcore.imaging.lettering import display_name
from sparkcore.origins import local_path
from sparkcore.runs.jobs import Job

_SETTING_NAMES = {"truth": "true labels from", "sample": "limit", "seed": "random seed", "top_k": "predictions"}
_MARKDOWN = frozenset(r"\`*_{}[]()#+-.!|<>~$:&")


def escape(text: str) -> str:
    """Return the text so that Markdown shows it letter for letter."""
    return "".join(f"\\{letter}" if letter in _MARKDOWN else letter for letter in " ".join(text.split()))


def display_names(column: pa.ChunkedArray) -> pa.Array:
    """Return a column of class or error types as people read them."""
    return pa.array([name and display_name(name) for name in column.to_pylist()], pa.string())


def setting(value: Any) -> str:
    """Return the value of a setting."""
    if value is None or value == []:
        return "not set"
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)


def setting_name(name: str) -> str:
    """Return the name of a setting of `RunConfig`."""
    return _SETTING_NAMES.get(name, display_name(name))


def path(origin: str) -> str:
    """Return where an image is: a path, or a URI for other file systems."""
    local = local_path(origin)
    return origin if local is None else os.fsencode(local).decode("utf-8", "replace")


def images(count: int) -> str:
    """Return a number of images, as in 1,200 images."""
    return "1 image" if count == 1 else f"{count:,} images"


def percent(share: float) -> str:
    """Return a share or a score, as in 83.3 %."""
    return f"{100 * share:.1f} %"


def size(size_bytes: int) -> str:
    """Return a number of bytes, as in 1.2 MB."""
    value, units = float(size_bytes), ["B", "KB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.0f} {units[0]}" if units[0] == "B" or value >= 100 else f"{value:.1f} {units[0]}"


def duration(seconds: float) -> str:
    """Return a duration, as in 3 min 05 s."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def pixels(height: int, width: int) -> str:
    """Return the size of a picture as people say it, width first."""
    return f"{width:,} \N{MULTIPLICATION SIGN} {height:,}"


def moment(iso: str) -> str:
    """Return a time of a manifest to the minute, as in 2026-01-31 14:05 (UTC)."""
    return iso[:16].replace("T", " ")


def progress(job: Job, now: float) -> str:
    """Return how far a job is."""
    if not job.total:
        return f"waiting for {duration(now - job.created_at)}"
    parts = [f"{job.done:,} of {images(job.total)}"]
    speed, eta_s = job.images_per_second(now), job.eta_s(now)
    if speed:
        parts.append(f"{speed:,.1f} images/s")
    if eta_s is not None:
        parts.append(f"about {duration(eta_s)} left")
    if job.errors:
        parts.append(f"{job.errors:,} unreadable")
    return " · ".join(parts)


def details_html(details: Mapping[str, str | None]) -> str:
    """Return the details that have a value as an HTML list; its style is in frame.css."""
    rows = "".join(
        f"<dt>{escape_html(name)}</dt><dd>{escape_html(value)}</dd>" for name, value in details.items() if value
    )
    return f'<dl class="details">{rows}</dl>'
