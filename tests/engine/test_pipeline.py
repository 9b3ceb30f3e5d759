"""Whole runs with real Spark, a real model and real Parquet."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from PIL import Image

from sparkcore.classes import ClassName
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.pipeline import Outcome, run
from sparkcore.engine.source_job import SparkSource
from sparkcore.errors import InputError, ModelError, RunCancelledError, RunFailedError
from sparkcore.origins import origin_of
from sparkcore.progress import Step, Watch
from sparkcore.runs.files_table import parts_so_far
from sparkcore.runs.plan import read_plan
from sparkcore.runs.results import load_rows, load_thumbnails, read_parts
from sparkcore.runs.store import RunStore
from sparkcore.schema import result_schema
from tests.conftest import write_colors
from tests.imaging.pictures import write_awkward_folder
from tests.models.fixture_model import COLORS
from tests.models.graph_files import write_onnx

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Request = Callable[..., RunConfig]
pytestmark = pytest.mark.usefixtures("spark")


def rows_of(outcome: Outcome, engine: EngineConfig, *columns: str) -> list[dict[str, object]]:
    names = columns or tuple(n for n in result_schema().names if n != "thumbnail")
    table = read_parts(RunStore(engine.store), outcome.manifest.run_id, dict.fromkeys(["image_id", *names]))
    return table.sort_by("image_id").select(list(names)).to_pylist()


def labels(outcome: Outcome, engine: EngineConfig) -> dict[str, str | None]:
    return {str(r["file_name"]): r["label"] for r in rows_of(outcome, engine, "file_name", "label")}  # type: ignore[misc]


def counts(outcome: Outcome) -> dict[str, int]:
    return {name: n for name, n in outcome.manifest.counts.items() if n}


def test_a_run_writes_what_it_promises(
    tmp_path: Path, engine: EngineConfig, request_for: Request, spark: SparkSession
) -> None:
    write_colors(tmp_path / "in", 10)
    steps: list[Step] = []
    outcome = run(request_for(tmp_path / "in", truth="filename"), engine, watch=Watch(progress=steps.append))
    assert outcome.status == "complete"
    assert counts(outcome) == {"images": 10, "ok": 10, "computed": 10}
    assert labels(outcome, engine) == {
        f"{color}-{n}.png": color for n, color in enumerate(["red", "green", "blue", "white"] * 3) if n < 10
    }
    store = RunStore(engine.store)
    name = outcome.manifest.run_id
    plan = read_plan(store.storage, name)
    assert plan is not None
    folders, files = store.storage.list_folder(f"runs/{name}")
    assert [Path(folder).name for folder in folders] == sorted([plan.word, "columns"])
    assert [Path(file.name).name for file in files] == [
        "classes.json", "files.parquet", "manifest.json", "plan.json",
    ]  # fmt: skip
    assert store.classes(name) == tuple(ClassName(color, color) for color in COLORS)
    assert read_parts(store, name, result_schema().names).schema.equals(result_schema())
    assert store.manifest(name) == outcome.manifest
    timings = outcome.manifest.timings
    assert set(timings) >= {
        "total",
        "list",
        "start",
        "classify",
        "load",
        "read",
        "decode",
        "predict",
        "write",
        "idle",
        "compact",
    }
    assert timings["load"] + timings["read"] + timings["predict"] <= timings["work"]
    slots = spark.sparkContext.defaultParallelism
    assert timings["work"] + timings["idle"] == pytest.approx(slots * timings["classify"], abs=0.01)
    assert [s.phase for s in steps][:4] == ["listing", "starting Spark", "loading the model", "classifying"]
    assert (steps[-1].done, steps[-1].total, steps[-1].errors) == (10, 10, 0)
    some = [r["image_id"] for r in rows_of(outcome, engine, "image_id")][:3]
    assert set(load_thumbnails(store, name, some)) == set(some)  # type: ignore[arg-type]


def test_the_same_request_is_answered_from_the_store(
    tmp_path: Path, engine: EngineConfig, request_for: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_colors(tmp_path / "in", 3)
    first = run(request_for(tmp_path / "in"), engine)
    steps: list[Step] = []
    monkeypatch.chdir(tmp_path)
    again = run(request_for("./in/../in"), engine, watch=Watch(progress=steps.append))
    assert (again.status, again.manifest) == ("cached", first.manifest)
    assert [s.phase for s in steps] == ["listing"]


def test_another_setting_is_another_run(tmp_path: Path, engine: EngineConfig, request_for: Request) -> None:
    write_colors(tmp_path / "in", 3)
    first = run(request_for(tmp_path / "in"), engine)
    other = run(request_for(tmp_path / "in", resize="crop"), engine)
    assert other.status == "complete"
    assert other.manifest.run_id != first.manifest.run_id
    assert counts(other) == {"images": 3, "ok": 3, "computed": 3}


def test_the_effective_precision_names_the_run(
    tmp_path: Path, engine: EngineConfig, request_for: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the processor has no bfloat16, a run that asks for it is made in float32, says so, and has its rows."""
    write_colors(tmp_path / "in", 3)
    plain = run(request_for(tmp_path / "in"), engine).manifest
    monkeypatch.setattr("sparkcore.models.runtimes.openvino.computes", lambda precision: precision == "float32")
    without = run(request_for(tmp_path / "in", precision="bfloat16"), engine).manifest
    assert [(m.model["runtime"], m.model["precision"]) for m in (plain, without)] == 2 * [("openvino", "float32")]
    assert without.run_id != plain.run_id
    assert (without.recipe_id, without.counts["reused"]) == (plain.recipe_id, 3)


