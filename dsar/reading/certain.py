"""Whether a sentence vouches for what a part of it says: no guess, no custom, nothing open."""

from __future__ import annotations

from dsar.reading.engine import Hit, Tagged
from dsar.reading.findings import Findings

_PARTS = frozenset(";–—")
"""What ends a statement within a sentence: a custom told after it is another one."""
_DENIED = frozenset({"neg", "cannot"})


def is_certain(found: Findings, hit: Hit) -> bool:
    """Whether the whole sentence stands behind a deed, not only the clause of the hit.

    "We cannot confirm that your data were deleted", "probably deleted" are no deeds.
    """
    sentence = found.tagged[hit.sentence]
    if sentence.has("unsure") or sentence.has("sofar") or _is_elsewhere(sentence, hit):
        return False
    if _is_custom(found, hit):
        return False
    if _hangs_on_condition(found, hit) or _is_no_gift(found, hit) or _is_rule(sentence, hit):
        return False
    return not _is_denied(found, hit) and not is_detail(found, hit)


_ELSEWHERE = frozenset({"unreal", "upon", "former", "instead", "agent", "press"})
"""What governs a deed told after it: a wish, a completion to come, an earlier message,
somebody else, a button to press."""


def _is_elsewhere(sentence: Tagged, hit: Hit) -> bool:
    """"We would have deleted", "after the review it is deleted", "our message that it is"."""
    if sentence.places(_ELSEWHERE, 0, hit.start + 1) or sentence.places(
            _ELSEWHERE - {"agent", "press"}, hit.start, hit.end):
        return True
    if sentence.places({"upon"}, hit.end, hit.end + 8):
        return True
    if hit.concept not in ("erased", "headline"):
        return False
    asked = sentence.places({"id"}, 0, hit.end) and not sentence.has("noneed")
    return sentence.has("other_person") or bool(asked)


_UNITS = frozenset({"unit_days", "unit_weeks", "unit_months", "unit_years"})


def _is_rule(sentence: Tagged, hit: Hit) -> bool:
    """"Deleted thirty days after approval": a length that begins at some event."""
    lengths = sentence.places(_UNITS, hit.start, hit.end + 6)
    return any(sentence.places({"near_cond", "cond"}, i + 1, i + 3) for i in lengths)


def _hangs_on_condition(found: Findings, hit: Hit) -> bool:
    """"deleted when it is no longer needed", "after our audit": said of no day past."""
    sentence = found.tagged[hit.sentence]
    handed = hit.concept in ("given", "listing")
    end = hit.end + 3 if handed else _part_end(sentence, hit)
    rest = min(sentence.places({"except", "keep"}, hit.end, end), default=end)
    after = [i for i in sentence.places({"cond"}, hit.end, rest)
             if not sentence.places({"past_perfect"}, i, i + 6)]
    return bool(after or sentence.places({"near_cond"}, hit.end, hit.end + 1))


def _is_no_gift(found: Findings, hit: Hit) -> bool:
    """Data given to others, none at all, or our own request passed on, is no answer."""
    if hit.concept not in ("given", "listing"):
        return False
    if any(found.has(hit, name) for name in ("anyones", "to_third")) or any(
            found.spans(hit, name) for name in ("none", "nolonger")):
        return True
    if found.facts("fee") and not found.has(hit, "attached"):
        return True
    sentence = found.tagged[hit.sentence]
    if found.has(hit, "deleted") and not any(found.has(hit, n) for n in _HANDED):
        return True
    if _is_promise(sentence) or _is_only_named(found, hit):
        return True
    asked = sentence.places({"request"}, hit.start + 1, hit.end)
    return bool(asked) and not sentence.places({"overview"}, hit.start, hit.end)


def _is_promise(sentence: Tagged) -> bool:
    """"By 12 June we send you a copy": a day to come, and nothing enclosed."""
    if any(sentence.has(name) for name in ("attached", "by_post")):
        return False
    ends = sentence.places({"deadline"}, 0, len(sentence.tags))
    return any(sentence.places({"number"}, i - 3, i + 4) for i in ends)


