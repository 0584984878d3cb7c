"""Invented cases with a given course, and whole studies made of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from dsar.core.case import (
    AnswerChecked,
    CaseEvent,
    CaseOpened,
    DeliveryFailed,
    IdentityProvided,
    LetterApproved,
    LetterSent,
    ReplyRead,
    ReplyReceived,
    fold,
)
from dsar.core.deadline import Deadlines
from dsar.core.letter import Stage
from dsar.core.result import Result, result
from dsar.core.status import standing

SENT = date(2026, 3, 2)
DUE = date(2026, 4, 2)
LATEST = date(2026, 4, 7)
AFTER = date(2026, 12, 1)


def opened(number: int, *, right: str = "access", name: str = "", person: str = "alex"
           ) -> list[CaseEvent]:
    """A request that was sent."""
    message_id = f"<request.{number}@example.org>"
    to = f"privacy@c{number}.example"
    return [
        CaseOpened(on=SENT, case_id=f"K{number:03}", reference="DSAR-7K3M-Q2XT",
                   subject_id=person, controller=f"c{number}",
                   controller_name=name or f"Company {number}", right=right, regime="eu-gdpr",
                   language="en", country="DE", recipient=to),
        LetterApproved(on=SENT, stage=Stage.REQUEST, message_id=message_id, digest="ab" * 32,
                       recipient=to, account="main",
                       disclosed=(("name", "Alex Example"), ("email", "alex@example.org"))),
        LetterSent(on=SENT, message_id=message_id, stage=Stage.REQUEST, recipient=to),
    ]


def replied(number: int, label: str, day: int, *, by: str = "person") -> list[CaseEvent]:
    """A reply so many days after sending, with one reading."""
    on, digest = SENT + timedelta(days=day), f"{number:032}{day:032}"
    return [ReplyReceived(on=on, at=datetime.combine(on, time(), UTC), digest=digest,
                          message_id=None, sender=f"privacy@c{number}.example", subject="Re",
                          authentic="pass", evidence=("in-reply-to",)),
            ReplyRead(on=on, digest=digest, labels=(label,), by=by)]


def bounced(number: int) -> CaseEvent:
    """The request could not be delivered."""
    return DeliveryFailed(on=SENT, message_id=f"<request.{number}@example.org>",
                          recipient=f"privacy@c{number}.example", permanent=True)


def checked(*, missing: Sequence[str] = (), present: Sequence[str] = ("copy",)) -> CaseEvent:
    """A person went through the answer."""
    return AnswerChecked(on=AFTER, missing=tuple(missing), present=tuple(present))


def proved(how: str) -> CaseEvent:
    """The person proved who they are."""
    return IdentityProvided(on=SENT + timedelta(days=3), how=how)


DATES = Deadlines(due=DUE, strict_due=DUE, charitable_due=LATEST)


def outcome(events: Sequence[CaseEvent], *, today: date = AFTER,
            deadlines: Deadlines | None = DATES, categories: tuple[str, ...] = ("data-broker",),
            seat: str = "DE", provisional: bool = False) -> Result:
    """What the events count as."""
    case = fold(events)
    dates = deadlines if case.request else None
    return result(standing(case, dates, today), today, categories=categories, seat=seat,
                  provisional=provisional)


def study(*groups: tuple[int, Sequence[tuple[str, int]], Sequence[CaseEvent]],
          right: str = "access") -> list[Result]:
    """So many cases for each course: (number, replies as (label, day), further events)."""
    found: list[Result] = []
    for count, replies, more in groups:
        for _ in range(count):
            number = len(found)
            events = opened(number, right=right)
            for label, day in replies:
                events += replied(number, label, day)
            found.append(outcome([*events, *more]))
    return found