def test_a_model_as_pytorch_exports_it(tmp_path: Path, engine: EngineConfig) -> None:
    write_colors(tmp_path / "in", 4)
    path = write_onnx(tmp_path / "model.onnx")
    described = {"labels": list("abcd"), "groups": {"a": "Vowels"}, "scale": 1 / 255, "resize": "pad"}
    path.with_suffix(".json").write_text(json.dumps(described))
    outcome = run(RunConfig(str(tmp_path / "in"), model=str(path)), engine)
    assert RunStore(engine.store).groups(outcome.manifest.run_id) == {"a": ("Vowels",)}
    assert counts(outcome) == {"images": 4, "ok": 4, "computed": 4}
    model = outcome.manifest.model
    assert (model["name"], model["preprocess"], model["resize"], model["classes"]) == ("model", "own", "pad", 4)
    assert set(labels(outcome, engine).values()) <= set("abcd")


def test_only_new_and_changed_images_are_computed(tmp_path: Path, engine: EngineConfig, request_for: Request) -> None:
    paths = write_colors(tmp_path / "in", 40)
    run(request_for(tmp_path / "in"), engine)
    write_colors(tmp_path / "in" / "more", 10)
    grown = run(request_for(tmp_path / "in"), engine)
    assert counts(grown) == {"images": 50, "ok": 50, "computed": 10, "reused": 40}
    paths[0].write_bytes(paths[1].read_bytes())  # another size: red-0.png is green now
    os.utime(paths[4], ns=(1, 1))  # another time
    paths[5].unlink()
    changed = run(request_for(tmp_path / "in"), engine)
    assert counts(changed) == {"images": 49, "ok": 49, "computed": 2, "reused": 47}
    found = {r["origin"]: r["label"] for r in rows_of(changed, engine, "origin", "label")}
    assert (found[origin_of(paths[0])], found[origin_of(tmp_path / "in/more/red-0.png")]) == ("green", "red")
    assert len(load_thumbnails(RunStore(engine.store), changed.manifest.run_id, [
        str(r["image_id"]) for r in rows_of(changed, engine, "image_id")])) == 49  # fmt: skip


def test_filters_and_their_reuse(tmp_path: Path, engine: EngineConfig, request_for: Request) -> None:
    write_colors(tmp_path / "in", 6)  # 40 to 45 wide
    narrow = run(request_for(tmp_path / "in", max_width=42), engine)
    assert counts(narrow) == {"images": 3, "ok": 3, "excluded": 3, "computed": 6}
    narrower = run(request_for(tmp_path / "in", max_width=41), engine)
    assert counts(narrower) == {"images": 2, "ok": 2, "excluded": 4, "reused": 6}
    wide = run(request_for(tmp_path / "in"), engine)
    assert counts(wide) == {"images": 6, "ok": 6, "computed": 3, "reused": 3}
    none = run(request_for(tmp_path / "in", min_width=1000), engine)
    assert counts(none) == {"excluded": 6, "reused": 6}


def test_sample(tmp_path: Path, engine: EngineConfig, request_for: Request) -> None:
    write_colors(tmp_path / "in", 20)
    outcome = run(request_for(tmp_path / "in", sample=5, seed=3), engine)
    assert counts(outcome) == {"images": 5, "ok": 5, "computed": 5}


