"""Random fields: smooth noise on a pixel grid, tileable spectral noise, and lattice noise in space."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# float32 wherever it is large; single numbers may be wider.
Floats = NDArray[np.floating[Any]]


def resize_field(field: Floats, height: int, width: int) -> Floats:
    """Resize a 2-D field bicubically."""
    picture = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> Floats:
    """Give noise of about 0..1 whose blobs are `cell` pixels wide."""
    rows, columns = (max(2, round(side / cell) + 2) for side in shape)
    grid = rng.random((rows, columns), dtype=np.float32)
    return resize_field(grid, *shape)


def fractal(
    rng: np.random.Generator, shape: tuple[int, int], cell: float, octaves: int = 5, gain: float = 0.5
) -> Floats:
    """Sum `octaves` layers of smooth noise, each half as wide and `gain` as strong; mean 0.5."""
    total = np.zeros(shape, np.float32)
    weight, weights = 1.0, 0.0
    for octave in range(octaves):
        width = cell / 2**octave
        if octave and width < 1.0:
            break
        total += weight * smooth_noise(rng, shape, width)
        weights += weight
        weight *= gain
    return total / np.float32(weights)


def ridged(
    rng: np.random.Generator, shape: tuple[int, int], cell: float, octaves: int = 6, gain: float = 0.5
) -> Floats:
    """Give ridged fractal noise in 0..1: sharp crests, smooth valleys (Musgrave's multifractal)."""
    total = np.zeros(shape, np.float32)
    carry = np.ones(shape, np.float32)
    weight, weights = 1.0, 0.0
    for octave in range(octaves):
        layer = 1.0 - np.abs(2.0 * smooth_noise(rng, shape, max(cell / 2**octave, 1.0)) - 1.0)
        layer *= layer
        total += weight * layer * carry
        carry = np.clip(layer * 1.6, 0.0, 1.0)
        weights += weight
        weight *= gain
    return total / np.float32(weights)


def spectral(
    rng: np.random.Generator, size: int, slope: float = 1.5, stretch: tuple[float, float] = (1.0, 1.0)
) -> Floats:
    """Give a tileable `size` x `size` field in 0..1 whose amplitude falls as frequency ** -slope.

    `stretch` lengthens the grain along the rows' and the columns' direction.
    """
    rows = np.fft.fftfreq(size).astype(np.float32)[:, None] * np.float32(size * stretch[0])
    columns = np.fft.rfftfreq(size).astype(np.float32)[None, :] * np.float32(size * stretch[1])
    power = rows**2 + columns**2
    power[0, 0] = 1.0
    waves = rng.standard_normal((*power.shape, 2), dtype=np.float32).view(np.complex64)[:, :, 0]
    field = np.fft.irfft2(waves * power ** np.float32(-slope / 2), s=(size, size))
    spread = float(field.std()) or 1.0
    return np.clip(0.5 + 0.2 * (field - field.mean()) / spread, 0.0, 1.0).astype(np.float32)


class Lattice(NamedTuple):
    """Value noise in space: random values at integer points, smooth between them."""

    values: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Lattice:
        """Draw a lattice of 32 x 32 x 32 values."""
        return cls(rng.random((32, 32, 32), dtype=np.float32))

    def at(self, points: Floats, frequency: float = 1.0) -> Floats:
        """Sample at points of shape (3, n); gives values in 0..1, shape (n,)."""
        scaled = points * np.float32(frequency) + np.float32(512.0)
        cell = np.floor(scaled)
        x, y, z = (part * part * (3.0 - 2.0 * part) for part in scaled - cell)
        i, j, k = cell.astype(np.int32) & 31
        flat = self.values.reshape(-1)
        i0, i1 = i << 10, ((i + 1) & 31) << 10
        j0, j1 = j << 5, ((j + 1) & 31) << 5
        k1 = (k + 1) & 31

        def row(a: NDArray[np.int32], b: NDArray[np.int32]) -> Floats:
            near = flat[a + b + k]
            return near + (flat[a + b + k1] - near) * z

        low = row(i0, j0)
        low += (row(i0, j1) - low) * y
        high = row(i1, j0)
        high += (row(i1, j1) - high) * y
        return low + (high - low) * x

    def fractal(self, points: Floats, frequency: float = 1.0, octaves: int = 3) -> Floats:
        """Sum octaves of the noise; gives values in 0..1 with mean 0.5."""
        total = self.at(points, frequency)
        weight, weights = 0.5, 1.0
        for octave in range(1, octaves):
            total = total + weight * self.at(points + 7.3 * octave, frequency * 2.0**octave)
            weights += weight
            weight *= 0.5
        return total / np.float32(weights)
