"""`dsar campaign work`: one worker; any number may run where the store is PostgreSQL."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import click

from dsar.campaign.board import Terms
from dsar.campaign.waves import write_letter
from dsar.campaign.worker import Did, Worker
from dsar.cli.app import App, pass_app
from dsar.cli.campaign_calls import obstacle_of
from dsar.cli.campaign_poll import Poller
from dsar.cli.campaigning import Room
from dsar.cli.mailing import refuse_real_account_under_set_clock
from dsar.cli.options import global_options
from dsar.cli.sending import breaker, posting
from dsar.core.breaker import Trip
from dsar.core.campaign import Campaign
from dsar.core.case import Case, LetterRefused, LetterSent
from dsar.core.fairness import Office, Pace
from dsar.core.letter import Outgoing, Stage
from dsar.errors import DoneInPart, NotSetUp, StoreUnreachable, UsageProblem
from dsar.outbox import Delivery, Post, refuse_while_paused

SOON = timedelta(seconds=10)
LONGEST_OUTAGE_S = 600.0
"""Seconds a worker waits for a database that is away."""
WEIGHED = 1000
"""So many of the latest letters of the account say whether the rail `breaker` pauses it."""
LONGEST_REST_S = 30.0
"""Seconds a worker rests before it looks again whether something was released."""


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.option("--until-empty/--stay", default=True, show_default=True,
              help="End when nothing may be written or sent now, or stay and wait.")
@click.option("--letters", "most", type=click.IntRange(min=1), metavar="N",
              help="End after so many letters.")
@click.option("--poll/--no-poll", default=True, show_default=True,
              help="Fetch and file replies now and then.")
@global_options
@pass_app
def work(app: App, *, campaign_id: str, until_empty: bool, most: int | None, poll: bool) -> None:
    """Run one worker: write and send what is released, on the terms agreed.

    Ctrl-C ends it after the letter at hand. A worker that dies leaves at most one letter in
    doubt, which is never sent again by itself.
    """
    app.needs_network()
    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        if room.campaign.purged:
            raise UsageProblem(f"Campaign {campaign_id} is closed, its members' data are deleted.")
        refuse_real_account_under_set_clock(app, room.account)
        poller = Poller(app, room) if poll else None
        done = _Done()
        while not done.over:
            with posting(app, store, room.account, (), in_copy=copies_in) as post:
                bench = _Bench(app, room, replace(post, check=breaker_of(app, room)), done, poller)
                _loop(app, bench, poller, until_empty=until_empty, most=most)
            room = Room.of(app, store, campaign_id)
    for line in done.failed[:20]:
        app.say(f"  did not go out: {line}")
    app.next(f"dsar campaign progress {campaign_id}")
    if done.refused:
        raise DoneInPart(f"{done.refused} letters were refused or are in doubt.",
                         hint="dsar status")


@dataclass
class _Done:
    """What a worker did over its days. over: it ends; else a new day begins, with its date."""

    sent: int = 0
    refused: int = 0
    failed: list[str] = field(default_factory=list)
    over: bool = False


def _loop(app: App, bench: _Bench, poller: Poller | None, *, until_empty: bool,
          most: int | None) -> None:
    """Work until all is done or the date changes: letters carry the date, due dates rest on it."""
    while most is None or bench.done.sent < most:
        if app.new_day():
            return
        if poller is not None:
            poller.when_due()
        did = _step(app, bench)
        bench.done.sent += did.kind == "sent"
        bench.show(did)
        if did.error is not None:
            raise did.error
        if did.kind in ("wrote", "sent"):
            continue
        if until_empty and not _is_soon(did, app.now()):
            break
        time.sleep(_rest_s(did, app.now()))
    bench.done.over = True


def _step(app: App, bench: _Bench) -> Did:
    """One step; while the database is away the worker waits. Raises StoreUnreachable in the end.

    What was claimed and has no outcome by then stays in doubt, and is not sent again.
    """
    give_up = time.monotonic() + LONGEST_OUTAGE_S
    while True:
        try:
            refuse_while_paused(bench.room.store, bench.room.account.name, app.now())
            return bench.worker.step()
        except StoreUnreachable as error:
            if time.monotonic() > give_up:
                raise
            app.say(f"  {error} Waiting.")
            time.sleep(1.0)


def _is_soon(did: Did, now: datetime) -> bool:
    """Whether it is worth waiting: others are sending at this moment, or just have."""
    return did.until is not None and did.until - now <= SOON


def _rest_s(did: Did, now: datetime) -> float:
    if did.until is None:
        return LONGEST_REST_S
    return min(LONGEST_REST_S, max(0.05, (did.until - now).total_seconds()))


class _Bench:
    """The worker, and what it says about its work."""

    def __init__(self, app: App, room: Room, post: Post, done: _Done, poller: Poller | None
                 ) -> None:
        self.app, self.room, self.done, self.poller = app, room, done, poller
        writing = room.writing({})
        self.worker = Worker(
            store=room.store, board=room.board, campaign_id=room.campaign.id, terms=self._terms,
            write=lambda case_id: write_letter(case_id, writing), letter=self._letter,
            obstacle=obstacle_of(room),
            post=lambda: post, now=app.now, today=app.today, draw=random.random,
            failed=done.failed)
        self._offices = cache(self._office)

    def show(self, did: Did) -> None:
        """One line for each thing that happened; no names."""
        if did.delivery is not None:
            outcome = did.delivery.outcome
            good = isinstance(outcome, LetterSent)
            self.done.refused += not good
            self.app.say(f"  {did.delivery.letter.case_id}  {did.delivery.letter.controller}  "
                         f"{'sent' if good else type(outcome).__name__}")
        elif did.kind == "wrote" and did.count:
            self.app.say(f"  {did.count} letters written")
        elif did.why:
            self.app.say(f"  {did.why}")
        elif did.kind == "done" and self.poller is not None and self.poller.lost:
            self.app.say("  reminders wait until mail can be fetched")
        elif did.kind == "waits" and did.until is not None:
            self.app.say(f"  {did.count} letters wait; the next may go at "
                         f"{did.until.astimezone():%Y-%m-%d %H:%M}")

    def _terms(self, campaign: Campaign) -> Terms:
        started = campaign.started
        return Terms(campaign=campaign.id, waves=self._waves(campaign),
                     account=self.room.account.name, limits=self.room.account.limits,
                     pace=Pace(per_day=started.per_controller_per_day, spread=started.spread),
                     office=self._offices)

    def _waves(self, campaign: Campaign) -> tuple[int, ...]:
        """What is released; no reminder while an answer may lie where nobody can fetch it."""
        if self.poller is None or not self.poller.lost:
            return campaign.released
        return tuple(number for number in campaign.released
                     if campaign.waves[number].proposed.stage is Stage.REQUEST)

    def _office(self, slug: str) -> Office:
        company = self.app.registry.get(slug)
        country = (company.country or "").partition("-")[0]
        return Office(zone=zone_of(country), is_working_day=self._working_days(country))

    def _working_days(self, country: str) -> Callable[[date], bool]:
        """By the country's public holidays, or by weekends where no list of them is known."""
        calendars = self.app.laws.calendars
        working = calendars.working_days(f"holidays:{country}" if country else "weekend-only")
        try:
            working(self.app.today)
        except KeyError:
            return calendars.working_days("weekend-only")
        return working

    def _letter(self, case: Case) -> Outgoing:
        approved = case.approvals[-1]
        return Outgoing(
            case_id=case.id, message=self.room.archive.read(approved.digest),
            message_id=approved.message_id, sender=self.room.account.address,
            recipient=approved.recipient, stage=approved.stage, account=approved.account,
            controller=case.facts.controller)