@pytest.mark.parametrize("reader", ["bytes", "image"])
def test_awkward_files_end_as_rows(tmp_path: Path, engine: EngineConfig, request_for: Request, reader: str) -> None:
    expected = write_awkward_folder(tmp_path / "in")
    outcome = run(request_for(tmp_path / "in", reader=reader), engine)
    got = {str(r["file_name"]): r["error_type"] or r["status"] for r in rows_of(outcome, engine)}
    assert outcome.status == "complete"
    assert set(got) == set(expected)
    if reader == "bytes":
        assert got == expected
    else:
        # Spark's decoder knows fewer formats, gives no reasons, and shows the upper half of a truncated photo.
        salvaged = {name for name, state in expected.items() if state in ("truncated", "corrupt")}
        fine = {name for name, state in expected.items() if state == "ok"}
        assert {name for name, state in got.items() if state == "ok"} <= fine | salvaged
        assert set(got.values()) <= {"ok", "invalid", "empty"}
    messages = [r["error_message"] for r in rows_of(outcome, engine) if r["status"] == "error"]
    assert all(messages)
    assert outcome.manifest.counts["errors"] == len(messages) == sum(outcome.manifest.error_types.values())


def test_names_that_spark_passes_over_are_read_all_the_same(
    tmp_path: Path, engine: EngineConfig, request_for: Request
) -> None:
    red, green = write_colors(tmp_path / "in", 2)
    red.rename(tmp_path / "in" / "_DSC0001.png")
    green.rename(tmp_path / "in" / "10:30.png")
    (tmp_path / "in" / os.fsdecode(b"caf\xe9.png")).write_bytes((tmp_path / "in" / "10:30.png").read_bytes())
    outcome = run(request_for(tmp_path / "in"), engine)
    assert labels(outcome, engine) == {"_DSC0001.png": "red", "10:30.png": "green", "caf�.png": "green"}


def test_a_file_that_vanishes_meanwhile_is_a_row(tmp_path: Path, engine: EngineConfig, request_for: Request) -> None:
    paths = write_colors(tmp_path / "in", 4)
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "nowhere.png")

    def remove(step: Step) -> None:
        if step.phase == "starting Spark":
            paths[2].unlink()

    outcome = run(request_for(tmp_path / "in"), engine, watch=Watch(progress=remove))
    assert outcome.manifest.error_types == {"vanished": 2}
    assert labels(outcome, engine) == {
        "red-0.png": "red", "green-1.png": "green", "blue-2.png": None, "white-3.png": "white", "link.png": None,
    }  # fmt: skip


def test_all_images_bad_is_still_complete(tmp_path: Path, engine: EngineConfig, request_for: Request) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        (tmp_path / "in" / f"{number}.jpg").write_text("no image")
    outcome = run(request_for(tmp_path / "in"), engine)
    assert counts(outcome) == {"images": 3, "errors": 3, "computed": 3}
    assert outcome.manifest.error_types == {"not_an_image": 3}


