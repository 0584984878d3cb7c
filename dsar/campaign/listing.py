"""The letters of a wave one by one, so that an approver sees what left it since it was proposed.

The list lies in the archive under the digest that was proposed: what a person approves is that
list, or the same with fewer lines. A line is a SHA-256 over case, Message-ID and digest, so that
the list says nothing of a member who was forgotten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from dsar.campaign.board import Board, Written
from dsar.core.campaign import Campaign, Wave
from dsar.core.case import ApprovalWithdrawn, Case
from dsar.core.letter import Stage
from dsar.errors import RefusedByRail, StorageFailed
from dsar.store import Store


@dataclass(frozen=True, kw_only=True)
class TakenOut:
    """A letter that was proposed and does not go: its case, the member's code, and why."""

    case_id: str
    member: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Left:
    """What is left of a wave: so many letters of those proposed, and none besides.

    listed: of what is left. taken_out: letters whose case tells why. forgotten: letters of
    members of whom nothing is kept.
    """

    letters: int
    listed: bytes
    taken_out: tuple[TakenOut, ...]
    forgotten: int

    @property
    def digest(self) -> str:
        """What is approved."""
        return hashlib.sha256(self.listed).hexdigest()


def list_of(letters: Iterable[Written]) -> bytes:
    """One line for each letter."""
    return b"".join(_line(each) for each in letters)


def _line(letter: Written) -> bytes:
    whole = f"{letter.case_id} {letter.message_id} {letter.digest}"
    return hashlib.sha256(whole.encode()).hexdigest().encode() + b"\n"


def what_left(store: Store, board: Board, campaign: Campaign, wave: Wave,
              read: Callable[[str], bytes]) -> Left | None:
    """What a wave lost since it was proposed, or None where it is as it was.

    read: bytes of a digest. Raises RefusedByRail where it has a letter that nobody proposed, or
    where nobody can tell, and where nothing is left.
    """
    listed = list_of(board.written(campaign.id, wave.number))
    if hashlib.sha256(listed).hexdigest() == wave.proposed.digest:
        return None
    now, then = set(_lines(listed)), set(_lines(_proposed(campaign, wave, read)))
    if not now or now - then:
        raise others_than_proposed(campaign, wave, len(now))
    gone = then - now
    out = tuple(_taken_out(store, board, campaign, wave, gone))
    return Left(letters=len(now), listed=listed, taken_out=out, forgotten=len(gone) - len(out))


def others_than_proposed(campaign: Campaign, wave: Wave, letters: int) -> RefusedByRail:
    """The refusal of a wave that is not what was proposed."""
    return RefusedByRail(
        "four-eyes", f"Wave {wave.number} has other letters than were proposed "
        f"({letters}, not {wave.proposed.letters}).",
        hint=f"dsar campaign withdraw {campaign.id} {wave.number} --reason TEXT")


def _proposed(campaign: Campaign, wave: Wave, read: Callable[[str], bytes]) -> bytes:
    try:
        return read(wave.proposed.digest)
    except StorageFailed:  # proposed on a machine whose archive is not here
        raise others_than_proposed(campaign, wave, 0) from None


def _lines(listed: bytes) -> Iterator[bytes]:
    return (line + b"\n" for line in listed.splitlines())


def _taken_out(store: Store, board: Board, campaign: Campaign, wave: Wave, gone: set[bytes]
               ) -> Iterator[TakenOut]:
    for case in _cases(store, board, campaign, wave):
        for approved in case.approvals:
            if _line(Written(case.id, approved.message_id, approved.digest)) in gone:
                yield TakenOut(case_id=case.id, member=case.facts.subject_id,
                               why=_why(store, case, approved.message_id))


def _cases(store: Store, board: Board, campaign: Campaign, wave: Wave) -> Iterator[Case]:
    """Cases that may have lost a letter of the wave; one without its reminder is in its own."""
    if wave.proposed.stage is Stage.REQUEST:
        return board.of_wave(campaign.id, wave.number)
    return (c for c in store.cases() if c.facts.campaign == campaign.id)


def _why(store: Store, case: Case, message_id: str) -> str:
    found = [r.event.because for r in store.events(case.id)
             if isinstance(r.event, ApprovalWithdrawn) and r.event.message_id == message_id]
    return found[-1] if found else "withdrawn"
