"""Write the model card from the measured figures in `training/results/`.

python -m training.card
"""

from __future__ import annotations

import csv
import json
import textwrap
from pathlib import Path
from typing import Any

from sparkcore.models.tinynet import SIDE, STAGES, STEM_FILTERS, WEIGHTS_FILE, build_tinynet
from training.export import RESULTS

CARD_FILE = WEIGHTS_FILE.with_name("TINYNET.md")
SHOWN = 12


def percent(share: float) -> str:
    """Format a share of 0 to 1."""
    return f"{100 * share:.1f} %"


def wrap(text: str) -> str:
    """Break a paragraph, or the entries of a list, into lines of the usual length."""
    return textwrap.fill(text, 118, subsequent_indent="  " if text.startswith("- ") else "", break_on_hyphens=False)


def class_table(rows: list[dict[str, str]]) -> str:
    """Make a Markdown table of some classes."""
    lines = ["| class | top-1 | top-5 | most often taken for |", "|---|---|---|---|"]
    for row in rows:
        name, other = row["label"].replace("_", " "), row["most_often_taken_for"].replace("_", " ")
        lines.append(f"| {name} | {percent(float(row['top_1']))} | {percent(float(row['top_5']))} | {other or '-'} |")
    return "\n".join(lines)


def figures_table(figures: dict[str, dict[str, float]]) -> str:
    """Make a Markdown table of the figures of each set of images."""
    names = {
        "validation": "Tiny ImageNet validation",
        "photos": "full-size photos",
        "unseen_photos": "of these, not trained on",
    }
    lines = ["| images | number | top-1 | top-5 |", "|---|---|---|---|"]
    for key, values in figures.items():
        count, top_1, top_5 = int(values["images"]), percent(values["top_1"]), percent(values["top_5"])
        lines.append(f"| {names[key]} | {count:,} | {top_1} | {top_5} |")
    return "\n".join(lines)


def architecture() -> str:
    """Describe the network in a sentence or two, from its constants and its real number of parameters."""
    stages = ", ".join(f"{blocks} of {filters} filters" for filters, blocks in STAGES)
    count = build_tinynet(None).count_params() / 1e6
    return (
        f"A residual network with {count:.2f} million parameters for {SIDE}x{SIDE} RGB: a 3x3 convolution of "
        f"{STEM_FILTERS} filters with stride 2, then blocks of two 3x3 convolutions ({stages}; each stage halves "
        "height and width), the mean over positions, and one linear layer with softmax."
    )


def recipe_lines(training: dict[str, Any]) -> list[str]:
    """Describe how the weights were trained, as entries of a list."""
    recipe = training["recipe"]
    sizes = ", then ".join(f"{side} px (from {100 * share:.0f} %)" for share, side in recipe["sizes"])
    epochs = training["images_seen"] / training["training_images"]
    lines = [
        f"- From random initial weights, seed {recipe['seed']}; {training['training_images']:,} training images, "
        f"{training['images_seen']:,} images seen ({epochs:.1f} epochs, {training['steps']:,} steps of "
        f"{recipe['batch_size']}), {training['training_s'] / 60:.0f} minutes by the clock, on two CPU cores that other "
        "work shared.",
        f"- Images grow with the progress of the training: {sizes}.",
        f"- Random crops ({100 * recipe['min_area']:.0f} to 100 % of the area, proportions changed by up to "
        f"{recipe['max_stretch']:g} times either way), mirroring, mild changes of brightness, contrast and saturation.",
        f"- Muon for the kernels (rate {recipe['kernel_rate']:g}), Adam for the rest (rate {recipe['other_rate']:g}), "
        f"linear warm-up over {100 * recipe['warmup']:g} % and linear decay to zero.",
    ]
    if training["teacher_top_1"] is not None:
        lines.append(
            f"- Distillation: {100 * recipe['teacher_share']:.0f} % of each target is what a teacher says, the rest "
            f"the label (smoothed by {recipe['label_smoothing']:g}). The teacher is an ImageNet MobileNetV2 that sees "
            "the images enlarged, with a new linear last layer fitted on Tiny ImageNet; it names "
            f"{percent(training['teacher_top_1'])} of the training images rightly when fitted without them."
        )
    lines.append("- Batch normalization is folded into the kernels, and everything is stored as float16.")
    return lines + [f"- {note}" for note in training["notes"]]