def test_retry_computes_only_the_failed(tmp_path: Path, engine: EngineConfig, request_for: Request) -> None:
    write_colors(tmp_path / "in", 5)
    broken = tmp_path / "in" / "red.png"
    broken.write_bytes(b"x" * 300)
    stat = broken.stat()
    first = run(request_for(tmp_path / "in"), engine)
    assert counts(first) == {"images": 6, "ok": 5, "errors": 1, "computed": 6}
    picture = tmp_path / "red.png"
    Image.new("RGB", (40, 40), (255, 0, 0)).save(picture)
    broken.write_bytes(picture.read_bytes().ljust(300, b"\0")[:300])  # mended, but same size and time
    os.utime(broken, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert run(request_for(tmp_path / "in"), engine).status == "cached"
    retried = run(request_for(tmp_path / "in"), engine, retry_failed=True)
    assert counts(retried) == {"images": 6, "ok": 6, "computed": 1, "reused": 5}
    assert retried.manifest.run_id != first.manifest.run_id
    assert run(request_for(tmp_path / "in"), engine).manifest == retried.manifest
    assert run(request_for(tmp_path / "in"), engine, retry_failed=True).status == "cached"


def test_cancel_keeps_finished_buckets_and_the_next_run_goes_on(tmp_path: Path, request_for: Request) -> None:
    write_colors(tmp_path / "in", 400)
    engine = EngineConfig(store=tmp_path / "store", bucket_size=5)
    seen: list[Step] = []

    def check() -> None:
        if seen and seen[-1].phase == "classifying" and seen[-1].done >= 5:
            raise RunCancelledError("enough")

    with pytest.raises(RunCancelledError):
        run(request_for(tmp_path / "in"), engine, watch=Watch(seen.append, check))
    store = RunStore(engine.store)
    (unfinished,) = store.unfinished()
    kept = sum(part.rows for part in parts_so_far(store.storage, unfinished))
    assert 5 <= kept < 400
    resumed = run(request_for(tmp_path / "in"), engine)
    assert counts(resumed) == {"images": 400, "ok": 400, "computed": 400 - kept, "resumed": kept}
    undisturbed = run(request_for(tmp_path / "in"), EngineConfig(store=tmp_path / "other", bucket_size=5))
    assert rows_of(resumed, engine) == rows_of(undisturbed, EngineConfig(store=tmp_path / "other"))
    assert store.unfinished() == []


def test_two_at_once_make_one_run(
    tmp_path: Path, engine: EngineConfig, request_for: Request, spark: SparkSession
) -> None:
    write_colors(tmp_path / "in", 8)
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(run(request_for(tmp_path / "in"), engine))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
        time.sleep(0.1)
    for thread in threads:
        thread.join(90)
        assert not thread.is_alive()
    assert outcomes[0].manifest == outcomes[1].manifest
    store = RunStore(engine.store)
    assert len(store.runs()) == 1
    assert len(rows_of(outcomes[0], engine)) == 8
    assert spark.range(3).count() == 3, "a thread must not stop the session of the others"


def test_buckets_and_batches_change_no_row(tmp_path: Path, request_for: Request) -> None:
    write_colors(tmp_path / "in", 25)
    tables: list[pa.Table] = []
    for number, (bucket_size, batch_size) in enumerate([(25, 32), (4, 1), (9, 3)]):
        engine = EngineConfig(store=tmp_path / str(number), bucket_size=bucket_size, batch_size=batch_size)
        outcome = run(request_for(tmp_path / "in"), engine)
        tables.append(rows_of(outcome, engine, "image_id", "label", "width", "status"))
    assert tables[0] == tables[1] == tables[2]


def test_kept_pixels_come_back(tmp_path: Path, engine: EngineConfig, request_for: Request) -> None:
    write_colors(tmp_path / "in", 3)
    outcome = run(request_for(tmp_path / "in", keep=["pixels", "resized", "scores"]), engine)
    ids = [str(r["image_id"]) for r in rows_of(outcome, engine, "image_id")]
    kept = load_rows(
        RunStore(engine.store), outcome.manifest.run_id, ids, ["width", "height", "pixels", "resized", "scores"]
    )
    for row in kept.to_pylist():
        assert len(row["pixels"]) == row["width"] * row["height"] * 3
        assert len(row["resized"]) == 32 * 32 * 3
        assert len(row["scores"]) == 9


def test_wrong_requests_fail_before_spark(tmp_path: Path, engine: EngineConfig, request_for: Request) -> None:
    steps: list[Step] = []
    with pytest.raises(InputError):
        run(request_for(tmp_path / "nowhere"), engine, watch=Watch(steps.append))
    with pytest.raises(ModelError, match="resnet50"):
        run(request_for(tmp_path, model="resnet5"), engine, watch=Watch(steps.append))
    assert {s.phase for s in steps} == {"listing"}
    assert not Path(engine.store).exists()


def test_what_a_task_finds_wrong_for_every_image_ends_the_run(
    tmp_path: Path, engine: EngineConfig, request_for: Request
) -> None:
    write_colors(tmp_path / "in", 4)

    def spoil(step: Step) -> None:
        if step.phase == "classifying":
            for graph in Path(os.environ["SPARKCORE_CACHE"]).glob("*.pb"):
                graph.rename(graph.with_suffix(".away"))

    try:
        with pytest.raises(ModelError, match="is no frozen graph"):
            # Another number of threads, so that no worker has loaded the model already.
            run(request_for(tmp_path / "in"), replace(engine, threads=3), watch=Watch(spoil))
    finally:
        for graph in Path(os.environ["SPARKCORE_CACHE"]).glob("*.away"):
            graph.rename(graph.with_suffix(".pb"))
    assert counts(run(request_for(tmp_path / "in"), engine)) == {"images": 4, "ok": 4, "computed": 4}


def test_large_and_empty_files_are_not_read(tmp_path: Path, engine: EngineConfig, request_for: Request) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "empty.jpg").write_bytes(b"")
    with (tmp_path / "in" / "huge.jpg").open("wb") as file:
        file.truncate((1 << 30) + 1)
    found = {r["file_name"]: r for r in rows_of(run(request_for(tmp_path / "in"), engine), engine)}
    assert {name: row["error_type"] for name, row in found.items()} == {"empty.jpg": "empty", "huge.jpg": "too_large"}
    assert "1,073,741,825 bytes; at most 1,073,741,824" in str(found["huge.jpg"]["error_message"])


