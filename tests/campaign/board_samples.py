"""Cases of a campaign as the workers' board finds them, of invented people and companies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

from dsar.core.board import Terms
from dsar.core.case import CaseEvent, CaseOpened, LetterApproved, LetterSent, SendAttempted
from dsar.core.fairness import Office, Pace
from dsar.core.letter import Stage
from dsar.core.pacing import OFF, Limits
from dsar.store import Store

DAY = date(2026, 1, 5)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
OFFICE = Office(zone=UTC, is_working_day=lambda day: day.weekday() < 5)
FREELY = Pace(per_day=1000, spread=False)


def opened(case_id: str, company: str = "acme", *, member: str = "m-1", wave: int = 1,
           campaign: str | None = "open-files") -> CaseOpened:
    return CaseOpened(
        on=DAY, case_id=case_id, reference=f"DSAR-{case_id}", subject_id=member,
        controller=company, controller_name=company.title(), right="access", regime="eu-gdpr",
        language="en", country="DE", recipient=f"privacy@{company}.example", campaign=campaign,
        wave=wave)


def approved(case_id: str, company: str = "acme", *, account: str = "main",
             recipient: str = "") -> LetterApproved:
    return LetterApproved(
        on=DAY, stage=Stage.REQUEST, message_id=f"<{case_id}@example.org>", digest="ab" * 32,
        recipient=recipient or f"privacy@{company}.example", account=account)


def attempted(case_id: str, at: datetime, company: str = "acme", *, account: str = "main",
              recipient: str = "") -> SendAttempted:
    return SendAttempted(on=at.date(), at=at, message_id=f"<{case_id}@example.org>",
                         recipient=recipient or f"privacy@{company}.example", account=account)


def sent(case_id: str, company: str = "acme") -> LetterSent:
    return LetterSent(on=DAY, message_id=f"<{case_id}@example.org>", stage=Stage.REQUEST,
                      recipient=f"privacy@{company}.example", server_reply="250 Ok")


def waiting(store: Store, case_id: str, company: str = "acme", *, member: str = "m-1",
            wave: int = 1, account: str = "main", recipient: str = "") -> None:
    """A case whose letter is approved."""
    store.append(case_id, [opened(case_id, company, member=member, wave=wave),
                           approved(case_id, company, account=account, recipient=recipient)],
                 after=0)


def more(store: Store, case_id: str, *events: CaseEvent) -> None:
    store.append(case_id, list(events), after=store.case(case_id).version)


def terms(*, limits: Limits = OFF, pace: Pace = FREELY, waves: Sequence[int] = (1,),
          account: str = "main", office: Callable[[str], Office] = lambda slug: OFFICE) -> Terms:
    return Terms(campaign="open-files", waves=waves, account=account, limits=limits, pace=pace,
                 office=office)


def reminding(case_id: str, wave: int, company: str = "acme", *, number: int = 1, on: date = DAY
              ) -> LetterApproved:
    """The approval of a reminder in its own wave."""
    return LetterApproved(
        on=on, stage=Stage.REMINDER, message_id=f"<{case_id}-{number}@example.org>",
        digest="cd" * 32, recipient=f"privacy@{company}.example", account="main", wave=wave)


def out(store: Store, case_id: str, company: str = "acme", *, at: datetime = NOON,
                 wave: int = 1) -> None:
    """A case whose request is out."""
    waiting(store, case_id, company, wave=wave)
    more(store, case_id, attempted(case_id, at, company), sent(case_id, company))
