"""Which language a text is in, by its commonest words."""

from __future__ import annotations

import re

from dsar.reading.lexicon import common_words
from dsar.reading.words import fold, looks_japanese

_WORD = re.compile(r"[^\W\d_]+")
_GREEK = re.compile(r"[\u0370-\u03ff]")
_SAMPLE = 2500


def detect(text: str, fallback: str = "en") -> str:
    """Return the language of `text`, or `fallback` where too few words tell."""
    sample = text[:_SAMPLE]
    if looks_japanese(sample):
        return "ja"
    if len(_GREEK.findall(sample)) > 20:
        return "el"
    words = _WORD.findall(fold(sample))
    scores = {name: sum(w in common for w in words)
              for name, common in common_words().items() if name not in ("ja", "el")}
    best = max(scores, key=lambda name: (scores[name], name == fallback))
    if scores[best] < 2 or scores[best] < scores.get(fallback, 0) + 1:
        return fallback if fallback in scores or fallback in ("ja", "el") else best
    return best
