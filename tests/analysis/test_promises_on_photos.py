"""What intervals promise, on real photos and a real model; the same on made data is in the tests of each module."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sparkcore.analysis.columns import floats
from sparkcore.analysis.sampling import draw_sample, estimate
from sparkcore.analysis.thresholds import fit_threshold
from sparkcore.analysis.truth import is_correct
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.pipeline import run
from sparkcore.runs.results import load_results
from sparkcore.runs.store import RunStore
from tests.conftest import shared

pytestmark = [pytest.mark.soak, pytest.mark.slow, pytest.mark.timeout(300)]
DRAWS = 1000
HELD = 935


@pytest.fixture(scope="module")
def table(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """Give the result of MobileNetV2 on 300 labelled photos."""
    engine = EngineConfig(store=str(tmp_path_factory.mktemp("promises")))
    weights = shared("models/mobilenet_v2_imagenet.keras")
    done = run(RunConfig(str(photos), "mobilenet_v2", weights=str(weights), truth="filename"), engine)
    return load_results(RunStore(engine.store), done.manifest.run_id)


def test_intervals_hold(table: pa.Table) -> None:
    score = floats(table, "score")
    correct = pc.fill_null(is_correct(table), False).to_numpy(zero_copy_only=False)
    rows, judged, half = np.arange(len(score)), np.ones(len(score), dtype=bool), len(score) // 2
    for seen in (50, 100, 150):
        drawn = [draw_sample(rows, score, seed) for seed in range(DRAWS)]
        found = [estimate(sample, correct[sample.rows], judged, seen) for sample in drawn]
        assert sum(one is not None and one.low <= correct.mean() <= one.high for one in found) >= HELD
    for precision in (0.85, 0.9, 0.95):
        held = 0
        for seed in range(DRAWS):
            order = np.random.default_rng(seed).permutation(rows)
            one, other = order[:half], order[half:]
            fitted = fit_threshold(score[one], correct[one], precision)
            assert fitted is not None
            held += correct[other][score[other] >= fitted.threshold].mean() >= fitted.low
        assert held >= HELD
