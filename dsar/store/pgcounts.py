"""What a campaign has come to, counted in PostgreSQL and not case by case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from psycopg import Connection

from dsar.core.board import People, Tally
from dsar.core.campaign_events import member_stream
from dsar.core.course import Course
from dsar.core.glance import FORM
from dsar.store.postgres_read import courses_of
from dsar.store.postgres_rows import stored, unstored

if TYPE_CHECKING:
    from dsar.store.postgres import PostgresStore

_TALLY = """SELECT controller, wave, course, count(*) FROM dsar.glances WHERE campaign = %s
GROUP BY controller, wave, course"""
_OTHER_FORM = "SELECT EXISTS (SELECT FROM dsar.courses WHERE form <> %s)"
_REACHED = """SELECT count(*) FROM (
    SELECT g.subject_id FROM dsar.glances AS g JOIN (
        SELECT id FROM dsar.courses WHERE json_array_length(value::json -> %s) > 0 OFFSET 0
    ) AS k ON k.id = g.course WHERE g.campaign = %s GROUP BY g.subject_id) AS reached"""
_LETTERS = Course._fields.index("letters")
# The latest consent and the latest mandate of a member count: the number of the event goes before
# what it says, and the greatest is taken. A body is compact JSON in ASCII, in which a quotation
# mark of a text has a backslash before it: what is looked for stands there as a field only.
# LATERAL: events are looked up member by member, for otherwise those of all cases are read.
# split_part: a regular expression takes longer than all the rest.
_PEOPLE = """
SELECT count(*), count(*) FILTER (WHERE gone), count(*) FILTER (WHERE kit),
    count(*) FILTER (WHERE shared), count(*) FILTER (WHERE consent %% 2 = 1),
    count(*) FILTER (WHERE NOT gone AND substr(mandate, 11) >= %(today)s::text)
FROM dsar.streams AS s CROSS JOIN LATERAL (
    SELECT bool_or(e.kind = 'MemberLeft') AS gone, bool_or(e.kind = 'KitWritten') AS kit,
        bool_or(e.kind = 'AnswerShared') AS shared,
        max(CASE WHEN e.kind IN ('MemberAdded', 'ConsentChanged')
            THEN e.sequence * 2 + (position('"analysis":true' IN e.body) > 0)::integer
            END) AS consent,
        max(CASE e.kind WHEN 'MandateSigned' THEN to_char(e.sequence, 'FM0000000000')
            || nullif(left(split_part(e.body, '"expires_on":"', 2), 10), '')
            WHEN 'MandateRevoked' THEN to_char(e.sequence, 'FM0000000000')
            END COLLATE "C") AS mandate
    FROM dsar.events AS e WHERE e.position = s.position) AS marks
WHERE s.stream >= %(first)s AND s.stream < %(beyond)s"""


def tallied(store: PostgresStore, campaign: str) -> Iterator[Tally]:
    """Yield how many cases of each company and wave have the same course.

    Courses that another version of dsar wrote are computed anew, which takes its time.
    """
    def work(connection: Connection[Any]) -> tuple[list[Any], dict[int, Course]]:
        rows = connection.execute(_TALLY, [stored(campaign)]).fetchall()
        return rows, courses_of(connection, {row[2] for row in rows}, store.courses)

    rows, courses = store.link.run(work)
    if all(row[2] in courses for row in rows):
        yield from (Tally(unstored(company), wave, courses[course], cases)
                    for company, wave, course, cases in rows)
        return
    counted = Counter((g.controller, g.wave, g.course) for g in store.glances()
                      if g.campaign == campaign)
    yield from (Tally(*key, cases) for key, cases in counted.items())


def counted_people(store: PostgresStore, campaign: str, today: date) -> People:
    """Return how many members went how far."""
    prefix = stored(member_stream(campaign, ""))
    # The last character of a prefix is a slash; what follows it in the alphabet ends the range.
    bounds = {"first": prefix, "beyond": prefix[:-1] + chr(ord(prefix[-1]) + 1), "today": today}

    def work(connection: Connection[Any]) -> tuple[Any, int]:
        found = connection.execute(_PEOPLE, bounds).fetchone()
        return found, _reached(connection, store, campaign)

    (joined, left, kits, shared, analysis, mandated), reached = store.link.run(work)
    return People(joined=joined, left=left, kits=kits, shared=shared, analysis=analysis,
                  mandated=mandated, written_to=reached)


def _reached(connection: Connection[Any], store: PostgresStore, campaign: str) -> int:
    """How many members have a letter out."""
    other = connection.execute(_OTHER_FORM, [FORM]).fetchone()
    if other and other[0]:
        return len({g.subject_id for g in store.glances()
                    if g.campaign == campaign and g.course.letters})
    row = connection.execute(_REACHED, [_LETTERS, stored(campaign)]).fetchone()
    return int(row[0]) if row else 0
