"""One FETCH over many messages: the next batches are asked for while one is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from imaplib import IMAP4
from typing import Any

from dsar.mail.headfields import MAX_BLOCK, TRIAGE_FIELDS
from dsar.mail.imapwire import (
    MAX_LITERAL,
    Answer,
    Done,
    login_is_over,
    next_answer,
    send,
    sequence_set,
)

HEADERS_AT_ONCE = 500  # an id list of more than about 1,000 is refused by Dovecot as too long
FIRST_PIECE = 256 * 1024
"""Octets of each message that come with the first answer; longer ones are read piece by piece."""
_AHEAD = 2
_FIELDS = b" ".join(sorted(name.upper() for name in TRIAGE_FIELDS))


@dataclass(frozen=True)
class Wanted:
    """What is asked of each message, how much of it is kept, and of how many at a time."""

    items: bytes
    keep: int
    at_once: int


# Whole headers are many times as long, most of it trace and signatures that decide nothing.
HEADS = Wanted(b"(UID INTERNALDATE BODY.PEEK[HEADER.FIELDS (%b)])" % _FIELDS, MAX_BLOCK,
               HEADERS_AT_ONCE)
BODIES = Wanted(b"(UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.%d>)" % FIRST_PIECE, MAX_LITERAL, 20)


@dataclass(eq=False)
class _Batch:
    uids: Sequence[int]
    left: dict[int, None]
    """UIDs without an answer yet, in order."""
    tag: bytes = b""


@dataclass
class FetchStream:
    """What is still to be asked, what is under way, and what was read.

    A batch that breaks off is asked for again without the answered messages. Where not one was
    answered, the first is asked for alone, and if that fails, too, given up.

    given_up: UID → why. in_a_row: how many were given up since the last answer. silent: how often
    the server let the time run out since then.
    """

    wanted: Wanted
    to_ask: deque[Sequence[int]]
    under_way: deque[_Batch] = field(default_factory=deque)
    read: deque[Answer] = field(default_factory=deque)
    given_up: dict[int, str] = field(default_factory=dict)
    in_a_row: int = 0
    silent: int = 0

    @classmethod
    def of(cls, uids: Sequence[int], wanted: Wanted) -> FetchStream:
        """Nothing asked yet. uids: rising."""
        starts = range(0, len(uids), wanted.at_once)
        return cls(wanted, deque(uids[start:start + wanted.at_once] for start in starts))

    @property
    def is_done(self) -> bool:
        """Nothing is left to ask or to read."""
        return not (self.to_ask or self.under_way or self.read or self.given_up)

    def taken(self) -> Iterator[Answer | tuple[int, str]]:
        """Hand over what was read, and what was given up: UID and why."""
        while self.read:
            yield self.read.popleft()
        while self.given_up:
            yield self.given_up.popitem()

    def ask(self, imap: Any) -> None:
        """Send commands until some are under way; the mailbox is open."""
        while self.to_ask and len(self.under_way) < _AHEAD:
            uids = self.to_ask.popleft()
            batch = _Batch(uids, dict.fromkeys(uids))
            self.under_way.append(batch)  # first: what breaks off while sending is not lost
            command = b"UID FETCH " + sequence_set(uids) + b" " + self.wanted.items
            batch.tag = send(imap, command)

    def read_one(self, imap: Any) -> None:
        """Read until one command is done. What was refused comes back or is given up.

        A server may answer two commands in turns: whichever asked for a message gets it.
        """
        tags = [batch.tag for batch in self.under_way]
        while not isinstance(found := next_answer(imap, tags, keep=self.wanted.keep), Done):
            if found is not None:
                self._take(found)
        [batch] = [each for each in self.under_way if each.tag == found.tag]
        self.under_way.remove(batch)
        if login_is_over(found.refused):  # it is not the messages
            self.under_way.appendleft(batch)
            raise IMAP4.abort("the login has run out")
        if found.refused:
            self._again(batch, f"the server refuses to give it ({found.refused})")

    def read_all(self, imap: Any) -> None:
        """Read whatever is under way, so that another command can be sent."""
        while self.under_way:
            self.read_one(imap)

    def lost(self, why: str) -> None:
        """The connection broke: what was not answered is asked for anew, the oldest first."""
        waiting = list(self.under_way)
        self.under_way.clear()
        for batch in reversed(waiting[1:]):
            self._back(batch.left)
        if waiting:
            self._again(waiting[0], why)

    def _take(self, answer: Answer) -> None:
        asked = next((batch for batch in self.under_way if answer.uid in batch.left), None)
        if asked is None:
            return
        del asked.left[answer.uid]
        self.in_a_row = self.silent = 0
        if answer.data is None:
            self.given_up[answer.uid] = "the server has nothing to give"
        else:
            self.read.append(answer)

    def _again(self, batch: _Batch, why: str) -> None:
        """Ask for the rest; without any progress for the first alone, before the others."""
        left = list(batch.left)
        if len(left) < len(batch.uids):
            self._back(left)
        elif len(left) == 1:
            self.given_up[left[0]] = why
            self.in_a_row += 1
        else:
            self._back(left[1:])
            self._back(left[:1])

    def _back(self, uids: Iterable[int]) -> None:
        if listed := list(uids):
            self.to_ask.appendleft(listed)
