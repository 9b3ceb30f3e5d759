"""The blog post: Spark's image source, pixels as integer arrays, `model.predict` in a pandas UDF, `collect`.

The model is loaded from a file, so that all contenders have the same weights.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd  # Spark reads the type hints of a pandas UDF from the names of this module

from benchmarks.models import add_arguments

MASTER, DRIVER_MEMORY = "local[2]", "8g"  # 300 collected photos do not fit into the post's 2 GB
TOP = 5


def main() -> None:
    """Collect twice in one session (with --once: once) and print the images/s."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    spark = _session()
    frame = _labelled(spark, options)
    rates = []
    images = 0
    for _ in range(1 if options.once else 2):
        started = time.perf_counter()
        images = len(frame.collect())
        rates.append(images / (time.perf_counter() - started))
    spark.stop()
    print(json.dumps({"images": images, "first": rates[0], "second": rates[-1]}))


def _session() -> Any:
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(MASTER).config("spark.driver.memory", DRIVER_MEMORY)
    builder = builder.config("spark.driver.maxResultSize", "0").config("spark.ui.enabled", "false")
    return builder.config("spark.driver.host", "127.0.0.1").getOrCreate()


def _labelled(spark: Any, options: argparse.Namespace) -> Any:
    from pyspark.sql import types as T  # noqa: N812

    integers, floats = T.ArrayType(T.IntegerType()), T.ArrayType(T.FloatType())
    images = spark.read.format("image").load(str(options.images)).where("image.nChannels > 2 AND image.height < 1000")
    fields = images.select("image.*").schema.fields
    fields = [*fields, T.StructField("resized", integers), T.StructField("full", integers)]
    arrays = images.select("image.*").mapInPandas(_array_step(options.side), T.StructType(fields))
    predicted = arrays.withColumn("predictions", _prediction(options)("resized"))
    fields = [*predicted.schema.fields, T.StructField("top", integers), T.StructField("scores", floats)]
    return predicted.mapInPandas(_top_step, T.StructType(fields))


def _array_step(side: int) -> Any:
    def step(batches: Iterator[Any]) -> Iterator[Any]:
        import numpy as np
        from PIL import Image

        def pixels(row: Any, *, resized: bool) -> Any:
            mode = "RGBA" if row.nChannels == 4 else "RGB"
            image = Image.frombytes(mode, (row.width, row.height), row.data).convert("RGB")
            image = image.resize((side, side), Image.Resampling.BICUBIC) if resized else image
            return np.asarray(image)[..., ::-1].ravel()  # Spark's channels are blue, green, red

        for batch in batches:
            batch["resized"] = batch.apply(pixels, axis=1, resized=True)
            batch["full"] = batch.apply(pixels, axis=1, resized=False)
            yield batch

    return step


def _prediction(options: argparse.Namespace) -> Any:
    from pyspark.sql.pandas.functions import pandas_udf

    path, side, preprocess = Path(options.model), options.side, options.preprocess

    @pandas_udf("array<float>")  # type: ignore[call-overload,untyped-decorator]
    def predict(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        import keras
        import numpy as np

        model = keras.models.load_model(path, compile=False)
        for arrays in batches:
            images = np.stack([array.reshape(side, side, 3) for array in arrays])
            ready = keras.applications.imagenet_utils.preprocess_input(images.astype("float32"), mode=preprocess)
            yield pd.Series(list(model.predict(ready, verbose=0)))

    return predict


def _top_step(batches: Iterator[Any]) -> Iterator[Any]:
    import numpy as np

    for batch in batches:
        orders = [np.argsort(scores)[::-1][:TOP] for scores in batch["predictions"]]
        batch["top"] = orders
        batch["scores"] = [scores[order] for scores, order in zip(batch["predictions"], orders, strict=True)]
        yield batch


if __name__ == "__main__":
    main()
