"""What a follow-up may say of a case: only what the ledger shows, and no lapse still in doubt."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from dsar.core.case import Case, Reply
from dsar.core.deadline import Deadlines
from dsar.core.letter import Stage
from dsar.core.message import Label

SHORT_TIME = timedelta(days=14)
"""How long a follow-up leaves for the answer (tool policy, no statute)."""

TIMES = (SHORT_TIME, timedelta(days=7))
"""How long the first and the last follow-up leave for the answer (tool policy, no statute)."""

DODGES: dict[Label, str] = {
    Label.PARTIAL_FULFILMENT: "incomplete",
    Label.IDENTITY_REQUEST: "identity",
    Label.REDIRECT_TO_PORTAL: "channel",
    Label.FEE_DEMAND: "fee",
    Label.EXTENSION_NOTICE: "extension",
    Label.REDIRECT_TO_OTHER_CONTROLLER: "not_controller",
    Label.REFUSAL: "refusal",
}
"""Which module of a follow-up answers what a message is."""

EVENTS: dict[Label, str] = {
    Label.ACKNOWLEDGEMENT: "acknowledged",
    Label.EXTENSION_NOTICE: "extended",
    Label.IDENTITY_REQUEST: "asked_identity",
    Label.PARTIAL_FULFILMENT: "answered_in_part",
    Label.REFUSAL: "refused",
}
"""How the story of a complaint calls a message; any other authentic one only "replied"."""

OURS: dict[Stage, str] = {
    Stage.REQUEST: "sent", Stage.REMINDER: "reminded", Stage.FOLLOW_UP: "reminded",
    Stage.COMPLAINT_FIRST: "complained",
}
"""How the story of a complaint calls a letter of ours to the company."""

NO_EVENT = frozenset({
    Label.AUTO_REPLY, Label.BOUNCE_PERMANENT, Label.BOUNCE_TEMPORARY, Label.UNRELATED,
    Label.PHISHING_SUSPECT,
})


def facts_of_case(case: Case, deadlines: Deadlines | None, today: date) -> dict[str, object]:
    """Return `sent_on`, `reply_by` and, where they hold, `acknowledged_on`, `replied_on`, `dodge`.

    `due_on` is there only once the controller is late on every defensible reading, so that no
    letter accuses one that may still be in time. `dodge` follows the latest reading, `until` is
    the date of an announced extension.
    """
    facts: dict[str, object] = {"reply_by": today + SHORT_TIME, "dodge": "silence"}
    if case.request:
        facts["sent_on"] = case.request.on
    acknowledged = next((r.received.on for r in case.replies
                         if Label.ACKNOWLEDGEMENT in labels_of(r)), None)
    if acknowledged:
        facts["acknowledged_on"] = acknowledged
    if deadlines and deadlines.answer_by and _is_late(deadlines, today):
        facts["due_on"] = deadlines.answer_by
    for reply in case.replies:
        dodge = next((DODGES[label] for label in labels_of(reply) if label in DODGES), None)
        if dodge:
            facts |= {"dodge": dodge, "replied_on": reply.received.on}
        if dodge == "extension" and reply.reading and reply.reading.new_due_on:
            facts["until"] = reply.reading.new_due_on
    return facts


def story_of(case: Case, today: date) -> tuple[tuple[date, str], ...]:
    """Return the events of a complaint by date, as ids of phrases; the last says what is missing.

    Automatic replies, bounces and doubtful senders are no part of it.
    """
    ours = [(sent.on, OURS[sent.stage]) for sent in case.letters
            if sent.stage in OURS and sent.message_id not in case.bounced]
    real = [reply for reply in case.replies if not NO_EVENT & set(labels_of(reply))]
    theirs = [(reply.received.on, word) for reply in real for word in words_of(reply)]
    end = [] if answers_in(word for _, word in theirs) else [(today, "no_answer")]
    return (*sorted([*ours, *theirs], key=lambda step: step[0]), *end)


def answers_in(words: Iterable[str]) -> bool:
    """Whether one of these words of a story says that the company answered."""
    return any(word in ("answered_in_part", "refused", "replied") for word in words)


def labels_of(reply: Reply) -> tuple[Label, ...]:
    """The labels of the reading that counts, known ones only."""
    known = set(map(str, Label))
    found = reply.reading.labels if reply.reading else ()
    return tuple(Label(label) for label in found if label in known)


def words_of(reply: Reply) -> tuple[str, ...]:
    """Everything a message is: one that asks for papers may also answer in part."""
    found = tuple(dict.fromkeys(EVENTS[label] for label in labels_of(reply) if label in EVENTS))
    return found or ("replied",)


def _is_late(deadlines: Deadlines, today: date) -> bool:
    return deadlines.complain_after is not None and today > deadlines.complain_after
