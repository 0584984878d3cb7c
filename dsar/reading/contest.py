"""Whether what was done stands alone: what else a message says that keeps its case open."""

from __future__ import annotations

from collections.abc import Sequence

from dsar.reading.engine import Hit, Tagged
from dsar.reading.findings import Findings

_NOT_GIVEN = ("neg", "cannot")
_HANDING = frozenset({"give", "disclose", "give_now", "given", "send_do", "attach_do"})


def is_at_hand(found: Findings, hit: Hit) -> bool:
    """Whether what is ready can be had now: a link or a file, and nothing asked for it.

    "Your records are ready for collection", "released against a passport" hand over nothing.
    """
    if any(t.has("against") for t in found.tagged) or _is_asked_for(found):
        return False
    return any(found.has(hit, name) for name in ("download", "attached", "here")) or any(
        _has_address(t) or t.has("attached") or t.has("password") for t in found.tagged)


def _is_asked_for(found: Findings) -> bool:
    """Proof or money is wanted before anything is given."""
    proof = [h for h in found.of("ask_identity") if not needs_no_proof(found, h)]
    return bool(proof or found.facts("fee"))


def _has_address(sentence: Tagged) -> bool:
    return any(token.startswith(("http", "www.")) for token in sentence.sentence.tokens)


def needs_no_proof(found: Findings, hit: Hit) -> bool:
    """"No need to send your passport", "ordinarily we would ask": nothing is asked for."""
    sentence = found.tagged[hit.sentence]
    if is_spared(sentence) or sentence.places({"unreal"}, 0, hit.start):
        return True
    return hit.negated and not found.spans(hit, "without")


def is_spared(sentence: Tagged) -> bool:
    """"Not necessary", "no proof of identity is needed"."""
    none = sentence.places({"none"}, 0, len(sentence.tags))
    return sentence.has("noneed") or any(sentence.places({"id"}, i + 1, i + 4) for i in none)


def contesting(found: Findings, done: Sequence[Hit]) -> list[Hit]:
    """Hits of the deed where another sentence says that something is left, or refused.

    Rather read "partly" too often than an end once too often.
    """
    own = {h.sentence for h in done}
    waits = any(_leaves_open(t) for n, t in enumerate(found.tagged) if n not in own
                and not any(a.has("mistaken") for a in found.tagged[n:n + 2]))
    refused = [h for h in found.facts("refuses")
               if h.sentence not in own and not is_taken_back(found, h)]
    gone = [h for h in done if h.concept in ("erased", "headline")]
    denied = gone and any(_lacks(t) and not any(t.has(name) for name in ("none", *_NO_MORE))
                          for n, t in enumerate(found.tagged) if n not in own)
    return [*done] if waits or refused or denied else []


_NO_MORE = ("keep", "hold", "copy", "remain_verb", "gone", "erased_phrase", "nolonger",
            "login_verb", "received", "newsletter", "letter", "contact", "contain", "found",
            "nothing_phrase", "mistaken", "refused", "use", "farewell")
"""What is not kept, not held and not written any more, once everything is gone."""
_LEFT = frozenset({"pending", "follow", "later"})
_HARMLESS = ("undone", "login_verb", "sign_in", "by_email", "further", "password", "nolonger",
             "farewell")
"""What cannot be done any more once everything is gone."""


def _leaves_open(sentence: Tagged) -> bool:
    """Something is to come, or cannot be done; "cannot be restored" leaves nothing."""
    if sentence.places({"cond"}, 0, 3):
        return False
    if any(sentence.has(name) for name in _LEFT):
        return not sentence.has("password")
    return sentence.has("cannot") and not any(sentence.has(name) for name in _HARMLESS)


def withheld_elsewhere(found: Findings, given: Sequence[Hit]) -> list[Hit]:
    """Something was given, and of something else it is said that it was not."""
    own = {h.sentence for h in given}
    return [*given] if any(_denies_giving(t) or _lacks(t) for n, t in enumerate(found.tagged)
                           if n not in own) else []


_DENIALS = frozenset({"neg", "none", "cannot", "neg_found", "neg_hold", "found_not", "hold_not"})
_ASIDE = ("transfer", "special", "beside", "fee", "free", "id", "noneed", "by_email",
          "undone", "password", "to_third", "third", "profiling", "answer", "own_address", "then")
"""What an answer may say no of and yet be whole: no sale, no decision by machine, no fee."""


def _lacks(sentence: Tagged) -> bool:
    """"Older chats are not in the file": anything denied that is not one of the usual things."""
    denied = sentence.places(_DENIALS, 0, len(sentence.tags))
    return bool(denied) and not any(sentence.has(name) for name in _ASIDE) and not (
        sentence.places({"cond"}, 0, 3))


def _denies_giving(sentence: Tagged) -> bool:
    denied = sentence.places(set(_NOT_GIVEN), 0, len(sentence.tags))
    if sentence.places({"cond"}, 0, 3):
        return False
    return any(sentence.places(_HANDING, i - 4, i + 9) for i in denied) and not (
        sentence.has("third") and sentence.has("to_third"))


def unmatched(found: Findings) -> list[Hit]:
    """Hits of a sentence that found nobody, where another one asks who it may be."""
    lost = {n for n, t in enumerate(found.tagged) if t.has("unmatched")}
    asks = any(_asks(t) for n, t in enumerate(found.tagged) if n not in lost)
    asks = asks or any(found.tagged[n].sentence.is_question or found.tagged[n].has("unreal")
                       for n in lost)
    return [Hit("unmatched", n, 0, 1) for n in sorted(lost)] if asks else []


def _asks(sentence: Tagged) -> bool:
    return sentence.sentence.is_question or any(
        sentence.has(name) for name in ("ask", "send_us", "used_email", "specify", "tell_us"))


def is_taken_back(found: Findings, hit: Hit, *, deed: bool = False) -> bool:
    """"Last month we refused. That was wrong": what was said before does not hold any more.

    deed: what is told after "on reconsideration" in one sentence stands.
    """
    own = found.tagged[hit.sentence]
    if own.places({"mistaken"}, hit.end if deed else 0, len(own.tags)):
        return True
    return any(t.has("mistaken") for t in found.tagged[hit.sentence + 1:hit.sentence + 2])


def goes_on(found: Findings, hit: Hit) -> bool:
    """Another sentence says or asks what comes next, or a "but": a search is not at its end."""
    asked = [h for h in found.of("works", "promise", "ask_detail", "ask_identity")
             if not (h.conditional or h.negated) and h.sentence > hit.sentence
             and not found.has(h, "cond") and not found.has(h, "noneed")]
    return bool(asked) or any(t.has("pending") or _turns(t, after=n > hit.sentence)
               for n, t in enumerate(found.tagged) if n != hit.sentence or t.has("pending"))


def _turns(sentence: Tagged, *, after: bool) -> bool:
    if sentence.places({"cond"}, 0, 4):
        return False
    return sentence.has("then") or (after and sentence.has("but"))
