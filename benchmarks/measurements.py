"""The measurements and their order."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import pictures
from benchmarks.figures import PEAK_MEMORY, Figures
from benchmarks.models import Model
from benchmarks.ours import Timed, WarmEngine, command, warm_engine
from benchmarks.processes import run_json
from sparkcore.config import RunConfig, cache_folder
from sparkcore.models.runtimes.openvino import PACKED_SUFFIX, computes
from sparkcore.runs.calibrations import read_calibration
from sparkcore.runs.store import RunStore

QUICK_LOOK = 75
MANY_MODEL = "mobilenet_v2"  # 3,000 photos take minutes with a larger one
PEERS = ("ray_data", "daft_frame")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of all measurements: a work folder, the photos, rounds, and seconds per limit."""

    folder: Path
    photos: list[Path]
    rounds: int
    seconds: float
    peer_python: str | None = None


def measure_model(settings: Settings, model: Model, figures: Figures) -> None:
    """Measure the limit, the script, the peers and this project with one model, round by round."""
    photos = pictures.repeated(settings.photos, settings.folder / f"{model.name}-photos", len(settings.photos))
    cold = command(_config(photos, model), settings.folder / f"{model.name}-cold")
    figures.add(model.name, {"cold whole process, s": cold.wall_s, "cold first image, s": cold.first_image_s})
    with warm_engine(settings.folder / f"{model.name}-warm") as engine:
        first = engine.job(_config(photos, model))
        figures.add(model.name, {"engine first job, s": first.wall_s})
        quantized = _calibrate(engine, photos, model, figures)
        for number in range(settings.rounds):
            others = settings.folder / f"{model.name}-{number}"
            pictures.repeated(settings.photos, others, len(settings.photos))
            figures.add(model.name, _limits(settings, model, photos, quantized))
            for precision in _precisions():
                images = photos if precision == "int8" else others  # a calibration belongs to a folder
                timed = engine.job(_config(images, model, precision=precision, min_agreement=0.0))
                figures.add(model.name, _speeds(timed, f"{precision} bytes"))
                if precision == "float32":
                    figures.add(model.name, _spent(timed))
            figures.add(model.name, _contender(model, photos, "script"))
        figures.add(model.name, {"same request, s": engine.again(_config(photos, model, top_k=2)).wall_s})
        figures.add(model.name, _speeds(engine.job(_config(photos, model, reader="image")), "float32 image"))
        if model.name == MANY_MODEL:
            many = pictures.repeated(settings.photos, settings.folder / f"{model.name}-many", 10 * len(settings.photos))
            before, long, after = (engine.job(_config(images, model)).rate for images in (photos, many, photos))
            figures.add(model.name, {"10 times as many": long, "300 before and after": (before + after) / 2})
    with warm_engine(settings.folder / f"{model.name}-watched", watch_memory=True) as engine:
        engine.job(_config(photos, model))
    figures.add(model.name, {"memory of all processes at its peak, MB": engine.peak.memory_mb})
    if settings.peer_python:
        for peer in PEERS:
            figures.add(model.name, _contender(model, photos, peer, python=settings.peer_python))


def _calibrate(engine: WarmEngine, photos: Path, model: Model, figures: Figures) -> Path:
    """Run in int8 for the first time, and return where the quantized model lies."""
    timed = engine.job(_config(photos, model, precision="int8", min_agreement=0.0))
    stated = timed.manifest.agreement
    figures.add(model.name, {"int8 first job, with calibration, s": timed.wall_s})
    if model.is_trained:
        figures.add(model.name, {f"int8 agreement, {name}": stated[name] for name in ("images", "same_label", "high")})
    calibration = read_calibration(RunStore(engine.engine.store).storage, stated["key"])
    assert calibration is not None
    return cache_folder() / f"{calibration.quantized}{PACKED_SUFFIX}"


def measure_post(settings: Settings, model: Model, figures: Figures) -> None:
    """Compare the post with this project: warm on all photos, and cold as a whole process on 75 of them."""
    photos = pictures.repeated(settings.photos, settings.folder / "post-photos", len(settings.photos))
    few = pictures.repeated(settings.photos, settings.folder / "post-few", QUICK_LOOK)
    figures.add(model.name, _contender(model, photos, "post"))
    ours = command(_config(few, model), settings.folder / "few")
    figures.add(model.name, {"75 cold, s": ours.wall_s, "75 first image, s": ours.first_image_s})
    post = _contender(model, few, "post", once=True)
    figures.add(model.name, {"75 post, s": post["post whole process, s"]} if post else {})


def measure_memory(settings: Settings, model: Model, count: int, figures: Figures) -> None:
    """Measure the peak memory of all processes of an engine with few, many, large and tiny pictures."""
    sources = settings.photos
    sets = {
        f"{len(sources)} photos": pictures.repeated(sources, settings.folder / "few", len(sources)),
        f"{count} photos": pictures.repeated(sources, settings.folder / "many", count),
        "24 of 12 megapixels": pictures.enlarged(sources, settings.folder / "large", 24),
        "2000 of 64 x 64": pictures.shrunk(sources, settings.folder / "tiny", 2000),
    }
    for name, images in sets.items():
        with warm_engine(settings.folder / f"memory-{images.name}", watch_memory=True) as engine:
            timed = engine.job(_config(images, model))
        memory = {PEAK_MEMORY: engine.peak.memory_mb, "images/s": timed.manifest.images_per_second_no_load}
        parts = {f"at the peak, {part}, MB": value for part, value in engine.peak.parts_mb.items()}
        figures.add(f"memory: {name}", {**memory, **parts})


def _config(images: Path, model: Model, **values: Any) -> RunConfig:
    return RunConfig(images=str(images), model=model.name, weights=str(model.path), **values)


def _precisions() -> tuple[str, ...]:
    return ("float32", "bfloat16", "int8") if computes("bfloat16") else ("float32", "int8")


def _limits(settings: Settings, model: Model, photos: Path, quantized: Path) -> dict[str, float]:
    figures: dict[str, float] = {}
    for precision in _precisions():
        arguments = [str(photos), "--name", model.name, "--weights", str(model.path)]
        arguments += ["--precision", precision, "--seconds", str(settings.seconds)]
        arguments += ["--quantized", str(quantized)] if precision == "int8" else []
        rates, _ = run_json("benchmarks.contenders.limit", *arguments)
        figures |= {f"{precision} {name}": rate for name, rate in rates.items()}
    return figures


def _contender(
    model: Model, images: Path, name: str, *, python: str = sys.executable, once: bool = False
) -> dict[str, float]:
    """Run a contender; where it fails, print the reason and return no figures."""
    arguments = [str(images), *model.arguments(), *(["--once"] if once else [])]
    try:
        rates, whole_s = run_json(f"benchmarks.contenders.{name}", *arguments, python=python)
    except RuntimeError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return {}
    speeds = {f"{name} {run}": rates[run] for run in ("first", "second") if run in rates}
    return {**speeds, f"{name} whole process, s": whole_s}


def _speeds(timed: Timed, name: str) -> dict[str, float]:
    return {name: timed.rate, f"{name}, classifying alone": timed.manifest.images_per_second_no_load}


def _spent(timed: Timed) -> dict[str, float]:
    images = timed.manifest.counts["images"]
    outside = {"asking and answering": timed.wall_s - timed.manifest.timings["total"]}
    return {f"ms per image, {name}": 1000 * s / images for name, s in {**timed.manifest.timings, **outside}.items()}
