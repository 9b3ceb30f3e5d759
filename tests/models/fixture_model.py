"""A real but tiny classifier: it names the mean color of an image, by weights that are computed, not trained.

The model and its frozen graph are in `fixtures/`, so that most tests need no Keras. Write them anew with
`python -m tests.models.fixture_model` where GRAPH_VERSION or the model changes.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np

from sparkcore.config import RunConfig
from sparkcore.models.freeze import freeze
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.resolve import resolve_model

FIXTURES = Path(__file__).with_name("fixtures")
MODEL_FILES = ("colors.keras", "colors.json")
FROZEN_FILES = ("frozen.pb", "frozen.npz", "frozen.json")

COLORS = {
    "black": (0, 0, 0),
    "blue": (0, 0, 255),
    "cyan": (0, 255, 255),
    "gray": (127.5, 127.5, 127.5),
    "green": (0, 255, 0),
    "magenta": (255, 0, 255),
    "red": (255, 0, 0),
    "white": (255, 255, 255),
    "yellow": (255, 255, 0),
}
SHARPNESS = 4.0  # a pure color gets a score above 0.98


def write_fixture_model(folder: Path) -> Path:
    """Write `colors.keras` and its `colors.json` into `folder` and return the path of the first.

    The input is 32x32 with preprocessing "tf", so colors lie in a cube from -1 to 1. The logit of a class is minus
    its squared distance to the mean color, less the term that all classes share: linear in the mean color.
    """
    import keras

    corners = np.array(list(COLORS.values()), np.float32) / 127.5 - 1.0
    kernel = 2.0 * SHARPNESS * corners.T
    bias = -SHARPNESS * (corners**2).sum(axis=1)
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3), name="image"),
            keras.layers.GlobalAveragePooling2D(name="mean_color"),
            keras.layers.Dense(len(COLORS), activation="softmax", name="color"),
        ],
        name="colors",
    )
    model.get_layer("color").set_weights([kernel, bias])
    path = folder / "colors.keras"
    model.save(path)
    sidecar = {"labels": list(COLORS), "preprocess": "tf"}
    path.with_suffix(".json").write_text(json.dumps(sidecar), encoding="utf-8")
    return path


def copy_fixture_model(folder: Path) -> Path:
    """Copy the stored `colors.keras` and `colors.json` into `folder` and return the path of the first."""
    for name in MODEL_FILES:
        shutil.copyfile(FIXTURES / name, folder / name)
    return folder / MODEL_FILES[0]


def copy_frozen_fixture(cache: Path) -> None:
    """Put the stored frozen graph where `freeze` looks for that of the fixture model."""
    digest = resolve_model(_request(FIXTURES)).digest
    for name in FROZEN_FILES:
        shutil.copyfile(FIXTURES / name, (cache / digest).with_suffix(Path(name).suffix))


def frozen_fixture(cache: Path) -> FrozenModel:
    """Return the stored frozen graph, in the folder `cache`."""
    copy_frozen_fixture(cache)
    return freeze(resolve_model(_request(FIXTURES)), "float32", cache)


def _request(folder: Path) -> RunConfig:
    return RunConfig(images="images", model=str(folder / MODEL_FILES[0]))


def _write_fixtures() -> None:
    FIXTURES.mkdir(exist_ok=True)
    write_fixture_model(FIXTURES)
    with tempfile.TemporaryDirectory() as cache:
        frozen = freeze(resolve_model(_request(FIXTURES)), "float32", Path(cache))
        for name in FROZEN_FILES:
            shutil.copyfile(frozen.path.with_suffix(Path(name).suffix), FIXTURES / name)


if __name__ == "__main__":
    _write_fixtures()
