"""Whether a sentence vouches for what a part of it says: no guess, no custom, nothing open."""

from __future__ import annotations

from dsar.reading.engine import Hit
from dsar.reading.findings import Findings

_PARTS = frozenset(";–—")
"""What ends a statement within a sentence: a custom told after it is another one."""
_DENIED = frozenset({"neg", "cannot"})


def is_certain(found: Findings, hit: Hit) -> bool:
    """Whether the whole sentence stands behind a deed, not only the clause of the hit.

    "We cannot confirm that your data were deleted", "probably deleted" are no deeds.
    """
    sentence = found.tagged[hit.sentence]
    if sentence.has("unsure") or _is_custom(found, hit):
        return False
    return not _is_denied(found, hit) and not is_detail(found, hit)


def _is_custom(found: Findings, hit: Hit) -> bool:
    """"Customers' data are deleted" tells what is done with everybody's."""
    if hit.concept not in ("erased", "headline", "nothing"):
        return False
    sentence = found.tagged[hit.sentence]
    tokens = sentence.sentence.tokens
    end = next((i for i in range(hit.end, len(tokens)) if tokens[i] in _PARTS), len(tokens))
    return bool(sentence.places({"habit"}, 0, end))


def _is_denied(found: Findings, hit: Hit) -> bool:
    """A negation anywhere before the deed; one within it belongs to its pattern."""
    return bool(found.tagged[hit.sentence].places(_DENIED, 0, hit.start))


def is_detail(found: Findings, hit: Hit) -> bool:
    """A card taken off an account is not the account."""
    if hit.concept not in ("erased", "headline") or found.has(hit, "all"):
        return False
    return bool(found.tagged[hit.sentence].places({"detail"}, hit.start - 4, hit.end))


def is_final_search(found: Findings, hit: Hit) -> bool:
    """Whether nothing was found at the end of a search, and not on the way."""
    sentence = found.tagged[hit.sentence]
    if sentence.has("unsure") or _is_custom(found, hit):
        return False
    if sentence.places({"but"}, hit.end, len(sentence.tags)):
        return False
    if sentence.places({"detail"}, hit.start, hit.end + 2):
        return False
    return not any(t.has("pending") for t in found.tagged)
