from __future__ import annotations

import json
from pathlib import Path

import pytest

from sparkcore.cli import main
from sparkcore.runs.store import RunStore
from tests.runs_fixture import write_run


def test_what_was_left_out_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    store = RunStore(tmp_path)
    run = write_run(store, rows=12)
    path = Path(store.folder(run), "manifest.json")
    manifest = json.loads(path.read_text())
    counts = manifest["counts"] | {"resumed": 0}
    for more, said in (({}, False), ({"links_left_out": 3, "hidden_left_out": 1}, True)):
        path.write_text(json.dumps({**manifest, "counts": counts | more}))
        assert main(["show", run, "--store", str(tmp_path)]) == 0
        assert ("\n  left out 3 links, 1 hidden file\n" in capsys.readouterr().out) is said
