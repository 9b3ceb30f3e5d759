from __future__ import annotations

import pytest

from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, address_of, plain
from tests.runs_fixture import Made, write_run


@pytest.mark.parametrize("page", ["scores", "evaluate"])
def test_a_precision_becomes_a_threshold_and_counts(store: RunStore, open_page: OpenPage, page: str) -> None:
    run = write_run(store, Made(rows=60, error_every=0))
    app = open_page(page, run=run, precision="80", reject="50")
    (found,) = [plain(one.value) for one in app.markdown if "From a score" in one.value]
    assert found.startswith("From a score of **95.0 %** on, **80.0 %** of the predictions are correct (99 % interval: ")
    assert found.endswith("): 5 of 60 images with a true label, 8.3 %.")
    (said,) = [plain(one.value) for one in app.markdown if "accepted" in one.value]
    assert said.startswith(
        ":material/check: **5** accepted · :material/how_to_reg: **53** to review · :material/block: **2** rejected"
    )
    app.button(key="decision_accept").click().run()
    assert address_of(app)["score"] == ["0.949999988", ""]
    app.toggle(key="decision_sure").set_value(True).run()
    assert any("Ask for less, or review more pictures" in plain(info.value) for info in app.info)


def test_without_true_labels_nothing_is_decided(store: RunStore, open_page: OpenPage) -> None:
    app = open_page("scores", run=write_run(store, truth=False))
    assert not [one for one in app.toggle if str(one.key).startswith("decision")]


def test_a_policy_is_saved_applied_to_another_run_and_deleted(store: RunStore, open_page: OpenPage) -> None:
    run = write_run(store, Made(rows=60, error_every=0))
    app = open_page("scores", run=run, precision="80", reject="50")
    app.text_input(key="policy_name").set_value("careful").run()
    app.button(key="policy_save").click().run()
    assert address_of(app)["policy"] == ["careful"]
    (said,) = [plain(one.value) for one in app.markdown if "Accepts from" in one.value]
    assert said.startswith(
        "Accepts from a score of **95.0 %** on. Here **80.0 %** of the accepted ones are correct (99 %"
    )
    assert any("**53** to review" in one.value for one in app.markdown)
    other = write_run(store, Made(rows=40, error_every=0, truth=False))
    app = open_page("evaluate", run=run, policy="careful")
    assert any("Accepts from" in one.value for one in app.markdown)
    app = open_page("scores", run=other, policy="careful")
    assert any("**3** accepted" in one.value for one in app.markdown)
    assert app.selectbox(key="export-policy").value == "careful"
    app.button(key="policy_delete").click().run()
    assert "policy" not in address_of(app)
    assert not any("Decide by score" in one.value for one in app.markdown)
