"""Events of invented people and companies, and strategies that make any event."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any, get_args, get_type_hints

from hypothesis import strategies as st

from dsar.core.campaign_events import (
    CampaignEvent,
    CampaignStarted,
    MemberAdded,
    MemberEvent,
)
from dsar.core.case import (
    CaseEvent,
    CaseOpened,
    LetterSent,
    NoteAdded,
    SendAttempted,
)
from dsar.core.house import HouseEvent
from dsar.core.letter import Stage

DAY = date(2026, 1, 5)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def opened(case_id: str) -> CaseOpened:
    return CaseOpened(
        on=DAY, case_id=case_id, reference="DSAR-7K3M-Q2XT", subject_id="jo",
        controller="acme-data", controller_name="Acme Data Ltd", right="access",
        regime="eu-gdpr", language="en", country="DE", recipient=f"privacy@{case_id}.example",
    )


def note(text: str) -> NoteAdded:
    return NoteAdded(on=DAY, text=text)


def attempted(message_id: str) -> SendAttempted:
    return SendAttempted(on=DAY, at=NOON, message_id=message_id,
                         recipient="privacy@acme.example", account="main")


def sent(message_id: str, stage: Stage = Stage.REQUEST) -> LetterSent:
    return LetterSent(on=DAY, message_id=message_id, stage=stage,
                      recipient="privacy@acme.example", server_reply="250 Ok")


def started(campaign_id: str) -> CampaignStarted:
    return CampaignStarted(
        on=DAY, campaign_id=campaign_id, name="Open files", organisation="Files e.V.",
        contact="files@example.org", mode="mandate", rights=("access",), purge_on=DAY,
        consent_version="1", consent_digest="ab" * 32, sending_key="k1", content_key="k2",
    )


def joined(code: str) -> MemberAdded:
    return MemberAdded(on=DAY, code=code, residence="DE", languages=("de",), identity="x",
                       blind="b", key="k", secret="s", consent_version="1")


# Also what a broken header leaves: lone surrogates, NUL, line breaks of every kind.
texts = st.text(st.characters(), max_size=12)
instants = st.datetimes(timezones=st.just(UTC))


def _values(hint: Any) -> st.SearchStrategy[Any]:
    known = {str: texts, datetime: instants, date: st.dates(), bool: st.booleans(),
             int: st.integers(), float: st.floats(allow_nan=False, allow_infinity=False)}
    if hint in known:
        return known[hint]
    if hint is Stage:
        return st.sampled_from(Stage)
    arguments = get_args(hint)
    if type(None) in arguments:
        return st.none() | _values(arguments[0])
    if arguments[-1] is Ellipsis:
        return st.lists(_values(arguments[0]), max_size=3).map(tuple)
    return st.tuples(*map(_values, arguments))


def any_of_kind(kind: type) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{f.name: _values(hints[f.name]) for f in fields(kind)})


case_events = st.one_of([any_of_kind(kind) for kind in get_args(CaseEvent)])
house_events = st.one_of([any_of_kind(kind) for kind in get_args(HouseEvent)])
campaign_events = st.one_of([any_of_kind(kind) for kind in get_args(CampaignEvent)])
member_events = st.one_of([any_of_kind(kind) for kind in get_args(MemberEvent)])
