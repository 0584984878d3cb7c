"""What the PostgreSQL store reads: events of some streams or of all, and the projection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from psycopg import Connection

from dsar.core.course import Course
from dsar.core.glance import FORM, Glance
from dsar.store.postgres_cache import Recent
from dsar.store.postgres_rows import (
    Row,
    Shared,
    beginning,
    course_of,
    glance_of,
    stored,
    unstored,
)
from dsar.store.rules import is_case

AT_ONCE = 2000
"""How many rows travel together in a long read."""
_COLUMNS = "s.stream, s.version, e.sequence, e.recorded_at, e.author, e.body, e.append_id"
_ONE = f"""SELECT {_COLUMNS} FROM dsar.streams AS s JOIN dsar.events AS e USING (position)
WHERE s.stream = %s ORDER BY e.sequence"""
_SOME = f"""SELECT {_COLUMNS} FROM dsar.streams AS s JOIN dsar.events AS e USING (position)
WHERE s.stream = ANY (%s) ORDER BY s.position, e.sequence"""
_ALL = f"""SELECT {_COLUMNS} FROM dsar.streams AS s JOIN dsar.events AS e USING (position)
WHERE starts_with(s.stream, %s) ORDER BY s.position, e.sequence"""
_GLANCES = """SELECT g.course, s.stream, s.version, g.subject_id, g.controller, g.controller_name,
       g.case_group, g.campaign, g.wave, g.follows
FROM dsar.streams AS s LEFT JOIN dsar.glances AS g USING (position, version)
WHERE s.position > 0 ORDER BY s.position"""
Courses = Recent[int, Course]


def of_stream(connection: Connection[Any], stream: str) -> list[Row]:
    """Return the events of one stream."""
    return [Row._make(r) for r in connection.execute(_ONE, [stored(stream)]).fetchall()]


def of_streams(connection: Connection[Any], streams: Sequence[str]) -> dict[str, list[Row]]:
    """Return the events of each stream that has some."""
    names = list(map(stored, streams))
    return dict(_grouped(map(Row._make, connection.execute(_SOME, [names]).fetchall())))


def of_all(connection: Connection[Any], prefix: str) -> Iterator[tuple[str, list[Row]]]:
    """Yield every stream whose name begins so, the house first; within a snapshot."""
    with connection.cursor("events") as cursor:
        cursor.itersize = AT_ONCE
        rows = map(Row._make, cursor.execute(_ALL, [beginning(prefix)]))
        yield from ((s, group) for s, group in _grouped(rows) if s.startswith(prefix))


def _grouped(rows: Iterator[Row]) -> Iterator[tuple[str, list[Row]]]:
    for stream, group in groupby(rows, attrgetter("stream")):
        yield unstored(stream), list(group)


def versions(connection: Connection[Any], streams: Sequence[str]) -> dict[str, int]:
    """Return how many events each of these streams has; one that is not there is left out."""
    found = connection.execute("SELECT stream, version FROM dsar.streams WHERE stream = ANY (%s)",
                               [list(map(stored, streams))]).fetchall()
    return {unstored(stream): version for stream, version in found}


def projected(
    connection: Connection[Any], courses: Courses
) -> Iterator[list[tuple[str, Glance | None]]]:
    """Yield batches of cases, in the order they were opened, with their row of the projection.

    None where it does not hold for the events there are, or was written by another version.
    """
    shared = Shared()
    with connection.cursor("glances") as cursor:
        cursor.execute(_GLANCES)
        while rows := cursor.fetchmany(AT_ONCE):
            known = courses_of(connection, {row[0] for row in rows} - {None}, courses)
            named = ((unstored(row[1]), row) for row in rows)
            yield [(stream, glance_of(row[1:], known[row[0]], shared)
                    if row[0] in known else None)
                   for stream, row in named if is_case(stream)]


def courses_of(
    connection: Connection[Any], wanted: set[int], courses: Courses
) -> dict[int, Course]:
    """Return these courses, each the same object as long as it is remembered."""
    known = {i: found for i in wanted if (found := courses.get(i)) is not None}
    if missing := list(wanted - known.keys()):
        for number, value in connection.execute(
                "SELECT id, value FROM dsar.courses WHERE id = ANY (%s) AND form = %s",
                [missing, FORM]).fetchall():
            known[number] = course_of(value)
            courses.put(number, known[number])
    return known
