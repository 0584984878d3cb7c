"""One worker of a campaign: writes what is opened, sends what is released, pauses after wave 1."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from dsar.campaign.board import Board, Claimed, Later, Terms
from dsar.campaign.roster import load_campaign
from dsar.campaign.waves import anomalies, claim_problem, pause, record_unsent, stop_claimed
from dsar.core.campaign import Campaign
from dsar.core.case import Case, SendAbandoned
from dsar.core.letter import Outgoing
from dsar.errors import ConcurrentAppend, DsarError
from dsar.outbox import Delivery, Post, conclude
from dsar.store import Store

AT_ONCE = 50
"""Letters a worker writes before it looks whether one may be sent."""
UNDER_WAY = timedelta(minutes=2)
"""For so long after an attempt another worker may still be sending the letter."""
LOOK_AGAIN = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class Did:
    """What a step did. until: when there is something to do again, where the worker knows.

    kind: `wrote`, `sent`, `waits`, `rests` (paused, closed, nothing released) or `done`.
    """

    kind: Literal["wrote", "sent", "waits", "rests", "done"]
    count: int = 0
    delivery: Delivery | None = None
    error: Exception | None = None
    until: datetime | None = None
    why: str = ""


@dataclass(kw_only=True)
class Worker:
    """Works on one campaign, one step at a time.

    terms: on what the campaign's letters go out now. write: writes the letter of a case, returns
    why it cannot. obstacle: why the letter of a claimed case is not what one would send today,
    or "". letter: its approved bytes. draw: a random number below 1.
    """

    store: Store
    board: Board
    campaign_id: str
    terms: Callable[[Campaign], Terms]
    write: Callable[[str], str]
    obstacle: Callable[[Case], str]
    letter: Callable[[Case], Outgoing]
    post: Callable[[], Post]
    now: Callable[[], datetime]
    today: date
    draw: Callable[[], float]
    failed: list[str] = field(default_factory=list)

    def step(self) -> Did:
        """Do one thing: write some letters, or send one, or say how long there is nothing to do.

        Raises what the outside raises before a letter is attempted; an error after it comes with
        the delivery, whose outcome is recorded by then.
        """
        campaign = load_campaign(self.store, self.campaign_id)
        if campaign.closed or campaign.paused:
            paused = campaign.paused
            return Did(kind="rests", why=f"paused: {paused.because}" if paused else "closed")
        waiting = self.board.unwritten(self.campaign_id, limit=AT_ONCE)
        if waiting:
            return self._write(waiting)
        if not campaign.released:
            return Did(kind="rests", why="no wave is released")
        terms = self.terms(campaign)
        found = self.board.claim(terms, now=self.now(), today=self.today, jitter=self.draw())
        match found:
            case Claimed():
                return self._send(found, campaign)
            case Later(waiting=0):
                return self._finished(campaign)
            case Later():
                return Did(kind="waits", count=found.waiting, until=found.at)

    def _write(self, waiting: list[str]) -> Did:
        """Write these letters, but for those that another worker is writing."""
        count = 0
        for case_id in waiting:
            with self.board.alone(f"write {case_id}") as mine:
                why = self.write(case_id) if mine else ""
                count += mine
            if why:
                self.failed.append(f"{case_id}: {why}")
        return Did(kind="wrote", count=count)

    def _send(self, claimed: Claimed, campaign: Campaign) -> Did:
        letter, why = self._taken(claimed, campaign)
        if letter is None:
            stop_claimed(self.store, claimed, why=why, today=self.today)
            self.failed.append(f"{claimed.case.id}: {why}")
            return Did(kind="wrote", count=0)
        delivery, error = conclude(letter, claimed.attempt, self.post(),
                                   after=claimed.case.version)
        return Did(kind="sent", count=1, delivery=delivery, error=error)

    def _taken(self, claimed: Claimed, campaign: Campaign) -> tuple[Outgoing | None, str]:
        """The letter that was claimed, or why it may not go after all.

        What fails here, fails before the server hears of the letter: that is recorded, so that
        the case is in no doubt, and then raised.
        """
        try:
            why = (claim_problem(self.store, campaign, claimed.case, on=self.today)
                   or self.obstacle(claimed.case))
            return (None, why) if why else (self.letter(claimed.case), "")
        except DsarError as error:
            case, attempt = claimed.case, claimed.attempt
            abandoned = SendAbandoned(on=self.today, message_id=attempt.message_id,
                                      because=type(error).__name__)
            record_unsent(self.store, case, [abandoned])
            raise

    def _finished(self, campaign: Campaign) -> Did:
        """Nothing of the released waves is left: after the first one a person has to look."""
        if campaign.reviewed:
            return Did(kind="done")
        wave = campaign.released[0]
        cases = list(self.board.of_wave(campaign.id, wave))
        if waiting := sum(self._is_under_way(case) for case in cases):
            return Did(kind="waits", count=waiting, until=self.now() + LOOK_AGAIN)
        odd = anomalies(cases).lines
        because = f"wave {wave} is out, " + ("; ".join(odd[:3]) if odd else "nothing odd")
        with suppress(ConcurrentAppend):  # another worker paused it
            pause(self.store, campaign, because=because, by="dsar", today=self.today)
        return Did(kind="rests", why=f"paused: {because}")

    def _is_under_way(self, case: Case) -> bool:
        """Whether another worker may be sending the letter at this moment."""
        doubt = case.in_doubt
        return doubt is not None and self.now() - doubt.at < UNDER_WAY
