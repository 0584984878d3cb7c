"""Where a case stands: nobody is late who may be in time, nothing counts that did not arrive."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from dsar.core.case import (
    Case,
    CaseEvent,
    CaseOpened,
    ClockEvent,
    DeliveryFailed,
    LetterApproved,
    LetterSent,
    ReceiptKnown,
    ReplyRead,
    ReplyReceived,
    SendAttempted,
    fold,
)
from dsar.core.letter import Stage
from dsar.core.status import Status, deadline_facts, needs_you, standing

DAY = date(2026, 10, 1)
TO = "privacy@acme.example"
OPENED = CaseOpened(on=DAY, case_id="acme", reference="DSAR-7K3M-Q2XT", subject_id="jo",
                    controller="acme", controller_name="Acme", right="access",
                    regime="eu-gdpr", language="en", country="DE", recipient=TO)


def at(hour: int, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def approved(id_: str, stage: Stage = Stage.REQUEST) -> LetterApproved:
    return LetterApproved(on=DAY, stage=stage, message_id=id_, digest="", recipient=TO, account="m")


def sent(id_: str = "<1>", on: date = DAY, stage: Stage = Stage.REQUEST, channel: str = "email"
         ) -> LetterSent:
    return LetterSent(on=on, message_id=id_, stage=stage, recipient=TO, channel=channel)


def failed(id_: str = "<1>", digest: str = "b1", **more: bool) -> DeliveryFailed:
    return DeliveryFailed(on=DAY, message_id=id_, recipient=TO, digest=digest,
                          permanent=more.get("permanent", True),
                          passing=more.get("passing", False))


def case(*events: CaseEvent) -> Case:
    return fold([OPENED, *events])


def received(found: Case) -> date:
    facts = deadline_facts(found)
    assert facts is not None
    return facts.received


def test_a_receipt_before_the_letter_that_counts_is_not_its_receipt() -> None:
    later = DAY + timedelta(days=20)
    moved = case(sent(), ReceiptKnown(on=DAY, how="said"), failed(), sent("<2>", on=later))
    assert received(moved) == later
    assert received(case(sent(), ReceiptKnown(on=DAY + timedelta(days=3), how="said"))) == (
        DAY + timedelta(days=3))


def test_a_posted_letter_is_given_time_to_arrive_unless_the_receipt_is_known() -> None:
    assert received(case(sent(channel="post"))) == DAY + timedelta(days=7)
    known = ReceiptKnown(on=DAY + timedelta(days=2), how="return receipt")
    assert received(case(sent(channel="post"), known)) == DAY + timedelta(days=2)
    assert received(case(sent(channel="webform"))) == DAY


def test_a_delay_reported_after_a_failure_does_not_mend_it() -> None:
    late = failed(digest="b2", permanent=False)
    found = case(sent(), failed(), late)
    assert standing(found, None, DAY).status is Status.BOUNCED


def test_a_letter_that_a_full_mailbox_turned_away_has_not_arrived_either() -> None:
    found = case(sent(), failed(permanent=False, passing=True))
    assert (found.request, deadline_facts(found)) == (None, None)
    assert standing(found, None, DAY).status is Status.BOUNCED
    assert needs_you(found)


def test_a_case_remembers_every_bounce_it_was_told_of() -> None:
    found = case(sent(), failed(), failed(digest="b2", permanent=False), sent("<2>"))
    assert found.bounces == {"b1", "b2"}


@pytest.mark.parametrize(("hour", "open_"), [(9, True), (17, False)])
def test_a_question_is_answered_only_by_a_letter_that_went_out_after_it(
    hour: int, open_: bool
) -> None:
    on = DAY + timedelta(days=30)
    reminder = SendAttempted(on=on, at=at(hour, on), message_id="<2>", recipient=TO, account="m")
    asked: list[CaseEvent] = [
        ReplyReceived(on=on, at=at(12, on), digest="r", message_id=None, sender=TO, subject="",
                      authentic="pass", evidence=()),
        ReplyRead(on=on, digest="r", labels=("clarification_request",), by="person")]
    found = case(sent(), *asked, approved("<2>", Stage.REMINDER), reminder,
                 sent("<2>", on=on, stage=Stage.REMINDER))
    assert bool(needs_you(found)) == open_


def test_an_answer_given_the_same_day_closes_the_question() -> None:
    found = case(
        sent(), ReplyReceived(on=DAY, at=at(12), digest="r", message_id=None, sender=TO,
                              subject="", authentic="pass", evidence=()),
        ReplyRead(on=DAY, digest="r", labels=("clarification_request",), by="person"),
        ClockEvent(on=DAY, type="clarification_provided"))
    assert needs_you(found) == ""


@pytest.mark.parametrize(("label", "confidence", "by", "waits"), [
    ("acknowledgement", 0.9, "machine", False), ("acknowledgement", 0.45, "machine", True),
    ("auto_reply", 0.4, "machine", True), ("auto_reply", 0.4, "person", False),
    ("refusal", 0.95, "machine", True), ("bounce_temporary", 0.95, "machine", False),
])
def test_only_a_certain_receipt_needs_nobody(
    label: str, confidence: float, by: str, waits: bool
) -> None:
    found = case(
        sent(), ReplyReceived(on=DAY, at=at(12), digest="r", message_id=None, sender=TO,
                              subject="", authentic="pass", evidence=()),
        ReplyRead(on=DAY, digest="r", labels=(label,), by=by, confidence=confidence))
    assert (needs_you(found) == "a reply waits to be read") is waits
