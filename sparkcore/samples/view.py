"""The camera's place, and turning things in space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparkcore.samples.noise import Floats


def unit(vector: Sequence[float] | Floats) -> Floats:
    """Scale a vector to length 1."""
    array = np.asarray(vector, np.float32)
    return array / np.float32(np.linalg.norm(array))


def spin(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Floats:
    """Give the matrix that turns by roll about z, then pitch about x, then yaw about y (radians)."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (about_y @ about_x @ about_z).astype(np.float32)


def rotate(matrix: Floats, points: Floats) -> Floats:
    """Apply a 3 x 3 matrix to points (3, n); not through BLAS, whose threads would fight the process pool."""
    x, y, z = points
    return np.stack([row[0] * x + row[1] * y + row[2] * z for row in matrix])


@dataclass(frozen=True)
class View:
    """A pinhole camera: where it stands, where it looks, and its picture's size in pixels."""

    height: int
    width: int
    eye: Floats
    target: Floats
    field_deg: float = 35.0
    roll: float = 0.0

    @property
    def focal(self) -> float:
        """Focal length in pixels, for the longer side."""
        return 0.5 * max(self.height, self.width) / float(np.tan(np.radians(self.field_deg) / 2))

    def axes(self) -> Floats:
        """Give the rows right, up and forward."""
        forward = unit(self.target - self.eye)
        right = unit(np.cross(np.array([0, 1, 0], np.float32), forward))
        up = np.cross(forward, right)
        c, s = np.float32(np.cos(self.roll)), np.float32(np.sin(self.roll))
        return np.stack([c * right + s * up, c * up - s * right, forward])

    def rays(self) -> Floats:
        """Give unit directions of shape (3, height, width)."""
        right, up, forward = self.axes()[:, :, None, None]
        x = ((np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) / self.focal)[None, None, :]
        y = ((self.height / 2 - np.arange(self.height, dtype=np.float32) - 0.5) / self.focal)[None, :, None]
        directions = right * x + up * y + forward
        return (directions / np.sqrt((directions**2).sum(axis=0))).astype(np.float32)

    def project(self, points: Floats) -> Floats:
        """Give column, row and depth, shape (3, n), of points of shape (3, n)."""
        x, y, z = rotate(self.axes(), points - self.eye[:, None])
        depth = np.maximum(z, 1e-3)
        return np.stack([self.width / 2 + self.focal * x / depth, self.height / 2 - self.focal * y / depth, z])
