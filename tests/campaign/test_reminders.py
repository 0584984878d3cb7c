"""When a case calls for a reminder, whatever happened in it: by example and for any life."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from board_samples import opened, reminding, terms
from campaignfold import DAY, added, approved, campaign, issued, proposed, signed
from hypothesis import given, settings
from hypothesis import strategies as st

from dsar.campaign.reminders import Reminding, call_of, obstacle, survey
from dsar.core.board import may_be_sent, wave_of
from dsar.core.campaign_events import MandateRevoked, MemberLeft, member_stream
from dsar.core.case import (
    ApprovalWithdrawn,
    Case,
    CaseClosed,
    CaseEvent,
    CaseReopened,
    ClockEvent,
    DeliveryFailed,
    ExtensionNotified,
    LetterApproved,
    LetterSent,
    ReplyRead,
    ReplyReceived,
    SendAbandoned,
    SendAttempted,
    fold,
)
from dsar.core.course import course
from dsar.core.glance import glance
from dsar.core.letter import Stage
from dsar.core.message import Label
from dsar.core.plan import PlannedLetter
from dsar.core.remind import FollowUp, NotNow
from dsar.core.status import Outlooks
from dsar.law.load import load_laws
from dsar.store.memory import MemoryStore

LAWS, CODE = load_laws(), "m-00000001"
REQUEST = "<A@example.org>"
LATE = DAY + timedelta(days=60)


def never(*_: object) -> PlannedLetter:
    pytest.fail("nothing is written here")


def judge(today: date, *, mode: str = "mandate", member: tuple[Any, ...] = (), changed: str = "",
          reach: NotNow | None = None, store: MemoryStore | None = None) -> Reminding:
    """What judges on a day; the member's mandate covers Acme until the end of 2027."""
    kept = store or MemoryStore(now=lambda: datetime.now(UTC), author="test")
    long = date(2027, 12, 31)
    if not kept.events(member_stream("spring", CODE)):
        kept.append(member_stream("spring", CODE), [
            added(CODE), issued(expires_on=long),
            signed(expires_on=long, signed_on=date(2025, 11, 1)), *member], after=0)
    found = campaign(proposed(1), approved(1), mode=mode)
    return Reminding(
        store=kept, campaign=found, today=today, reach=lambda case: reach,
        outlook=Outlooks(LAWS.regimes, LAWS.calendars, today).of,
        changed=lambda case: changed, letter=never)


def at(day: date) -> datetime:
    return datetime.combine(day, time(9), UTC)


def attempt(day: date, message_id: str = REQUEST) -> SendAttempted:
    return SendAttempted(on=day, at=at(day), message_id=message_id, account="main",
                         recipient="privacy@acme.example")


def out(day: date, message_id: str = REQUEST, stage: Stage = Stage.REQUEST) -> list[CaseEvent]:
    return [attempt(day, message_id), LetterSent(
        on=day, message_id=message_id, stage=stage, recipient="privacy@acme.example")]


def begun(day: date = DAY) -> list[CaseEvent]:
    """A request that went out on a day."""
    return [opened("A", member=CODE, campaign="spring"), LetterApproved(
        on=day, stage=Stage.REQUEST, message_id=REQUEST, digest="ab" * 32,
        recipient="privacy@acme.example", account="main"), *out(day)]


def reply(day: date, number: int = 0) -> ReplyReceived:
    return ReplyReceived(on=day, at=at(day), digest=f"{number:064}", message_id=f"<r{number}@a>",
                         sender="privacy@acme.example", subject="Re", authentic="yes", evidence=())


def called(events: list[CaseEvent], judged: Reminding) -> FollowUp:
    found = call_of(fold(events), judged)
    assert isinstance(found, FollowUp), found
    return found


def rail(events: list[CaseEvent], judged: Reminding) -> str:
    found = call_of(fold(events), judged)
    assert isinstance(found, NotNow)
    return found.rail


@pytest.mark.parametrize(("sent", "last"), [
    (date(2025, 11, 24), date(2025, 12, 24)),   # a Wednesday, no day off anywhere
    (date(2026, 1, 31), date(2026, 3, 2)),      # a month that has no 31st, then a weekend
    (date(2025, 11, 25), date(2025, 12, 29)),   # Christmas, its second day, and a weekend
])
def test_the_last_day_is_that_of_the_law_with_weekends_and_holidays(sent: date, last: date) -> None:
    outlook = Outlooks(LAWS.regimes, LAWS.calendars, sent).of(course(fold(begun(sent))))
    assert outlook.deadlines is not None
    assert outlook.deadlines.complain_after is not None
    assert outlook.deadlines.complain_after >= last
    edge = outlook.deadlines.complain_after
    assert rail(begun(sent), judge(edge)) == "early"
    called(begun(sent), judge(edge + timedelta(days=1)))


