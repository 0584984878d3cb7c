"""The lanes in which a campaign's letters wait in PostgreSQL, and what their turn rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection

from dsar.core.board import Terms
from dsar.core.pacing import Sent
from dsar.store.postgres_rows import stored, unstored

_LANES = """SELECT wave, mailbox, controller, domain, count(*),
    CASE WHEN min(not_before) > '-infinity' THEN min(not_before) END
FROM dsar.work WHERE campaign = %s AND account = %s AND wave = ANY (%s) AND state = 'waiting'
GROUP BY wave, mailbox, controller, domain ORDER BY random()"""
_MAILBOXES = """SELECT m.mailbox, array_agg(a.at) FROM unnest(%s::text[]) AS m (mailbox)
CROSS JOIN LATERAL (SELECT at FROM dsar.attempts WHERE mailbox = m.mailbox
    ORDER BY at DESC LIMIT %s) AS a GROUP BY m.mailbox"""
_ACCOUNT = "SELECT at, domain FROM dsar.account_history(%s, %s, %s, %s)"


class Lane(NamedTuple):
    """The letters of a wave to one mailbox of one company; not_before: None where one may go."""

    wave: int
    mailbox: str
    controller: str
    domain: str
    letters: int
    not_before: datetime | None


@dataclass(frozen=True)
class Standing:
    """What was sent: by the account, and to each mailbox, as far as the next turn rests on it."""

    account: Sequence[Sent] = ()
    mailboxes: Mapping[str, Sequence[datetime]] = field(default_factory=dict)


def lanes(connection: Connection[Any], terms: Terms) -> list[Lane]:
    """Return the lanes with letters that wait, in a random order: workers begin apart."""
    rows = connection.execute(_LANES, [
        stored(terms.campaign), stored(terms.account), list(terms.waves)]).fetchall()
    return [Lane(wave, unstored(mailbox), unstored(controller), unstored(domain), letters, at)
            for wave, mailbox, controller, domain, letters, at in rows]


def standings(
    connection: Connection[Any], found: Sequence[Lane], terms: Terms, now: datetime
) -> Standing:
    """Return what the turns of these lanes rest on."""
    mailboxes = connection.execute(_MAILBOXES, [
        list({stored(lane.mailbox) for lane in found}), max(terms.pace.per_day, 1)]).fetchall()
    account = connection.execute(_ACCOUNT, [
        stored(terms.account), list({stored(lane.domain) for lane in found}),
        terms.limits.per_day or 0, now]).fetchall()
    return Standing([Sent(at, unstored(domain)) for at, domain in account],
                    {unstored(mailbox): times for mailbox, times in mailboxes})


def sent_of(pairs: Iterable[Sequence[str]]) -> list[Sent]:
    """Return attempts as `look` gives them: instant and domain."""
    return [Sent(datetime.fromisoformat(at), unstored(domain)) for at, domain in pairs]
