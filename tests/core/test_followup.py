"""What a follow-up may say: what the ledger shows, and no more."""

from __future__ import annotations

from datetime import UTC, date, datetime

from dsar.core.case import CaseOpened, DeliveryFailed, LetterSent, ReplyRead, ReplyReceived, fold
from dsar.core.deadline import Deadlines
from dsar.core.followup import facts_of_case, story_of
from dsar.core.letter import Stage

OPENED = CaseOpened(
    on=date(2026, 9, 14), case_id="C", reference="DSAR-7K3Q-9MZ2", subject_id="alex",
    controller="acme", controller_name="Acme", right="access", regime="eu-gdpr", language="en",
    country="DE")
SENT = LetterSent(on=date(2026, 9, 14), message_id="<1@example.org>", stage=Stage.REQUEST,
                  recipient="privacy@example.com")
LATE = Deadlines(due=date(2026, 10, 14), strict_due=date(2026, 10, 14),
                 charitable_due=date(2026, 10, 20))
TODAY = date(2026, 10, 21)


def reply(day: int, *labels: str, digest: str = "d") -> list[ReplyReceived | ReplyRead]:
    """A reply of September with its reading."""
    on = date(2026, 9, day)
    return [
        ReplyReceived(on=on, at=datetime(2026, 9, day, tzinfo=UTC), digest=f"{digest}{day}",
                      message_id=None, sender="privacy@example.com", subject="Re", evidence=(),
                      authentic="pass"),
        ReplyRead(on=on, digest=f"{digest}{day}", labels=labels, by="user"),
    ]


def test_a_lapse_is_named_only_when_no_reading_of_the_law_has_them_in_time() -> None:
    case = fold([OPENED, SENT])
    assert "due_on" not in facts_of_case(case, LATE, date(2026, 10, 15))
    assert "due_on" not in facts_of_case(case, LATE, date(2026, 10, 20))
    assert facts_of_case(case, LATE, TODAY)["due_on"] == date(2026, 10, 14)
    assert "due_on" not in facts_of_case(case, None, TODAY)
    assert "due_on" not in facts_of_case(case, Deadlines(), TODAY)


def test_the_module_follows_the_latest_reading() -> None:
    case = fold([OPENED, SENT, *reply(16, "acknowledgement"), *reply(20, "identity_request")])
    facts = facts_of_case(case, None, TODAY)
    assert facts["acknowledged_on"] == date(2026, 9, 16)
    assert (facts["dodge"], facts["replied_on"]) == ("identity", date(2026, 9, 20))
    assert facts_of_case(fold([OPENED, SENT]), None, TODAY)["dodge"] == "silence"


def test_the_story_is_in_order_of_dates_and_ends_with_the_silence() -> None:
    reminder = LetterSent(on=date(2026, 10, 1), message_id="<2@example.org>", stage=Stage.REMINDER,
                          recipient="privacy@example.com")
    case = fold([OPENED, SENT, reminder, *reply(16, "acknowledgement")])
    assert story_of(case, TODAY) == (
        (date(2026, 9, 14), "sent"), (date(2026, 9, 16), "acknowledged"),
        (date(2026, 10, 1), "reminded"), (TODAY, "no_answer"))


def test_machines_and_strangers_are_no_part_of_the_story() -> None:
    case = fold([OPENED, SENT, *reply(15, "auto_reply"), *reply(17, "phishing_suspect")])
    assert story_of(case, TODAY) == ((date(2026, 9, 14), "sent"), (TODAY, "no_answer"))


def test_a_refusal_is_told_and_is_not_silence() -> None:
    case = fold([OPENED, SENT, *reply(20, "refusal")])
    assert story_of(case, TODAY) == ((date(2026, 9, 14), "sent"), (date(2026, 9, 20), "refused"))


def test_a_letter_that_bounced_is_not_told_as_sent() -> None:
    bounced = DeliveryFailed(on=date(2026, 9, 15), message_id="<1@example.org>", permanent=True,
                             recipient="privacy@example.com")
    assert story_of(fold([OPENED, SENT, bounced]), TODAY) == ((TODAY, "no_answer"),)
