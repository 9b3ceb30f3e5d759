"""A plain Keras script without Spark: `image_dataset_from_directory`, `map`, `prefetch`, `model.predict`."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from benchmarks.models import add_arguments


def main() -> None:
    """Predict one batch to build the graph, then all batches; print the images/s of the latter."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    options = parser.parse_args()
    import keras
    import tensorflow as tf

    def ready(pixels: Any) -> Any:
        return keras.applications.imagenet_utils.preprocess_input(pixels, mode=options.preprocess)

    def dataset() -> Any:
        images = keras.utils.image_dataset_from_directory(
            options.images,
            labels=None,
            image_size=(options.side, options.side),
            interpolation="bicubic",
            batch_size=options.batch_size,
            shuffle=False,
            verbose=False,
        )
        if options.preprocess != "none":
            images = images.map(ready, num_parallel_calls=tf.data.AUTOTUNE)
        return images.prefetch(tf.data.AUTOTUNE)

    model = keras.models.load_model(options.model, compile=False)
    model.predict(dataset().take(1), verbose=0)
    started = time.perf_counter()
    images = len(model.predict(dataset(), verbose=0))
    print(json.dumps({"images": images, "second": images / (time.perf_counter() - started)}))


if __name__ == "__main__":
    main()
