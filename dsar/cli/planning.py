"""From what the user selected to the plan, as `send`, `plan` and the dry run share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from dsar.cli.app import App
from dsar.cli.mailing import history
from dsar.cli.options import Selector
from dsar.core.case import Case
from dsar.core.erasing import DELETING, in_use_keys
from dsar.core.plan import Choice, Plan, PlannedLetter, Skip, plan_requests
from dsar.core.platform import PLATFORM
from dsar.core.regime import Regime
from dsar.core.retry import is_given_up, next_try
from dsar.errors import UsageProblem
from dsar.keeping.tombstones import load_tombstones
from dsar.report.terminal import Capacity

if TYPE_CHECKING:
    from dsar.core.controller import Controller
    from dsar.core.house import House
    from dsar.mail.account import Account


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How the letters should be, apart from whom they go to."""

    right: str
    language: str | None = None
    channel: str = "email"
    include_unverified: bool = False
    demands: tuple[str, ...] = ()
    again: str | None = None
    anyway: str | None = None

    @property
    def overrides(self) -> dict[str, str]:
        """Rails the user overrides, each with the reason for the ledger."""
        found = {"duplicate": self.again} if self.again else {}
        found |= {"erasure": self.anyway} if self.anyway else {}
        return found | ({"contact": "--include-unverified"} if self.include_unverified else {})


def make_plan(app: App, wanted: Selector, wish: Wish, cases: Sequence[Case], house: House) -> Plan:
    """Return the plan for the companies selected. Raises UsageProblem for an unknown word."""
    if not wanted.names_companies:
        raise UsageProblem("No company is selected.", hint="Name companies, or give --all.")
    if wanted.law is not None and wanted.law not in app.laws.regimes:
        raise UsageProblem(f"No law {wanted.law!r}.", hint="dsar law list")
    languages = app.letter_languages
    if wish.language and wish.language not in languages:
        raise UsageProblem(f"There are no letters in {wish.language!r}.",
                           hint=f"There are: {', '.join(languages)}")
    choice = Choice(
        right=wish.right, subject=app.subject, today=app.today,
        languages=lambda regime: languages_for(app, regime, wish.right),
        regimes_for=lambda controller: [
            (narrowed_law(regime, wish.right, wish.demands), because)
            for regime, because in regimes_for(app, controller)], law=wanted.law,
        named=frozenset(wanted.slugs) | wanted.only, language=wish.language, again=wish.again,
        anyway=wish.anyway, in_use=_in_use(app, wish.right),
        channel=wish.channel, accept_unverified=wish.include_unverified,
        excluded=excluded_companies(app, house), tombstones=load_tombstones(app.home.tombstones),
    )
    plain = not wish.include_unverified and wish.channel != PLATFORM
    companies = app.registry if plain else app.registry_with_pulled
    return plan_requests(app.controllers(wanted, companies), cases, choice)


def excluded_companies(app: App, house: House) -> dict[str, str]:
    """The companies no letter goes to, with why: by the person's word, and by the registry."""
    excluded = {slug: event.because for slug, event in house.excluded.items()}
    return excluded | {c.slug: c.excluded for c in app.registry if c.excluded is not None}


def _in_use(app: App, right: str) -> dict[str, str]:
    """What companies in use are known by; nothing is read for a right that deletes nothing."""
    return in_use_keys(app.registry_with_pulled, right) if right in DELETING else {}


def narrowed_law(regime: Regime, right: str, demands: Sequence[str]) -> Regime:
    """The law as it stands, or with some demands of one right only. Raises UsageProblem."""
    from dataclasses import replace

    from dsar.core.regime import narrowed

    if not demands or right not in regime.rights:
        return regime
    try:
        rule = narrowed(regime.rights[right], demands)
    except ValueError as error:
        raise UsageProblem(f"{regime.id}: {error}.") from None
    return replace(regime, rights={**regime.rights, right: rule})


def for_account(app: App, plan: Plan, account: Account, channel: str) -> Plan:
    """The plan with only those approved letters that this account sends on this channel now."""
    staying = {case.id: found for case in plan.queued
               if (found := _stays_queued(app, case, account, channel))}
    skipped = tuple(
        Skip(controller=app.registry_with_pulled.get(case.facts.controller), rail="queue",
             why=staying[case.id][0], way_out=staying[case.id][1])
        for case in plan.queued if case.id in staying)
    return replace(plan, queued=tuple(c for c in plan.queued if c.id not in staying),
                   skipped=(*plan.skipped, *skipped))


