"""Reads a mailbox by IMAP and changes nothing in it (RFC 9051): EXAMINE and BODY.PEEK only."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any, TypeVar

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from dsar.errors import DsarError, Temporary
from dsar.mail import Coordinates, Cursor, Envelope
from dsar.mail.account import Account, Endpoint
from dsar.mail.imapheads import read_heads
from dsar.mail.imaplogin import log_out, open_client
from dsar.mail.login import SecretGiver, why

TIMEOUT_S = 60.0
HEADERS_AT_ONCE = 500  # an id list of more than about 1,000 is refused by Dovecot as too long
PIECE = 1024 * 1024
_BATCH_BYTES = 4 * 1024 * 1024
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)
# A list of fields would be repeated in each answer; whole headers come with a short one.
_HEADS = "(UID INTERNALDATE BODY.PEEK[HEADER])"
_LOST = (OSError, IMAPClientAbortError)
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
        self._account, self._secret, self._since = account, secret, since
        self._endpoint: Endpoint = account.imap
        self._timeout_s = timeout_s
        self._client: Any = None
        self._examined: tuple[str, int] | None = None
        self._special: dict[bytes, str | None] = {}

    def check(self) -> None:
        """Connect and log in; raises LoginRefused or MailServerUnreachable."""
        self._drop()
        self._connected()

    def mailboxes(self) -> Sequence[str]:
        """INBOX, Junk where there is one, and those of the account that exist."""
        junk = self._special_mailbox(b"\\Junk")
        there = self._do(_names)
        wanted = ("INBOX", *([junk] if junk else []), *self._account.mailboxes)
        return [name for name in dict.fromkeys(wanted) if name == "INBOX" or name in there]

    def new(self, mailbox: str, cursor: Cursor | None) -> tuple[Iterator[Envelope], Cursor]:
        """See `Mailbox.new`; a mailbox with another UIDVALIDITY is read from the start."""
        validity, last = self._do(lambda client: self._status(client, mailbox))
        if cursor is not None and cursor.uidvalidity != validity:
            cursor = None
        if cursor is not None and last <= cursor.last_uid:
            return iter(()), cursor
        first = cursor.last_uid + 1 if cursor else 1
        found, uids = self._do(lambda client: self._search(client, mailbox, first))
        if found != validity:  # made anew between the two commands
            return self.new(mailbox, None)
        following = Cursor(uidvalidity=validity, last_uid=max(first - 1, last, *uids, 0))
        return self._envelopes(mailbox, validity, uids), following

    def fetch(self, coordinates: Sequence[Coordinates]) -> Iterator[tuple[Coordinates, bytes]]:
        """See `Mailbox.fetch`; messages that are gone by now are left out."""
        for (mailbox, validity), group in groupby(coordinates, _mailbox_of):
            by_uid = {each.uid: each for each in group}
            for uid, raw in self._bodies(mailbox, validity, list(by_uid)):
                yield by_uid[uid], raw

    def sent_mailbox(self) -> str | None:
        """The mailbox for copies, by SPECIAL-USE (RFC 6154) or a common name; None for none."""
        return self._special_mailbox(b"\\Sent")

    def sent_ids(self, message_ids: Sequence[str]) -> frozenset[str]:
        """See `Mailbox.sent_ids`; none, where there is no Sent mailbox."""
        sent = self._special_mailbox(b"\\Sent")
        if sent is None:
            return frozenset()
        return self._do(lambda client: self._those_in(client, sent, message_ids))

    def file_sent(self, message: bytes) -> None:
        """See `Mailbox.file_sent`; raises NoSentMailbox. A copy that is there is not doubled."""
        sent = self._special_mailbox(b"\\Sent")
        if sent is None:
            raise NoSentMailbox("The account has no Sent mailbox.")
        ids = [found[1].decode()] if (found := _MESSAGE_ID.search(message)) else []
        tried: list[bool] = []

        def append(client: Any) -> None:
            if tried and self._those_in(client, sent, ids):
                return  # the first try arrived, only its answer was lost
            tried.append(True)
            client.append(sent, message, flags=(b"\\Seen",))

        self._do(append)

    def wait(self, mailbox: str, timeout_s: float) -> bool:
        """Wait until the server speaks of the mailbox (IDLE, RFC 2177); False: time is up.

        Where the server knows no IDLE, returns True after at most a minute: look yourself.
        timeout_s: at most 29 minutes, after which servers may hang up.
        """
        def idle(client: Any) -> bool:
            if not client.has_capability("IDLE"):
                time.sleep(min(timeout_s, 60))
                return True
            self._examine(client, mailbox)
            client.idle()
            try:
                return bool(client.idle_check(timeout=min(timeout_s, 29 * 60)))
            finally:
                client.idle_done()

        return self._do(idle)

    def close(self) -> None:
        """Log out; never raises."""
        log_out(self._client)
        self._client = self._examined = None

    def _envelopes(self, mailbox: str, validity: int, uids: Sequence[int]) -> Iterator[Envelope]:
        for chunk in _chunks(uids, HEADERS_AT_ONCE):
            for uid, received, head in self._do(self._fetching_heads(mailbox, validity, chunk)):
                where = Coordinates(account=self._account.name, mailbox=mailbox,
                                    uidvalidity=validity, uid=uid)
                yield Envelope(coordinates=where, received=received, head=head)

    def _fetching_heads(
        self, mailbox: str, validity: int, uids: Sequence[int]
    ) -> Callable[[Any], list[tuple[int, datetime | None, bytes]]]:
        """Header blocks through imaplib, on which IMAPClient rests.

        IMAPClient reads every answer byte by byte, which for a large mailbox takes longer than
        the server does; the answers to this one command are simple enough to read as they come.
        """
        def fetch(client: Any) -> list[tuple[int, datetime | None, bytes]]:
            if self._examine(client, mailbox) != validity:
                raise Temporary("The mailbox was made anew while it was being read.")
            listed = ",".join(map(str, uids))
            kind, answers = client._imap.uid("FETCH", listed, _HEADS)
            if kind != "OK":
                raise Temporary("The server would not give the headers.")
            wanted = set(uids)
            return [one for one in read_heads(answers) if one[0] in wanted]

        return fetch

    def _bodies(self, mailbox: str, validity: int, uids: list[int]) -> Iterator[tuple[int, bytes]]:
        sizes: dict[int, int] = {}
        for chunk in _chunks(uids, HEADERS_AT_ONCE):
            found = self._do(self._fetching(mailbox, validity, chunk, ["RFC822.SIZE"]))
            sizes |= {uid: int(facts[b"RFC822.SIZE"]) for uid, facts in found.items()}
        for batch in _batches([(uid, sizes[uid]) for uid in uids if uid in sizes]):
            if len(batch) == 1 and sizes[batch[0]] > PIECE:
                yield batch[0], b"".join(self._pieces(mailbox, validity, batch[0]))
                continue
            found = self._do(self._fetching(mailbox, validity, batch, ["BODY.PEEK[]"]))
            yield from ((uid, found[uid][b"BODY[]"] or b"") for uid in batch if uid in found)

    def _pieces(self, mailbox: str, validity: int, uid: int) -> Iterator[bytes]:
        """A long message bit by bit: a lost connection costs one piece, not all of it."""
        start = 0
        while True:
            item = f"BODY.PEEK[]<{start}.{PIECE}>"
            found = self._do(self._fetching(mailbox, validity, [uid], [item]))
            piece = next((v for k, v in found.get(uid, {}).items() if k.startswith(b"BODY[]")), b"")
            if piece:
                yield piece
            if len(piece or b"") < PIECE:
                return
            start += len(piece)

    def _fetching(
        self, mailbox: str, validity: int, uids: Sequence[int], items: Sequence[str]
    ) -> Callable[[Any], dict[int, dict[bytes, Any]]]:
        def fetch(client: Any) -> dict[int, dict[bytes, Any]]:
            if self._examine(client, mailbox) != validity:
                raise Temporary("The mailbox was made anew while it was being read.")
            found: dict[int, dict[bytes, Any]] = client.fetch(list(uids), list(items))
            return found

        return fetch

    def _status(self, client: Any, mailbox: str) -> tuple[int, int]:
        """UIDVALIDITY and the highest UID given so far."""
        if self._examined is not None and self._examined[0] == mailbox:
            client.close_folder()  # STATUS is not meant for the open mailbox; this expunges nothing
            self._examined = None
        facts = client.folder_status(mailbox, ["UIDNEXT", "UIDVALIDITY"])
        return int(facts[b"UIDVALIDITY"]), int(facts[b"UIDNEXT"]) - 1

    def _search(self, client: Any, mailbox: str, first: int) -> tuple[int, list[int]]:
        """UIDVALIDITY and the UIDs from `first` on. `n:*` also gives the last message below n."""
        validity = self._examine(client, mailbox, again=True)
        criteria: list[Any] = ["UID", f"{first}:*"]
        if first == 1 and self._since is not None:
            criteria += ["SINCE", self._since]
        return validity, sorted(uid for uid in client.search(criteria) if uid >= first)

    def _those_in(self, client: Any, mailbox: str, message_ids: Sequence[str]) -> frozenset[str]:
        self._examine(client, mailbox, again=True)
        wanted = [each for each in message_ids if each.isascii()]
        return frozenset(
            each for each in wanted if client.search(["HEADER", "Message-ID", each])
        )

    def _examine(self, client: Any, mailbox: str, *, again: bool = False) -> int:
        """Open read-only and return UIDVALIDITY."""
        if again or self._examined is None or self._examined[0] != mailbox:
            facts = client.select_folder(mailbox, readonly=True)
            self._examined = (mailbox, int(facts[b"UIDVALIDITY"]))
        return self._examined[1]

    def _special_mailbox(self, use: bytes) -> str | None:
        """By SPECIAL-USE (RFC 6154), else by the names providers commonly give."""
        if use not in self._special:
            found = self._do(lambda client: client.find_special_folder(use))
            self._special[use] = None if found is None else str(found)
        return self._special[use]

    def _connected(self) -> Any:
        if self._client is None:
            self._client = open_client(self._account, self._endpoint, self._secret, self._timeout_s)
        return self._client

    def _drop(self) -> None:
        log_out(self._client, politely=False)
        self._client = self._examined = None

    def _do(self, action: Callable[[Any], _T]) -> _T:
        """Run a command; once more on a new connection where the first one broke."""
        try:
            return self._try(action)
        except _LOST:
            self._drop()
        try:
            return self._try(action)
        except _LOST as error:
            self._drop()
            raise Temporary(f"{self._endpoint}: {why(error)}; nothing is lost.") from None

    def _try(self, action: Callable[[Any], _T]) -> _T:
        try:
            return action(self._connected())
        except _LOST:
            raise
        except IMAPClientError as error:
            self._examined = None
            raise Temporary(f"{self._endpoint}: the server refused a command ({error}).") from None
        except BaseException:  # also Ctrl-C: answers still under way would be taken for others
            self._drop()
            raise


def _names(client: Any) -> frozenset[str]:
    """The mailboxes that can be opened."""
    return frozenset(
        str(name) for flags, _, name in client.list_folders() if b"\\Noselect" not in flags
    )


def _mailbox_of(coordinates: Coordinates) -> tuple[str, int]:
    return coordinates.mailbox, coordinates.uidvalidity


def _chunks(uids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (uids[start : start + size] for start in range(0, len(uids), size))


def _batches(sizes: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """UIDs in groups of a few megabytes; a large message stands alone."""
    batch: list[int] = []
    total = 0
    for uid, size in sizes:
        if batch and (total + size > _BATCH_BYTES or size > PIECE or len(batch) >= 100):
            yield batch
            batch, total = [], 0
        batch.append(uid)
        total += size
        if size > PIECE:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def _utc(instant: datetime | None) -> datetime | None:
    return instant.astimezone(UTC) if instant is not None else None
