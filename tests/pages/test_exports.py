from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.components import exports
from pages.components.exports import Shown
from sparkcore.analysis.filters import Filters
from sparkcore.origins import origin_of
from sparkcore.runs.results import load_results
from tests.pages.stored_runs import ROWS, RUN, store_run

CATS = np.array([2, 0])  # the order of showing, not that of the table


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    store, manifest = store_run(tmp_path)
    return Shown(store, manifest, load_results(store, RUN), CATS, Filters(name=".jpg"))


def test_csv_has_exactly_the_rows_shown(shown: Shown):
    lines = exports.csv_bytes(shown).decode("utf-8-sig").splitlines()
    assert [line.split(",")[2] for line in lines] == ['"file_name"', '"c.jpg"', '"a.jpg"']


def test_parquet_equals_the_rows_shown(shown: Shown):
    content = pq.read_table(io.BytesIO(exports.parquet_bytes(shown)))
    assert content.equals(shown.table.take(pa.array(CATS)))
    assert json.loads(content.schema.metadata[b"sparkcore"])["run_id"] == RUN


def test_zip_holds_the_pictures_in_full_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPARKCORE_ROOTS", f"{tmp_path}:/data")
    rows = []
    for values in ROWS[:2]:
        path = tmp_path / values["file_name"]
        Image.new("RGB", (640, 480), (200, 30, 30)).save(path)
        rows.append({**values, "origin": origin_of(path)})
    store, manifest = store_run(tmp_path / "store", [*rows, ROWS[2]])
    shown = Shown(store, manifest, load_results(store, RUN), np.array([1, 0, 2]), Filters())
    with zipfile.ZipFile(io.BytesIO(exports.zip_bytes(shown))) as archive:
        assert archive.namelist() == ["b.jpg", "a.jpg", "missing.txt", "manifest.json"]
        assert Image.open(archive.open("a.jpg")).size == (640, 480)
        assert "file:/data/c.jpg\tThe file is not there any more." in archive.read("missing.txt").decode()


def test_zip_reads_only_below_the_allowed_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPARKCORE_ROOTS", str(tmp_path / "mine"))
    Image.new("RGB", (64, 48)).save(tmp_path / "secret.png")
    row = {**ROWS[0], "origin": origin_of(tmp_path / "secret.png")}
    store, manifest = store_run(tmp_path / "store", [row])
    shown = Shown(store, manifest, load_results(store, RUN), CATS[1:], Filters())
    with zipfile.ZipFile(io.BytesIO(exports.zip_bytes(shown))) as archive:
        assert archive.namelist() == ["missing.txt", "manifest.json"]


def test_report_tells_of_the_filtered_images(shown: Shown):
    text = exports.report_bytes(shown).decode()
    assert "file name contains “.jpg”" in text
    assert "data:image/jpeg;base64," in text
    assert "<script" not in text


@pytest.mark.parametrize(("most", "bytes_"), [(1, 10_000), (10, 3_000)])
def test_too_much_for_a_zip_says_what_to_do(shown: Shown, monkeypatch: pytest.MonkeyPatch, most: int, bytes_: int):
    monkeypatch.setattr(exports, "MOST_PICTURES", most)
    monkeypatch.setattr(exports, "MOST_BYTES", bytes_)
    app = _menu(shown)
    assert {button.label: button.proto.disabled for button in app.get("download_button")} == {
        "Table (CSV)": False,
        "Table (Parquet)": False,
        "Annotated pictures (ZIP)": True,
        "Report (HTML)": False,
    }
    assert f"sparkcore export {RUN[:8]}" in app.caption[-1].value


def test_nothing_shown_is_nothing_to_export(shown: Shown):
    empty = Shown(shown.store, shown.manifest, shown.table, CATS[:0], shown.filters)
    assert _menu(empty).get("popover")[0].proto.popover.disabled


def test_two_images_fit_into_a_zip(shown: Shown):
    app = _menu(shown)
    assert not any(button.proto.disabled for button in app.get("download_button"))
    assert [text.value for text in app.caption] == ["Exactly the 2 images shown, in this order."]


def _menu(shown: Shown) -> AppTest:
    def script(shown: object) -> None:
        from pages.components import exports

        exports.show(shown)  # type: ignore[arg-type]

    app = AppTest.from_function(script, args=(shown,), default_timeout=60).run()
    assert not app.exception
    return app
