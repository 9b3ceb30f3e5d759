from __future__ import annotations

from pathlib import Path

import pytest

from training.card import CARD_FILE, write_card
from training.export import RESULTS


@pytest.mark.slow
def test_model_card_is_the_one_that_the_results_give(tmp_path: Path):
    write_card(RESULTS, tmp_path / "card.md")
    assert CARD_FILE.read_text(encoding="utf-8") == (tmp_path / "card.md").read_text(encoding="utf-8")