def breaker_of(app: App, room: Room) -> Callable[[Delivery], Trip | None]:
    """The rail `breaker` over what all workers sent from the account, read at each refusal."""
    account = room.account.name

    def check(delivery: Delivery) -> Trip | None:
        if not isinstance(delivery.outcome, LetterRefused):
            return None
        others = [case for case in room.board.latest(account, WEIGHED)
                  if case.id != delivery.letter.case_id]
        return breaker(app, room.store, account, others)(delivery)

    return check


def copies_in(letter: Outgoing) -> tuple[str, ...]:
    """Who stands in Cc of the approved bytes: the member, by choice."""
    from email import message_from_bytes, policy
    from email.utils import getaddresses

    head = letter.message.partition(b"\r\n\r\n")[0]
    if b"\ncc:" not in head.lower():  # parsing takes as long as sending
        return ()
    found = message_from_bytes(head, policy=policy.default).get_all("Cc", [])
    return tuple(address for _, address in getaddresses(map(str, found)) if address)


@cache
def zone_of(country: str) -> ZoneInfo:
    """The first time zone of a country in the IANA data (zone.tab); UTC where there is none."""
    from importlib.resources import files

    try:
        import tzdata
    except ImportError:
        raise NotSetUp("Campaigns need the library tzdata.",
                       hint="pip install 'dsar-cli[campaign]'") from None
    table = files(tzdata).joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    for line in table.splitlines():
        parts = line.split("\t")
        if not line.startswith("#") and len(parts) > 2 and parts[0] == country.upper():
            return ZoneInfo(parts[2])
    return ZoneInfo("UTC")


COMMANDS = {"work": work}
