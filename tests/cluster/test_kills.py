"""Whatever is killed in the middle of a run, it ends with the same rows, bit by bit."""

from __future__ import annotations

import json
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from sparkcore.runs.results import load_results
from sparkcore.runs.store import RunStore
from sparkcore.storage.opening import open_storage
from tests.cluster.conftest import Cluster, cluster_of
from tests.cluster.drivers import Order, driver, kill, run_ids
from tests.cluster.faults import DEADLY, write_faults
from tests.cluster.sixty import IMAGES, Rows, orphans, receipts_of, rows_of, upload
from tests.conftest import wait_until, write_colors
from tests.storage.s3_server import BUCKET

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]
LOCAL = Cluster("local[2]")
SLOW_S = 0.2
SMALL_BUCKETS = ("--bucket-size", "5")  # twelve of them
SPECULATION = [
    f"--spark-conf=spark.speculation{setting}"
    for setting in ("=true", ".interval=200ms", ".quantile=0.3", ".multiplier=1.5", ".minTaskRuntime=500ms")
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where pictures and store are, and the rows of a run that nobody disturbed."""

    order: Order
    expected: Rows


# On an object store only in the long tests, where the others there show the same.
DISK_AND_LONGER = pytest.mark.parametrize(
    "place", ["disk", pytest.param("bucket", marks=pytest.mark.soak)], indirect=True
)


@pytest.fixture(params=["disk", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, sixty: Path, colors_model: Path) -> Place:
    state = tmp_path / "state"
    if request.param == "disk":
        order = Order(str(sixty), colors_model, str(tmp_path / "store"), state, SMALL_BUCKETS)
        return Place(order, request.getfixturevalue("expected_on_disk"))
    request.getfixturevalue("s3_prefix")  # the environment names the server
    store = f"s3://{BUCKET}/{uuid.uuid4().hex}"
    request.getfixturevalue("monkeypatch").setenv("SPARKCORE_STATE", str(state))
    images, expected = request.getfixturevalue("expected_in_bucket")
    return Place(Order(images, colors_model, store, state, SMALL_BUCKETS), expected)


@pytest.fixture(scope="module")
def expected_on_disk(tmp_path_factory: pytest.TempPathFactory, sixty: Path, colors_model: Path) -> Rows:
    folder = tmp_path_factory.mktemp("undisturbed")
    return undisturbed(Order(str(sixty), colors_model, str(folder / "store"), folder / "state", SMALL_BUCKETS))


@pytest.fixture(scope="module")
def expected_in_bucket(
    tmp_path_factory: pytest.TempPathFactory, s3_endpoint: str, sixty: Path, colors_model: Path
) -> tuple[str, Rows]:
    folder, images = tmp_path_factory.mktemp("undisturbed"), f"s3://{BUCKET}/{uuid.uuid4().hex}/sixty"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
        patch.setenv("AWS_ALLOW_HTTP", "true")
        upload(sixty, open_storage(images))
        order = Order(images, colors_model, str(folder / "store"), folder / "state", SMALL_BUCKETS)
        return images, undisturbed(order)


def undisturbed(order: Order) -> Rows:
    done = LOCAL.sparkcore(*order.command, **order.environment)
    assert done.returncode == 0, done.stderr
    return rows_of(order.store, json.loads(done.stdout)["run_id"])


def test_killed_processes(tmp_path: Path, request: pytest.FixtureRequest, place: Place) -> None:
    """Kill an executor and a Python worker; another worker crashes by itself."""
    faults = write_faults(tmp_path / "faults", SLOW_S, "crash")
    with driver(cluster_of(request, "standalone"), place.order, faults) as run:
        run.wait_for_receipts(1)
        kill(run.executors()[0])
        run.wait_for_receipts(3)
        wait_until(lambda: bool(run.python_workers()))
        kill(run.python_workers()[0])
        summary = run.summary()
    assert faults.has_struck
    assert summary["computed"] == IMAGES
    assert rows_of(place.order.store, summary["run_id"]) == place.expected


@DISK_AND_LONGER
def test_a_task_that_hangs(tmp_path: Path, request: pytest.FixtureRequest, place: Place) -> None:
    faults = write_faults(tmp_path / "faults", SLOW_S, "hang")
    with driver(cluster_of(request, "standalone"), place.order, faults, *SPECULATION) as run:
        summary = run.summary()
    assert faults.has_struck
    assert summary["computed"] == IMAGES
    assert rows_of(place.order.store, summary["run_id"]) == place.expected


@DISK_AND_LONGER
def test_a_killed_driver(tmp_path: Path, request: pytest.FixtureRequest, place: Place) -> None:
    cluster = cluster_of(request, "standalone")
    faults = write_faults(tmp_path / "faults", SLOW_S)
    with driver(cluster, place.order, faults) as run:
        run.wait_for_receipts(2)
        run.kill()
    (run_id,) = run_ids(place.order.store)
    done = receipts_of(place.order.store, run_id).receipts
    opened = faults.opened
    with driver(cluster, place.order, faults) as run:
        summary = run.summary()
    resumed = sum(receipt.rows for receipt in done.values())
    assert 0 < resumed < IMAGES
    assert (summary["run_id"], summary["resumed"], summary["computed"]) == (run_id, resumed, IMAGES - resumed)
    assert faults.opened - opened <= IMAGES - resumed, "a bucket with a receipt was computed again"
    assert {b: r for b, r in receipts_of(place.order.store, run_id).receipts.items() if b in done} == done
    assert rows_of(place.order.store, run_id) == place.expected


def test_two_drivers_share_a_run(tmp_path: Path, place: Place) -> None:
    faults = write_faults(tmp_path / "faults", SLOW_S)
    with ExitStack() as stack:
        runs = [stack.enter_context(driver(Cluster("local[1]"), place.order, faults)) for _ in range(2)]
        summaries = [run.summary() for run in runs]
    assert summaries[0]["run_id"] == summaries[1]["run_id"]
    assert run_ids(place.order.store) == [summaries[0]["run_id"]]
    assert rows_of(place.order.store, summaries[0]["run_id"]) == place.expected
    assert orphans(place.order.store, summaries[0]["run_id"]) == set()


def test_a_picture_that_crashes_every_decoder(
    tmp_path: Path, request: pytest.FixtureRequest, colors_model: Path
) -> None:
    pictures = write_colors(tmp_path / "in", 12)
    pictures[5].write_bytes(pictures[5].read_bytes() + DEADLY)
    order = Order(str(tmp_path / "in"), colors_model, str(tmp_path / "store"), tmp_path / "state", SMALL_BUCKETS)
    with driver(cluster_of(request, "standalone"), order, write_faults(tmp_path / "faults")) as run:
        summary = run.summary()
    assert (summary["ok"], summary["error_types"]) == (11, {"internal": 1})
    rows = load_results(RunStore(order.store), summary["run_id"]).to_pylist()
    assert {row["file_name"] for row in rows if row["status"] == "error"} == {pictures[5].name}
