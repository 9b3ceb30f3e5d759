from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sparkcore.errors import WeightsError
from sparkcore.models import torch_weights
from sparkcore.models.efficientnet_lite import STAGES, build_efficientnet_lite0
from sparkcore.models.registry import BUILT_IN, find_spec
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