def _is_only_named(found: Findings, hit: Hit) -> bool:
    """"All the data we hold about you" names them; to be given, something must hand them over."""
    if not (found.spans(hit, "given_phrase") and found.spans(hit, "data")):
        return False
    return not any(t.has(name) for t in found.tagged for name in _PASSED)


_PASSED = ("attached", "given", "give_now", "by_post", "here", "download")
"""What passes a thing on, in whichever sentence."""
_HANDED = ("attached", "given", "give_now", "by_post", "given_phrase", "following")
"""Words for handing over; "hereby" alone is none."""


def _is_custom(found: Findings, hit: Hit) -> bool:
    """"Customers' data are deleted" tells what is done with everybody's."""
    if hit.concept not in ("erased", "headline", "nothing"):
        return False
    sentence = found.tagged[hit.sentence]
    customs = sentence.places({"habit"}, 0, _part_end(sentence, hit))
    return any(not sentence.places({"you", "about_you"}, i, i + 6) for i in customs)


def _part_end(sentence: Tagged, hit: Hit) -> int:
    tokens = sentence.sentence.tokens
    return next((i for i in range(hit.end, len(tokens)) if tokens[i] in _PARTS), len(tokens))


def _is_denied(found: Findings, hit: Hit) -> bool:
    """A negation anywhere before the deed; one within it belongs to its pattern."""
    return bool(found.tagged[hit.sentence].places(_DENIED, 0, hit.start))


def is_detail(found: Findings, hit: Hit) -> bool:
    """A card taken off an account is not the account, nor is an address taken off a list."""
    if hit.concept not in ("erased", "headline") or found.has(hit, "all"):
        return False
    sentence = found.tagged[hit.sentence]
    if sentence.places({"address", "name"}, hit.start - 6, hit.end + 4) and not any(
            sentence.has(name) for name in _WHOLE):
        return True
    single = sentence.places({"detail"}, hit.start - 4, hit.end)
    return bool(single) and not sentence.places({"account", "data"}, 0, single[0])


_WHOLE = ("data", "account", "all", "systems", "gone", "erased_phrase", "newsletter")
"""What an erasure is of, when it is one."""


def is_final_search(found: Findings, hit: Hit) -> bool:
    """Whether nothing was found at the end of a search, and not on the way."""
    sentence = found.tagged[hit.sentence]
    if sentence.has("unsure") or _is_custom(found, hit):
        return False
    if sentence.has("sofar") and not _is_state(found, hit):
        return False
    if sentence.places({"but"}, hit.end, len(sentence.tags)):
        return False
    if _is_narrowed(sentence, hit):
        return False
    if sentence.places({"detail"}, hit.start, hit.end + 2) or found.has(hit, "to_third"):
        return False
    return not (_is_of_request(found, hit) or _is_of_no_data(found, hit))


def _is_narrowed(sentence: Tagged, hit: Hit) -> bool:
    """"No data that we would have to delete" does not say that there are none."""
    clause = sentence.places({"relative"}, hit.end, hit.end + 8)
    narrowing = {"must", "modal", "delete", "deletion", "disclose", "give", "obliged", "unreal"}
    return bool(clause) and bool(sentence.places(narrowing, clause[0], len(sentence.tags)))


def _is_state(found: Findings, hit: Hit) -> bool:
    """"At present we hold nothing" is an answer, "so far we found nothing" is none."""
    return not any(found.has(hit, name) for name in ("found", "search", "found_not"))


def _is_of_request(found: Findings, hit: Hit) -> bool:
    """"No record of your earlier request", "no request from you" speak of letters."""
    asked = found.tagged[hit.sentence].places({"request"}, hit.start, hit.end + 5)
    return bool(asked) and not (found.spans(hit, "data") and found.spans(hit, "found"))


_ABOUT = ("data", "you", "about_you", "found", "listed", "nothing_phrase", "unknown", "address",
          "name", "account", "any", "copy", "absent", "search", "result")
"""What can be missing when nothing is held."""


def _is_of_no_data(found: Findings, hit: Hit) -> bool:
    """"We have no officer", "no information on when" say nothing of the person's data."""
    after = found.tagged[hit.sentence].places({"cond"}, hit.end, hit.end + 2)
    return bool(after) or not any(found.spans(hit, name) for name in _ABOUT)
