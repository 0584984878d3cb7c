"""The command that helps next where the person has to look, or where an answer came."""

from __future__ import annotations

from dsar.core.course import Course
from dsar.core.message import Label
from dsar.core.needs import ANSWERS, ASKS, NO_ANSWER_TO

BY_NEED: dict[str, str] = {
    "a reply waits to be read": "dsar inbox triage",
    ASKS[Label.IDENTITY_REQUEST]: "dsar remind {case} --asked-for TEXT",
    ASKS[Label.CLARIFICATION_REQUEST]: "dsar case set {case} clarification-provided",
    ASKS[Label.REDIRECT_TO_PORTAL]: "dsar remind {case}",
    ASKS[Label.REDIRECT_TO_OTHER_CONTROLLER]: "dsar remind {case}",
    ASKS[Label.FEE_DEMAND]: "dsar remind {case}",
    "the complaint came back": "dsar complain {case}",
}
"""Why a person has to look (core/needs.py) → the first thing to do about it."""


def when_needed(of: Course) -> str:
    """What to do about the open question; going through the answer where it did something else."""
    return BY_NEED.get(of.needs, "dsar case check {case}")


def when_answered(of: Course) -> str:
    """A whole answer ends the case; one in part is gone through, and a refusal questioned.

    After a follow-up the authority comes next, and after a complaint one waits for it.
    """
    label = _answer(of)
    if label not in (Label.PARTIAL_FULFILMENT, Label.REFUSAL):
        return "dsar case close {case}"
    if of.complaint:
        return ""
    if any(not s.bounced for s in of.reminders):
        return "dsar complain {case}"
    checked = of.checked is not None and bool(of.checked.missing)
    return "dsar remind {case}" if label is Label.REFUSAL or checked else "dsar case check {case}"


def _answer(of: Course) -> Label | None:
    """The latest answer that a person confirmed."""
    given = [Label(label) for heard in reversed(of.replies) for label in heard.confirmed or ()]
    return next((label for label in given if label in ANSWERS
                 and label is not NO_ANSWER_TO.get(of.right)), None)
