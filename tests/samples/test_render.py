"""The renderer's pieces against what geometry and optics say."""

from __future__ import annotations

import numpy as np
import pytest

from sparkcore.samples.camera import LONGEST_PX, SHORTEST_PX, WORKING_PX, choose_frame
from sparkcore.samples.light import Light, linear
from sparkcore.samples.noise import Floats, Lattice, fractal, ridged, spectral
from sparkcore.samples.optics import blur
from sparkcore.samples.scene import Scene, render
from sparkcore.samples.solids import Distance, box, capsule, cylinder, ellipsoid, length, polygon, torus
from sparkcore.samples.staging import heap
from sparkcore.samples.subjects.materials import even
from sparkcore.samples.surfaces import Texture
from sparkcore.samples.terrain import HeightMap, Lookout, survey
from sparkcore.samples.tracer import Part, meet, openness, visibility
from sparkcore.samples.view import View, spin

CENTER = np.array([0, 1, 0], np.float32)
VIEW = View(80, 100, np.array([0, 1, -5], np.float32), CENTER, 40.0)


def column(*values: float) -> Floats:
    return np.array([[value] for value in values], np.float32)


def unit_sphere(points: Floats) -> Floats:
    return length(points) - np.float32(1.0)


def sphere(center: Floats = CENTER, scale: float = 1.0) -> Part:
    return Part(unit_sphere, even(linear((0.8, 0.1, 0.1))), 1.0, center, spin(0.4, 0.2), scale)


@pytest.mark.parametrize(
    ("distance", "point", "expected"),
    [
        (lambda p: ellipsoid(p, (1, 1, 1)), (3, 0, 0), 2.0),
        (lambda p: box(p, (1, 2, 3)), (4, 0, 0), 3.0),
        (lambda p: box(p, (1, 2, 3)), (0, 0, 0), -1.0),
        (lambda p: cylinder(p, 1, 2), (0, 5, 0), 3.0),
        (lambda p: torus(p, 2, 0.5), (2, 1, 0), 0.5),
        (lambda p: capsule(p, (0, 0, 0), (0, 4, 0), (1, 0.5)), (3, 2, 0), 2.25),
        (lambda p: polygon(p[0], p[1], [(0, 0), (2, 0), (2, 2), (0, 2)]), (1, 1, 0), -1.0),
        (lambda p: polygon(p[0], p[1], [(0, 0), (2, 0), (2, 2), (0, 2)]), (3, 3, 0), 2**0.5),
    ],
)
def test_distances_are_euclidean(distance: Distance, point: tuple[float, float, float], expected: float):
    assert distance(column(*point))[0] == pytest.approx(expected, abs=1e-5)


def test_rays_meet_a_sphere_where_they_should():
    rays = VIEW.rays()
    hits = meet(VIEW, rays, sphere())
    inside = hits.coverage > 0.99
    directions = rays.reshape(3, -1)[:, hits.index[inside]]
    along = directions.T @ (CENTER - VIEW.eye)
    exact = along - np.sqrt(np.maximum(along**2 - 24, 0))
    clearly = 24 - along**2 < -0.5
    assert clearly.sum() > 300
    assert np.abs(hits.distance[inside] - exact)[clearly].max() < 0.02
    # The disc that a sphere of radius 1 shows from 5 units away, with a soft fringe of less than a pixel.
    radius_px = VIEW.focal / np.sqrt(24)
    assert radius_px < np.sqrt(hits.coverage.sum() / np.pi) < radius_px + 1


def test_a_scaled_and_moved_sphere_keeps_its_place():
    part = sphere(np.array([0.6, 1.2, 1.0], np.float32), 0.5)
    hits = meet(VIEW, VIEW.rays(), part)
    rows, columns = np.divmod(hits.index, VIEW.width)
    at = VIEW.project(part.center[:, None])[:, 0]
    assert np.average(columns, weights=hits.coverage) == pytest.approx(at[0], abs=1.0)
    assert np.average(rows, weights=hits.coverage) == pytest.approx(at[1], abs=1.0)


def test_normals_of_a_sphere_point_outward():
    local = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    part = sphere()
    assert part.normals(local) == pytest.approx(part.rotation @ local, abs=0.01)


def test_a_sphere_throws_its_shadow_opposite_to_the_light():
    up = np.array([0, 1, 0], np.float32)
    points = np.array([[0, 5], [0, 0], [0, 0]], np.float32)
    assert visibility(points, up, [sphere()], 20.0) == pytest.approx([0.0, 1.0], abs=0.05)
    slanted = np.array([np.sqrt(0.5), np.sqrt(0.5), 0], np.float32)
    assert visibility(column(-1, 0, 0), slanted, [sphere()], 20.0)[0] < 0.05
    assert visibility(column(2.5, 0, 0), slanted, [sphere()], 20.0)[0] == 1.0


