"""The built-in samples: labelled pictures that come with the package, for demos, tests and load tests.

`pictures/<class id>_<class name>/` holds the pictures of one ImageNet class; PICTURES.md says where they come from.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from itertools import chain, zip_longest
from pathlib import Path

from sparkcore.errors import InputError

PICTURES = Path(__file__).with_name("pictures")
STORE_FOLDER = Path("samples", "Built-in samples")  # runs are named after the folder of their images


def list_samples(count: int | None = None) -> list[Path]:
    """List the samples, one of each class before the second of any; with `count`, only the first ones.

    Raises InputError for a count below 1 or above the number of samples.
    """
    classes = [sorted(folder.glob("[!.]*")) for folder in sorted(PICTURES.glob("n*"))]
    samples = [path for path in chain.from_iterable(zip_longest(*classes)) if path is not None]
    if count is not None and not 1 <= count <= len(samples):
        raise InputError(f"count: expected 1 to {len(samples)} samples, received {count}.")
    return samples[:count]


def copy_samples(folder: Path, count: int | None = None) -> list[Path]:
    """Copy the samples into a new folder, with their class folders, and return the paths of the copies.

    The folder appears only when it is complete. One that holds exactly these samples is left as it is.
    Raises InputError for a folder with any other content and for an invalid count.
    """
    samples = [path.relative_to(PICTURES) for path in list_samples(count)]
    folder = folder.absolute()
    if not _holds(folder, samples):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
            copy = Path(beside, folder.name)
            for sample in samples:
                (copy / sample).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(PICTURES / sample, copy / sample)
            _move(copy, folder, samples)
    return [folder / sample for sample in samples]


def stored_samples(state: Path) -> Path:
    """Return the folder in a state folder with all samples; the first call copies them there."""
    folder = state / STORE_FOLDER
    if not folder.is_dir():
        copy_samples(folder)
    return folder


def _move(copy: Path, folder: Path, samples: list[Path]) -> None:
    try:
        os.rename(copy, folder)  # replaces an empty folder, refuses any other
    except OSError:
        if not _holds(folder, samples):  # else another process was faster
            raise InputError(
                f"{folder}: expected a new or an empty folder for the samples, but it has other content. "
                "Choose another folder."
            ) from None


def _holds(folder: Path, samples: list[Path]) -> bool:
    files = [path for path in folder.rglob("[!.]*") if path.is_file()]  # a desktop adds hidden ones
    found = {path.relative_to(folder): path.stat().st_size for path in files}
    return found == {sample: (PICTURES / sample).stat().st_size for sample in samples}
