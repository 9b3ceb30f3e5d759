from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sparkcore.errors import ConfigError, ModelError
from sparkcore.models import predictor as predictor_module
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.predictor import load_predictor
from sparkcore.models.runtimes.choice import RUNTIMES
from tests.models.fixture_model import COLORS, frozen_fixture


@pytest.fixture(scope="module")
def colors(tmp_path_factory: pytest.TempPathFactory) -> FrozenModel:
    return frozen_fixture(tmp_path_factory.mktemp("model"))


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    predictor_module._predictors.clear()
    yield
    predictor_module._predictors.clear()


def _solid(*colors: tuple[float, ...]) -> np.ndarray:
    return np.stack([np.full((32, 32, 3), color) for color in colors]).astype(np.uint8)


@pytest.mark.parametrize("runtime", sorted(RUNTIMES))
def test_every_color_has_its_name(colors: FrozenModel, runtime: str):
    scores = load_predictor(replace(colors, runtime=runtime), 1).predict(_solid(*COLORS.values()))
    assert scores.dtype == np.float32
    assert [colors.labels[i] for i in scores.argmax(axis=1)] == list(COLORS)
    assert scores.max(axis=1).min() > 0.98
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("runtime", sorted(RUNTIMES))
@pytest.mark.parametrize("threads", [1, 2, None])
def test_scores_do_not_depend_on_the_batch(colors: FrozenModel, runtime: str, threads: int | None):
    images = np.random.default_rng(0).integers(0, 256, (13, 32, 32, 3), dtype=np.uint8)
    predictor = load_predictor(replace(colors, runtime=runtime), threads)
    together = predictor.predict(images)
    alone = np.concatenate([predictor.predict(images[i : i + 1]) for i in range(13)])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6)


def test_scores_of_a_batch_outlive_the_next(colors: FrozenModel):
    predictor = load_predictor(colors, 1)
    scores = predictor.predict(_solid(COLORS["red"]))
    kept = scores.copy()
    predictor.predict(_solid(COLORS["blue"]))
    np.testing.assert_array_equal(scores, kept)


def test_pixels_that_are_a_view(colors: FrozenModel):
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 64, 3), dtype=np.uint8)[::2, :, ::-2]
    predictor = load_predictor(colors, 1)
    np.testing.assert_array_equal(predictor.predict(images), predictor.predict(np.ascontiguousarray(images)))


def test_empty_batch(colors: FrozenModel):
    assert load_predictor(colors, 1).predict(np.empty((0, 32, 32, 3), np.uint8)).shape == (0, 9)


@pytest.mark.parametrize(
    "batch",
    [
        np.zeros((1, 32, 32, 3), np.float32),
        np.zeros((32, 32, 3), np.uint8),
        np.zeros((1, 32, 33, 3), np.uint8),
        np.zeros((1, 32, 32, 4), np.uint8),
        [[0]],
    ],
)
def test_wrong_batch(colors: FrozenModel, batch: np.ndarray):
    with pytest.raises(ConfigError, match=r"expected uint8 RGB images \[n, 32, 32, 3\], got"):
        load_predictor(colors, 1).predict(batch)


def test_predictor_is_loaded_once_and_the_oldest_leaves(colors: FrozenModel):
    first = load_predictor(colors, 1)
    assert load_predictor(colors, 1) is first
    assert load_predictor(colors, 2) is not first
    assert load_predictor(colors, 1) is first
    load_predictor(replace(colors, runtime="tensorflow"), 1)
    assert list(predictor_module._predictors) == [
        (colors.digest, "openvino", "float32", True, 1),
        (colors.digest, "tensorflow", "float32", True, 1),
    ]


def test_threads_share_one_predictor(colors: FrozenModel):
    images = _solid(*COLORS.values())
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: load_predictor(colors, 1).predict(images), range(16)))
    for scores in results:
        np.testing.assert_array_equal(scores, results[0])
    assert len(predictor_module._predictors) == 1


@pytest.mark.parametrize("runtime", sorted(RUNTIMES))
def test_broken_and_missing_files(colors: FrozenModel, tmp_path: Path, runtime: str):
    broken = replace(colors, path=tmp_path / "broken.pb", digest="broken", runtime=runtime)
    with pytest.raises(ModelError, match="No such file"):
        load_predictor(broken)
    broken.path.write_bytes(b"not a graph")
    with pytest.raises(ModelError, match="is no frozen graph"):
        load_predictor(broken)
    broken.path.write_bytes(colors.path.read_bytes()[:-200])
    with pytest.raises(ModelError, match="is no frozen graph"):
        load_predictor(broken)
    assert len(predictor_module._predictors) == 0


def test_a_worker_on_a_cpu_needs_neither_tensorflow_nor_a_network(colors: FrozenModel, tmp_path: Path):
    code = (
        "import pickle, sys, numpy as np\n"
        "import sparkcore.worker.loop\n"
        "from sparkcore.models.predictor import load_predictor\n"
        "predictor = load_predictor(pickle.loads(sys.stdin.buffer.read()), 1)\n"
        "print(predictor.predict(np.zeros((1, 32, 32, 3), np.uint8)).max() > 0.98)\n"
        "print(*[name for name in ('tensorflow', 'keras', 'pyspark', 'openvino_telemetry') if name in sys.modules])\n"
    )
    environment = {**os.environ, "HOME": str(tmp_path)}  # where the telemetry would leave its number
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(colors), capture_output=True, check=False, env=environment
    )
    assert done.stdout.decode().splitlines() == ["True", ""], done.stderr.decode()
    assert done.stderr == b""
    assert list(tmp_path.iterdir()) == []
