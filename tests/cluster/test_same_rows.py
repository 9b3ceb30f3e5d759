"""The same pictures give the same rows on one machine and on every kind of cluster, from a disk and from a bucket."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sparkcore.storage.opening import open_storage
from tests.cluster.conftest import Cluster, cluster_of
from tests.cluster.drivers import Order
from tests.cluster.sixty import IMAGES, Rows, assert_same, rows_of, upload
from tests.conftest import write_colors
from tests.imaging.pictures import write_awkward_folder

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]
LOCAL = Cluster("local[2]")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, sixty: Path, colors_model: Path) -> Rows:
    """Give the rows of a local run in a local store."""
    folder = tmp_path_factory.mktemp("expected")
    return rows_on(LOCAL, Order(str(sixty), colors_model, str(folder / "store"), folder / "state"))


def rows_on(cluster: Cluster, order: Order) -> Rows:
    done = cluster.sparkcore(*order.command, **order.environment)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["status"], summary["images"], summary["computed"]) == ("complete", IMAGES, IMAGES)
    return rows_of(order.store, summary["run_id"])


def test_the_local_run_is_right(tmp_path: Path, expected: Rows) -> None:
    awkward = write_awkward_folder(tmp_path)
    assert len(expected) == IMAGES
    assert {name: row["error_type"] or row["status"] for name, row in expected.items() if name in awkward} == awkward
    colors = {name: row["label"] for name, row in expected.items() if name not in awkward}
    assert colors == {name: name.split("-")[0] for name in colors}


@pytest.mark.parametrize("kind", ["local-cluster", "standalone", "connect"])
def test_files_of_a_folder(
    tmp_path: Path, request: pytest.FixtureRequest, sixty: Path, colors_model: Path, expected: Rows, kind: str
) -> None:
    order = Order(str(sixty), colors_model, str(tmp_path / "store"), tmp_path / "state", ("--bucket-size", "16"))
    found = rows_on(cluster_of(request, kind), order)
    assert_same(found, expected)
    assert {name: row["image_id"] for name, row in found.items()} == {n: row["image_id"] for n, row in expected.items()}


@pytest.mark.parametrize(
    "kind", ["local", pytest.param("local-cluster", marks=pytest.mark.soak), "standalone", "connect"]
)
def test_objects_of_a_bucket(
    tmp_path: Path, request: pytest.FixtureRequest, s3_prefix: str, sixty: Path, colors_model: Path,
    expected: Rows, kind: str,
) -> None:  # fmt: skip
    images = f"{s3_prefix}/a folder"
    upload(sixty, open_storage(images))
    order = Order(images, colors_model, f"{s3_prefix}/store", tmp_path / "state")
    found = rows_on(LOCAL if kind == "local" else cluster_of(request, kind), order)
    assert_same(found, expected)
    assert all(row["origin"].startswith("s3://") for row in found.values())


def test_a_model_in_int8_travels(tmp_path: Path, request: pytest.FixtureRequest, colors_model: Path) -> None:
    write_colors(tmp_path / "in", IMAGES)
    words = ("--precision", "int8", "--min-agreement", "0", "--bucket-size", "16")
    order = Order(str(tmp_path / "in"), colors_model, str(tmp_path / "store"), tmp_path / "state", words)
    done = cluster_of(request, "standalone").sparkcore(*order.command, **order.environment)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["precision"], summary["computed"], summary["agreement"]["images"]) == ("int8", IMAGES, 40)
    found = rows_of(order.store, summary["run_id"])
    assert {row["status"] for row in found.values()} == {"ok"}
