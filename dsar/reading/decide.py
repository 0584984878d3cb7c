"""From concepts to labels: what is said as a fact, what takes it back, what is more specific."""

from __future__ import annotations

from dsar.core.message import Label
from dsar.reading.contest import is_taken_back, needs_no_proof, unmatched
from dsar.reading.engine import Hit
from dsar.reading.findings import Findings, is_only_possible
from dsar.reading.outcomes import weigh_outcomes

FINAL = (Label.FULFILLED_ACCESS, Label.FULFILLED_ERASURE, Label.NO_DATA_HELD)
"""Labels that would end a case: never given unless the words say so plainly."""


def decide(found: Findings) -> tuple[Label, ...]:
    """Return the labels, the main one first; empty when nothing plain was said."""
    if _retraction(found):
        return (Label.ACKNOWLEDGEMENT,)
    weigh_outcomes(found)
    _demands(found)
    _replies(found)
    return _settled(found)


def _retraction(found: Findings) -> bool:
    hits = [h for h in found.of("retracts") if not h.conditional]
    found.add(Label.ACKNOWLEDGEMENT, hits)
    return bool(hits)


def _demands(found: Findings) -> None:
    """What the sender wants: proof, detail, time, money."""
    identity = [h for h in found.of("ask_identity") if not needs_no_proof(found, h)]
    if not found.facts("satisfied"):
        found.add(Label.IDENTITY_REQUEST, identity, 2.0)
    detail = [h for h in found.of("ask_detail") if not h.negated and not _tells_nothing(found, h)]
    found.add(Label.CLARIFICATION_REQUEST, detail, 1.2)
    found.add(Label.CLARIFICATION_REQUEST, unmatched(found), 2.2)
    asked = [h for h in found.of("asks_which") if h.question]
    of_you = [h for h in asked if found.has(h, "you") or found.has(h, "data")]
    found.add(Label.CLARIFICATION_REQUEST, of_you or asked, 1.0 if of_you else 0.7)
    extended = [h for h in found.of("extends") if not (h.question or h.reported)
                and (not h.conditional or found.has(h, "purpose")) and not found.has(h, "noneed")
                and not is_only_possible(found, h)]
    found.add(Label.EXTENSION_NOTICE, extended, 1.4)
    if found.of("complex") or found.late:
        promised = [h for h in found.of("promise") if not h.conditional and not h.question]
        found.add(Label.EXTENSION_NOTICE, promised, 1.4)
    fees = [h for h in found.of("fee") if not h.negated
            and (not h.conditional or found.has(h, "purpose"))
            and not found.has(h, "free") and not is_only_possible(found, h)]
    found.add(Label.FEE_DEMAND, fees, 1.5)


def _tells_nothing(found: Findings, hit: Hit) -> bool:
    """"We can tell you that there are no data" asks for nothing."""
    return any(h.sentence == hit.sentence and hit.start < h.start < hit.end
               for h in found.facts("nothing"))


def _replies(found: Findings) -> None:
    """Refused, sent elsewhere, received, away, or no answer at all."""
    refused = [h for h in found.of("refuses") if not (h.conditional or h.question)
               and not is_taken_back(found, h)]
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
    found.add(Label.ACKNOWLEDGEMENT, found.facts("waits")[:1], 0.4)
    away = [h for h in found.of("away", "left", "office_closed") if not found.spans(h, "id")]
    found.add(Label.AUTO_REPLY, away, 2)
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
    done = outcome[0]
    demands = _FURTHER[1:] if done is Label.FULFILLED_ERASURE else _FURTHER[1:3]
    if len(outcome) == 1 and done in _DONE and any(
            scores.get(la, 0) >= least for la, least in demands):
        outcome = [Label.PARTIAL_FULFILMENT]
        found.where[Label.PARTIAL_FULFILMENT] = found.where[done]
        scores[Label.PARTIAL_FULFILMENT] = scores.pop(done)
        found.scores = scores
    extra = [la for la, least in _FURTHER if Label.PARTIAL_FULFILMENT in outcome
             and scores.get(la, 0) >= least and found.where[la] != found.where[outcome[0]]]
    return (*sorted(outcome, key=lambda la: -scores[la]), *extra[:1])


_DONE = (Label.FULFILLED_ERASURE, Label.FULFILLED_ACCESS)
_FURTHER = ((Label.EXTENSION_NOTICE, 1.4), (Label.IDENTITY_REQUEST, 2.0), (Label.FEE_DEMAND, 1.5),
            (Label.REDIRECT_TO_OTHER_CONTROLLER, 1.5))
"""What a part of an answer may come with, and the least weight of it."""


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