@pytest.mark.parametrize(("event", "words"), [
    (MandateRevoked(on=DAY), "revoked"), (signed(digest="3" * 64), "expired"),
    (signed(digest="3" * 64, controllers=("bolt",), expires_on=date(2027, 1, 1)), "not cover"),
])
def test_without_a_valid_mandate_there_is_no_reminder(event: Any, words: str) -> None:
    found = call_of(fold(begun()), judge(date(2026, 7, 1), member=(event,)))
    assert isinstance(found, NotNow)
    assert (found.rail, words in found.why) == ("mandate", True)


def test_who_left_is_not_reminded_and_where_each_sends_no_mandate_is_asked_for() -> None:
    assert rail(begun(), judge(LATE, member=(MemberLeft(on=DAY),))) == "member"
    assert rail(begun(), judge(LATE, mode="kit", member=(MemberLeft(on=DAY),))) == "member"
    called(begun(), judge(LATE, mode="kit", member=(MandateRevoked(on=DAY),)))


def test_a_company_that_may_not_be_written_to_is_held() -> None:
    assert rail(begun(), judge(LATE, reach=NotNow(rail="contact", why="it moved"))) == "contact"
    late = [*begun(), reminding("A", 2, on=LATE)]
    assert obstacle(fold(late), judge(LATE, changed="it moved")) == "it moved"


@pytest.mark.parametrize(("since", "words"), [
    ([reply(LATE)], "read"),
    ([reply(LATE), ReplyRead(on=LATE, digest=f"{0:064}", labels=("fulfilled_access",),
                             by="person")], "answered"),
    ([ExtensionNotified(on=DAY + timedelta(days=20), until=LATE + timedelta(days=30))], "due"),
    ([ClockEvent(on=DAY + timedelta(days=5), type="id_requested")], "clock"),
    ([CaseClosed(on=LATE, outcome="answered")], "closed"),
    ([DeliveryFailed(on=LATE, message_id=REQUEST, recipient="x", permanent=True)], "no request"),
    ([reply(LATE), ReplyRead(on=LATE, digest=f"{0:064}", labels=("refusal",), by="person")],
     "something has happened"),
])
def test_what_happened_since_the_approval_stops_a_reminder_that_is_to_go(
    since: list[CaseEvent], words: str
) -> None:
    waiting = [*begun(), reminding("A", 2, on=LATE)]
    now = attempt(LATE, "<A-1@example.org>")
    assert obstacle(fold([*waiting, now]), judge(LATE)) == ""
    assert words in obstacle(fold([*waiting, *since, now]), judge(LATE))


def test_a_reminder_that_waited_too_long_for_the_date_it_names_is_stopped() -> None:
    waiting = fold([*begun(), reminding("A", 2, on=LATE)])
    assert obstacle(waiting, judge(LATE + timedelta(days=7))) == ""
    assert "too near" in obstacle(waiting, judge(LATE + timedelta(days=8)))
    again = [*begun(), *out(LATE - timedelta(days=20), "<A-0@example.org>", Stage.REMINDER)]
    second = fold([*again, reminding("A", 3, on=LATE)])
    assert obstacle(second, judge(LATE + timedelta(days=3))) == ""
    assert "too near" in obstacle(second, judge(LATE + timedelta(days=4)))


def test_a_doubt_about_another_letter_stops_a_reminder() -> None:
    doubtful = [*begun()[:3], reminding("A", 2, on=LATE), attempt(LATE, "<A-1@example.org>")]
    assert obstacle(fold(doubtful), judge(LATE)) != ""


def test_the_whole_is_counted_and_only_what_may_be_late_is_loaded() -> None:
    store = MemoryStore(now=lambda: at(DAY), author="test")
    judged = judge(LATE, store=store)
    silent, recent = fold(begun()), fold(begun(LATE - timedelta(days=3)))
    store.append("A", begun(), after=0)
    closed = fold([*begun(), CaseClosed(on=LATE, outcome="answered")])
    calls = survey([glance(silent), glance(recent), glance(closed)], judged)
    assert (calls.cases, dict(calls.per_company), calls.members) == (
        ["A"], {"acme": 1}, {CODE})
    assert dict(calls.held) == {("early", "the answer is not late yet"): 1}
    assert calls.from_day is not None
    assert calls.from_day > LATE


# -- any life ---------------------------------------------------------------------------------

KINDS = (*["remind", "send", "wait"] * 6, *["answer"] * 2, "reply", "read", "extension", "asks",
         "bounce", "close", "reopen", "withdraw", "doubt", "unsent")
