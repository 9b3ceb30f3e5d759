from __future__ import annotations

import numpy as np
import pytest

from sparkcore.analysis.layout import kept_share, lay_out
from sparkcore.errors import RunCancelledError
from sparkcore.progress import Watch
from tests.analysis.test_similarity import vectors_of

LENGTH = 128
THINGS = 12


def pictures(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return values of pictures of some things, and which thing each shows; the first one could not be read."""
    rng = np.random.default_rng(0)
    shown = rng.integers(0, THINGS, count)
    values = rng.standard_normal((THINGS, LENGTH))[shown] + 0.4 * rng.standard_normal((count, LENGTH))
    values[0] = 0
    return values.astype(np.float32), shown


@pytest.mark.parametrize("landmarks", [2_000, 300])
def test_similar_pictures_are_near_each_other(landmarks: int) -> None:
    values, shown = pictures(1_500)
    vectors = vectors_of(values)
    layout = lay_out(vectors, landmarks=landmarks)
    assert layout.places.shape == (1_500, 2)
    assert np.isnan(layout.places[0]).all()
    there = layout.places[1:]
    assert there.min(axis=0).tolist() == [0, 0]
    assert there.max(axis=0).tolist() == [1, 1]
    middles = np.stack([there[shown[1:] == thing].mean(axis=0) for thing in range(THINGS)])
    nearest = np.argmin(((there[:, None] - middles) ** 2).sum(axis=2), axis=1)
    assert (nearest == shown[1:]).mean() > 0.98
    assert layout.kept == kept_share(vectors, layout.places, np.arange(1, 1_500))
    assert layout.kept > 0.4  # 0.03 by chance
    np.testing.assert_array_equal(lay_out(vectors, landmarks=landmarks).places, layout.places)


def test_the_share_that_is_kept() -> None:
    angles = np.linspace(0, np.pi / 2, 200)
    vectors = vectors_of(np.column_stack([np.cos(angles), np.sin(angles), np.zeros((200, 70))]))
    places = np.column_stack([angles, np.zeros(200)]).astype(np.float32)
    assert kept_share(vectors, places, np.arange(200)) == 1
    shuffled = np.random.default_rng(1).permutation(places)
    assert 0.15 < kept_share(vectors, shuffled, np.arange(200)) < 0.35  # 50 of 199, by chance


@pytest.mark.parametrize("count", [0, 1, 3, 6])
def test_of_few_or_equal_pictures_there_is_a_map_too(count: int) -> None:
    values = np.zeros((count + 1, LENGTH), np.float32)
    values[:count, 0] = 1
    layout = lay_out(vectors_of(values))
    assert np.isnan(layout.places[count:]).all()
    assert np.isfinite(layout.places[:count]).all()
    assert layout.kept == 1


def test_the_layout_of_many_can_be_given_up() -> None:
    def give_up() -> None:
        raise RunCancelledError("enough")

    with pytest.raises(RunCancelledError):
        lay_out(vectors_of(pictures(1_500)[0]), Watch(check=give_up), landmarks=300)
