from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sparkcore.errors import ModelError
from sparkcore.models.keras_archive import ArchiveFacts, describe_archive


def _nested(keras: Any) -> Any:
    base = keras.Sequential([keras.Input((20, 30, 3)), keras.layers.Conv2D(4, 3), keras.layers.GlobalMaxPooling2D()])
    return keras.Sequential([keras.Input((20, 30, 3)), base, keras.layers.Dense(5), keras.layers.Softmax()])


def _functional(keras: Any) -> Any:
    image = keras.Input((20, 30, 3))
    features = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(5, 1)(image))
    return keras.Model(image, keras.layers.Activation("softmax")(features))


def _ends_in_a_nested_model(keras: Any) -> Any:
    head = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    image = keras.Input((20, 30, 3))
    return keras.Model(image, head(keras.layers.GlobalAveragePooling2D()(image)))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("build", [_nested, _functional, _ends_in_a_nested_model])
def test_saved_models_tell_their_shapes(tmp_path: Path, build: Callable[[Any], Any], suffix: str):
    import keras

    path = tmp_path / f"model{suffix}"
    build(keras).save(path)
    assert describe_archive(path) == ArchiveFacts((None, 20, 30, 3), 5)


def test_output_of_a_computed_size_stays_open(tmp_path: Path):
    import keras

    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((2, 2, 3)), keras.layers.ZeroPadding2D()]).save(path)
    assert describe_archive(path) == ArchiveFacts((None, 2, 2, 3), None)


def test_weights_alone_are_no_model(tmp_path: Path):
    import keras

    path = tmp_path / "model.weights.h5"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]).save_weights(path)
    with pytest.raises(ModelError, match="no architecture can be read"):
        describe_archive(path)


def test_a_small_file_that_unpacks_to_a_large_one(tmp_path: Path):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * ((64 << 20) + 1))
    assert path.stat().st_size < 100_000
    with pytest.raises(ModelError, match=r"config\.json has more than 67,108,864 bytes"):
        describe_archive(path)
