"""Runs below float32: calibrated once, stated everywhere, and made in float32 where too much changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from sparkcore.cli import main
from sparkcore.config import EngineConfig, RunConfig, cache_folder
from sparkcore.engine.classification import classify
from sparkcore.engine.freezing import start_freezing
from sparkcore.engine.pipeline import Outcome, run
from sparkcore.engine.reader import read_images
from sparkcore.engine.request import Request
from sparkcore.errors import ConfigError
from sparkcore.models import quantization
from sparkcore.models.frozen import FrozenModel
from sparkcore.progress import Step, Watch
from sparkcore.runs.calibrations import Calibration, read_calibration, record_name
from sparkcore.runs.results import read_parts
from sparkcore.runs.store import RunStore
from sparkcore.worker.calibration import CalibrationTask, Measured
from tests.conftest import write_colors
from tests.engine.ftp_server import PASSWORD, USER, ftp_server

MakeConfig = Callable[..., RunConfig]
pytestmark = pytest.mark.usefixtures("spark")


def phases(config: RunConfig, engine: EngineConfig) -> tuple[Outcome, set[str]]:
    steps: list[Step] = []
    outcome = run(config, engine, watch=Watch(progress=steps.append))
    return outcome, {step.phase for step in steps}


def labels(outcome: Outcome, engine: EngineConfig) -> set[tuple[str, str]]:
    table = read_parts(RunStore(engine.store), outcome.manifest.run_id, ["file_name", "label"])
    return {(row["file_name"].split("-")[0], row["label"]) for row in table.to_pylist()}


def _in_float32(request: Request, _: object) -> Future[FrozenModel]:
    return start_freezing(request.model, replace(request.computation, precision="float32"))


def _here(work: Callable[..., Measured], task: CalibrationTask, _: str, watch: Watch) -> Measured:
    return work(task, watch.progress)


def kept(outcome: Outcome, engine: EngineConfig) -> Calibration:
    found = read_calibration(RunStore(engine.store).storage, outcome.manifest.agreement["key"])
    assert found is not None
    return found


def test_int8_is_calibrated_once(
    tmp_path: Path, request_for: MakeConfig, s3_prefix: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """In a store on S3: a folder that has grown keeps its model, which another machine fetches."""
    engine = EngineConfig(f"{s3_prefix}/store", tmp_path / "state")
    write_colors(tmp_path / "in", 60)
    # How much int8 changes depends on the processor: sums of 8 bits saturate on some.
    config = request_for(tmp_path / "in", precision="int8", min_agreement=0.0)
    first, steps = phases(config, engine)
    assert steps >= {"calibrating int8", "comparing int8 with float32", "classifying"}
    stated, model = first.manifest.agreement, first.manifest.model
    assert (model["precision"], model["runtime"]) == ("int8", "openvino")
    assert (stated["precision"], stated["calibrated_on"], stated["images"]) == ("int8", 20, 40)
    assert stated["run_id"] == first.manifest.run_id
    assert len(labels(first, engine)) >= 4

    again, steps = phases(config, engine)
    assert (again.status, again.manifest, steps) == ("cached", first.manifest, {"listing"})

    write_colors(tmp_path / "in" / "more", 3)
    calibration = kept(first, engine)
    (cache_folder() / f"{calibration.quantized}.ir").unlink()
    monkeypatch.setattr(quantization, "find_spec", lambda _: None)  # needed no more
    arguments = ["run", str(tmp_path / "in"), "--model", config.model, "--top-k", "3", "--precision", "int8", "--json"]
    arguments += ["--min-agreement", "0"]
    assert main([*arguments, "--store", engine.store, "--state", str(tmp_path / "state")]) == 0
    grown = json.loads(capsys.readouterr().out)
    assert (grown["images"], grown["reused"], grown["computed"]) == (63, 60, 3)
    assert (grown["runtime"], grown["precision"]) == ("openvino", "int8")
    assert grown["agreement"] == {name: stated[name] for name in ("images", "same_label", "low", "high")}
    assert (cache_folder() / f"{calibration.quantized}.ir").is_file()


def test_where_too_much_changes_the_run_is_made_in_float32(
    tmp_path: Path, engine: EngineConfig, request_for: MakeConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    write_colors(tmp_path / "in", 51)
    config = request_for(tmp_path / "in", precision="int8")
    first = run(replace(config, min_agreement=0.0), engine)
    storage, calibration = RunStore(engine.store).storage, kept(first, engine)
    record = json.loads(storage.read(record_name(calibration.key)))
    record["agreement"] |= {"same_label": 0.9, "low": 0.8, "high": 0.96}
    storage.write(record_name(calibration.key), json.dumps(record).encode())
    plain = run(replace(config, precision="float32"), engine)
    exact = run(config, engine)
    assert exact.manifest.model["precision"] == "float32"
    assert exact.manifest.counts["reused"] == 51
    assert exact.manifest.recipe_id == plain.manifest.recipe_id != first.manifest.recipe_id
    assert len({one.manifest.run_id for one in (first, plain, exact)}) == 3
    assert run(replace(config, min_agreement=0.95), engine).manifest == first.manifest
    assert main(["show", exact.manifest.run_id, "--store", engine.store]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "int8 keeps the first label of 90.0 % of 34 images (95 % interval: 80.0 to 96.0 %)" in shown
    assert "That is less than 97 %: computed in float32." in shown
    assert (plain.manifest.agreement, exact.manifest.agreement["high"]) == ({}, 0.96)


def test_bfloat16_states_what_it_changes(
    tmp_path: Path, engine: EngineConfig, request_for: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a processor that has its instructions: where this one lacks them, it computes in float32."""
    monkeypatch.setattr("sparkcore.engine.calibration.LEAST_IMAGES", 8)
    monkeypatch.setattr("sparkcore.models.runtimes.openvino.computes", lambda precision: precision != "int8")
    monkeypatch.setattr("sparkcore.engine.calibration.call_elsewhere", _here)
    monkeypatch.setattr("sparkcore.engine.execution.start_loading", _in_float32)
    few, more = write_colors(tmp_path / "few", 4), write_colors(tmp_path / "in", 9)
    for folder, images in ((tmp_path / "few", len(few)), (tmp_path / "in", len(more)), (tmp_path / "few", len(more))):
        outcome = run(request_for(folder, precision="bfloat16", top_k=2 + images), engine)
        stated = outcome.manifest.agreement
        assert (stated["precision"], stated["images"], stated["calibrated_on"]) == ("bfloat16", images, 0)
    assert stated["run_id"] != outcome.manifest.run_id  # of the first run that had enough images


