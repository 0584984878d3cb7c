"""From concepts to labels: what is said as a fact, what takes it back, what is more specific."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dsar.core.message import Label
from dsar.reading.engine import Hit, Tagged

FINAL = (Label.FULFILLED_ACCESS, Label.FULFILLED_ERASURE, Label.NO_DATA_HELD)
"""Labels that would end a case: never given unless the words say so plainly."""


_OBJECTS = ("data", "account", "all", "deletion", "systems", "address", "name", "gone")
"""What is erased; a message or a request that was deleted is no erasure of data."""
_SHORT = 8
"""Words of a note that is a fact without any verb."""


@dataclass
class Findings:
    """The concepts of one message. has_file: a document is attached; right: what was asked for."""

    hits: Sequence[Hit]
    tagged: Sequence[Tagged]
    has_file: bool = False
    right: str = ""
    late: bool = False
    scores: dict[Label, float] = field(default_factory=dict)
    where: dict[Label, int] = field(default_factory=dict)

    def of(self, *concepts: str) -> list[Hit]:
        """The hits of some concepts."""
        return [h for h in self.hits if h.concept in concepts]

    def facts(self, *concepts: str) -> list[Hit]:
        """Those that are said to have happened."""
        return [h for h in self.of(*concepts) if h.is_fact]

    def has(self, hit: Hit, name: str) -> bool:
        """Whether a word class occurs in the sentence of a hit."""
        return self.tagged[hit.sentence].has(name)

    def spans(self, hit: Hit, name: str) -> bool:
        """Whether a word class begins within a hit."""
        return bool(self.tagged[hit.sentence].places({name}, hit.start, hit.end))

    def add(self, label: Label, hits: Iterable[Hit], weight: float = 1.0) -> None:
        """Give a label the weight of its hits, once per sentence."""
        places = sorted({h.sentence for h in hits})
        if places:
            self.scores[label] = self.scores.get(label, 0.0) + weight * len(places)
            self.where.setdefault(label, places[0])


def decide(found: Findings) -> tuple[Label, ...]:
    """Return the labels, the main one first; empty when nothing plain was said."""
    if _retraction(found):
        return (Label.ACKNOWLEDGEMENT,)
    _outcomes(found)
    _demands(found)
    _replies(found)
    return _settled(found)


def _retraction(found: Findings) -> bool:
    hits = [h for h in found.of("retracts") if not h.conditional]
    found.add(Label.ACKNOWLEDGEMENT, hits)
    return bool(hits)


def _outcomes(found: Findings) -> None:
    """Erased, given, nothing held, or part of it."""
    done = [h for h in (*found.facts("erased"), *_headlines(found)) if not _opens_if(found, h)]
    erased = [h for h in done if not _is_only_mailing(found, h) and not _is_about_request(found, h)]
    unsubscribed = _unsubscribed(found) + [
        h for h in done if _is_only_mailing(found, h)]
    given = _given(found)
    kept = _kept(found, erased)
    withheld = [h for h in found.of("withheld") if not (h.conditional or h.question or h.reported)
                and not found.has(h, "portal") and not found.has(h, "id")]
    partly = [h for h in found.of("partly") if not (h.conditional or h.question or h.reported)]
    nothing = _nothing(found)
    if (erased or given) and not (kept or partly or withheld):
        partly = _outstanding(found) or (_kept_some(found, erased) if erased else [])
    if erased and (kept or partly or withheld):
        found.add(Label.PARTIAL_FULFILMENT, [*erased, *kept, *partly], 2)
    elif given and (withheld or partly):
        found.add(Label.PARTIAL_FULFILMENT, [*given, *withheld, *partly], 2)
    else:
        found.add(Label.FULFILLED_ERASURE, erased, 2)
        found.add(Label.FULFILLED_ACCESS, given, 2)
    if unsubscribed and not erased and not given:
        found.add(Label.PARTIAL_FULFILMENT, unsubscribed, 2)
    if nothing and not erased and not given:
        found.add(Label.NO_DATA_HELD, nothing, 2)
    if kept and not erased and not given:
        late = [h for h in kept if found.tagged[h.sentence].places({"yet"}, h.start - 3, h.end + 1)]
        found.add(Label.ACKNOWLEDGEMENT, late)
        barred = [h for h in kept if h.concept == "not_deleted" and h not in late]
        found.add(Label.REFUSAL, barred, 2)
        found.add(Label.REFUSAL, [h for h in kept if h.concept == "kept"], 0.6)
    if withheld and not given and not erased:
        found.add(Label.REFUSAL, withheld, 0.6)


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
    return [h for h in found.of("kept_some") if h.sentence not in done
            and not (h.negated or h.question or h.reported or h.conditional)
            and not (found.has(h, "request") or found.has(h, "suppression")
                     or found.has(h, "none") or found.has(h, "undone"))]


def _outstanding(found: Findings) -> list[Hit]:
    """More time is taken for what is not yet given."""
    return [h for h in found.of("extends") if not (h.conditional or h.question or h.reported
                                                   or h.negated or _is_only_possible(found, h))]


def _is_only_mailing(found: Findings, hit: Hit) -> bool:
    return found.has(hit, "newsletter") and not (found.has(hit, "account") or found.has(hit, "all")
                                                 or found.has(hit, "systems"))


def _is_about_request(found: Findings, hit: Hit) -> bool:
    """"Your request has been deleted" says nothing about data."""
    sentence = found.tagged[hit.sentence]
    if not any(found.has(hit, name) for name in _OBJECTS) and not found.spans(hit, "complied"):
        return True
    if found.spans(hit, "request") and found.spans(hit, "confirm"):
        return True
    near = (hit.start - 4, hit.end)
    own = sentence.places(set(_OBJECTS) - {"deletion"}, *near)
    return not own and bool(sentence.places({"request", "letter", "password"}, *near)) and (
        not found.spans(hit, "deletion"))


def _given(found: Findings) -> list[Hit]:
    given = [h for h in found.facts("given", "listing")
             if not found.has(h, "id") and not found.has(h, "blank_form")]
    given += [h for h in found.of("ready") if not (h.negated or h.future or h.conditional
              or h.question) and not found.has(h, "password_asked")]
    given += [h for h in found.facts("password_given") if not found.has(h, "enter")]
    asked = {h.sentence for h in found.of("ask_secret", "use_portal")}
    return [h for h in given if h.concept in ("given", "listing") or h.sentence not in asked]


def _kept(found: Findings, erased: list[Hit]) -> list[Hit]:
    done = {h.sentence for h in erased}
    kept = [h for h in found.of("kept") if not (h.negated or h.question or h.reported)
            and not (found.has(h, "request") and not found.has(h, "law"))
            and not found.has(h, "suppression")]
    barred = [h for h in found.of("not_deleted")
              if not (h.conditional or h.question or h.reported) and h.sentence not in done
              and not found.has(h, "undone")]
    return [*kept, *barred]


def _nothing(found: Findings) -> list[Hit]:
    claims = {h.sentence for h in found.of("not_our_claim")}
    return [h for h in found.of("nothing") if h.sentence not in claims
            and not (h.conditional or h.future or h.question or h.reported)
            and not found.spans(h, "further") and not found.has(h, "special")
            and not _is_dealing(found, h)]


def _is_dealing(found: Findings, hit: Hit) -> bool:
    """Whether nothing is given away or received, which says nothing of what is held."""
    if found.has(hit, "transfer"):
        return True
    if found.has(hit, "received") and not (found.has(hit, "hold") or found.has(hit, "found")):
        return True
    plain = found.spans(hit, "nothing_phrase")
    return found.has(hit, "id") or (not plain and found.has(hit, "give"))


def _demands(found: Findings) -> None:
    """What the sender wants: proof, detail, time, money."""
    identity = [h for h in found.of("ask_identity") if not h.negated or found.spans(h, "without")]
    if not found.facts("satisfied"):
        found.add(Label.IDENTITY_REQUEST, identity, 2.0)
    detail = [h for h in found.of("ask_detail") if not h.negated]
    found.add(Label.CLARIFICATION_REQUEST, detail, 1.2)
    asked = [h for h in found.of("asks_which") if h.question]
    found.add(Label.CLARIFICATION_REQUEST, asked, 0.7)
    extended = [h for h in found.of("extends") if not (h.conditional or h.question or h.reported)
                and not _is_only_possible(found, h)]
    found.add(Label.EXTENSION_NOTICE, extended, 1.4)
    if found.of("complex") or found.late:
        promised = [h for h in found.of("promise") if not h.conditional and not h.question]
        found.add(Label.EXTENSION_NOTICE, promised, 1.4)
    fees = [h for h in found.of("fee") if not (h.negated or h.conditional)
            and not found.has(h, "free") and not _is_only_possible(found, h)]
    found.add(Label.FEE_DEMAND, fees, 1.5)


def _is_only_possible(found: Findings, hit: Hit) -> bool:
    """"may be extended": what the law allows, and no notice; "cannot answer in time" is one."""
    sentence = found.tagged[hit.sentence]
    near = (hit.start - 8, hit.end)
    return bool(sentence.places({"may"}, *near)) and not sentence.places({"neg", "cannot"}, *near)


def _replies(found: Findings) -> None:
    """Refused, sent elsewhere, received, away, or no answer at all."""
    refused = [h for h in found.of("refuses") if not (h.conditional or h.question)]
    found.add(Label.REFUSAL, refused, 1.0)
    if refused:
        found.add(Label.REFUSAL, found.of("overrides"), 0.3)
    closed = [h for h in found.of("closed_unserved") if not (h.conditional or h.future)]
    found.add(Label.REFUSAL, closed, 1.6)
    portal = [h for h in found.of("use_portal") if not (h.conditional and h.question)]
    found.add(Label.REDIRECT_TO_PORTAL, portal, 1.3)
    other = [h for h in found.of("other_controller") if not (h.conditional or h.question)]
    found.add(Label.REDIRECT_TO_OTHER_CONTROLLER, other, 1.5)
    received = [h for h in found.of("received", "works", "will_erase") if not h.negated]
    found.add(Label.ACKNOWLEDGEMENT, received, 0.8)
    found.add(Label.AUTO_REPLY, found.of("away", "left", "office_closed"), 2)
    found.add(Label.UNRELATED, found.of("marketing"), 0.9)


def _settled(found: Findings) -> tuple[Label, ...]:
    """Drop what another label explains better, and put the strongest first."""
    scores = dict(found.scores)
    outcome = [la for la in (Label.PARTIAL_FULFILMENT, *FINAL) if la in scores]
    if outcome:
        return _with_outcome(found, scores, outcome)
    _drop_explained(scores, found)
    if not scores:
        return ()
    ranked = sorted(scores, key=lambda la: -scores[la])
    best = scores[ranked[0]]
    together = [la for la in ranked if scores[la] >= 1.0 and scores[la] >= best * 0.45]
    return tuple(_compatible(together or ranked[:1]))


def _with_outcome(
    found: Findings, scores: dict[Label, float], outcome: list[Label]
) -> tuple[Label, ...]:
    asks = max(scores.get(Label.IDENTITY_REQUEST, 0), scores.get(Label.CLARIFICATION_REQUEST, 0))
    if outcome == [Label.NO_DATA_HELD] and any(t.sentence.is_question for t in found.tagged):
        found.add(Label.CLARIFICATION_REQUEST, found.of("nothing"), 1.5)
        scores, asks = dict(found.scores), 2.0
    if outcome == [Label.NO_DATA_HELD] and asks >= 1.2:
        scores.pop(Label.NO_DATA_HELD)
        found.scores.pop(Label.NO_DATA_HELD)
        return _settled(found)
    extra = [Label.EXTENSION_NOTICE] if (
        Label.PARTIAL_FULFILMENT in outcome and scores.get(Label.EXTENSION_NOTICE, 0) >= 1.4
    ) else []
    return (*sorted(outcome, key=lambda la: -scores[la]), *extra)


_EXPLAINS: tuple[tuple[Label, tuple[Label, ...]], ...] = (
    (Label.AUTO_REPLY, (Label.REDIRECT_TO_OTHER_CONTROLLER, Label.CLARIFICATION_REQUEST,
                        Label.REFUSAL, Label.REDIRECT_TO_PORTAL)),
    (Label.EXTENSION_NOTICE, (Label.REFUSAL, Label.ACKNOWLEDGEMENT)),
    (Label.IDENTITY_REQUEST, (Label.REFUSAL, Label.ACKNOWLEDGEMENT)),
    (Label.REDIRECT_TO_PORTAL, (Label.REFUSAL, Label.ACKNOWLEDGEMENT)),
    (Label.REDIRECT_TO_OTHER_CONTROLLER, (Label.REFUSAL, Label.ACKNOWLEDGEMENT)),
    (Label.FEE_DEMAND, (Label.REFUSAL, Label.ACKNOWLEDGEMENT, Label.UNRELATED)),
    (Label.CLARIFICATION_REQUEST, (Label.ACKNOWLEDGEMENT,)),
    (Label.REFUSAL, (Label.ACKNOWLEDGEMENT,)),
)
"""A label, and what is only its wrapping when both are found."""


def _drop_explained(scores: dict[Label, float], found: Findings) -> None:
    closed = any(not h.conditional for h in found.of("closed_unserved"))
    if closed and Label.REFUSAL in scores:
        scores.pop(Label.IDENTITY_REQUEST, None)
    for strong, weak in _EXPLAINS:
        if scores.get(strong, 0) < 1.0:
            continue
        for label in weak:
            limit = 2.0 * scores[strong] if label is Label.REFUSAL else 99.0
            if label in scores and scores[label] <= limit:
                scores.pop(label)
    topical = [la for la in scores if la is not Label.UNRELATED]
    if topical and Label.UNRELATED in scores and max(scores[la] for la in topical) >= 1.0:
        scores.pop(Label.UNRELATED)


_EXCLUSIVE = (
    (Label.IDENTITY_REQUEST, Label.CLARIFICATION_REQUEST),
    (Label.IDENTITY_REQUEST, Label.REDIRECT_TO_PORTAL),
    (Label.REDIRECT_TO_PORTAL, Label.REDIRECT_TO_OTHER_CONTROLLER),
    (Label.REDIRECT_TO_PORTAL, Label.CLARIFICATION_REQUEST),
    (Label.REDIRECT_TO_OTHER_CONTROLLER, Label.CLARIFICATION_REQUEST),
    (Label.REFUSAL, Label.CLARIFICATION_REQUEST),
    (Label.AUTO_REPLY, Label.ACKNOWLEDGEMENT),
    (Label.AUTO_REPLY, Label.EXTENSION_NOTICE),
    (Label.EXTENSION_NOTICE, Label.CLARIFICATION_REQUEST),
    (Label.EXTENSION_NOTICE, Label.REDIRECT_TO_PORTAL),
    (Label.REFUSAL, Label.REDIRECT_TO_PORTAL),
    (Label.REFUSAL, Label.REDIRECT_TO_OTHER_CONTROLLER),
    (Label.REFUSAL, Label.IDENTITY_REQUEST),
    (Label.REFUSAL, Label.EXTENSION_NOTICE),
    (Label.UNRELATED, Label.FEE_DEMAND),
)


def _compatible(ranked: list[Label]) -> list[Label]:
    """Keep the stronger of two labels that one answer rarely bears together."""
    kept: list[Label] = []
    for label in ranked:
        if not any({label, other} == set(pair) for other in kept for pair in _EXCLUSIVE):
            kept.append(label)
    return kept[:3]
