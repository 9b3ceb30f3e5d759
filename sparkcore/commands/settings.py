"""The arguments that are the settings of a run and of its execution."""

from __future__ import annotations

from typing import Any

from sparkcore import config


def add_model(model: Any) -> None:
    """Add the arguments that choose the model."""
    model.add_argument(
        "--model",
        help="name of a model, a .keras, .h5, .onnx, .tflite or .xml file, or auto (default): ResNet50, else "
        "efficientnet_lite0",
    )
    model.add_argument("--weights", help="imagenet (default), a file, or random[:SEED]")
    model.add_argument("--labels", metavar="FILE", help="class names of a model file: text, CSV or JSON")
    model.add_argument("--preprocess", choices=config.PREPROCESSES, help="pixel values that a model file expects")
    model.add_argument("--precision", choices=config.PRECISIONS, help="default: float32")
    model.add_argument(
        "--min-agreement",
        type=float,
        metavar="SHARE",
        help="int8 becomes float32 where it keeps a smaller share of first labels (default: 0.97)",
    )
    model.add_argument("--top-k", type=int, metavar="N", help="labels kept per image (default: 5)")


def add_images(reading: Any) -> None:
    """Add the arguments that say what is read of the images."""
    reading.add_argument(
        "--reader", choices=config.READERS, help="bytes (default): Pillow; image: Spark's image source"
    )
    reading.add_argument("--resize", choices=config.RESIZE_MODES, help="how an image gets the model's input size")
    reading.add_argument("--interpolation", choices=config.INTERPOLATIONS, help="resampling filter (default: bicubic)")
    for side, unit in (("width", " in pixels"), ("height", " in pixels"), ("channels", "")):
        reading.add_argument(f"--min-{side}", type=int, metavar="N", help=f"minimum {side}{unit}")
        reading.add_argument(f"--max-{side}", type=int, metavar="N", help=f"maximum {side}{unit}")
    reading.add_argument("--sample", type=int, metavar="N", help="classify a random sample of N images")
    reading.add_argument("--seed", type=int, metavar="N", help="random seed of --sample (default: 0)")
    reading.add_argument(
        "--truth",
        metavar="{none,folder,filename,FILE.csv}",
        help="true labels from the folder, the filename, or a CSV of names and labels, kept as reviews (default: none)",
    )
    reading.add_argument("--keep", type=_names, metavar="A,B", help=f"extra columns: {', '.join(config.KEEPS)}")
    reading.add_argument(
        "--features", choices=config.FEATURES, help="all (default): an embedding and activation maps of each image"
    )


def add_engine(group: Any) -> None:
    """Add the arguments that control the execution."""
    group.add_argument(
        "--master",
        metavar="URL",
        help="Spark master or Spark Connect URL (default: SPARK_REMOTE, else spark-submit's, else local[*])",
    )
    group.add_argument(
        "--spark-conf", action="append", metavar="KEY=VALUE", help="setting of Spark (repeat the option for others)"
    )
    group.add_argument("--batch-size", type=int, metavar="N", help="images per call of the model (default: 32)")
    group.add_argument("--threads", type=int, metavar="N", help="model threads per worker (default: cores of a task)")
    group.add_argument(
        "--bucket-size",
        type=int,
        metavar="N",
        help="images per bucket, the unit of resume (default: about 3 s)",
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