def test_images_that_only_spark_opens(tmp_path: Path, engine: EngineConfig, request_for: MakeConfig) -> None:
    write_colors(tmp_path / "in", 51)
    with ftp_server(tmp_path) as address:
        images = f"ftp://{USER}:{PASSWORD}@{address}/in"
        outcome = run(request_for(images, precision="int8", min_agreement=0.0), engine)
    stated = outcome.manifest.agreement
    assert (outcome.manifest.counts["ok"], stated["calibrated_on"], stated["images"]) == (51, 17, 34)


def test_what_is_refused(
    tmp_path: Path, engine: EngineConfig, request_for: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyspark.sql import SparkSession

    write_colors(tmp_path / "in", 49)
    config = request_for(tmp_path / "in", precision="int8")
    with pytest.raises(ConfigError, match="int8 is calibrated on at least 50 images, received 49 in"):
        run(config, engine)
    spark = SparkSession.active()
    with pytest.raises(ConfigError, match="int8 is calibrated on the images of a run, not on a frame"):
        classify(read_images(spark, str(tmp_path / "in")), config)
    write_colors(tmp_path / "in", 50)
    monkeypatch.setattr(quantization, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'sparkcore\[int8\]'"):
        run(config, engine)
    assert not list(RunStore(engine.store).storage.list("calibrations"))
