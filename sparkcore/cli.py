"""The shell's front door: arguments in, exit code out."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparkcore import __version__, commands, config
from sparkcore.errors import RequestError, RunCancelledError, SparkcoreError

OK, FAILED, WRONG_REQUEST, CANCELLED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command and return its exit code: 0 done, 1 failed, 2 wrong request, 130 cancelled."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except (RunCancelledError, KeyboardInterrupt) as error:
        print(f"Cancelled: {error}", file=sys.stderr)
        return CANCELLED
    except RequestError as error:
        print(f"Error: {error}", file=sys.stderr)
        return WRONG_REQUEST
    except SparkcoreError as error:
        print(f"Failed: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # The reader of our output has left (`| head`): nothing is wrong, but nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m sparkcore", description="Classify images with Spark.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"sparkcore {__version__}")
    commands_of = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(commands_of)
    _add_reading(commands_of)
    _add_others(commands_of)
    return parser


def _add_run(subparsers: Any) -> None:
    run = _command(subparsers, "run", commands.run, "classify images into the store", store=True)
    run.add_argument("images", metavar="IMAGES", help="folder (recursively), file, glob or URI (file:, hdfs:, s3a:)")
    model = run.add_argument_group("model")
    model.add_argument("--model", help="auto (resnet50, else efficientnet_lite0), a name, or a .keras / .h5 file")
    model.add_argument("--weights", help="imagenet, a path, or random[:SEED]")
    model.add_argument("--labels", metavar="FILE", help="class names of a model file: text, CSV or JSON")
    model.add_argument("--preprocess", choices=config.PREPROCESSES, help="what a model file expects of its pixels")
    model.add_argument("--precision", choices=config.PRECISIONS)
    model.add_argument("--top-k", type=int, metavar="N", help="how many labels to keep of each image (default: 5)")
    reading = run.add_argument_group("images")
    reading.add_argument("--reader", choices=config.READERS, help="bytes: Pillow decodes; image: Spark's image source")
    reading.add_argument("--resize", choices=config.RESIZE_MODES)
    reading.add_argument("--interpolation", choices=config.INTERPOLATIONS)
    for side in ("width", "height", "channels"):
        reading.add_argument(f"--min-{side}", type=int, metavar="N")
        reading.add_argument(f"--max-{side}", type=int, metavar="N")
    reading.add_argument("--sample", type=int, metavar="N", help="at most so many images, chosen by --seed")
    reading.add_argument("--seed", type=int, metavar="S")
    reading.add_argument("--truth", choices=config.TRUTHS, help="where the true label stands")
    reading.add_argument("--keep", type=_names, metavar="A,B", help=f"extra columns: {','.join(config.KEEPS)}")
    how = run.add_argument_group("how it is carried out (changes no result)")
    how.add_argument("--retry-failed", action="store_true", help="compute the images with errors once more")
    _add_engine(how)
    run.add_argument("--json", action="store_true", help="print one JSON object on standard output, nothing else")


def _add_reading(subparsers: Any) -> None:
    runs = _command(subparsers, "runs", commands.runs, "list the finished runs", store=True)
    runs.add_argument("--json", action="store_true")
    show = _command(subparsers, "show", commands.show, "show one run", store=True)
    show.add_argument("run", metavar="RUN", help='id, its first letters, or "latest"')
    show.add_argument("--json", action="store_true")
    export = _command(subparsers, "export", commands.export, "write a run for others", store=True)
    export.add_argument("run", metavar="RUN")
    export.add_argument("out", metavar="OUT", type=Path)
    export.add_argument("--format", choices=commands.EXPORT_FORMATS, help="default: by the suffix of OUT")
    compare = _command(subparsers, "compare", commands.compare, "compare two runs", store=True)
    compare.add_argument("left", metavar="A")
    compare.add_argument("right", metavar="B")
    compare.add_argument("--json", action="store_true")
    evaluate = _command(subparsers, "evaluate", commands.evaluate, "score a run against the known truth", store=True)
    evaluate.add_argument("run", metavar="RUN")
    evaluate.add_argument("--json", action="store_true")


def _add_others(subparsers: Any) -> None:
    _command(subparsers, "models", commands.models, "list the models that are known by name")
    samples = _command(subparsers, "samples", commands.samples, "copy the built-in sample pictures to a folder")
    samples.add_argument("folder", metavar="DIR", type=Path)
    samples.add_argument("--count", type=int, metavar="N", help="only the first N, spread over the classes")
    engine = _command(subparsers, "engine", commands.engine, "the process that serves a store's jobs", store=True)
    engine.add_argument("action", choices=("serve", "start", "status", "stop"), nargs="?", default="serve")
    _add_engine(engine)


def _command(subparsers: Any, name: str, function: Any, text: str, *, store: bool = False) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name, help=text, description=text.capitalize() + ".", allow_abbrev=False
    )
    parser.set_defaults(command=function)
    if store:
        parser.add_argument("--store", type=Path, metavar="DIR", help="default: SPARKCORE_STORE, else ./runs-store")
    return parser


def _add_engine(group: Any) -> None:
    group.add_argument(
        "--master", metavar="URL", help="Spark master or sc:// URL (default: SPARK_REMOTE, else local[*])"
    )
    group.add_argument("--batch-size", type=int, metavar="N")
    group.add_argument("--threads", type=int, metavar="N", help="model threads of each Python worker")
    group.add_argument("--part-size", type=int, metavar="N", help="images in one part, the unit of progress and resume")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
