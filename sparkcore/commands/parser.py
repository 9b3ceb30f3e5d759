"""The arguments of each command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sparkcore.commands import drawing, exploration, exporting, judging, maintenance, reviewing, running
from sparkcore.commands.settings import add_engine, add_images, add_model
from sparkcore.version import __version__

_RUN = 'id of a run, its first characters, or "latest"'


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; `command` of its result is the function to call."""
    parser = argparse.ArgumentParser("sparkcore", description="Classify images with Spark.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"sparkcore {__version__}")
    commands_of = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(commands_of)
    _add_reading(commands_of)
    _add_exploration(commands_of)
    _add_judging(commands_of)
    _add_review(commands_of)
    _add_policy(commands_of)
    _add_maintenance(commands_of)
    _add_others(commands_of)
    return parser


def _add_run(subparsers: Any) -> None:
    run = _command(subparsers, "run", running.run, "classify images and store the result", store=True)
    run.add_argument("images", metavar="IMAGES", nargs="?", help="folder (read recursively), file, pattern or URI")
    run.add_argument("--list", metavar="FILE", help="text file with a path or origin in each line, instead of IMAGES")
    add_model(run.add_argument_group("model"))
    add_images(run.add_argument_group("images"))
    execution = run.add_argument_group("execution (does not change the result)")
    add_engine(execution)
    run.add_argument("--policy", metavar="NAME|FILE", help="count what a policy accepts, reviews and rejects")
    run.add_argument("--retry-failed", action="store_true", help="recompute only the images that failed, as a new run")
    _add_json(run)


def _add_reading(subparsers: Any) -> None:
    runs = _command(subparsers, "runs", running.runs, "list finished runs", store=True)
    runs.add_argument(
        "--unfinished", action="store_true", help="list the runs that were interrupted or are in progress"
    )
    _add_json(runs)
    show = _command(subparsers, "show", running.show, "show one run", store=True)
    show.add_argument("run", metavar="RUN", help=_RUN)
    _add_json(show)
    export = _command(subparsers, "export", exporting.export, "export a run to one file", store=True)
    export.add_argument("run", metavar="RUN", help=_RUN)
    export.add_argument("out", metavar="OUT", type=Path, help="file to write")
    export.add_argument("--format", choices=exporting.FORMATS, help="default: the suffix of OUT")
    export.add_argument("--policy", metavar="NAME|FILE", help="add the column decision")
    export.add_argument("--originals", action="store_true", help="add the original files to a ZIP")
    report = _command(subparsers, "report", exporting.report, "write what a run shows as one page of HTML", store=True)
    report.add_argument("run", metavar="RUN", help=_RUN)
    report.add_argument("out", metavar="OUT", type=Path, help="HTML file to write")
    report.add_argument("--title", help="what stands at its top (default: the name of the run)")
    for one in (export, report):
        one.add_argument(
            "--group", action="append", default=[], metavar="GROUP", help='only these labels, as in "Dogs"; repeatable'
        )


def _add_judging(subparsers: Any) -> None:
    compare = _command(subparsers, "compare", judging.compare, "compare two runs", store=True)
    compare.add_argument("left", metavar="A", help=_RUN)
    compare.add_argument("right", metavar="B", help=_RUN)
    _add_json(compare)
    drift = _command(subparsers, "drift", judging.drift, "compare runs over different images", store=True)
    drift.add_argument("left", metavar="A", help=_RUN)
    drift.add_argument("right", metavar="B", help=_RUN)
    _add_json(drift)
    evaluate = _command(subparsers, "evaluate", judging.evaluate, "measure the accuracy of a run", store=True)
    evaluate.add_argument("run", metavar="RUN", help=f"{_RUN}; made with --truth, or reviewed")
    evaluate.add_argument("--reviews-first", action="store_true", help="reviews replace other true labels")
    _add_json(evaluate)


def _add_exploration(subparsers: Any) -> None:
    similar = _command(subparsers, "similar", exploration.similar, "find similar pictures in a run", store=True)
    similar.add_argument("run", metavar="RUN", help=_RUN)
    similar.add_argument("image", metavar="IMAGE", help="id of an image, or a picture file that is not in the run")
    similar.add_argument("--count", type=int, metavar="N", default=12, help="how many (default: 12)")
    similar.add_argument("--of", metavar="RUN", help="the run that IMAGE is in, where it is another one")
    _add_json(similar)
    duplicates = _command(
        subparsers, "duplicates", exploration.duplicates, "find equal and nearly equal pictures", store=True
    )
    duplicates.add_argument("run", metavar="RUN", help=_RUN)
    _add_json(duplicates)
    laid_out = _command(subparsers, "map", drawing.lay_out, "place similar pictures near each other", store=True)
    laid_out.add_argument("run", metavar="RUN", help=_RUN)
    laid_out.add_argument("out", metavar="OUT", type=Path, nargs="?", help="CSV file to write, with x and y")
    _add_json(laid_out)
    explain = _command(subparsers, "explain", drawing.explain, "draw why a label was chosen", store=True)
    explain.add_argument("run", metavar="RUN", help=_RUN)
    explain.add_argument("image", metavar="IMAGE", help="id of an image")
    explain.add_argument("out", metavar="OUT", type=Path, help="PNG file to write, or .npz: evidence of all labels")
    explain.add_argument("--label", help="one of the image's labels (default: the best)")
    explain.add_argument("--against", metavar="LABEL", help="draw what speaks for the label and not for this one")
    _add_json(explain)
    quality = _command(subparsers, "quality", exploration.quality, "find dark, blurry and odd pictures", store=True)
    quality.add_argument("run", metavar="RUN", help=_RUN)
    for name, text in exploration.THRESHOLDS.items():
        quality.add_argument(f"--{name}", type=float, metavar="X", help=text)
    _add_json(quality)


def _add_policy(subparsers: Any) -> None:
    policy = subparsers.add_parser("policy", help="thresholds that reach a precision", allow_abbrev=False)
    actions = policy.add_subparsers(title="actions", required=True, metavar="ACTION")
    fit = _command(actions, "fit", judging.fit_policy, "find the thresholds on the judged images of a run", store=True)
    fit.add_argument("run", metavar="RUN", help=_RUN)
    fit.add_argument("--precision", type=float, required=True, metavar="P", help="share of correct ones, as in 0.95")
    fit.add_argument("--guarantee", action="store_true", help="the low end of the interval must reach it too")
    fit.add_argument("--by-class", action="store_true", help="thresholds of their own for classes with many images")
    fit.add_argument("--reject", type=float, metavar="P", help="reject scores below which at most P are correct")
    fit.add_argument("--name", help="name of the policy")
    fit.add_argument("--out", type=Path, metavar="FILE", help="write the policy as JSON")
    fit.add_argument("--save", action="store_true", help="keep the policy in the store, under its name")
    _add_json(fit)
    listed = _command(actions, "list", judging.list_policies, "list the policies of the store", store=True)
    _add_json(listed)
    gone = _command(actions, "delete", judging.remove_policy, "delete a policy of the store", store=True)
    gone.add_argument("name", metavar="NAME", help="name of the policy")


def _add_review(subparsers: Any) -> None:
    review = subparsers.add_parser("review", help="what people say of the pictures of a run", allow_abbrev=False)
    actions = review.add_subparsers(title="actions", required=True, metavar="ACTION")
    read = _command(actions, "import", reviewing.import_reviews, "add the reviews of a file", store=True)
    read.add_argument("run", metavar="RUN", help=_RUN)
    read.add_argument("file", metavar="FILE", type=Path, help="CSV with image_id and label, or Label Studio's JSON")
    read.add_argument("--by", metavar="NAME", help="who says so (default: the user of this shell)")
    _add_json(read)
    write = _command(actions, "export", reviewing.export_reviews, "write the reviews of a run", store=True)
    write.add_argument("run", metavar="RUN", help=_RUN)
    write.add_argument("out", metavar="FILE", type=Path, help="file, or folder for the format folders")
    write.add_argument("--format", choices=reviewing.FORMATS, help="default: by the suffix: .csv, .json, or none")
    write.add_argument("--links", action="store_true", help="folders of links instead of copies")
    _add_json(write)
    stats = _command(actions, "stats", reviewing.stats, "count the reviews of a run", store=True)
    stats.add_argument("run", metavar="RUN", help=_RUN)
    _add_json(stats)


def _add_maintenance(subparsers: Any) -> None:
    verify = _command(subparsers, "verify", maintenance.verify, "check all files of a finished run", store=True)
    verify.add_argument("run", metavar="RUN", help=_RUN)
    _add_json(verify)
    gc = _command(subparsers, "gc", maintenance.gc, "remove what no run needs any more", store=True)
    gc.add_argument("--dry-run", action="store_true", help="only print what would be removed")
    _add_json(gc)
    delete = _command(subparsers, "delete", maintenance.delete, "delete a run, finished or not", store=True)
    delete.add_argument("run", metavar="RUN", help="id of a run, or its first characters")
    delete.add_argument("--yes", action="store_true", help="do not ask")


def _add_others(subparsers: Any) -> None:
    _command(subparsers, "models", running.models, "list models and their weights")
    samples = _command(subparsers, "samples", running.samples, "copy the built-in sample pictures to a folder")
    samples.add_argument("folder", metavar="DIR", type=Path)
    samples.add_argument("--count", type=int, metavar="N", help="only the first N, spread over the classes")
    engine = _command(
        subparsers, "engine", running.engine, "run, start or stop the engine process of a store", store=True
    )
    engine.add_argument("action", choices=("serve", "start", "status", "stop"), nargs="?", default="serve")
    add_engine(engine)


def _command(subparsers: Any, name: str, function: Any, text: str, *, store: bool = False) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name, help=text, description=text.capitalize() + ".", allow_abbrev=False
    )
    parser.set_defaults(command=function)
    if store:
        parser.add_argument(
            "--store", metavar="DIR|URI", help="where the runs are (default: SPARKCORE_STORE, else ./runs-store)"
        )
        parser.add_argument(
            "--state",
            type=Path,
            metavar="DIR",
            help="what only this machine needs: jobs, logs, mapped tables (default: SPARKCORE_STATE, else in a local "
            "store, else in the user's data folder)",
        )
    return parser


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON on standard output and nothing else")
