from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.components import exports
from pages.components.exports import Exported
from pages.components.opened import open_run
from sparkcore.analysis.filters import Filters
from sparkcore.analysis.policy import Policy
from sparkcore.origins import origin_of
from sparkcore.runs.notes import Note
from tests.pages.stored_runs import ROWS, RUN, store_run

CATS = np.array([2, 0])  # the order of showing, not that of the table


@pytest.fixture
def exported(tmp_path: Path) -> Exported:
    store, _ = store_run(tmp_path)
    return Exported(open_run(store, RUN), CATS, Filters(name=".jpg"))


def test_csv_has_exactly_the_rows_shown(exported: Exported):
    lines = exports.csv_bytes(exported).decode("utf-8-sig").splitlines()
    assert [line.split(",")[2] for line in lines] == ['"file_name"', '"c.jpg"', '"a.jpg"']


def test_parquet_equals_the_rows_shown(exported: Exported):
    content = pq.read_table(io.BytesIO(exports.parquet_bytes(exported)))
    assert content.equals(exported.opened.table.take(pa.array(CATS)))
    assert json.loads(content.schema.metadata[b"sparkcore"])["run_id"] == RUN


def test_zip_holds_the_pictures_in_full_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPARKCORE_ROOTS", f"{tmp_path}:/data")
    rows = []
    for values in ROWS[:2]:
        path = tmp_path / values["file_name"]
        Image.new("RGB", (640, 480), (200, 30, 30)).save(path)
        rows.append({**values, "origin": origin_of(path)})
    store, _ = store_run(tmp_path / "store", [*rows, ROWS[2]])
    exported = Exported(open_run(store, RUN), np.array([1, 0, 2]), Filters())
    with zipfile.ZipFile(io.BytesIO(exports.zip_bytes(exported))) as archive:
        assert archive.namelist() == ["b.jpg", "a.jpg", "table.csv", "missing.txt", "manifest.json"]
        assert Image.open(archive.open("a.jpg")).size == (640, 480)
        assert "file:/data/c.jpg\tThe file no longer exists." in archive.read("missing.txt").decode()


def test_zip_reads_only_below_the_allowed_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPARKCORE_ROOTS", str(tmp_path / "mine"))
    Image.new("RGB", (64, 48)).save(tmp_path / "secret.png")
    row = {**ROWS[0], "origin": origin_of(tmp_path / "secret.png")}
    store, _ = store_run(tmp_path / "store", [row])
    exported = Exported(open_run(store, RUN), CATS[1:], Filters())
    with zipfile.ZipFile(io.BytesIO(exports.zip_bytes(exported))) as archive:
        assert archive.namelist() == ["table.csv", "missing.txt", "manifest.json"]


def test_zip_holds_the_originals_below_the_allowed_folders_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPARKCORE_ROOTS", str(tmp_path / "mine"))
    rows = []
    for values, folder in zip(ROWS[:2], ("mine", "yours"), strict=True):
        path = tmp_path / folder / "picture.png"
        path.parent.mkdir()
        Image.new("RGB", (64, 48)).save(path)
        rows.append({**values, "origin": origin_of(path)})
    store, _ = store_run(tmp_path / "store", rows)
    exported = Exported(open_run(store, RUN), np.array([0, 1]), Filters(), originals=True)
    with zipfile.ZipFile(io.BytesIO(exports.zip_bytes(exported))) as archive:
        assert archive.namelist() == ["a.jpg", "originals/a.png", "table.csv", "missing.txt", "manifest.json"]
        assert archive.read("originals/a.png") == (tmp_path / "mine" / "picture.png").read_bytes()


def test_a_policy_is_a_column_of_the_tables(exported: Exported):
    decided = replace(exported, policy=Policy("careful", 0.7))
    assert b'"decision"' in exports.csv_bytes(decided)
    assert pq.read_table(io.BytesIO(exports.parquet_bytes(decided)))["decision"].to_pylist() == ["review", "accept"]


def test_a_filtered_export_says_so_in_its_name(exported: Exported):
    assert exports.file_stem(exported) == "animals-efficientnet_lite0-01234567-filtered-2-of-7"
    whole = Exported(exported.opened, np.arange(7), Filters())
    assert exports.file_stem(whole) == "animals-efficientnet_lite0-01234567"
    named = replace(exported.opened, note=Note(name="../Čapí hnízdo: 50 %/" + "x" * 99))
    assert re.fullmatch(r"ap-hn-zdo-50-x{46}-01234567", exports.file_stem(replace(whole, opened=named)))


def test_report_tells_of_the_filtered_images(exported: Exported):
    text = exports.report_bytes(exported).decode()
    assert "file name contains “.jpg”" in text
    assert "data:image/jpeg;base64," in text
    assert "<script" not in text
    assert "<title>animals · efficientnet_lite0</title>" in text
    assert "<h1>Cats</h1>" in exports.report_bytes(replace(exported, title="Cats")).decode()


@pytest.mark.parametrize(("most", "bytes_"), [(1, 10_000), (10, 3_000)])
def test_too_much_for_a_zip_says_what_to_do(
    exported: Exported, monkeypatch: pytest.MonkeyPatch, most: int, bytes_: int
):
    monkeypatch.setattr(exports, "MAX_PICTURES", most)
    monkeypatch.setattr(exports, "MAX_BYTES", bytes_)
    app = _menu(exported)
    assert {button.label: button.proto.disabled for button in app.get("download_button")} == {
        "Table (CSV)": False,
        "Table (Parquet)": False,
        "Annotated pictures (ZIP)": True,
        "Report (HTML)": False,
    }
    assert app.main.caption[-1].value.endswith("Filter further.")


def test_originals_count_for_the_size_of_a_zip(exported: Exported, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exports, "MAX_BYTES", 5_000)  # two images of 2,048 bytes
    app = _menu(exported)
    assert not any(button.proto.disabled for button in app.get("download_button"))
    app.checkbox[0].check().run()
    assert [button.label for button in app.get("download_button") if button.proto.disabled] == [
        "Annotated pictures (ZIP)"
    ]


def test_nothing_shown_is_nothing_to_export(exported: Exported):
    empty = Exported(exported.opened, CATS[:0], exported.filters)
    assert _menu(empty).get("popover")[0].proto.popover.disabled


def test_two_images_fit_into_a_zip(exported: Exported):
    app = _menu(exported)
    assert not any(button.proto.disabled for button in app.get("download_button"))
    assert [text.value for text in app.caption] == ["Exactly the 2 images shown, in this order."]


def _menu(exported: Exported) -> AppTest:
    def script(exported: object) -> None:
        from pages.components import exports

        exports.show_menu(exported)  # type: ignore[arg-type]

    app = AppTest.from_function(script, args=(exported,), default_timeout=60).run()
    assert not app.exception
    return app
