"""Mail: the protocols for sending and fetching, and what can go wrong with each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dsar.errors import DsarError, Temporary


class Rejected(DsarError):
    """The server refused this letter; nothing went out. `code` is the SMTP reply code."""

    def __init__(self, code: int, reply: str) -> None:
        super().__init__(f"{code} {reply}")
        self.code, self.reply = code, reply

    @property
    def temporary(self) -> bool:
        """4xx: may be tried again later (RFC 5321, section 4.2.1)."""
        return 400 <= self.code < 500


class NotAttempted(DsarError):
    """The letter certainly did not go out: the connection was lost before the data was sent."""

    exit_status = 5


class OutcomeUnknown(DsarError):
    """The connection was lost while or after the data was sent: nobody can tell."""

    exit_status = 5


class Unfetchable(DsarError):
    """This one message cannot be had; the others can."""

    exit_status = 5


class MadeAnew(Temporary):
    """The mailbox has another UIDVALIDITY than before: it is read from the start again."""

    def __init__(self) -> None:
        super().__init__("The mailbox was made anew while it was being read.")


class Transport(Protocol):
    """Takes letters to the outside; `tests/mail/` holds the contract."""

    def send(self, message: bytes, *, sender: str, recipients: Sequence[str]) -> str:
        """Send one message (CRLF lines) and return the server's reply, such as "250 2.0.0 Ok".

        It goes to all recipients or, where the server refuses one of them, to none.
        Raises Rejected (refused), NotAttempted (certainly not sent), OutcomeUnknown (in doubt),
        LoginRefused and MailServerUnreachable (before anything was sent).
        """

    def close(self) -> None:
        """End the connection politely; never raises."""


@dataclass(frozen=True, kw_only=True)
class Coordinates:
    """Where a message lies: RFC 9051 UIDVALIDITY and UID, or a file."""

    account: str
    mailbox: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """How far a mailbox was read: a cache, losing it costs a rescan.

    For a Maildir `last_uid` is the newest change of a file, in microseconds.
    """

    uidvalidity: int
    last_uid: int


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """The header fields of one message as on the wire, before its body is fetched.

    received: when the provider got it. trouble: why the header cannot be had, or empty.
    """

    coordinates: Coordinates
    received: datetime | None
    head: bytes
    trouble: str = ""

    @property
    def headers(self) -> Mapping[str, tuple[str, ...]]:
        """The fields that decide whether the body is fetched; names are lower-case."""
        from dsar.mail.headers import quick_headers

        return quick_headers(self.head)


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """One whole message; `pieces` are its bytes in order, to be read once.

    Reading them may raise Unfetchable, after which the next message can be asked for, or
    Temporary. received: when the provider got it.
    """

    coordinates: Coordinates
    received: datetime | None
    pieces: Iterable[bytes]

    def whole(self) -> bytes:
        """The message in one piece: for small ones."""
        return b"".join(self.pieces)


class Mailbox(Protocol):
    """Reads mail and never changes it; `tests/mail/` holds the contract."""

    def mailboxes(self) -> Iterator[str]:
        """Names of the mailboxes to read: INBOX, then Junk and those of the account that exist.

        They come one by one, so that INBOX is dealt with before the server is asked for others.
        """

    def new(self, mailbox: str, cursor: Cursor | None) -> tuple[Iterator[Envelope], Cursor]:
        """Return the headers of messages above `cursor`, and the cursor for the next time.

        The headers come as they are asked for; keep the cursor only once all of them are dealt
        with. A message may be shown twice, but none is ever left out: one whose header cannot
        be had comes with its trouble. Raises Temporary.
        """

    def fetch(self, coordinates: Sequence[Coordinates]) -> Iterator[Fetched]:
        """Yield each message, without setting \\Seen; read one before you ask for the next.

        A message that is gone by now is left out. Raises Temporary; MadeAnew where the mailbox
        is another one by now.
        """

    def called_now(self, cursor: Cursor) -> str | None:
        """The one mailbox that has the UIDVALIDITY of the cursor: where one went that was renamed.

        None where there is none, or where several could be it. Raises Temporary.
        """

    def sent_ids(self, message_ids: Sequence[str]) -> frozenset[str]:
        """Which of these Message-IDs lie in the Sent mailbox.

        Evidence that a letter went out; that one is absent proves nothing.
        """

    def file_sent(self, message: bytes) -> None:
        """Put a copy of a sent letter into the Sent mailbox, once.

        Raises Temporary, or another DsarError where there is no such mailbox.
        """

    def close(self) -> None:
        """Log out; never raises."""
