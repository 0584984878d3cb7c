"""What came of a request: erased, given, nothing held, or only part of it."""

from __future__ import annotations

from dataclasses import dataclass

from dsar.core.message import Label
from dsar.reading.certain import is_certain, is_detail, is_final_search
from dsar.reading.contest import (
    contesting,
    goes_on,
    is_at_hand,
    is_spared,
    is_taken_back,
    withheld_elsewhere,
)
from dsar.reading.engine import Hit
from dsar.reading.findings import Findings, is_only_possible

_OBJECTS = ("data", "account", "all", "deletion", "systems", "address", "name", "gone")
"""What is erased; a message or a request that was deleted is no erasure of data."""
_SHORT = 8
"""Words of a note that is a fact without any verb."""


@dataclass(frozen=True)
class _Said:
    """The statements of one message, by what they are about."""

    erased: list[Hit]
    unsubscribed: list[Hit]
    given: list[Hit]
    nothing: list[Hit]
    kept: list[Hit]
    withheld: list[Hit]
    partly: list[Hit]
    details: list[Hit]


def weigh_outcomes(found: Findings) -> None:
    """Erased, given, nothing held, or part of it; what was not done is a refusal."""
    said = _said(found)
    done = said.erased or said.given
    if done:
        _weigh_done(found, said)
        return
    found.add(Label.PARTIAL_FULFILMENT, said.unsubscribed, 2)
    own = {h.sentence for h in said.details}
    if any(h.sentence not in own for h in said.kept):
        found.add(Label.PARTIAL_FULFILMENT, said.details, 2)
    found.add(Label.NO_DATA_HELD, said.nothing, 2)
    if not said.nothing:
        found.add(Label.ACKNOWLEDGEMENT, [h for h in found.of("nothing") if goes_on(found, h)])
    some = found.facts("given_part")
    if some and (withheld_elsewhere(found, some) or said.kept or said.withheld
                 or found.facts("refuses")):
        found.add(Label.PARTIAL_FULFILMENT, some, 2)
    late = [h for h in said.kept if _is_not_yet(found, h)]
    found.add(Label.ACKNOWLEDGEMENT, late)
    barred = [h for h in said.kept if h.concept == "not_deleted" and h not in late]
    found.add(Label.REFUSAL, barred, 2)
    found.add(Label.REFUSAL, [h for h in said.kept if h.concept == "kept"], 0.6)
    found.add(Label.REFUSAL, said.withheld, 0.6)


def _weigh_done(found: Findings, said: _Said) -> None:
    """Something was done: all of it, or part, when anything else is kept, withheld or to come."""
    left = [*said.kept, *said.withheld, *said.partly] if said.erased else [
        *said.withheld, *said.partly]
    left = left or _outstanding(found) or contesting(found, [*said.erased, *said.given])
    left = left or (_kept_some(found, said.erased) if said.erased
                    else withheld_elsewhere(found, said.given))
    if left:
        found.add(Label.PARTIAL_FULFILMENT, [*said.erased, *said.given, *left], 2)
        return
    found.add(Label.FULFILLED_ERASURE, said.erased, 2)
    found.add(Label.FULFILLED_ACCESS, said.given, 2)


def _said(found: Findings) -> _Said:
    done = [h for h in (*found.facts("erased"), *_headlines(found))
            if not _opens_if(found, h) and is_certain(found, h)
            and not is_taken_back(found, h, deed=True)]
    erased = [h for h in done if not _is_only_mailing(found, h) and not _is_about_request(found, h)]
    mailing = [h for h in done if _is_only_mailing(found, h)]
    return _Said(
        erased=erased,
        unsubscribed=[*_unsubscribed(found), *mailing],
        given=_given(found),
        nothing=_nothing(found),
        kept=_kept(found, erased),
        withheld=[h for h in _said_plainly(found, "withheld")
                  if not found.has(h, "portal") and not found.has(h, "id")],
        partly=_said_plainly(found, "partly"),
        details=[h for h in found.facts("erased") if is_detail(found, h)],
    )


def _said_plainly(found: Findings, concept: str) -> list[Hit]:
    return [h for h in found.of(concept) if not (h.conditional or h.question or h.reported)]


def _is_not_yet(found: Findings, hit: Hit) -> bool:
    """"Not yet deleted" is a delay, and no refusal."""
    return bool(found.tagged[hit.sentence].places({"yet"}, hit.start - 3, hit.end + 1))


def _opens_if(found: Findings, hit: Hit) -> bool:
    """Whether the whole sentence hangs on a condition: "Once the period is over, data are …"."""
    return bool(found.tagged[hit.sentence].places({"cond"}, 0, 2))


def _unsubscribed(found: Findings) -> list[Hit]:
    """Taken off a mailing list; "you will receive no more" counts as well."""
    return [h for h in found.of("unsubscribed")
            if not (h.conditional or h.question or h.modal or h.reported)
            and (not h.future or found.spans(h, "unsubscribed_fin"))
            and (not h.negated or found.spans(h, "unsubscribed_fin"))]


def _headlines(found: Findings) -> list[Hit]:
    """A note without a verb: "Customer account deleted"."""
    bare = [h for h in found.facts("headline") if _words(found, h) <= _SHORT]
    verbs = ("modal", "future", "cond", "near_cond", "neg", "cannot", "reported", "done")
    return [h for h in bare if not any(found.has(h, v) for v in verbs)]


def _words(found: Findings, hit: Hit) -> int:
    return sum(token.isalpha() for token in found.tagged[hit.sentence].sentence.tokens)


