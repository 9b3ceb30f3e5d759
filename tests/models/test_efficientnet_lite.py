from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sparkcore.config import Fit, RunConfig
from sparkcore.errors import WeightsError
from sparkcore.imaging.transforms import ImageSize, resize, to_array
from sparkcore.models import torch_weights
from sparkcore.models.efficientnet_lite import STAGES, build_efficientnet_lite0
from sparkcore.models.freeze import freeze
from sparkcore.models.labels import imagenet_classes
from sparkcore.models.predictor import load_predictor
from sparkcore.models.registry import BUILT_IN, find_spec
from sparkcore.models.resolve import resolve_model
from sparkcore.models.top_k import top_k
from sparkcore.models.weights import cached_weights


@pytest.fixture(scope="module")
def weights_file() -> Path:
    path = cached_weights(find_spec(BUILT_IN))
    assert path is not None
    return path


def test_every_tensor_of_the_file_is_in_the_model(weights_file: Path):
    model = build_efficientnet_lite0(weights_file)
    tensors = torch_weights.read_torch_weights(weights_file)
    counters = [name for name in tensors if name.endswith("num_batches_tracked")]
    assert len(model.weights) == len(tensors) - len(counters)
    assert sum(int(np.prod(w.shape)) for w in model.weights) == sum(
        t.size for name, t in tensors.items() if name not in counters
    )
    assert len(model.get_layer("fc").get_weights()[1]) == 1000
    np.testing.assert_array_equal(model.get_layer("fc").get_weights()[0], tensors["_fc.weight"].T)
    assert sum(stage.repeats for stage in STAGES) == sum("depthwise" in layer.name for layer in model.layers) == 16


def test_weights_that_do_not_fit(weights_file: Path, monkeypatch: pytest.MonkeyPatch):
    from sparkcore.models import efficientnet_lite

    tensors = torch_weights.read_torch_weights(weights_file)
    monkeypatch.setattr(efficientnet_lite, "read_torch_weights", lambda _: {**tensors, "_fc.bias": np.zeros(10)})
    with pytest.raises(WeightsError, match=r"expected tensors of shapes .* for layer fc"):
        build_efficientnet_lite0(weights_file)
    del tensors["_bn1.running_var"]
    with pytest.raises(WeightsError, match=r"for layer bn1 .* None"):
        build_efficientnet_lite0(weights_file)


def test_accuracy_on_photos(photos: Path, tmp_path: Path):
    from PIL import Image

    model = resolve_model(RunConfig(images="x", model=BUILT_IN))
    assert model.fit == Fit("crop", 224 / 256)
    predictor = load_predictor(freeze(model, "float32", tmp_path), 2)
    paths = sorted(photos.iterdir())
    ids = np.array([name.class_id for name in imagenet_classes()])
    hits = {1: 0, 5: 0}
    for start in range(0, len(paths), 32):
        part = paths[start : start + 32]
        images = [resize(Image.open(p).convert("RGB"), ImageSize(224, 224), model.fit, "bicubic") for p in part]
        best = ids[top_k(predictor.predict(np.stack([to_array(image) for image in images])), 5).indices]
        truth = np.array([path.name.partition("_")[0] for path in part])[:, None]
        for k in hits:
            hits[k] += int((best[:, :k] == truth).any(axis=1).sum())
    # docs/models.md: 88.0 and 97.0 %; one photo more or less, because processors add numbers in different orders.
    assert len(paths) == 300
    assert hits[1] == pytest.approx(264, abs=1)
    assert hits[5] == pytest.approx(291, abs=1)
