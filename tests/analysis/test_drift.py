from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from sparkcore.analysis.drift import LEVEL, SHOWN, energy_test, measure_drift
from sparkcore.errors import RequestError
from tests.analysis.tables import failed, table_of


def folder(images: int, labels: int, seed: int = 0, shift: float = 0.0) -> pa.Table:
    """Return the light columns of a made folder; `shift` makes its first label more frequent and scores lower."""
    generator = np.random.default_rng(seed)
    weight = 1 / np.arange(1, labels + 1)
    weight[0] += shift
    label = generator.choice(labels, images, p=weight / weight.sum())
    score = generator.beta(4, 1 + 2 * shift, images).astype(np.float32)
    return pa.table({"label": [f"class {code}" for code in label], "score": score})


@pytest.mark.parametrize(("splits", "most"), [(25, 2), pytest.param(1000, 20, marks=pytest.mark.soak)])
def test_random_halves_of_a_folder_raise_no_alarm(splits: int, most: int) -> None:
    whole, alarms = folder(300, 60), 0
    for seed in range(splits):
        order = np.random.default_rng(seed).permutation(300)
        alarms += measure_drift(whole.take(order[:150]), whole.take(order[150:])).alarm
    assert alarms <= most


def test_another_folder_does() -> None:
    found = measure_drift(folder(400, 20), folder(400, 20, seed=1, shift=2.0))
    assert found.alarm
    assert found.score_p < LEVEL / 2
    first = found.labels.to_pylist()[0]
    assert (first["name"], first["alarm"]) == ("class 0", True)
    assert 0 < first["low"] < first["change"] < first["high"]
    assert found.sentence().startswith("The batches differ: class 0 ")
    assert found.sentence().endswith(", the scores.")


def test_the_strangest_images_are_of_labels_that_the_other_batch_lacks() -> None:
    other = pa.concat_tables([folder(100, 5), pa.table({"label": ["zebra"], "score": pa.array([0.5], pa.float32())})])
    found = measure_drift(folder(100, 5, seed=3), other)
    assert found.strange[0] == 100
    assert len(found.strange) == SHOWN
    assert (found.images_a, found.images_b, found.alarm) == (100, 101, False)
    assert found.sentence() == "Nothing differs more than two random halves of one folder would."


def test_embeddings_tell_what_labels_do_not() -> None:
    generator = np.random.default_rng(2)
    vectors = generator.normal(size=(200, 16)).astype(np.float32)
    same, moved = generator.normal(size=(200, 16)).astype(np.float32), vectors[:199] + np.float32(0.5)
    assert energy_test(vectors, same) > 0.05
    assert energy_test(vectors, moved) == 0.001
    far = np.concatenate([same[:150], vectors[:1] + 50])
    found = measure_drift(folder(200, 5), folder(151, 5, seed=3), (vectors, far))
    assert found.strange[0] == 150
    assert measure_drift(folder(200, 5), folder(199, 5, seed=3), (vectors, moved)).alarm


def test_a_batch_without_readable_images_is_refused() -> None:
    with pytest.raises(RequestError, match="Expected readable images in both runs"):
        measure_drift(folder(10, 2), table_of(failed("a.jpg", "empty")))
