"""What one writes without Spark: `image_dataset_from_directory`, mapped, prefetched, and `model.predict`."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from benchmarks.models import add_arguments


def main() -> None:
    """Predict twice in one process and print the images/s of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    options = parser.parse_args()
    import keras
    import tensorflow as tf

    def ready(pixels: Any) -> Any:
        return keras.applications.imagenet_utils.preprocess_input(pixels, mode=options.preprocess)

    model = keras.models.load_model(options.model, compile=False)
    rates = []
    images = 0
    for _ in range(2):
        started = time.perf_counter()
        dataset = keras.utils.image_dataset_from_directory(
            options.images,
            labels=None,
            image_size=(options.side, options.side),
            interpolation="bicubic",
            batch_size=options.batch_size,
            shuffle=False,
            verbose=False,
        )
        if options.preprocess != "none":
            dataset = dataset.map(ready, num_parallel_calls=tf.data.AUTOTUNE)
        images = len(model.predict(dataset.prefetch(tf.data.AUTOTUNE), verbose=0))
        rates.append(images / (time.perf_counter() - started))
    print(json.dumps({"images": images, "first": rates[0], "second": rates[1]}))


if __name__ == "__main__":
    main()
