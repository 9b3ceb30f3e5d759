"""Daft: it lists, decodes and resizes; the model runs in a batch function. Needs daft."""

from __future__ import annotations

import argparse
import functools
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.models import add_arguments


@functools.cache
def load_model(path: Path) -> Any:
    """Load the model once per process."""
    import keras

    return keras.models.load_model(path, compile=False)


def main() -> None:
    """Predict twice in one process and print the images/s of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    options = parser.parse_args()
    import daft
    import keras
    import numpy as np

    size = options.side * options.side * 3
    scores = daft.DataType.list(daft.DataType.float32())

    @daft.func.batch(return_dtype=scores, batch_size=options.batch_size)  # type: ignore[untyped-decorator]
    def predict(images: daft.Series) -> list[Any]:
        arrays = np.stack([np.asarray(image).reshape(options.side, options.side, 3) for image in images.to_pylist()])
        assert arrays.size == len(arrays) * size
        pixels = arrays.astype("float32")
        if options.preprocess != "none":
            pixels = keras.applications.imagenet_utils.preprocess_input(pixels, mode=options.preprocess)
        return list(load_model(options.model).predict(pixels, verbose=0))

    rates = []
    images = 0
    for _ in range(2):
        started = time.perf_counter()
        frame = daft.from_glob_path(str(options.images / "*"))
        image = frame["path"].download().decode_image(mode="RGB").resize(options.side, options.side)
        images = len(frame.select(predict(image).alias("scores")).collect())
        rates.append(images / (time.perf_counter() - started))
    print(json.dumps({"images": images, "first": rates[0], "second": rates[1]}))


if __name__ == "__main__":
    main()
