"""Between events and the rows of the PostgreSQL store: texts, JSON, glances."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from dsar.core.board import tried, work
from dsar.core.case import (
    ApprovalWithdrawn,
    Case,
    CaseClosed,
    CaseOpened,
    CaseReopened,
    LetterApproved,
    LetterRefused,
    LetterSent,
    Retracted,
    SendAbandoned,
    SendAttempted,
)
from dsar.core.course import Course
from dsar.core.glance import FORM, Glance, course_from_json, course_to_json, glance
from dsar.errors import LedgerDamaged
from dsar.store import Event, Recorded
from dsar.store.codec import CodecError, decode

_UNFIT = re.compile("[\\\\\0\ud800-\udfff]")
_PLAIN = re.compile(r"[A-Za-z0-9_/.-]*")
_compact = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Row(NamedTuple):
    """One event as it comes: `version` is how many the whole stream has."""

    stream: str
    version: int
    sequence: int
    recorded_at: datetime
    author: str
    body: str
    append_id: Any


def stored(text: str) -> str:
    """Return a text as PostgreSQL can hold it: as it is, or as the inside of a JSON string."""
    return json.dumps(text)[1:-1] if _UNFIT.search(text) else text


def unstored(text: str) -> str:
    """Undo `stored`."""
    return str(json.loads(f'"{text}"')) if "\\" in text else text


def beginning(prefix: str) -> str:
    """Return what the stored name of a stream with this prefix certainly begins with."""
    found = _PLAIN.match(prefix)
    return found[0] if found else ""


def event_row(
    stream: str, sequence: int, *, at: datetime, author: str, record: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an event for the function `append`; record: as `codec.encode` made it."""
    return {"stream": stored(stream), "sequence": sequence, "at": at.isoformat(),
            "author": stored(author), "kind": record["kind"], "body": body_of(record)}


def body_of(record: Mapping[str, Any]) -> str:
    """Return what `codec.encode` made as compact JSON in ASCII."""
    return _compact(record)


_MOVES = (CaseOpened, LetterApproved, ApprovalWithdrawn, SendAttempted, LetterSent, LetterRefused,
          SendAbandoned, CaseClosed, CaseReopened, Retracted)
"""What changes which letter of a case waits, or was attempted."""


def case_row(case: Case, fresh: Iterable[Event] | None = None) -> dict[str, Any]:
    """Return the projection of a case for the function `project`.

    fresh: the events added; where none of them moves a letter, what workers look at stays.
    """
    row = _glance_row(case)
    if fresh is None or any(map(moves, fresh)):
        return row | work_row(case)
    return row


def moves(event: Event) -> bool:
    """Whether an event may change which letter of a case waits, or was attempted."""
    return isinstance(event, _MOVES)


def work_row(case: Case) -> dict[str, Any]:
    """Return what the workers of a campaign look at: the case, and its attempts."""
    found = work(case)
    kept = None if found is None else {
        name: [*map(_plain, value)] if isinstance(value, tuple) else _plain(value)
        for name, value in found._asdict().items()}
    attempts = [{"number": number, **{k: _plain(v) for k, v in one._asdict().items()}}
                for number, one in enumerate(tried(case), start=1)]
    return {"work": kept, "attempts": attempts}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else _stored(value)


def _glance_row(case: Case) -> dict[str, Any]:
    found = glance(case)
    digest, value = course_row(found.course)
    texts = {name: _stored(text) for name, text in found._asdict().items()
             if name not in ("id", "version", "course")}
    return {"stream": stored(found.id), "version": found.version, "digest": digest.hex(),
            "form": FORM, "value": value, **texts}


def course_row(found: Course) -> tuple[bytes, str]:
    """Return a course as it is kept, with the SHA-256 by which it is found."""
    value = stored(_compact(course_to_json(found)))
    return sha256(f"{FORM}\n{value}".encode()).digest(), value


def _stored(value: Any) -> Any:
    return stored(value) if isinstance(value, str) else value


class Shared(dict[Any, Any]):
    """Texts as `unstored` gives them, each one object: a million cases have few companies."""

    def __missing__(self, text: str | None) -> str | None:
        found = self[text] = text if text is None else unstored(text)
        return found


def glance_of(row: Sequence[Any], course: Course, shared: Shared) -> Glance:
    """Return the glance in a row: id, version, subject_id, …, follows in the order of Glance."""
    id_, version, subject, controller, name, group, campaign, wave, follows = row
    return Glance(
        unstored(id_), version, shared[subject], shared[controller], shared[name], shared[group],
        shared[campaign], wave, follows and unstored(follows), course)


def course_of(value: str) -> Course:
    """Return the course that `case_row` wrote."""
    return course_from_json(json.loads(unstored(value)))


def dumped(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as one JSON text for a parameter."""
    return _compact(list(rows))


def events_of(rows: Sequence[Row], database: str) -> list[Event]:
    """Return the events of one stream, all of them; raises LedgerDamaged."""
    if rows and [row.sequence for row in rows] != list(range(1, rows[0].version + 1)):
        raise LedgerDamaged(f"{database}: {unstored(rows[0].stream)}: events are missing.")
    try:
        bodies = json.loads(f"[{','.join([row.body for row in rows])}]")
        return list(map(decode, bodies))
    except (ValueError, CodecError) as error:
        raise _damage(rows, database, error) from error


def recorded_of(rows: Sequence[Row], database: str) -> tuple[Recorded, ...]:
    """Return the events of one stream with number, time and author; raises LedgerDamaged."""
    return tuple(
        Recorded(sequence=row.sequence, recorded_at=row.recorded_at, author=unstored(row.author),
                 event=event)
        for row, event in zip(rows, events_of(rows, database), strict=True))


def _damage(rows: Sequence[Row], database: str, error: Exception) -> LedgerDamaged:
    """Name the first event that cannot be read."""
    for row in rows:
        try:
            decode(json.loads(row.body))
        except (ValueError, CodecError) as found:
            return LedgerDamaged(
                f"{database}: {unstored(row.stream)}: event {row.sequence}: {found}.")
    return LedgerDamaged(f"{database}: {unstored(rows[0].stream)}: {error}.")
