"""What the replies of a case ask of the person, and whether one of them was the answer."""

from __future__ import annotations

from dsar.core.case import Case, ClockEvent, IdentityProvided, Reply
from dsar.core.letter import Stage
from dsar.core.message import Label

APPLIED_BY_ITSELF = frozenset({
    Label.ACKNOWLEDGEMENT, Label.AUTO_REPLY, Label.BOUNCE_PERMANENT, Label.BOUNCE_TEMPORARY,
})
"""Machine readings that need no person: none of them moves the legal state."""

CERTAIN = 0.6
"""The confidence below which a person reads even those."""

ANSWERS = frozenset({
    Label.FULFILLED_ACCESS, Label.FULFILLED_ERASURE, Label.NO_DATA_HELD, Label.REFUSAL,
    Label.PARTIAL_FULFILMENT,
})

NO_ANSWER_TO: dict[str, Label] = {
    "access": Label.FULFILLED_ERASURE, "erasure": Label.FULFILLED_ACCESS,
}
"""What is no answer to a request: an account that was deleted in reply to a question."""

ASKS: dict[Label, str] = {
    Label.IDENTITY_REQUEST: "asks for proof of identity",
    Label.CLARIFICATION_REQUEST: "asks what exactly you want",
    Label.REDIRECT_TO_PORTAL: "sends you to a web form",
    Label.REDIRECT_TO_OTHER_CONTROLLER: "names another controller",
    Label.FEE_DEMAND: "asks for a fee",
}


def needs_you(case: Case) -> str:
    """Why a person has to look, or an empty string."""
    if case.closed:
        return ""
    if case.in_doubt:
        return "may or may not have been sent"
    if case.request is None:
        return _unsent_reason(case)
    for reply in reversed(case.replies):
        if reason := _open_question(case, reply):
            return reason
    return _complaint_came_back(case)


def _complaint_came_back(case: Case) -> str:
    """A complaint that did not arrive was not lodged, and no period of the authority runs."""
    sent = [s.message_id for s in case.letters if s.stage is Stage.COMPLAINT]
    back = sent and sent[-1] in case.bounced and case.complaint is None
    return "the complaint came back" if back else ""


def _unsent_reason(case: Case) -> str:
    if case.bounce and case.bounce.is_final and case.letters:
        return ("the address does not work" if case.bounce.permanent
                else "the letter came back, the address may work later")
    if case.refused and not case.refused.temporary:
        return "the mail server refused the letter"
    return ""


def _open_question(case: Case, reply: Reply) -> str:
    reading = reply.reading
    labels = {Label(label) for label in reading.labels} if reading else {Label.UNCLEAR}
    if waits_to_be_read(reply):
        return "a reply waits to be read"
    if NO_ANSWER_TO.get(case.facts.right) in labels and not answered_since(case, reply):
        return f"did something else, you asked for {case.facts.right}"
    for label, words in ASKS.items():
        if label in labels and not answered_since(case, reply):
            return words
    return ""


def waits_to_be_read(reply: Reply) -> bool:
    """Whether a person has to say what a reply is: nobody did, and the machine may not alone."""
    if reply.confirmed is not None:
        return False
    if reply.machine is None:
        return True
    labels = {Label(label) for label in reply.machine.labels}
    return not labels <= APPLIED_BY_ITSELF or reply.machine.confidence < CERTAIN


def answered_since(case: Case, reply: Reply, *, letters: bool = True) -> bool:
    """Whether the person did what that reply asks for since, or (`letters`) wrote about it."""
    when, left = reply.received.on, {a.message_id: a.at for a in case.attempts}
    acted = [e.on for e in case.clock if isinstance(e, IdentityProvided)
             or (isinstance(e, ClockEvent) and e.type.endswith(("_provided", "_paid")))]
    after = [left[s.message_id] > reply.received.at if s.message_id in left else s.on >= when
             for s in case.letters if s != case.request]
    return any(day >= when for day in acted) or (letters and any(after))


def confirmed_answer(case: Case) -> Label | None:
    """The latest answer that a person confirmed, or None."""
    for reply in reversed(case.replies):
        if reply.confirmed:
            for label in reply.confirmed.labels:
                if Label(label) in ANSWERS and label != NO_ANSWER_TO.get(case.facts.right):
                    return Label(label)
    return None


def is_acknowledged(case: Case) -> bool:
    """Whether any reply is read as an acknowledgement."""
    return any(r.reading and Label.ACKNOWLEDGEMENT in r.reading.labels for r in case.replies)
