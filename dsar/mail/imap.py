"""Reads a mailbox by IMAP and changes nothing in it (RFC 9051): EXAMINE and BODY.PEEK only.

What is new is told by UIDVALIDITY and UIDNEXT alone. CONDSTORE and QRESYNC (RFC 7162) are left
aside where they are offered: they tell of changed flags and of messages that went, which is nothing
to us, and cost more. Dovecot, 20,000 messages, connection included: nothing new 40 ms by UIDNEXT,
55 and 68 by CHANGEDSINCE and QRESYNC; 10 new 32, 42 and 48 ms; and once 2,000 were marked as read
elsewhere, both showed 2,010 messages in place of 10.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from imaplib import IMAP4
from itertools import groupby
from typing import Any, TypeVar

from dsar.errors import DsarError, Temporary
from dsar.mail import Coordinates, Cursor, Envelope, Fetched, MadeAnew, Unfetchable
from dsar.mail.account import Account, Endpoint
from dsar.mail.imapboxes import all_mailboxes, examine, special, with_validity
from dsar.mail.imaplogin import Connection, log_out, open_connection
from dsar.mail.imapstream import BODIES, FIRST_PIECE, HEADERS_AT_ONCE, HEADS, FetchStream
from dsar.mail.imapwire import Answer, Refused, answers, login_is_over, search_all, send
from dsar.mail.login import SecretGiver, why

__all__ = ["HEADERS_AT_ONCE", "ImapMailbox", "NoSentMailbox"]

TIMEOUT_S = 60.0
PIECE = 1024 * 1024
MAX_MESSAGE = 512 * 1024 * 1024
"""Octets after which a message is taken for one without an end."""
_MOST_GIVEN_UP = 20
"""So many messages in a row that cannot be had: the server is ill, not they."""
_MOST_SILENT = 3
"""So often without any answer in time: nobody waits for an hour, one message after the other."""
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)
_LOST = (OSError, IMAP4.abort)
_T = TypeVar("_T")


class NoSentMailbox(DsarError):
    """The account has no Sent mailbox where a copy could be put."""

    hint = "Set `sent_copy: bcc` or `none` for the account in config.yaml."


class ImapMailbox:
    """Keeps the contract of `Mailbox`. Connects when first asked for something.

    A connection that breaks is made anew once; then Temporary is raised. since: messages
    received before that day are not looked at where there is no cursor.
    """

    def __init__(
        self,
        account: Account,
        secret: SecretGiver,
        *,
        since: date | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        if account.imap is None:
            raise ValueError(f"account {account.name!r} has no IMAP server")
        self._account, self._secret, self.since = account, secret, since
        self._endpoint: Endpoint = account.imap
        self._timeout_s = timeout_s
        self._connection: Connection | None = None
        self._examined: tuple[str, int] | None = None
        self._ahead: FetchStream | None = None
        self._special: dict[bytes, str | None] = {}

    def check(self) -> None:
        """Connect and log in; raises LoginRefused or MailServerUnreachable."""
        self._drop("a new start")
        self._connected()

    def mailboxes(self) -> Iterator[str]:
        """INBOX, then Junk where there is one, and those of the account that exist.

        The server is asked for the others only when INBOX is done with: after a LIST, Dovecot
        looks through every file of a Maildir again.
        """
        yield "INBOX"
        listed = self._do(all_mailboxes)
        junk = self._do(lambda connection: special(connection, b"\\Junk", listed))
        there = {each.name for each in listed if b"\\noselect" not in each.flags}
        wanted = (*([junk] if junk else []), *self._account.mailboxes)
        yield from (name for name in dict.fromkeys(wanted) if name != "INBOX" and name in there)

    def new(self, mailbox: str, cursor: Cursor | None) -> tuple[Iterator[Envelope], Cursor]:
        """See `Mailbox.new`; a mailbox with another UIDVALIDITY is read from the start.

        So is one that has given out fewer UIDs than were seen, as after a backup was put back.
        """
        validity, last = self._do(lambda connection: self._state(connection, mailbox))
        if cursor is not None and (cursor.uidvalidity != validity
                                   or (last is not None and last < cursor.last_uid)):
            cursor = None
        if cursor is not None and last == cursor.last_uid:
            return iter(()), cursor
        first = cursor.last_uid + 1 if cursor else 1
        uids = self._do(lambda connection: self._search(connection, mailbox, validity, first))
        following = Cursor(uidvalidity=validity, last_uid=max(first - 1, last or 0, *uids, 0))
        return self._envelopes(mailbox, validity, uids), following

    def holds_nothing_above(self, mailbox: str, cursor: Cursor) -> bool:
        """Whether the mailbox is the one of the cursor and the server says it has nothing newer.

        Costs one command; False also where the server does not say. Raises Temporary.
        """
        validity, last = self._do(lambda connection: self._state(connection, mailbox))
        return (validity, last) == (cursor.uidvalidity, cursor.last_uid)

    def called_now(self, cursor: Cursor) -> str | None:
        """See `Mailbox.called_now`; each mailbox is asked for its UIDVALIDITY (STATUS)."""
        found = self._do(lambda connection: with_validity(connection, cursor.uidvalidity))
        return found[0] if len(found) == 1 else None

    def fetch(self, coordinates: Sequence[Coordinates]) -> Iterator[Fetched]:
        """See `Mailbox.fetch`; messages that are gone by now are left out."""
        for (mailbox, validity), group in groupby(coordinates, _mailbox_of):
            by_uid = {each.uid: each for each in group}
            stream = FetchStream.of(sorted(by_uid), BODIES)
            for found in self._streamed(mailbox, validity, stream):
                if isinstance(found, Answer):
                    where = by_uid[found.uid]
                    yield Fetched(coordinates=where, received=found.received,
                                  pieces=self._pieces(where, found))
                else:
                    yield Fetched(coordinates=by_uid[found[0]], received=None,
                                  pieces=_nothing(found[1]))

    def sent_mailbox(self) -> str | None:
        """The mailbox for copies, by SPECIAL-USE (RFC 6154) or a common name; None for none."""
        return self._special_mailbox(b"\\Sent")

    def sent_ids(self, message_ids: Sequence[str]) -> frozenset[str]:
        """See `Mailbox.sent_ids`; none, where there is no Sent mailbox."""
        sent = self._special_mailbox(b"\\Sent")
        if sent is None:
            return frozenset()
        return self._do(lambda connection: self._those_in(connection, sent, message_ids))

    def file_sent(self, message: bytes) -> None:
        """See `Mailbox.file_sent`; raises NoSentMailbox. A copy that is there is not doubled."""
        sent = self._special_mailbox(b"\\Sent")
        if sent is None:
            raise NoSentMailbox("The account has no Sent mailbox.")
        ids = [found[1].decode()] if (found := _MESSAGE_ID.search(message)) else []
        tried: list[bool] = []

        def append(connection: Connection) -> None:
            if tried and self._those_in(connection, sent, ids):
                return  # the first try arrived, only its answer was lost
            tried.append(True)
            connection.client.append(sent, message, flags=(b"\\Seen",))

        self._do(append)

    def wait(self, mailbox: str, timeout_s: float, *, above: Cursor | None = None) -> bool:
        """Wait until the server speaks of the mailbox (IDLE, RFC 2177); False: time is up.

        Where the server knows no IDLE, returns True after at most a minute: look yourself.
        timeout_s: at most 29 minutes, after which servers may hang up. above: does not wait where
        something came since then, of which the server will not speak again.
        """
        def idle(connection: Connection) -> bool:
            if not connection.can("IDLE"):
                time.sleep(min(timeout_s, 60))
                return True
            validity, last = self._state(connection, mailbox)
            if above is not None and (validity != above.uidvalidity
                                      or (last or 0) > above.last_uid):
                return True
            client = connection.client
            client.idle()
            try:
                return bool(client.idle_check(timeout=min(timeout_s, 29 * 60)))
            finally:
                client.idle_done()

        return self._do(idle)

    def close(self) -> None:
        """Log out; never raises."""
        self._log_out(politely=not (self._ahead and self._ahead.under_way))
        self._examined = self._ahead = None

    def _envelopes(self, mailbox: str, validity: int, uids: Sequence[int]) -> Iterator[Envelope]:
        for found in self._streamed(mailbox, validity, FetchStream.of(uids, HEADS)):
            uid, trouble = (found.uid, "") if isinstance(found, Answer) else found
            where = Coordinates(account=self._account.name, mailbox=mailbox,
                                uidvalidity=validity, uid=uid)
            if isinstance(found, Answer):
                yield Envelope(coordinates=where, received=found.received, head=found.data or b"")
            else:
                yield Envelope(coordinates=where, received=None, head=b"", trouble=trouble)

    def _streamed(
        self, mailbox: str, validity: int, stream: FetchStream
    ) -> Iterator[Answer | tuple[int, str]]:
        """Read a stream to its end, over as many connections as that takes."""
        while not stream.is_done:
            self._do(lambda connection: self._open(connection, mailbox, validity), beside=stream)
            self._advance(stream)
            if stream.in_a_row >= _MOST_GIVEN_UP or stream.silent >= _MOST_SILENT:
                raise Temporary(f"{self._endpoint}: the server gives no message any more.")
            yield from stream.taken()

    def _advance(self, stream: FetchStream) -> None:
        """Read one batch; more are under way when this returns."""
        imap, self._ahead = self._connected().imap, stream
        try:
            stream.ask(imap)
            if stream.under_way:
                stream.read_one(imap)
            stream.ask(imap)
        except (*_LOST, IMAP4.error) as error:
            stream.silent += isinstance(error, TimeoutError)
            self._drop(why(error))
        except BaseException:
            self._drop("broken off")
            raise

    def _pieces(self, where: Coordinates, first: Answer) -> Iterator[bytes]:
        """A message bit by bit; what the server says of its size is not relied on."""
        data, asked = first.data or b"", FIRST_PIECE
        start, size = 0, first.size or 0
        while True:
            yield data
            start += len(data)
            if not data or len(data) > asked or (len(data) < asked and start >= size):
                return
            if start > MAX_MESSAGE:
                raise Unfetchable("the message has no end")
            data, asked = self._piece(where, start), PIECE

    def _piece(self, where: Coordinates, start: int) -> bytes:
        command = b"UID FETCH %d (UID BODY.PEEK[]<%d.%d>)" % (where.uid, start, PIECE)

        def fetch(connection: Connection) -> bytes:
            self._open(connection, where.mailbox, where.uidvalidity)
            imap = connection.imap
            found = [each.data for each in answers(imap, send(imap, command), keep=2 * PIECE)
                     if each.uid == where.uid]
            if not found:
                raise Unfetchable("the rest of the message cannot be had")
            return found[0] or b""  # NIL: nothing lies there, whatever was said of the size

        try:
            return self._do(fetch)
        except MadeAnew:
            raise
        except Temporary as error:
            raise Unfetchable(str(error)) from None

    def _state(self, connection: Connection, mailbox: str) -> tuple[int, int | None]:
        """UIDVALIDITY and the highest UID given so far, None where the server does not say."""
        validity, following = examine(connection, mailbox)
        self._examined = (mailbox, validity)
        return validity, None if following is None else following - 1

    def _search(
        self, connection: Connection, mailbox: str, validity: int, first: int
    ) -> list[int]:
        """The UIDs from `first` on. `n:*` also gives the last message below n."""
        self._open(connection, mailbox, validity)
        since = self.since if first == 1 else None
        if connection.can("ESEARCH") or connection.can("IMAP4REV2"):
            return search_all(connection.imap, first, since)
        criteria: list[Any] = ["UID", f"{first}:*", *(["SINCE", since] if since else [])]
        return sorted(uid for uid in connection.client.search(criteria) if uid >= first)

    def _those_in(
        self, connection: Connection, mailbox: str, message_ids: Sequence[str]
    ) -> frozenset[str]:
        self._state(connection, mailbox)
        wanted = [each for each in message_ids if each.isascii()]
        return frozenset(
            each for each in wanted if connection.client.search(["HEADER", "Message-ID", each])
        )

    def _open(self, connection: Connection, mailbox: str, validity: int) -> None:
        """Open read-only, unless it is open; raises MadeAnew."""
        if self._examined is None or self._examined[0] != mailbox:
            self._state(connection, mailbox)
        if self._examined != (mailbox, validity):
            raise MadeAnew

    def _special_mailbox(self, use: bytes) -> str | None:
        """By SPECIAL-USE (RFC 6154), else by the names providers commonly give."""
        def find(connection: Connection) -> str | None:
            return special(connection, use, all_mailboxes(connection))

        if use not in self._special:
            self._special[use] = self._do(find)
        return self._special[use]

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = open_connection(
                self._account, self._endpoint, self._secret, self._timeout_s)
        return self._connection

    def _log_out(self, *, politely: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            log_out(connection.imap, politely=politely)

    def _drop(self, reason: str) -> None:
        self._log_out(politely=False)
        if self._ahead is not None:
            self._ahead.lost(reason)
        self._examined = self._ahead = None

    def _do(self, action: Callable[[Connection], _T], beside: FetchStream | None = None) -> _T:
        """Run a command; once more on a new connection where the first one broke.

        beside: a stream that may stay under way, as nothing is sent where its mailbox is open.
        """
        try:
            return self._try(action, beside)
        except _LOST as error:
            self._drop(why(error))
        try:
            return self._try(action, beside)
        except _LOST as error:
            self._drop(why(error))
            raise Temporary(f"{self._endpoint}: {why(error)}; nothing is lost.") from None

    def _try(self, action: Callable[[Connection], _T], beside: FetchStream | None) -> _T:
        try:
            connection = self._connected()
            if self._ahead is not None and self._ahead is not beside:
                self._ahead.read_all(connection.imap)
                self._ahead = None
            return action(connection)
        except (*_LOST, MadeAnew, Unfetchable):
            raise
        except (IMAP4.error, Refused) as error:
            self._examined = None
            if login_is_over(str(error)):
                raise IMAP4.abort("the login has run out") from None
            raise Temporary(f"{self._endpoint}: the server refused a command ({error}).") from None
        except BaseException:  # also Ctrl-C: answers still under way would be taken for others
            self._drop("broken off")
            raise


def _nothing(reason: str) -> Iterator[bytes]:
    raise Unfetchable(reason)
    yield b""


def _mailbox_of(coordinates: Coordinates) -> tuple[str, int]:
    return coordinates.mailbox, coordinates.uidvalidity
