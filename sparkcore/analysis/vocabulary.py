"""How a model does on the true classes that it has a name for, where the truth has more classes than the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparkcore.analysis.columns import Rows
from sparkcore.analysis.truth import Match


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Hold how many true classes there are, and how many of them the model cannot name.

    `images` counts the judged images whose true class it can name, `top_1` is the accuracy over these (None: no such
    image), and `unnamed_images` counts the others, which are always incorrect.
    """

    true_classes: int
    unnamed_classes: int
    images: int
    unnamed_images: int
    top_1: float | None


def vocabulary(matched: Match, rows: Rows) -> Vocabulary | None:
    """Compare the true labels of these rows with the model's classes; None where these are not all known."""
    if not matched.is_complete:
        return None
    chosen = rows[matched.judged[rows]]
    truth, correct, unnamed = matched.truth[chosen], matched.correct[chosen], matched.unknown[chosen]
    return Vocabulary(
        true_classes=len(np.unique(truth)),
        unnamed_classes=len(np.unique(truth[unnamed])),
        images=int((~unnamed).sum()),
        unnamed_images=int(unnamed.sum()),
        top_1=float(correct[~unnamed].mean()) if not unnamed.all() else None,
    )
