"""Values as text for people; everywhere the same."""

from __future__ import annotations

from sparkcore.runs.jobs import Job

_MARKDOWN = frozenset(r"\`*_{}[]()#+-.!|<>~$:&")


def escape(text: str) -> str:
    """Return the text so that Markdown shows it letter for letter."""
    return "".join(f"\\{letter}" if letter in _MARKDOWN else letter for letter in " ".join(text.split()))


def words(name: str) -> str:
    """Return a technical name with spaces."""
    return name.replace("_", " ")


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
    """Return the sides of a picture, the width first as people say it."""
    return f"{width:,} \N{MULTIPLICATION SIGN} {height:,}"


def moment(iso: str) -> str:
    """Return a time of a manifest to the minute, as in 2026-01-31 14:05 (UTC)."""
    return iso[:16].replace("T", " ")


def progress(job: Job, now: float) -> str:
    """Return how far a job is."""
    if not job.total:
        return f"{duration(now - job.created_at)} since the request"
    parts = [f"{job.done:,} of {job.total:,} images"]
    speed, eta_s = job.images_per_second(now), job.eta_s(now)
    if speed:
        parts.append(f"{speed:,.1f} images/s")
    if eta_s is not None:
        parts.append(f"about {duration(eta_s)} left")
    if job.errors:
        parts.append(f"{job.errors:,} not readable")
    return " · ".join(parts)
