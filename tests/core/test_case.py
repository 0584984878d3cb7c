"""What the events of a case add up to."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.core.case import (
    ApprovalWithdrawn,
    Case,
    CaseClosed,
    CaseEvent,
    CaseOpened,
    CaseReopened,
    DeliveryFailed,
    LetterApproved,
    LetterRefused,
    LetterSent,
    NoteAdded,
    ReplyRead,
    ReplyReceived,
    Retracted,
    SendAbandoned,
    SendAttempted,
    extend,
    fold,
)
from dsar.core.letter import Stage

DAY = date(2026, 1, 5)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TO = "privacy@acme.example"
OPENED = CaseOpened(on=DAY, case_id="acme", reference="DSAR-7K3M-Q2XT", subject_id="jo",
                    controller="acme-data", controller_name="Acme Data Ltd", right="access",
                    regime="eu-gdpr", language="en", country="DE")


def approved(id_: str, stage: Stage = Stage.REQUEST) -> LetterApproved:
    return LetterApproved(on=DAY, stage=stage, message_id=id_, digest="", recipient=TO, account="m")


def attempted(id_: str) -> SendAttempted:
    return SendAttempted(on=DAY, at=NOON, message_id=id_, recipient=TO, account="m")


def sent(id_: str, stage: Stage = Stage.REQUEST) -> LetterSent:
    return LetterSent(on=DAY, message_id=id_, stage=stage, recipient=TO)


def refused(id_: str, *, temporary: bool = False) -> LetterRefused:
    return LetterRefused(on=DAY, message_id=id_, code=550, reply="no", temporary=temporary)


def abandoned(id_: str) -> SendAbandoned:
    return SendAbandoned(on=DAY, message_id=id_, because="no connection")


def bounced(id_: str, *, permanent: bool = True) -> DeliveryFailed:
    return DeliveryFailed(on=DAY, message_id=id_, recipient=TO, permanent=permanent)


def reply(digest: str) -> ReplyReceived:
    return ReplyReceived(on=DAY, at=NOON, digest=digest, message_id=None, sender=TO, subject="",
                         authentic="pass", evidence=())


def read(digest: str, by: str, *labels: str) -> ReplyRead:
    return ReplyRead(on=DAY, digest=digest, labels=labels, by=by)


def retracted(sequence: int) -> Retracted:
    return Retracted(on=DAY, sequence=sequence, because="a mistake")


def note(text: str) -> NoteAdded:
    return NoteAdded(on=DAY, text=text)


ids = st.sampled_from(["<1@example.org>", "<2@example.org>", "<3@example.org>"])
digests = st.sampled_from(["d1", "d2"])
stages = st.sampled_from(Stage)
some_events: st.SearchStrategy[list[CaseEvent]] = st.lists(st.one_of(
    ids.map(attempted), st.builds(approved, ids, stages), st.builds(sent, ids, stages),
    st.builds(refused, ids, temporary=st.booleans()), ids.map(abandoned),
    st.builds(bounced, ids, permanent=st.booleans()), digests.map(reply),
    st.builds(read, digests, st.sampled_from(["machine", "person"])),
    st.integers(-1, 12).map(retracted), st.just(CaseClosed(on=DAY, outcome="erased")),
    st.just(CaseReopened(on=DAY)), st.text(max_size=3).map(note),
    ids.map(lambda i: ApprovalWithdrawn(on=DAY, message_id=i, because="")),
), max_size=12).map(lambda events: [OPENED, *events])


@given(some_events)
def test_folding_step_by_step_is_folding_all(events: list[CaseEvent]) -> None:
    case = Case()
    for number, event in enumerate(events):
        case = extend(case, event, events[:number])
    assert case == fold(events)


@given(some_events)
def test_a_case_has_its_own_fields_and_counts_every_event(events: list[CaseEvent]) -> None:
    case = fold(events)
    assert list(vars(case)) == [f.name for f in fields(Case)]
    assert case.version == len(events)


@given(some_events, ids)
def test_an_attempt_without_outcome_is_in_doubt(events: list[CaseEvent], id_: str) -> None:
    case = fold([*events, attempted(id_)])
    assert case.in_doubt == attempted(id_)


@given(some_events)
def test_exactly_the_attempts_without_a_later_outcome_are_in_doubt(
    events: list[CaseEvent],
) -> None:
    counting = [e for e in events if not isinstance(e, Retracted)]
    waiting: list[str] = []
    for event in counting:
        match event:
            case SendAttempted():
                waiting.append(event.message_id)
            case LetterSent() | LetterRefused() | SendAbandoned():
                waiting = [w for w in waiting if w != event.message_id]
            case _:
                pass
    case = fold(counting)
    assert [a.message_id for a in case.unsettled] == waiting
    assert (case.in_doubt is None) == (not waiting)


@pytest.mark.parametrize("outcome", [sent, refused, abandoned])
def test_an_outcome_leaves_nothing_in_doubt(outcome: object) -> None:
    case = fold([OPENED, approved("<1>"), attempted("<1>"), outcome("<1>")])  # type: ignore[operator]
    assert case.in_doubt is None


def test_the_outcome_of_one_attempt_does_not_settle_another() -> None:
    events: list[CaseEvent] = [OPENED, attempted("<1>"), attempted("<2>"), sent("<2>")]
    case = fold(events)
    assert case.in_doubt == attempted("<1>")
    assert fold([*events, refused("<1>")]).in_doubt is None


def test_a_letter_recorded_as_sent_twice_counts_once() -> None:
    case = fold([OPENED, attempted("<1>"), sent("<1>"), sent("<1>")])
    assert case.letters == (sent("<1>"),)


def test_a_refused_letter_is_no_request_and_needs_a_new_approval() -> None:
    case = fold([OPENED, approved("<1>"), attempted("<1>"), refused("<1>")])
    assert (case.request, case.approved, case.refusals) == (None, None, 1)
    again = fold([OPENED, approved("<1>"), attempted("<1>"), refused("<1>", temporary=True)])
    assert again.approved == approved("<1>")


def test_an_abandoned_letter_is_still_approved() -> None:
    case = fold([OPENED, approved("<1>"), attempted("<1>"), abandoned("<1>")])
    assert case.approved == approved("<1>")


def test_withdrawing_one_approval_leaves_another() -> None:
    withdrawn = ApprovalWithdrawn(on=DAY, message_id="<1>", because="typing error")
    assert fold([OPENED, approved("<1>"), withdrawn]).approved is None
    assert fold([OPENED, approved("<1>"), approved("<2>"), withdrawn]).approved == approved("<2>")


def test_a_bounce_of_a_reminder_does_not_undo_the_request() -> None:
    case = fold([OPENED, sent("<1>"), sent("<2>", Stage.REMINDER), bounced("<2>")])
    assert case.request == sent("<1>")


def test_a_bounced_request_stays_bounced_whatever_bounces_later() -> None:
    for later in (bounced("<2>"), bounced("<1>", permanent=False)):
        case = fold([OPENED, sent("<1>"), bounced("<1>"), sent("<2>", Stage.REMINDER), later])
        assert case.request is None


def test_a_late_bounce_of_the_first_address_does_not_undo_the_second_request() -> None:
    case = fold([OPENED, sent("<1>"), bounced("<1>"), sent("<2>"), bounced("<1>")])
    assert case.request == sent("<2>")


def test_when_the_second_request_bounces_the_first_counts() -> None:
    assert fold([OPENED, sent("<1>"), sent("<2>"), bounced("<2>")]).request == sent("<1>")


def test_a_temporary_bounce_undoes_nothing() -> None:
    assert fold([OPENED, sent("<1>"), bounced("<1>", permanent=False)]).request == sent("<1>")


def test_a_bounce_closes_no_case() -> None:
    assert fold([OPENED, sent("<1>"), bounced("<1>")]).closed is None


@given(some_events, digests)
def test_a_reply_recorded_twice_counts_once(events: list[CaseEvent], digest: str) -> None:
    once = fold([*events, reply(digest)])
    twice = fold([*events, reply(digest), reply(digest)])
    assert twice.replies == once.replies
    assert len({r.received.digest for r in once.replies}) == len(once.replies)


def test_the_reading_of_a_person_counts_before_that_of_a_machine() -> None:
    person, machine = read("d1", "person", "erased"), read("d1", "machine", "acknowledgement")
    for readings in ([person, machine], [machine, person]):
        case = fold([OPENED, reply("d1"), reply("d2"), *readings])
        assert [r.reading for r in case.replies] == [person, None]


@given(some_events, st.data())
def test_a_retracted_event_counts_no_longer(events: list[CaseEvent], data: st.DataObject) -> None:
    plain = [e for e in events if not isinstance(e, Retracted)]
    number = data.draw(st.integers(1, len(plain)))
    without = fold([e for n, e in enumerate(plain, start=1) if n != number])
    case = fold([*plain, retracted(number)])
    assert vars(case) | {"version": 0} == vars(without) | {"version": 0}


@given(some_events, st.integers(1, 12))
def test_a_retraction_taken_back_retracts_nothing(events: list[CaseEvent], number: int) -> None:
    plain = [e for e in events if not isinstance(e, Retracted)]
    case = fold([*plain, retracted(number), retracted(len(plain) + 1)])
    assert vars(case) | {"version": 0} == vars(fold(plain)) | {"version": 0}


def test_what_has_not_happened_yet_cannot_be_retracted() -> None:
    assert fold([OPENED, retracted(3), note("kept")]).notes == (note("kept"),)


def test_a_closed_case_can_be_reopened() -> None:
    closed = CaseClosed(on=DAY, outcome="erased")
    assert fold([OPENED, closed]).closed == closed
    assert fold([OPENED, closed, CaseReopened(on=DAY)]).closed is None


def test_a_stream_without_beginning_is_no_case() -> None:
    with pytest.raises(ValueError, match="begins with CaseOpened"):
        _ = fold([note("x")]).id


@given(some_events)
def test_every_letter_that_may_have_left_can_be_answered(events: list[CaseEvent]) -> None:
    case = fold(e for e in events if not isinstance(e, Retracted))
    left = {e.message_id for e in events if isinstance(e, SendAttempted | LetterSent)}
    assert set(case.message_ids) == left
