"""Any number of labelled pictures for load tests, made from the built-in samples.

    python -m benchmarks.variants DIR --count 10000 [--seed 0]

A variant is a random crop of a sample, perhaps mirrored, in another size and JPEG quality; it lies in its class folder.
The same seed gives the same files.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from sparkcore.samples import list_samples

SHORT_SIDE_PX = (256, 800)
LEAST_CROP = 0.8  # of each side
QUALITY = (70, 95)


def write_variants(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Write `count` JPEG pictures to `folder`/<class folder>/ and return their paths. Samples take turns."""
    sources = [path for path in list_samples() if _is_readable(path)]
    for source in sources[:count]:
        (folder / source.parent.name).mkdir(parents=True, exist_ok=True)

    def write(number: int) -> Path:
        source = sources[number % len(sources)]
        path = folder / source.parent.name / f"{source.stem}-{number:07d}.jpg"
        rng = np.random.default_rng([seed, number])
        variant(source, rng).save(path, "JPEG", quality=int(rng.integers(*QUALITY)))
        return path

    with ThreadPoolExecutor() as pool:  # Pillow releases the interpreter lock
        return list(pool.map(write, range(count)))


def variant(source: Path, rng: np.random.Generator) -> Image.Image:
    """Return a random crop of a picture as RGB, mirrored half of the time, with a random short side."""
    with Image.open(source) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    width, height = (int(side * rng.uniform(LEAST_CROP, 1.0)) for side in upright.size)
    left, top = int(rng.integers(upright.width - width + 1)), int(rng.integers(upright.height - height + 1))
    scale = int(rng.integers(*SHORT_SIDE_PX)) / min(width, height)
    size = round(width * scale), round(height * scale)
    made = upright.resize(size, Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))
    return ImageOps.mirror(made) if rng.random() < 0.5 else made


def _is_readable(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
    except OSError:
        return False
    return True


def main() -> None:
    """Write the variants that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"Wrote {len(write_variants(options.folder, options.count, options.seed)):,} pictures.")


if __name__ == "__main__":
    main()