def _stays_queued(app: App, case: Case, account: Account, channel: str) -> tuple[str, str] | None:
    """Why an approved letter is not sent by this command, and what would; None: it is sent."""
    approved, later = case.approved, next_try(case)
    if approved is None:
        return None
    if approved.account != account.name or channel != "email":
        return (f"approved letter waits for account {approved.account}",
                f"dsar send {case.facts.controller} --account {approved.account}")
    if is_given_up(case):
        return "the server put it off too often", f"dsar queue cancel {case.id}"
    if later is not None and app.now() < later:
        return f"put off by the server, next try {later.astimezone():%Y-%m-%d %H:%M}", "dsar run"
    return None


def languages_for(app: App, regime: Regime, right: str) -> tuple[str, ...]:
    """Languages in which a request for this right can be written under this law."""
    from dsar.core.letter import Stage
    from dsar.letters.catalogue import languages_of

    known: dict[tuple[str, str], tuple[str, ...]] = app.languages_by_law
    if (regime.id, right) not in known:
        known[regime.id, right] = languages_of(regime, right, Stage.REQUEST, app.template_folders)
    return known[regime.id, right]


def regimes_for(app: App, controller: Controller) -> list[tuple[Regime, str]]:
    """The laws the person may invoke against a company today, strongest first."""
    from dsar.core.applicable import applicable

    found = applicable(app.subject.residence, controller, app.laws, app.today)
    return [(app.laws.regimes[a.regime_id], a.because) for a in found]


def first_due(app: App, plan: Plan) -> date | None:
    """The earliest due date, were all letters received today."""
    from dsar.core.deadline import Facts, deadlines
    from dsar.core.place import place_of_action

    days = set()
    for letter in plan.letters:
        acts = place_of_action(letter.controller.country, letter.regime, app.subject.residence)
        facts = Facts(right=letter.right, received=app.today, country=acts.place.country,
                      subdivision=acts.place.subdivision)
        days.add(deadlines(letter.regime, facts, app.laws.calendars).due)
    return min((day for day in days if day), default=None)


def capacity_of(app: App, account: Account, cases: Sequence[Case], count: int) -> Capacity:
    """How many of `count` letters the account may send today, and when all are out."""
    from datetime import timedelta

    from dsar.core.pacing import DAY, capacity, day_cap, slots

    now, sent = app.now(), history(cases, account.name)
    room = capacity(sent, account.limits, now)
    times = slots(sent, account.limits, [f"{n}.invalid" for n in range(count)], now=now,
                  jitters=[0.5] * count)
    last = next((t for t in reversed(times) if t), None)
    return Capacity(
        account=account.address, used=sum(one.at > now - DAY for one in sent),
        per_day=day_cap(sent, account.limits, now),
        first_day=not any(one.at <= now - timedelta(hours=24) for one in sent),
        today=count if room is None else min(room, count),
        done_by=last.astimezone().date() if last else (app.today if count else None),
    )


def plan_items(plan: Plan) -> list[dict[str, Any]]:
    """One item a letter, a waiting letter or a skip: the JSON lines of the dry run."""
    items: list[dict[str, Any]] = [letter_item(letter) for letter in plan.letters]
    for case in plan.queued:
        approved = case.approved
        items.append({
            "company": case.facts.controller, "to": approved.recipient if approved else None,
            "right": case.facts.right, "regime": case.facts.regime, "lang": case.facts.language,
            "learns": [kind for kind, _ in approved.disclosed] if approved else [],
            "case": case.id, "queued": True,
        })
    items += [{"company": s.controller.slug, "skipped": s.rail, "why": s.why, "next": s.way_out}
              for s in plan.skipped]
    return items


def letter_item(letter: PlannedLetter) -> dict[str, Any]:
    """What will be sent to one company, and what it learns."""
    return {
        "company": letter.controller.slug, "to": letter.contact.value, "right": letter.right,
        "regime": letter.regime.id, "lang": letter.language,
        "learns": [d.identifier.kind for d in letter.disclosures],
        "covers": list(letter.covers), "because": letter.because,
    }
