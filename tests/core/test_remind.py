"""Which follow-up is due, and that none accuses a company which may still be in time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.core.case import (
    AnswerChecked,
    Case,
    CaseClosed,
    CaseEvent,
    CaseOpened,
    DeliveryFailed,
    ExtensionNotified,
    IdentityProvided,
    LetterSent,
    ReplyRead,
    ReplyReceived,
    SendAttempted,
    fold,
)
from dsar.core.deadline import Deadlines
from dsar.core.letter import Stage
from dsar.core.remind import MOST, FollowUp, NotNow, Told, follow_up, thread, time_given

SENT = date(2026, 8, 3)
DUE = date(2026, 9, 3)
LATEST = date(2026, 9, 7)
LATE = LATEST + timedelta(days=1)


def opened() -> CaseOpened:
    return CaseOpened(
        on=SENT, case_id="7K3M", reference="DSAR-7K3M-Q2XT", subject_id="alex",
        controller="acme", controller_name="Acme", right="access", regime="eu-gdpr",
        language="en", country="DE", recipient="privacy@acme.example")


def sent(stage: Stage = Stage.REQUEST, on: date = SENT, number: int = 1) -> LetterSent:
    return LetterSent(on=on, message_id=f"<{stage}.{number}@example.org>", stage=stage,
                      recipient="privacy@acme.example", server_reply="250 2.0.0 Ok")


def reply(label: str, on: date, *, confirmed: bool = True, number: int = 1,
          authentic: str = "pass") -> list[CaseEvent]:
    digest = f"{number:064}"
    return [
        ReplyReceived(on=on, at=datetime.combine(on, datetime.min.time(), UTC), digest=digest,
                      message_id=f"<answer.{number}@acme.example>", sender="privacy@acme.example",
                      subject="Re", authentic=authentic, evidence=("in-reply-to",)),
        ReplyRead(on=on, digest=digest, labels=(label,), by="person" if confirmed else "machine"),
    ]


def case(*events: CaseEvent | list[CaseEvent]) -> Case:
    flat: list[CaseEvent] = []
    for event in events:
        flat += event if isinstance(event, list) else [event]
    return fold([opened(), sent(), *flat])


def dates(**changed: object) -> Deadlines:
    values: dict[str, object] = {"due": DUE, "strict_due": DUE, "charitable_due": LATEST}
    return Deadlines(**(values | changed))  # type: ignore[arg-type]


def decide(found: Case, today: date, told: Told | None = None, **changed: object
           ) -> FollowUp | NotNow:
    return follow_up(found, dates(**changed), today, told or Told())


def test_silence_is_written_about_only_after_the_latest_defensible_day() -> None:
    held = decide(case(), LATEST)
    assert isinstance(held, NotNow)
    assert (held.rail, held.from_day) == ("early", LATE)
    found = decide(case(), LATE)
    assert isinstance(found, FollowUp)
    assert (found.stage, found.dodge) == (Stage.REMINDER, "silence")
    assert found.facts["due_on"] == DUE
    assert found.reply_by == LATE + timedelta(days=14)


@given(st.dates(date(2026, 8, 3), date(2027, 8, 3)))
def test_no_letter_says_that_a_period_has_ended_before_it_has(today: date) -> None:
    for found in (case(), case(reply("acknowledgement", SENT)),
                  case(reply("refusal", SENT + timedelta(days=9))),
                  case(reply("identity_request", SENT + timedelta(days=9)))):
        decided = decide(found, today, Told(asked_for="my passport"))
        if isinstance(decided, FollowUp):
            assert decided.reply_by >= LATEST
            assert "due_on" not in decided.facts or today > LATEST
            assert decided.stage is Stage.FOLLOW_UP or today > LATEST


@pytest.mark.parametrize(("label", "dodge"), [
    ("refusal", "refusal"), ("redirect_to_portal", "channel"), ("fee_demand", "fee"),
    ("redirect_to_other_controller", "not_controller"), ("identity_request", "identity"),
    ("partial_fulfilment", "incomplete"),
])
def test_the_letter_answers_what_happened(label: str, dodge: str) -> None:
    told = Told(asked_for="a copy of my passport", missing=("source",) if dodge == "incomplete"
                else ())
    found = decide(case(reply(label, date(2026, 8, 12))), date(2026, 8, 14), told)
    assert isinstance(found, FollowUp)
    assert (found.stage, found.dodge) == (Stage.FOLLOW_UP, dodge)
    assert found.facts["replied_on"] == date(2026, 8, 12)


def test_an_incomplete_answer_needs_what_is_missing_from_the_check_or_the_person() -> None:
    partly = reply("partial_fulfilment", date(2026, 8, 12))
    held = decide(case(partly), date(2026, 8, 14))
    assert isinstance(held, NotNow)
    assert held.rail == "missing"
    checked = case(partly, AnswerChecked(on=date(2026, 8, 13), missing=("recipients", "source")))
    found = decide(checked, date(2026, 8, 14))
    assert isinstance(found, FollowUp)
    assert found.facts["missing"] == ("recipients", "source")


def test_a_reply_nobody_has_read_holds_the_letter_back() -> None:
    held = decide(case(reply("fulfilled_access", date(2026, 9, 20), confirmed=False)),
                  date(2026, 10, 1))
    assert isinstance(held, NotNow)
    assert held.rail == "unread"


def test_machine_mail_and_forged_mail_do_not_count_as_an_answer() -> None:
    found = decide(case(reply("auto_reply", SENT, confirmed=False)), LATE)
    assert isinstance(found, FollowUp)
    assert found.dodge == "silence"
    forged = case(reply("refusal", date(2026, 8, 12), authentic="fail"))
    assert isinstance(decide(forged, date(2026, 8, 14)), NotNow)


def test_a_full_answer_is_not_reminded() -> None:
    held = decide(case(reply("fulfilled_access", date(2026, 9, 20))), date(2026, 10, 1))
    assert isinstance(held, NotNow)
    assert held.rail == "answered"


def test_two_follow_ups_at_most_each_with_its_own_time() -> None:
    first = sent(Stage.REMINDER, LATE)
    soon = decide(case(first), LATE + timedelta(days=14))
    assert isinstance(soon, NotNow)
    assert soon.from_day == LATE + timedelta(days=15)
    again = decide(case(first), LATE + timedelta(days=15))
    assert isinstance(again, FollowUp)
    assert again.is_last
    assert again.reply_by == LATE + timedelta(days=15 + 7)
    second = sent(Stage.REMINDER, LATE + timedelta(days=15), number=2)
    third = decide(case(first, second), LATE + timedelta(days=200))
    assert isinstance(third, NotNow)
    assert third.rail == "twice"
    assert MOST == 2


def test_a_new_answer_need_not_wait_for_the_time_given() -> None:
    found = decide(case(sent(Stage.REMINDER, LATE), reply("refusal", LATE + timedelta(days=2))),
                   LATE + timedelta(days=3))
    assert isinstance(found, FollowUp)
    assert found.dodge == "refusal"


def test_a_follow_up_that_bounced_does_not_count() -> None:
    first = sent(Stage.REMINDER, LATE)
    bounced = DeliveryFailed(on=LATE, message_id=first.message_id, permanent=True,
                             recipient="privacy@acme.example")
    found = decide(case(first, bounced), LATE + timedelta(days=1))
    assert isinstance(found, FollowUp)
    assert found.number == 1


def test_an_extension_in_time_moves_the_day_and_a_late_or_bare_one_is_answered() -> None:
    until = date(2026, 11, 3)
    notice = ExtensionNotified(on=date(2026, 8, 20), until=until)
    in_time = case(reply("extension_notice", date(2026, 8, 20)), notice)
    held = decide(in_time, date(2026, 10, 1), extended_due=until)
    assert isinstance(held, NotNow)
    assert held.from_day == until + timedelta(days=1)

    bare = case(reply("extension_notice", date(2026, 8, 20)),
                ExtensionNotified(on=date(2026, 8, 20), reasoned=False))
    found = decide(bare, date(2026, 8, 22))
    assert isinstance(found, FollowUp)
    assert found.dodge == "extension"

    late_day = date(2026, 9, 20)
    late = case(reply("extension_notice", late_day), ExtensionNotified(on=late_day, until=until))
    found = decide(late, late_day + timedelta(days=1))
    assert isinstance(found, FollowUp)
    assert (found.dodge, found.facts["due_on"]) == ("extension_late", DUE)


def test_identity_that_was_proved_leaves_silence_only() -> None:
    found = case(reply("identity_request", date(2026, 8, 10)),
                 IdentityProvided(on=date(2026, 8, 11)))
    held = decide(found, date(2026, 8, 20))
    assert isinstance(held, NotNow)
    assert held.from_day == LATE


def test_while_the_clock_stands_still_nobody_is_late() -> None:
    held = decide(case(), date(2027, 1, 1), waits_for=("id_provided",))
    assert isinstance(held, NotNow)
    assert held.rail == "early"


def test_guidance_without_force_is_not_put_as_a_period_that_ended() -> None:
    found = decide(case(), LATE, advisory=True)
    assert isinstance(found, FollowUp)
    assert "due_on" not in found.facts


def test_closed_doubtful_and_bounced_cases_get_no_letter() -> None:
    doubt = SendAttempted(on=LATE, at=datetime(2026, 9, 8, tzinfo=UTC), message_id="<x@y>",
                          recipient="privacy@acme.example", account="main")
    bounced = DeliveryFailed(on=SENT, message_id=sent().message_id, permanent=True,
                             recipient="privacy@acme.example")
    rails = []
    for found in (case(CaseClosed(on=LATE, outcome="erased")), case(doubt), case(bounced)):
        held = decide(found, LATE)
        assert isinstance(held, NotNow)
        rails.append(held.rail)
    assert rails == ["closed", "in-doubt", "unsent"]


def test_what_the_person_says_goes_before_what_was_read_but_never_before_its_time() -> None:
    answered = case(reply("fulfilled_access", date(2026, 8, 20)))
    found = decide(answered, date(2026, 8, 21), Told(missing=("recipients",)))
    assert isinstance(found, FollowUp)
    assert found.dodge == "incomplete"
    for told in (Told(dodge="silence"), Told(dodge="language")):
        assert isinstance(decide(case(), date(2026, 8, 21), told), NotNow)


def test_the_thread_goes_on_from_the_last_message_of_the_company() -> None:
    found = case(reply("acknowledgement", date(2026, 8, 4), number=1),
                 reply("auto_reply", date(2026, 8, 5), number=2, confirmed=False),
                 reply("refusal", date(2026, 8, 9), number=3))
    assert thread(found) == ("<answer.3@acme.example>", (
        "<request.1@example.org>", "<answer.1@acme.example>", "<answer.3@acme.example>"))
    assert thread(case()) == ("<request.1@example.org>", ("<request.1@example.org>",))


def test_the_time_given_is_never_before_the_period_itself_ends() -> None:
    found = case(reply("refusal", date(2026, 8, 6)), sent(Stage.FOLLOW_UP, date(2026, 8, 7)))
    assert time_given(found, dates()) == LATEST
    assert time_given(case(), dates()) is None
