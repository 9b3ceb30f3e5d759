from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from sparkcore.config import RunConfig
from sparkcore.engine.elsewhere import call_elsewhere
from sparkcore.errors import ConfigError
from sparkcore.models.frozen import FrozenModel
from sparkcore.origins import origin_of
from sparkcore.progress import Step, Watch
from sparkcore.worker.calibration import CalibrationTask, calibrate
from sparkcore.worker.task import LISTED_SIZE, WorkerTask
from tests.conftest import write_colors
from tests.models.fixture_model import frozen_fixture

Make = Callable[..., CalibrationTask]


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> FrozenModel:
    return frozen_fixture(tmp_path_factory.mktemp("frozen"))


def table(paths: list[Path]) -> pa.Table:
    sizes = [path.stat().st_size for path in paths]
    return pa.table({"origin": [origin_of(path) for path in paths], LISTED_SIZE: sizes})


@pytest.fixture
def make(tmp_path: Path, frozen: FrozenModel, request_for: Callable[..., RunConfig]) -> Make:
    def task(precision: str, cut: int, images: int = 60, damaged: int = 0) -> CalibrationTask:
        paths = write_colors(tmp_path / "in", images)
        for path in paths[len(paths) - damaged :]:
            path.write_bytes(b"no picture")
        worker = WorkerTask(request_for("x"), frozen, 8, threads=2)
        return CalibrationTask(worker, precision, table(paths[:cut]), table(paths[cut:]))

    return task


def test_calibration_for_int8(make: Make) -> None:
    steps: list[Step] = []
    measured = call_elsewhere(calibrate, make("int8", 20, damaged=2), "no", Watch(progress=steps.append))
    assert measured.agreement is not None
    assert (measured.calibrated_on, measured.model.precision) == (20, "int8")
    found = measured.agreement  # its values depend on the processor: sums of 8 bits saturate on some
    assert found.images == 38
    assert found.low <= found.same_label <= found.high
    assert 0 < found.mean_change <= found.largest_change
    assert {step.phase for step in steps} <= {"calibrating int8", "comparing int8 with float32"}


def test_bfloat16_is_compared_alone(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparkcore.models.runtimes.openvino.computes", lambda _: True)
    steps: list[Step] = []
    measured = calibrate(make("bfloat16", 0, images=12), steps.append)
    assert measured.agreement is not None
    assert (measured.model.precision, measured.calibrated_on) == ("bfloat16", 0)
    assert (measured.agreement.images, measured.agreement.same_label) == (12, 1.0)
    assert steps == [Step("comparing bfloat16 with float32", done, 12) for done in (8, 12)]
    assert calibrate(make("bfloat16", 0, images=3, damaged=3), steps.append).agreement is None


def test_too_few_that_can_be_read(make: Make) -> None:
    message = r"at least 50 images that can be read .* expected 34 of 40 to be of use, received 30\. Use float32"
    with pytest.raises(ConfigError, match=message):
        call_elsewhere(calibrate, make("int8", 20, damaged=10), "no")