def calibration_text(training: dict[str, Any], figures: dict[str, dict[str, float]]) -> str:
    """Describe the calibration."""
    fitted, val = training["calibration"], figures["validation"]
    return (
        f"A temperature of {fitted['temperature']:.3f} was fitted on {fitted['images']:,} training images that were "
        "held out, and is part of the weights. Expected calibration error (15 bins) on the validation images: "
        f"{100 * val['calibration_error_before']:.2f} % before, {100 * val['calibration_error']:.2f} % after; negative "
        f"log likelihood {val['negative_log_likelihood_before']:.3f} before, "
        f"{val['negative_log_likelihood']:.3f} after."
    )


def write_card(results: Path, path: Path) -> None:
    """Write the card from `training.json`, `evaluation.json` and `classes.csv`."""
    training = json.loads((results / "training.json").read_text())
    figures = json.loads((results / "evaluation.json").read_text())
    with (results / "classes.csv").open(newline="", encoding="utf-8") as file:
        classes = list(csv.DictReader(file))
    size_mb = WEIGHTS_FILE.stat().st_size / 1e6
    path.write_text(
        TEMPLATE.format(
            architecture=wrap(architecture()),
            size_mb=size_mb,
            figures=figures_table(figures),
            photos=wrap(photos_text(figures)),
            calibration=wrap(calibration_text(training, figures)),
            recipe="\n".join(wrap(line) for line in recipe_lines(training)),
            best=class_table(classes[:SHOWN]),
            worst=class_table(classes[-SHOWN:]),
        ),
        encoding="utf-8",
    )


def photos_text(figures: dict[str, dict[str, float]]) -> str:
    """Say what the figures of photos were measured on, and how coarse they are."""
    if "photos" not in figures:
        return "Full-size photos were not measured."
    unseen = figures["unseen_photos"]
    count, share = int(unseen["images"]), unseen["top_1"]
    error = (share * (1 - share) / count) ** 0.5
    return (
        "Full-size photos are those of a set of 300 ImageNet classes, one each, whose class is among the 200; they "
        "were decoded and resized as in every run (stretched to the square, bicubic). "
        f"{int(figures['photos']['images']) - count} of them turned out to be, smaller, among the training images. "
        f"Only the other {count} tell how well new photos do; so few give the top-1 figure with a standard error of "
        f"{100 * error:.0f} points."
    )


TEMPLATE = """# tinynet

The built-in classifier: it needs no download, and is there so that the first run shows real results. For good ones take
ResNet50 or another model with published weights: tinynet knows 200 classes only and sees 64x64 pixels.

*This file is written by `python -m training.card` from the figures measured in `training/results/`.*

## What it is

{architecture}
The file `tinynet.weights.npz` has {size_mb:.2f} MB. Input: RGB of 0 to 255, scaled inside the model. Output: calibrated
probabilities of the 200 ImageNet classes in `tinynet_classes.txt`, in that order.

## How good it is

{figures}

{photos}

### Calibration

{calibration}

### By class

All 200 are in `training/results/classes.csv`; each has 50 validation images. The best:

{best}

And the worst:

{worst}

## Data

Tiny ImageNet: 200 classes of ImageNet (ILSVRC 2012) with 500 training and 50 validation photos each, of 64x64
pixels. The validation photos were used for the figures above, and 1,000 of them to compare sizes at which the
teacher may see the images; none was trained on. The teacher itself was trained on the photos of ImageNet, to which
these belong, and so it may know some of the validation photos; its outputs were used for training images alone. No
photo is part of this package.

## Recipe

{recipe}

The code is in `training/`, and `training/README.md` says how to repeat it.

## Limits

- A photo of anything else than the 200 classes still gets one of the 200 names. A low score says little about that:
  the model never learned to say "none of these".
- Objects that are small in the photo are lost at 64x64 pixels, and so is fine detail: breeds of dogs, kinds of
  furniture and parts of larger things are confused.
- The scores are calibrated on photos like those it was trained on. On drawings, medical or aerial images, strongly
  cropped or very wide pictures they are not.
- The classes carry the choices of ImageNet: everyday things of North America and Europe, animals in close-up.
"""


if __name__ == "__main__":
    write_card(RESULTS, CARD_FILE)
    print(CARD_FILE)