lives = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 20),
                           st.sampled_from(sorted(map(str, Label)))), min_size=8, max_size=40)


def _next(kind: str, day: date, label: str, case: Case, number: int) -> list[CaseEvent]:
    """One thing that happens; nothing where it cannot."""
    letter = case.approved
    match kind:
        case "reply":
            return [reply(day, number)]
        case "answer":
            return [reply(day, number), ReplyRead(on=day, digest=f"{number:064}", by="person",
                                                  labels=(label,))]
        case "read" if case.replies:
            return [ReplyRead(on=day, digest=case.replies[-1].received.digest, labels=(label,),
                              by="person")]
        case "extension":
            return [ExtensionNotified(on=day, until=day + timedelta(days=60))]
        case "asks":
            return [ClockEvent(on=day, type="id_requested")]
        case "bounce" if case.letters:
            return [DeliveryFailed(on=day, message_id=case.letters[-1].message_id, recipient="x",
                                   permanent=True)]
        case "close":
            return [CaseClosed(on=day, outcome="answered")]
        case "reopen":
            return [CaseReopened(on=day)]
        case "withdraw" if letter and not case.in_doubt:
            return [ApprovalWithdrawn(on=day, message_id=letter.message_id, because="x")]
        case "doubt" if letter and not case.in_doubt and not case.closed:
            return [attempt(day, letter.message_id)]
        case "unsent" if case.in_doubt:
            return [SendAbandoned(on=day, message_id=case.in_doubt.message_id, because="x")]
        case _:
            return []


def _sent(case: Case, judged: Reminding, day: date) -> list[CaseEvent]:
    """A worker's turn: the letter goes unless something stands against it."""
    letter = case.approved
    if letter is None or case.in_doubt or case.closed:
        return []
    if obstacle(case, judged):
        return [ApprovalWithdrawn(on=day, message_id=letter.message_id, because="x")]
    return out(day, letter.message_id, letter.stage)


@settings(max_examples=150, deadline=None)
@given(lives)
def test_no_life_has_a_reminder_in_time_after_an_answer_or_twice(
    life: list[tuple[str, int, str]]
) -> None:
    events, day = begun(), DAY
    store = MemoryStore(now=lambda: at(DAY), author="test")
    for number, (kind, days, label) in enumerate(life):
        day += timedelta(days=days)
        judged, case = judge(day, store=store), fold(events)
        if kind == "send":
            went = _sent(case, judged, day)
            events += went
            if len(went) == 2:
                _is_rightly_sent(case, judged)
            continue
        found = call_of(case, judged) if kind == "remind" else None
        if isinstance(found, FollowUp):
            assert case.approved is None
            events.append(LetterApproved(
                on=day, stage=found.stage, message_id=f"<A-{number}@example.org>",
                digest="cd" * 32, recipient="privacy@acme.example", account="main",
                wave=number + 2))
            assert rail(events, judged) == "queued", "never two at a time"
            assert obstacle(fold(events), judged) == ""
        else:
            events += _next(kind, day, label, case, number)
    sent = [s for s in fold(events).letters if s.stage is not Stage.REQUEST]
    alive = [s for s in sent if s.message_id not in fold(events).bounced]
    assert len(alive) <= 2


def _is_rightly_sent(case: Case, judged: Reminding) -> None:
    """What must hold at the moment a letter goes."""
    assert case.approved is not None
    assert case.request is not None
    assert case.closed is None
    assert all(r.confirmed or set(r.reading.labels if r.reading else ("unclear",)) <= {
        "acknowledgement", "auto_reply", "bounce_permanent", "bounce_temporary"}
        for r in case.replies), "no message waits to be read"
    if case.approved.stage is Stage.REMINDER:
        due = judged.outlook(course(case)).deadlines
        assert due is not None
        assert due.complain_after is not None
        assert judged.today > due.complain_after, "the company is late on every reading"
        assert not case.replies or not {"fulfilled_access", "no_data_held"} & set(
            case.replies[-1].reading.labels if case.replies[-1].reading else ())


@given(st.integers(1, 9), st.integers(0, 9), st.sets(st.integers(1, 9)), st.booleans())
def test_only_the_wave_a_letter_was_approved_in_lets_it_out(
    own: int, wave: int, released: set[int], withdrawn: bool
) -> None:
    first = [opened("A", wave=own), *begun()[1:]]
    late = [*first, reminding("A", wave)]
    if withdrawn:
        late.append(ApprovalWithdrawn(on=DAY, message_id="<A-1@example.org>", because="x"))
    case, given_terms = fold(late), terms(waves=sorted(released))
    assert wave_of(case) == (own if withdrawn else wave), "in no wave, it is released by none"
    assert may_be_sent(case, given_terms) == (not withdrawn and wave in released)
