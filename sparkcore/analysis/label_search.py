"""Search for classes by words: "dog" finds all dogs by their group, and not the hotdog."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from sparkcore.classes import normalize

# Endings of plurals, and what singulars have in their place.
_PLURALS = (("ves", "f"), ("ies", "y"), ("es", ""), ("s", ""))
_SHORTEST = 4  # letters of a word that may be a plural

_Words = tuple[frozenset[str], ...]


def search(query: str, entries: Sequence[str]) -> list[bool]:
    """Tell for each entry, a class with its groups as one text, whether a query finds it.

    All words of the query must be words of the entry, in singular or plural; commas separate alternatives. Where an
    alternative finds nothing so, its words may be the beginnings of words.
    """
    found = [False] * len(entries)
    known = [frozenset[str]().union(*_words(entry)) for entry in entries]
    for wanted in filter(None, map(_words, query.split(","))):
        hits = [all(forms & words for forms in wanted) for words in known]
        if not any(hits):
            hits = [all(_begins(forms, words) for forms in wanted) for words in known]
        found = [one or hit for one, hit in zip(found, hits, strict=True)]
    return found


def _begins(forms: frozenset[str], words: frozenset[str]) -> bool:
    return any(word.startswith(tuple(forms)) for word in words)


@lru_cache(maxsize=8192)
def _words(text: str) -> _Words:
    """Return the words of a text, each with the singulars that it may have."""
    return tuple(map(_forms, re.findall(r"\w+", normalize(text))))


def _forms(word: str) -> frozenset[str]:
    if len(word) < _SHORTEST or word.endswith("ss"):
        return frozenset({word})
    singulars = (word.removesuffix(end) + start for end, start in _PLURALS if word.endswith(end))
    return frozenset({word, *singulars})
