"""The figures as text: medians with their spread, ratios with their targets, and the time per layer."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.figures import MODELS, PEAK_MEMORY, Figures

MAX_MEMORY_RATIO = 1.15
_INT8 = ("vnni", "amx_int8")

# (title, numerator, denominator, minimum by model); taken within a round if both have the same number of rounds. Minima
# of int8 count where the processor has instructions for it.
RATIOS: tuple[tuple[str, str, str, dict[str, float]], ...] = (
    ("warm float32 / limit", "float32 bytes", "float32 limit", {"resnet50": 0.93, "mobilenet_v2": 0.85}),
    ("warm bfloat16 / limit", "bfloat16 bytes", "bfloat16 limit", {"resnet50": 0.88}),
    ("warm int8 / limit", "int8 bytes", "int8 limit", {"mobilenet_v2": 0.85}),
    ("warm int8 / warm float32", "int8 bytes", "float32 bytes", {"resnet50": 2.6}),
    ("warm float32 / script", "float32 bytes", "script second", {"resnet50": 1.25, "mobilenet_v2": 1.7}),
    ("warm bfloat16 / script", "bfloat16 bytes", "script second", {"resnet50": 1.70}),
    ("warm float32 / post, second collect", "float32 bytes", "post second", {"resnet50": 9.0}),
    ("warm bfloat16 / post, second collect", "bfloat16 bytes", "post second", {"resnet50": 14.0}),
    ("warm int8 / post, second collect", "int8 bytes", "post second", {"resnet50": 15.0}),
    ("reader image / reader bytes", "float32 image", "float32 bytes", {}),
    ("10 times as many / 300", "10 times as many", "300 before and after", dict.fromkeys(MODELS, 1.0)),
    ("75 photos: post / ours, whole process", "75 post, s", "75 cold, s", {"resnet50": 5.0}),
    ("75 photos: post / our first image", "75 post, s", "75 first image, s", {"resnet50": 4.0}),
    ("warm float32 / Ray Data", "float32 bytes", "ray_data second", {}),
    ("warm float32 / Daft", "float32 bytes", "daft_frame second", {}),
)


def text(figures: Figures) -> str:
    """Return all tables."""
    lines = [f"{name}: {value}" for name, value in figures.machine.items()]
    for model, values in figures.values.items():
        lines += ["", f"== {model}", *(_row(name, rounds) for name, rounds in values.items())]
        lines += [
            *_titled("ratios", list(_ratios(model, values, figures.machine))),
            *_titled("gap to the limit", list(_gap(values))),
        ]
    return "\n".join([*lines, *_titled("memory against the first set", list(_memory(figures.values)))])


def _memory(values: dict[str, dict[str, list[float]]]) -> Iterator[str]:
    peaks = {name: max(rows[PEAK_MEMORY]) for name, rows in values.items() if PEAK_MEMORY in rows}
    for name, peak in list(peaks.items())[1:]:
        ratio = peak / next(iter(peaks.values()))
        yield f"{name:<44}{ratio:>10.2f}   at most {MAX_MEMORY_RATIO}: {'yes' if ratio <= MAX_MEMORY_RATIO else 'NO'}"


def _titled(title: str, lines: list[str]) -> list[str]:
    return ["", f"-- {title}", *lines] if lines else []


def _row(name: str, rounds: list[float]) -> str:
    spread = f"   {min(rounds):.2f} to {max(rounds):.2f}, {len(rounds)} rounds" if len(rounds) > 1 else ""
    return f"{name:<44}{statistics.median(rounds):>10.2f}{spread}"


def _ratios(model: str, values: dict[str, list[float]], machine: dict[str, str]) -> Iterator[str]:
    computes_int8 = any(name in machine.get("processor", "") for name in _INT8)
    for title, over, under, minimum in RATIOS:
        if over not in values or under not in values:
            continue
        ratio = _ratio(values[over], values[under])
        target = minimum.get(model) if computes_int8 or "int8" not in title else None
        verdict = "" if target is None else f"   at least {target:.2f}: {'yes' if ratio >= target else 'NO'}"
        yield f"{title:<44}{ratio:>10.2f}{verdict}"


def _ratio(over: list[float], under: list[float]) -> float:
    if len(over) == len(under):
        return statistics.median(a / b for a, b in zip(over, under, strict=True))
    return statistics.median(over) / statistics.median(under)


def _gap(values: dict[str, list[float]]) -> Iterator[str]:
    """Split the time per image by layer, in milliseconds of all cores."""
    steps = (
        ("the model", "float32 inference"),
        ("+ decoding and resizing (the limit)", "float32 limit"),
        ("+ thumbnails and rows (worker loop)", "float32 worker_loops"),
        ("+ Spark, parts, Parquet (classifying)", "float32 bytes, classifying alone"),
        ("+ request, listing, manifest (all)", "float32 bytes"),
    )
    before = 0.0
    for title, name in steps:
        if name not in values:
            return
        spent = 1000 / statistics.median(values[name])
        yield f"{title:<44}{spent:>10.2f} ms   {spent - before:+.2f}"
        before = spent
