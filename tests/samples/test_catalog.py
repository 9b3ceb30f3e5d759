from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparkcore.errors import ConfigError
from sparkcore.samples import render_sample, sample_classes

DATA = Path(__file__).parents[3] / "shared" / "data"
CHEAP = ("seashore", "spider_web")


def draw(name: str, seed: int) -> Image.Image:
    return render_sample(name, np.random.default_rng(seed))


def test_there_are_enough_classes_and_each_is_listed_once():
    classes = sample_classes()
    assert len(classes) >= 16
    assert len({chosen.class_id for chosen in classes}) == len(classes)
    assert len({chosen.name for chosen in classes}) == len(classes)


def test_a_folder_is_named_by_class_id_and_name():
    orange = next(chosen for chosen in sample_classes() if chosen.name == "orange")
    assert orange.folder_name == "n07747607_orange"


@pytest.mark.skipif(not DATA.exists(), reason="needs the data sets in ../shared/data")
def test_the_classes_are_imagenet_classes_that_are_among_the_two_hundred_of_tiny_imagenet():
    import pyarrow.parquet as pq

    with (DATA / "imagenet_classes.csv").open(newline="") as lines:
        names = {row["class_id"]: row["label"] for row in csv.DictReader(lines)}
    tiny = set(pq.read_table(DATA / "tiny_imagenet_val.parquet", columns=["wnid"])["wnid"].to_pylist())
    assert len(tiny) == 200
    assert {chosen.class_id: chosen.name for chosen in sample_classes()} == {
        chosen.class_id: names[chosen.class_id] for chosen in sample_classes() if chosen.class_id in tiny
    }


def test_an_unknown_class_is_named_in_the_error():
    with pytest.raises(ConfigError, match=r"class_name: expected one of orange, .*, received 'unicorn'"):
        draw("unicorn", 1)


@pytest.mark.parametrize("name", CHEAP)
def test_the_same_generator_draws_the_same_picture(name: str):
    assert draw(name, 3).tobytes() == draw(name, 3).tobytes()


@pytest.mark.parametrize("name", CHEAP)
def test_another_generator_draws_another_picture(name: str):
    first, second = (np.asarray(draw(name, seed).resize((64, 64)), np.int16) for seed in (3, 4))
    assert np.abs(first - second).mean() > 4


@pytest.mark.slow
@pytest.mark.parametrize("name", [chosen.name for chosen in sample_classes()])
def test_pictures_of_a_class_differ_and_use_the_range_of_brightness(name: str):
    pictures = [draw(name, seed) for seed in (11, 12, 13)]
    assert {picture.mode for picture in pictures} == {"RGB"}
    assert all(300 <= side <= 1200 for picture in pictures for side in picture.size)
    small = [np.asarray(picture.resize((64, 64)), np.int16) for picture in pictures]
    apart = [np.abs(small[i] - small[j]).mean() for i, j in ((0, 1), (0, 2), (1, 2))]
    assert min(apart) > 4
    # Neither a blank nor a burnt out nor a black picture.
    assert all(shape.std() > 8 and 15 < shape.mean() < 240 for shape in small)
