"""Ray Data: `read_images`, then actors that run the model on batches. Needs ray[data]."""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

from benchmarks.models import add_arguments


class Classifier:
    """The model of one actor."""

    def __init__(self, path: str, preprocess: str, threads: int) -> None:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        self.model = tf.keras.models.load_model(path, compile=False)
        self.preprocess = preprocess

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Add the scores of a batch of images."""
        import keras

        pixels = batch["image"].astype("float32")
        if self.preprocess != "none":
            pixels = keras.applications.imagenet_utils.preprocess_input(pixels, mode=self.preprocess)
        return {"scores": self.model.predict(pixels, verbose=0)}


def main() -> None:
    """Predict twice in one process and print the images/s of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    options = parser.parse_args()
    import ray

    # One core is left for reading.
    cores = os.cpu_count() or 1
    actors = max(1, cores - 1)
    ray.init(num_cpus=cores, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    rates = []
    images = 0
    for _ in range(2):
        started = time.perf_counter()
        frames = ray.data.read_images(str(options.images), size=(options.side, options.side), mode="RGB")
        arguments = (str(options.model), options.preprocess, max(1, cores // actors))
        predicted = frames.map_batches(
            Classifier, fn_constructor_args=arguments, batch_size=options.batch_size, concurrency=actors
        )
        images = predicted.materialize().count()
        rates.append(images / (time.perf_counter() - started))
    print(json.dumps({"images": images, "first": rates[0], "second": rates[1]}))


if __name__ == "__main__":
    main()
