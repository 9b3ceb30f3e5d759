from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from sparkcore.errors import WeightsError
from sparkcore.imaging.decode import ImageSize, decode
from sparkcore.imaging.transforms import resize, to_array
from sparkcore.models.labels import imagenet_classes, packaged_classes
from sparkcore.models.tinynet import CLASS_FILE, SIDE, WEIGHTS_FILE, build_tinynet
from sparkcore.models.top_k import top_k

PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "imagenet_photos"
RESULTS = Path(__file__).parents[2] / "training" / "results"


def test_weights_are_small_and_in_half_precision():
    assert WEIGHTS_FILE.stat().st_size <= 6_000_000
    with np.load(WEIGHTS_FILE) as file:
        arrays = [file[name] for name in file.files]
    assert {array.dtype for array in arrays} == {np.dtype(np.float16)}
    assert all(np.isfinite(array).all() for array in arrays)


def test_classes_are_200_of_imagenets_in_its_order():
    classes = packaged_classes(CLASS_FILE)
    assert len(classes) == 200
    assert set(classes) <= set(imagenet_classes())
    assert [name.class_id for name in classes] == sorted(name.class_id for name in classes)


@pytest.mark.slow
def test_model_gives_probabilities_of_pixels():
    model = build_tinynet()
    pixels = np.random.default_rng(0).uniform(0, 255, (3, SIDE, SIDE, 3)).astype(np.float32)
    probabilities = model.predict(pixels, verbose=0)
    assert probabilities.shape == (3, 200)
    assert probabilities.min() >= 0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)
    one_by_one = np.concatenate([model.predict(pixels[i : i + 1], verbose=0) for i in range(3)])
    np.testing.assert_allclose(one_by_one, probabilities, atol=1e-5)


@pytest.mark.slow
def test_two_builds_hold_the_stored_weights():
    first, second = build_tinynet(), build_tinynet(WEIGHTS_FILE)
    with np.load(WEIGHTS_FILE) as file:
        for layer in first.layers:
            for weight, name in zip(layer.get_weights(), ("kernel", "bias"), strict=False):
                np.testing.assert_array_equal(weight, file[f"{layer.name}/{name}"].astype(np.float32))
    for weight, again in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, again)


@pytest.mark.slow
def test_missing_and_foreign_weights_are_refused(tmp_path: Path):
    with pytest.raises(WeightsError, match=r"expected an \.npz file of weights at .*nowhere\.npz"):
        build_tinynet(tmp_path / "nowhere.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(WeightsError, match=r"expected an \.npz file of weights"):
        build_tinynet(tmp_path / "text.npz")
    np.savez(tmp_path / "foreign.npz", **{"stem/kernel": np.zeros((3, 3, 3, 8), np.float16)})
    with pytest.raises(WeightsError, match=r"expected arrays of shapes \[\(3, 3, 3, 32\), \(32,\)\] for layer stem"):
        build_tinynet(tmp_path / "foreign.npz")


@pytest.mark.slow
def test_photos_are_named_as_the_model_card_says():
    if not PHOTOS.is_dir():
        pytest.skip(f"needs the photos in {PHOTOS}")
    ids = [name.class_id for name in packaged_classes(CLASS_FILE)]
    paths = [path for path in sorted(PHOTOS.iterdir()) if path.name.split("_")[0] in ids]
    size = ImageSize(SIDE, SIDE)
    batch = [to_array(resize(decode(path.read_bytes()).image, size, "stretch", "bicubic")) for path in paths]
    probabilities = build_tinynet().predict(np.array(batch, np.float32), verbose=0)
    truth = np.array([ids.index(path.name.split("_")[0]) for path in paths])
    hits = top_k(probabilities, 5).indices == truth[:, None]
    measured = json.loads((RESULTS / "evaluation.json").read_text())["photos"]
    assert len(paths) == measured["images"]
    # One photo more or less: processors add numbers in different orders.
    assert hits[:, 0].mean() == pytest.approx(measured["top_1"], abs=1.5 / len(paths))
    assert hits.any(axis=1).mean() == pytest.approx(measured["top_5"], abs=1.5 / len(paths))


def test_class_table_of_the_card_covers_every_class():
    with (RESULTS / "classes.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["class_id"], row["label"]) for row in rows} == set(packaged_classes(CLASS_FILE))
    assert {row["images"] for row in rows} == {"50"}
