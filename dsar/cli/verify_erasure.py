"""`dsar verify-erasure`: ask again, months after an erasure, what is still held."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import Selector, global_options
from dsar.core.remind import NotNow
from dsar.core.verify import may_verify
from dsar.errors import RefusedByRail

if TYPE_CHECKING:
    from dsar.core.case import Case
    from dsar.core.house import House
    from dsar.core.plan import Plan

_MONTHS = re.compile(r"([0-9]{1,3})m?")


def _months(ctx: click.Context, param: click.Parameter, value: str) -> int:
    found = _MONTHS.fullmatch(value)
    if found is None:
        raise click.BadParameter(f"{value!r} is not a number of months such as 6m", ctx, param)
    return int(found.group(1))


@click.command(name="verify-erasure")
@click.argument("case_ids", nargs=-1, metavar="[CASE]...")
@click.option("--after", "months", metavar="6m", default="6m", show_default=True,
              callback=_months, help="Only erasures that were confirmed so long ago.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the plan and send nothing.")
@click.option("--confirm", type=click.IntRange(min=1), metavar="N",
              help="The exact number of letters, for use without a terminal.")
@click.option("--account", "account_name", metavar="NAME", help="Send from this account.")
@click.option("--lang", "language", metavar="XX", help="Write in this language.")
@global_options
@pass_app
def verify_erasure(
    app: App, *, case_ids: tuple[str, ...], months: int, dry_run: bool, confirm: int | None,
    account_name: str | None, language: str | None,
) -> None:
    """Ask companies that confirmed an erasure what they still hold.

    Plans an access request for each erasure that you confirmed and that nobody has checked
    yet; the new case names the old one. The rails are those of `dsar send`.
    """
    from dsar.cli.mailing import refuse_real_account_under_set_clock, sending_account
    from dsar.cli.planning import for_account
    from dsar.cli.send import approve_and_send, show_plan
    from dsar.cli.sending import desk

    account = sending_account(app, account_name)
    if dry_run:
        with app.reading() as store:
            cases = list(store.cases())
            plan = _plan(app, cases, store.house(), case_ids, months, language)
            show_plan(app, for_account(app, plan, account, "email"), account, cases)
        return
    refuse_real_account_under_set_clock(app, account)
    with app.home.working(), app.writing() as store:
        cases = list(store.cases())
        plan = for_account(app, _plan(app, cases, store.house(), case_ids, months, language),
                           account, "email")
        if not app.settings.json:
            show_plan(app, plan, account, cases)
        if plan.count == 0:
            app.next("dsar status")
            return
        app.confirm_number(plan.count, given=confirm)
        approve_and_send(app, plan, account, cases, desk(app, store, account, attach="none"),
                         overrides={})


def _plan(
    app: App, cases: Sequence[Case], house: House, named: tuple[str, ...], months: int,
    language: str | None,
) -> Plan:
    """The plan of `send` for access, each letter with the case it follows."""
    from dsar.cli.planning import Wish, make_plan
    from dsar.core.plan import Plan

    chosen = _chosen(app, cases, named, months)
    if not chosen:
        return Plan()
    wanted = Selector(slugs=tuple(chosen))
    plan = make_plan(app, wanted, Wish(right="access", language=language), cases, house)
    letters = tuple(replace(letter, follows=chosen[letter.controller.slug])
                    for letter in plan.letters)
    return replace(plan, letters=letters)


def _chosen(
    app: App, cases: Sequence[Case], named: tuple[str, ...], months: int
) -> dict[str, str]:
    """Company → the erasure to check. A case that was named and is not ready is refused."""
    mine = [c for c in cases if c.facts.subject_id == app.subject.id]
    followed = {c.facts.follows for c in cases if c.facts.follows}
    found: dict[str, str] = {}
    for case in mine:
        if named and case.id not in named:
            continue
        held = may_verify(case, followed, app.today, months)
        if held is None and case.facts.controller not in app.registry:
            app.say(f"{case.id}: the registry knows {case.facts.controller} no more.")
        elif held is None:
            found[case.facts.controller] = case.id
        elif named:
            _refuse(case, held)
    _refuse_unknown(app, named, {c.id for c in mine})
    return found


def _refuse(case: Case, held: NotNow) -> None:
    when = f" From {held.from_day}." if held.from_day else ""
    raise RefusedByRail(held.rail, f"{case.id}: {held.why}.{when}", hint=held.way_out)


def _refuse_unknown(app: App, named: tuple[str, ...], known: set[str]) -> None:
    from dsar.errors import UnknownCase

    for case_id in named:
        if case_id not in known:
            raise UnknownCase(f"No case {case_id!r}.")

