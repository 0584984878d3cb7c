"""A case at a glance says what the whole case says, on every day, and survives being written."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsar.core.case import (
    AnswerChecked,
    CaseClosed,
    CaseEvent,
    CaseOpened,
    CaseReopened,
    ClockEvent,
    ComplaintLodged,
    DeliveryFailed,
    ExtensionNotified,
    IdentityProvided,
    LetterApproved,
    LetterRefused,
    LetterSent,
    ReceiptKnown,
    ReplyRead,
    ReplyReceived,
    Retracted,
    SendAttempted,
    fold,
)
from dsar.core.counted import counted
from dsar.core.course import course
from dsar.core.deadline import deadlines
from dsar.core.glance import course_from_json, course_to_json, glance
from dsar.core.letter import Stage
from dsar.core.message import Label
from dsar.core.result import Results, result
from dsar.core.status import Outlooks, as_glimpse, deadline_facts, standing
from dsar.law.load import load_laws

LAWS = load_laws()
FIRST = date(2025, 11, 3)
OPENED = CaseOpened(
    on=FIRST, case_id="K1", reference="DSAR-7K3M-Q2XT", subject_id="jo", controller="acme",
    controller_name="Acme", right="access", regime="eu-gdpr", language="en", country="DE",
    recipient="privacy@acme.example", mailbox="jo@example.org", follows="K0", campaign="files")

days = st.integers(0, 200).map(lambda n: FIRST + timedelta(days=n))
instants = days.map(lambda d: datetime(d.year, d.month, d.day, 9, tzinfo=UTC))
ids = st.sampled_from(["<1@example.org>", "<2@example.org>", "<3@example.org>"])
digests = st.sampled_from(["a" * 64, "b" * 64])
labels = st.lists(st.sampled_from(list(map(str, Label))), max_size=2).map(tuple)
stages = st.sampled_from(Stage)
words = st.lists(st.sampled_from(["copy", "source"]), max_size=2).map(tuple)
TO = st.just("privacy@acme.example")
happenings: st.SearchStrategy[CaseEvent] = st.one_of(
    st.builds(LetterApproved, on=days, stage=stages, message_id=ids, digest=digests, recipient=TO,
              account=st.just("m"), disclosed=st.just((("name", "Jo"), ("email", "jo@example.org")))
              ),
    st.builds(SendAttempted, on=days, at=instants, message_id=ids, recipient=TO,
              account=st.just("m")),
    st.builds(LetterSent, on=days, message_id=ids, stage=stages, recipient=TO,
              channel=st.sampled_from(["email", "post"])),
    st.builds(LetterRefused, on=days, message_id=ids, code=st.just(550), reply=st.just("no"),
              temporary=st.booleans()),
    st.builds(DeliveryFailed, on=days, message_id=ids, recipient=TO, permanent=st.booleans(),
              passing=st.booleans()),
    st.builds(ReplyReceived, on=days, at=instants, digest=digests, message_id=st.none(),
              sender=TO, subject=st.just("Re"), authentic=st.just("pass"), evidence=st.just(())),
    st.builds(ReplyRead, on=days, digest=digests, labels=labels,
              by=st.sampled_from(["machine", "person"])),
    st.builds(AnswerChecked, on=days, missing=words, present=words),
    st.builds(ReceiptKnown, on=days, how=st.just("said")),
    st.builds(ClockEvent, on=days, justified=st.booleans(),
              type=st.sampled_from(["id_requested", "id_provided", "clarification_requested"])),
    st.builds(IdentityProvided, on=days, how=st.sampled_from(["", "passport"])),
    st.builds(ExtensionNotified, on=days, until=st.none() | days, reasoned=st.booleans()),
    st.builds(ComplaintLodged, on=days, authority=st.just("de-be")),
    st.builds(CaseClosed, on=days, outcome=st.sampled_from(["erased", "answered", "no-answer"])),
    st.builds(CaseReopened, on=days),
    st.builds(Retracted, on=days, sequence=st.integers(2, 8), because=st.just("mistake")),
)
openings = st.builds(
    lambda right, regime, outside: CaseOpened(**(
        OPENED.__dict__ | {"right": right, "regime": regime, "controller_outside": outside})),
    st.sampled_from(["access", "erasure", "objection"]),
    st.sampled_from(["eu-gdpr", "uk-gdpr", "us-ca-ccpa", "no-such-law"]), st.booleans())
ledgers = st.builds(lambda first, rest: [first, *rest], openings,
                    st.lists(happenings, max_size=14))


unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(ledgers)
def test_a_glance_that_was_written_and_read_is_the_same(events: list[CaseEvent]) -> None:
    found = glance(fold(events)).course
    written = json.loads(json.dumps(course_to_json(found)))
    assert course_from_json(written) == found


@unhurried
@given(st.lists(ledgers, min_size=2, max_size=4), days)
def test_what_is_reckoned_once_for_many_is_what_each_case_has_by_itself(
    several: list[list[CaseEvent]], today: date
) -> None:
    """Every outlook and result found through what others share equals that of the case alone."""
    outlooks, results = Outlooks(LAWS.regimes, LAWS.calendars, today), Results(today)
    for case in map(fold, several):
        facts, regime = deadline_facts(case), LAWS.regimes.get(case.facts.regime)
        dates = deadlines(regime, facts, LAWS.calendars) if facts and regime else None
        alone = standing(case, dates, today)
        seen = as_glimpse(alone)
        assert outlooks.of(course(case)) == alone.outlook
        assert (seen.status, seen.next, seen.needs_you) == (alone.status, alone.next,
                                                            alone.needs_you)
        assert results.of(seen) == result(alone, today)
        assert result(alone, today).counted == counted(seen.case.course, seen.outlook, today)


@unhurried
@given(ledgers)
def test_a_glance_answers_to_the_names_that_a_case_has(events: list[CaseEvent]) -> None:
    case = fold(events)
    seen = glance(case)
    assert (seen.id, seen.version) == (case.id, case.version)
    for name in ("case_id", "subject_id", "controller", "controller_name", "right", "regime",
                 "language", "country", "group", "campaign", "wave", "follows", "on"):
        assert getattr(seen.facts, name) == getattr(case.facts, name)
    assert [s.on for s in seen.letters] == [s.on for s in case.letters]
    assert (seen.request and seen.request.on) == (case.request and case.request.on)
    assert [r.labels for r in seen.replies] == [
        r.reading.labels if r.reading else () for r in case.replies]


def test_a_glance_holds_no_address_no_message_id_and_no_value_told() -> None:
    events: list[CaseEvent] = [
        OPENED,
        LetterApproved(on=FIRST, stage=Stage.REQUEST, message_id="<1@example.org>", digest="a",
                       recipient="privacy@acme.example", account="m",
                       disclosed=(("name", "Jo Doe"), ("email", "jo@example.org"))),
        LetterSent(on=FIRST, message_id="<1@example.org>", stage=Stage.REQUEST,
                   recipient="privacy@acme.example", server_reply="250 queued"),
        ReplyReceived(on=FIRST, at=datetime(2025, 11, 3, tzinfo=UTC), digest="c" * 64,
                      message_id="<r@acme.example>", sender="dpo@acme.example",
                      subject="Your request", authentic="pass", evidence=())]
    shown = repr(glance(fold(events)))
    for word in ("example", "Jo Doe", "Your request", "250", "DSAR-7K3M", "cccc"):
        assert word not in shown
    assert glance(fold(events)).course.told == ("name", "email")