def pausing(seen: list[Step]) -> Watch:
    """Return a watch that keeps the steps, and lets a run wait three times once it classifies."""

    def must_pause() -> bool:
        phases = [step.phase for step in seen]
        return "classifying" in phases and phases.count("waiting for a quick look") < 3

    return Watch(seen.append, must_pause=must_pause)


def test_a_run_pauses_for_others_and_goes_on(tmp_path: Path, request_for: Request) -> None:
    write_colors(tmp_path / "in", 30)
    engine = EngineConfig(store=tmp_path / "store", bucket_size=3)
    seen: list[Step] = []
    outcome = run(request_for(tmp_path / "in"), engine, watch=pausing(seen))
    assert [step.phase for step in seen].count("waiting for a quick look") == 3
    assert counts(outcome) == {"images": 30, "ok": 30, "computed": 30}


def test_a_run_can_be_refused_by_its_number_of_images(
    tmp_path: Path, engine: EngineConfig, request_for: Request
) -> None:
    write_colors(tmp_path / "in", 7)

    def refuse(images: int) -> None:
        raise RunCancelledError(f"{images} are too many")

    with pytest.raises(RunCancelledError, match="7 are too many"):
        run(request_for(tmp_path / "in"), engine, watch=Watch(listed=refuse))
    run(request_for(tmp_path / "in"), engine)
    assert run(request_for(tmp_path / "in"), engine, watch=Watch(listed=refuse)).status == "cached"


def test_a_paused_run_stays_with_sparks_reader(tmp_path: Path, request_for: Request) -> None:
    write_colors(tmp_path / "in", 30)
    engine = EngineConfig(store=tmp_path / "store", bucket_size=3)
    seen: list[Step] = []
    outcome = run(request_for(tmp_path / "in", reader="image"), engine, watch=pausing(seen))
    assert [step.phase for step in seen].count("waiting for a quick look") == 3
    assert counts(outcome) == {"images": 30, "ok": 30, "computed": 30}
    assert {row["format"] for row in rows_of(outcome, engine, "format")} == {None}, "Pillow would have known it"


def test_a_failed_job_of_sparks_reader_is_repeated(
    tmp_path: Path, engine: EngineConfig, request_for: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_colors(tmp_path / "in", 6)
    read, calls = SparkSource.frame, []

    def fail_first(source: SparkSource, *arguments: Any) -> DataFrame:
        calls.append(arguments)
        if len(calls) == 1:
            raise RuntimeError("an executor was lost")
        return read(source, *arguments)

    monkeypatch.setattr(SparkSource, "frame", fail_first)
    outcome = run(request_for(tmp_path / "in", reader="image"), engine)
    assert {row["format"] for row in rows_of(outcome, engine, "format")} == {None}
    calls.clear()
    monkeypatch.setattr(SparkSource, "frame", lambda *_: (_ for _ in ()).throw(RuntimeError("it is always lost")))
    with pytest.raises(RunFailedError, match="it is always lost"):
        run(request_for(tmp_path / "in", reader="image", top_k=2), engine)


def test_a_cancelled_run_leaves_no_stop_flag(tmp_path: Path, request_for: Request) -> None:
    write_colors(tmp_path / "in", 400)
    engine = EngineConfig(store=tmp_path / "store", bucket_size=5)
    seen: list[Step] = []

    def check() -> None:
        if seen and seen[-1].done >= 5:
            raise RunCancelledError("enough")

    with pytest.raises(RunCancelledError):
        run(request_for(tmp_path / "in"), engine, watch=Watch(seen.append, check))
    assert list((tmp_path / "store" / "stops").iterdir()) == []


def test_a_clock_that_is_set_back_by_an_hour_changes_no_duration(
    tmp_path: Path, spark: object, engine: EngineConfig, request_for: Callable[..., RunConfig],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    del spark
    write_colors(tmp_path / "in", 6)
    true_time, back_s = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: true_time() - back_s[0])

    def set_back(step: Step) -> None:
        back_s[0] = 3600.0 if step.phase == "classifying" else back_s[0]

    manifest = run(request_for(tmp_path / "in"), engine, watch=Watch(set_back)).manifest
    assert manifest.counts["ok"] == 6
    assert all(spent_s >= 0 for spent_s in manifest.timings.values()), manifest.timings
    assert manifest.images_per_second > 0
    assert manifest.created_at < manifest.finished_at
    assert run(request_for(tmp_path / "in"), engine).status == "cached"
