"""What gives the images of a map their color: the predicted label, the group of it, or whether it is correct."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sparkcore.analysis.columns import Encoded, encode
from sparkcore.analysis.filters import CORRECT, INCORRECT
from sparkcore.analysis.groups import label_paths
from sparkcore.analysis.truth import is_correct
from sparkcore.groups import GroupPath, is_below, path_text

LABEL, GROUP, TRUTH = "label", "group", "correct"


def kinds_of(table: pa.Table, by: str, within: GroupPath = ()) -> Encoded:
    """Return the kind of each image by LABEL, GROUP or TRUTH, as values of the filter of that name.

    Groups are those directly in the group `within`. Images without a kind have the code -1.
    """
    if by == GROUP:
        return _groups(table, within)
    if by == TRUTH:
        correct = is_correct(table)
        codes = correct.cast(pa.int32()).fill_null(-1).to_numpy(zero_copy_only=False)
        return Encoded(np.asarray(codes, np.int32), (INCORRECT, CORRECT))
    return encode(table["label"])


def _groups(table: pa.Table, within: GroupPath) -> Encoded:
    labels, paths = encode(table["label"]), label_paths(table)
    parts = [paths[label][: len(within) + 1] for label in labels.values]
    texts = [path_text(part) if is_below(part, within) and len(part) > len(within) else "" for part in parts]
    names = tuple(dict.fromkeys(filter(None, texts)))
    codes = np.array([*(names.index(text) if text else -1 for text in texts), -1], np.int32)
    return Encoded(codes[labels.codes], names)
