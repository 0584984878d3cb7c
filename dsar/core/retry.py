"""When a letter that the server put off may be tried again: doubling pauses, kept by the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta

from dsar.core.case import Case

FIRST_PAUSE = timedelta(minutes=15)
MAX_PAUSE = timedelta(hours=12)
MAX_TRIES = 6
"""After so many temporary refusals a person decides (RFC 5321, 4.5.4.1: 4 to 5 days in all)."""


def next_try(case: Case) -> datetime | None:
    """The earliest instant for the next attempt at the approved letter.

    None: at once, nothing was put off. When the tries are used up `is_given_up` says so.
    """
    tried = _attempts(case)
    if not tried or not _was_put_off(case):
        return None
    doubled = FIRST_PAUSE * (1 << (len(tried) - 1))
    return tried[-1] + min(doubled, MAX_PAUSE)


def is_given_up(case: Case) -> bool:
    """Whether the approved letter was put off so often that a person has to decide."""
    return _was_put_off(case) and len(_attempts(case)) >= MAX_TRIES


def _was_put_off(case: Case) -> bool:
    approved, refused = case.approved, case.refused
    return (approved is not None and refused is not None and refused.temporary
            and refused.message_id == approved.message_id)


def _attempts(case: Case) -> list[datetime]:
    approved = case.approved
    return [a.at for a in case.attempts if approved and a.message_id == approved.message_id]