def _kept_some(found: Findings, erased: list[Hit]) -> list[Hit]:
    """After an erasure, any other sentence on keeping or on a duty by law makes it partial.

    Rather read "partly" too often than "erased" once too often.
    """
    done = {h.sentence for h in erased}
    first = min(done)
    if any(_turns(found, n, erased) for n in range(first, len(found.tagged))):
        return erased
    return [h for h in found.of("kept_some")
            if (h.sentence not in done or h.start > max(e.end for e in erased))
            and not (h.negated or h.question or h.reported or h.conditional)
            and not (found.has(h, "request") or found.has(h, "suppression")
                     or found.has(h, "none") or found.has(h, "undone"))]


def _turns(found: Findings, number: int, erased: list[Hit]) -> bool:
    """Whether a "but" follows the erasure, in its own sentence or a later one."""
    sentence = found.tagged[number]
    start = max((e.end for e in erased if e.sentence == number), default=0)
    turns = sentence.places({"but"}, start, len(sentence.tags))
    return bool(turns) and not sentence.has("undone") and not sentence.places({"cond"}, 0, 3)


def _outstanding(found: Findings) -> list[Hit]:
    """More time is taken for what is not yet given."""
    return [h for h in found.of("extends") if not (h.conditional or h.question or h.reported
                                                   or h.negated or is_only_possible(found, h))]


def _is_only_mailing(found: Findings, hit: Hit) -> bool:
    return found.has(hit, "newsletter") and not (found.has(hit, "account") or found.has(hit, "all")
                                                 or found.has(hit, "systems"))


def _is_about_request(found: Findings, hit: Hit) -> bool:
    """"Your request has been deleted" says nothing about data."""
    sentence = found.tagged[hit.sentence]
    plain = found.spans(hit, "complied") or found.spans(hit, "erased_phrase")
    if not plain and not any(found.has(hit, name) for name in _OBJECTS):
        return True
    if found.spans(hit, "request") and found.spans(hit, "confirm"):
        return True
    near = (hit.start - 4, hit.end)
    own = sentence.places(set(_OBJECTS) - {"deletion"}, *near)
    return not own and bool(sentence.places({"request", "letter", "password"}, *near)) and (
        not found.spans(hit, "deletion"))


def _given(found: Findings) -> list[Hit]:
    given = [h for h in found.facts("given", "listing")
             if (not found.has(h, "id") or is_spared(found.tagged[h.sentence]))
             and not found.has(h, "blank_form")
             and not _is_of_letter(found, h)]
    given += [h for h in found.of("ready") if not (h.negated or h.future or h.conditional
              or h.question) and not found.has(h, "none") and is_at_hand(found, h)]
    given += [h for h in found.facts("password_given") if not found.has(h, "enter")]
    asked = {h.sentence for h in found.of("ask_secret", "use_portal")}
    return [h for h in given if is_certain(found, h) and not is_taken_back(found, h, deed=True)
            and (h.concept in ("given", "listing") or h.sentence not in asked)]


def _is_of_letter(found: Findings, hit: Hit) -> bool:
    """"A copy of your request" is no copy of data."""
    sentence = found.tagged[hit.sentence]
    near = (hit.start, hit.end + 4)
    return bool(sentence.places({"request", "letter"}, *near)) and not sentence.places(
        {"data", "overview", "all", "given_phrase", "following"}, *near)


def _kept(found: Findings, erased: list[Hit]) -> list[Hit]:
    done = {h.sentence for h in erased}
    kept = [h for h in found.of("kept") if not (h.negated or h.question or h.reported)
            and not (found.has(h, "request") and not found.has(h, "law"))
            and not found.has(h, "suppression") and not _is_no_duty(found, h)
            and not is_taken_back(found, h)]
    barred = [h for h in found.of("not_deleted")
              if not (h.conditional or h.question or h.reported) and h.sentence not in done
              and not found.has(h, "undone") and not is_taken_back(found, h)]
    return [*kept, *barred]


def _is_no_duty(found: Findings, hit: Hit) -> bool:
    """"No legal duty to keep", "we keep no data"."""
    if found.spans(hit, "none") and not found.tagged[hit.sentence].has("delete"):
        return True
    return bool(found.tagged[hit.sentence].places({"none"}, hit.start - 2, hit.start))


def _nothing(found: Findings) -> list[Hit]:
    claims = {h.sentence for h in found.of("not_our_claim", "closed_unserved")}
    return [h for h in found.of("nothing") if h.sentence not in claims
            and not (h.conditional or h.future or h.question or h.reported)
            and not found.spans(h, "further") and not found.has(h, "special")
            and not _is_dealing(found, h) and is_final_search(found, h)
            and not goes_on(found, h) and not is_taken_back(found, h)
            and not _is_mismatch(found, h)]


def _is_mismatch(found: Findings, hit: Hit) -> bool:
    """"We would have, but could not match your e-mail": nobody was found, and nothing said."""
    if found.tagged[hit.sentence].places({"unreal"}, 0, hit.end):
        return True
    said = any(found.spans(hit, name) for name in ("data", "about_you", "nothing_phrase", "listed"))
    return found.has(hit, "unmatched") and not said


def _is_dealing(found: Findings, hit: Hit) -> bool:
    """Whether it is something else that there is not: a transfer, a reason, a decision."""
    if any(found.has(hit, name) for name in ("transfer", "beside", "processor")):
        return True
    if found.has(hit, "received") and not (found.has(hit, "hold") or found.has(hit, "found")):
        return True
    plain = found.spans(hit, "nothing_phrase")
    if not plain and any(found.spans(hit, name) for name in ("delete", "deletion")):
        return True
    return found.has(hit, "id") or (not plain and found.has(hit, "give"))
