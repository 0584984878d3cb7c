"""One event for one case at hand, which is most appends: a call with plain values, not with JSON.

Half of what an append costs beside its commit goes into batches of JSON, written here and taken
apart in the database; and most events leave the course of a case as one that was written before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

import psycopg

from dsar.core.case import Case, CaseEvent, Retracted, extend
from dsar.core.course import Course, course
from dsar.core.glance import FORM
from dsar.store import Event
from dsar.store.postgres_cache import Known, Recent
from dsar.store.postgres_link import Link
from dsar.store.postgres_rows import body_of, course_row, dumped, moves, stored, work_row
from dsar.store.rules import admit, utc

BEHIND, RECORDED_BEFORE, NOT_PROJECTED = "DS001", "DS003", "DS006"
ROOM = 4096
"""How many courses are remembered with what they are kept as."""
_APPEND = "SELECT dsar.append_one(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::json)"


class Single:
    """Appends of one event to a case that was read or written before."""

    def __init__(
        self, link: Link, known: Known, now: Callable[[], datetime], author: str
    ) -> None:
        self._link, self._known, self._now = link, known, now
        self._author = stored(author)
        self._courses = Recent[Course, tuple[bytes, str, str]](ROOM)

    def added(self, stream: str, event: Event, after: int) -> bool:
        """Add an event, committed on the server's disk; false where `append` has to see to it."""
        kept = self._known.get(stream)
        if kept is None or kept[0].version != after or isinstance(event, Retracted):
            return False  # all events are needed, or nobody has read them
        try:
            [record] = admit(stream, [event], after=after, have=after)
        except ValueError:
            return False
        case, last = kept
        return self._recorded(extend(case, cast(CaseEvent, event), ()), event, record, last)

    def _recorded(self, grown: Case, event: Event, record: Mapping[str, Any], last: Any) -> bool:
        """Call the database's `append_one`; repeated where the connection was lost."""
        append_id = uuid4()
        work = dumped([_of(grown) | work_row(grown)]) if moves(event) else None
        call = (append_id, stored(grown.id), grown.version - 1, last, utc(self._now), self._author,
                record["kind"], body_of(record), *self._course(grown), work)
        try:
            self._link.run(lambda connection: connection.execute(_APPEND, call))
        except psycopg.Error as error:
            self._known.drop(grown.id)
            if error.sqlstate in (BEHIND, NOT_PROJECTED):
                return False
            if error.sqlstate != RECORDED_BEFORE:
                raise
        self._known.put(grown.id, (grown, append_id))
        return True

    def _course(self, grown: Case) -> tuple[bytes, str, str]:
        """Digest, form and value of the course as it is now."""
        found = course(grown)
        kept = self._courses.get(found)
        if kept is None:
            digest, value = course_row(found)
            kept = digest, FORM, value
            self._courses.put(found, kept)
        return kept


def _of(case: Case) -> dict[str, Any]:
    return {"stream": stored(case.id), "version": case.version}