def test_the_sky_is_hidden_where_things_touch():
    points, up = np.array([[0.3, 6], [0, 0], [0, 0]], np.float32), np.array([[0, 0], [1, 1], [0, 0]], np.float32)
    near, far = openness(points, up, [sphere()])
    assert near < 0.7
    assert far == 1.0


def test_a_rendered_ball_is_lit_from_the_side_of_the_light():
    white = np.ones(3, np.float32)
    light = Light(np.array([-0.8, 0.6, 0], np.float32), white, 0.1 * white, 0.1 * white, 0.1 * white, 8.0)
    backdrop = np.zeros((VIEW.height, VIEW.width, 3), np.float32)
    picture = render(Scene(VIEW, [sphere()], light, backdrop))
    assert picture.shape == (80, 100, 3)
    assert picture[0, 0].tolist() == [0, 0, 0]
    left, right = picture[40, 38], picture[40, 62]
    assert left.mean() > 3 * right.mean()
    assert left[0] > 5 * left[1]


def test_noise_is_within_0_and_1_and_varies():
    rng = np.random.default_rng(4)
    fields = {
        "fractal": fractal(rng, (60, 90), 30),
        "ridged": ridged(rng, (60, 90), 30),
        "spectral": spectral(rng, 64),
        "lattice": Lattice.draw(rng).at(rng.uniform(-9, 9, (3, 500)).astype(np.float32), 1.5),
    }
    for name, field in fields.items():
        assert -0.3 <= field.min() < field.mean() < field.max() <= 1.3, name
        assert field.std() > 0.03, name


def test_lattice_noise_is_the_table_at_whole_points_and_smooth_between():
    lattice = Lattice.draw(np.random.default_rng(1))
    assert lattice.at(column(3, 4, 5))[0] == pytest.approx(lattice.values[3, 4, 5])
    steps = lattice.at(np.stack([np.linspace(0, 4, 400), np.zeros(400), np.zeros(400)]).astype(np.float32))
    assert np.abs(np.diff(steps)).max() < 0.03


def test_a_texture_repeats_without_a_seam():
    rng = np.random.default_rng(2)
    texture = Texture.build(np.repeat(spectral(rng, 512)[:, :, None], 3, axis=2), 2.0, rng)
    u = np.linspace(-3, 3, 50, dtype=np.float32)
    shift = np.float32(2.0)
    turned = np.float32(np.cos(texture.angle)), np.float32(np.sin(texture.angle))
    first = texture.at(u, u * 0, 0.0)
    second = texture.at(u + shift * turned[0], u * 0 - shift * turned[1], 0.0)
    assert first == pytest.approx(second, abs=0.02)


def test_a_decal_lies_centered():
    picture = np.zeros((512, 512, 3), np.float32)
    picture[256:, 256:] = 1.0
    decal = Texture.decal(picture, 2.0)
    u, v = np.array([0.5, -0.5], np.float32), np.array([0.5, -0.5], np.float32)
    assert decal.at(u, v, 0.0)[0].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("sigma", [0.8, 2.0, 9.0])
def test_blur_keeps_the_mean_and_flattens(sigma: float):
    field = np.random.default_rng(3).random((60, 80), dtype=np.float32)
    blurred = blur(field, sigma)
    assert blurred.shape == field.shape
    assert blurred.mean() == pytest.approx(field.mean(), abs=0.02)
    assert blurred.std() < field.std() / (1 + sigma)


def test_dropped_balls_do_not_overlap_and_do_not_sink():
    placed = heap(np.random.default_rng(6), 7, 1.0)
    assert all(center[1] >= size - 1e-4 for center, size in placed)
    for i, (first, size) in enumerate(placed):
        for second, other in placed[:i]:
            assert np.linalg.norm(first - second) >= size + other - 1e-3


def test_frames_stay_within_the_limits():
    frames = [choose_frame(np.random.default_rng(seed)) for seed in range(200)]
    sides = [side for frame in frames for side in (frame.height, frame.width)]
    assert SHORTEST_PX <= min(sides) < 330
    assert 1000 < max(sides) <= LONGEST_PX
    assert max(max(frame.working_height, frame.working_width) for frame in frames) <= WORKING_PX


def test_a_plain_reaches_up_to_the_horizon_and_a_wall_hides_what_is_behind():
    look = Lookout(100, 120, eye=0.2, field_deg=50, horizon=0.5)
    flat = np.zeros((64, 64), np.float32)
    plain = survey(HeightMap(flat, 4.0, 0.5), look)
    rows = plain.pixels // look.width
    assert 50 < rows.min() < 60
    assert rows.max() == 99
    walled = flat.copy()
    walled[16:18] = 1.0
    seen = survey(HeightMap(walled, 4.0, 0.5), look)
    assert (seen.pixels // look.width).min() == 0
    assert seen.distance.max() < 2.0
