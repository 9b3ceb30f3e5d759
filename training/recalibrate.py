"""Let batch normalization see whole images of the final size before it is folded into the kernels.

While training it saw crops of other sizes and colors, whose statistics differ from those of the images that the
finished model gets (Touvron et al. 2019, arXiv:1906.06423; Wu and Johnson 2021, arXiv:2105.07576).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.batches import TrainingSet

if TYPE_CHECKING:
    import keras

IMAGES = 10_000
BATCH_SIZE = 250


def recalibrate(model: keras.Model, data: TrainingSet, seed: int) -> None:
    """Replace the moving means and variances by those over training images, which are taken as they are."""
    import keras

    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    order = np.random.default_rng((seed, 2)).permutation(data.rows)[:IMAGES]
    batches = [np.sort(order[start : start + BATCH_SIZE]) for start in range(0, len(order), BATCH_SIZE)]
    for number, rows in enumerate(batches):
        for norm in norms:
            norm.momentum = number / (number + 1)  # the moving average becomes the mean of all batches
        model(data.images.images[rows].astype(np.float32), training=True)
