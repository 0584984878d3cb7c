"""`dsar remind`: the follow-up letter for what actually happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App, pass_app
from dsar.cli.followups import FollowUps, Wish, follow_up_items, plan_follow_ups
from dsar.cli.options import Selector, global_options, selectors
from dsar.core.remind import Told
from dsar.errors import RefusedByRail, UsageProblem

if TYPE_CHECKING:
    from dsar.core.house import House
    from dsar.mail.account import Account
    from dsar.store import Store

DODGES = ("silence", "incomplete", "identity", "channel", "fee", "language", "excessive",
          "extension", "extension-late", "not-controller", "refusal")
COLUMNS = ("case", "company", "to", "stage", "dodge", "reply_by", "skipped", "why", "from")


@click.command()
@selectors
@click.option("-n", "--dry-run", is_flag=True, help="Show the plan and send nothing.")
@click.option("--confirm", type=click.IntRange(min=1), metavar="N",
              help="The exact number of letters, for use without a terminal.")
@click.option("--dodge", type=click.Choice(DODGES), metavar="KIND",
              help=f"What the letter answers, instead of what was read: {', '.join(DODGES)}.")
@click.option("--missing", metavar="A,B", default="",
              help="What the answer lacks, as ids of demands.")
@click.option("--asked-for", metavar="TEXT", default="",
              help="What the company wants to see, in the language of the letter.")
@click.option("--account", "account_name", metavar="NAME", help="Send from this account.")
@click.option("--lang", "language", metavar="XX", help="Write in this language.")
@global_options
@pass_app
def remind(
    app: App, *, wanted: Selector, dry_run: bool, confirm: int | None, dodge: str | None,
    missing: str, asked_for: str, account_name: str | None, language: str | None,
) -> None:
    """Send the follow-up letter for what actually happened.

    Name cases or companies, or select with --overdue or --all. The letter goes in the thread of
    the case: silence, an incomplete answer, a demand for identity papers, a web form, a fee, an
    extension, a refusal. Two go out at most in one case, and none says that a period has ended
    before it has on every reading of the law.
    """
    from dsar.cli.mailing import refuse_real_account_under_set_clock

    items = tuple(part.strip() for part in missing.split(",") if part.strip())
    told = Told(dodge=(dodge or "").replace("-", "_"), missing=items, asked_for=asked_for)
    wish = Wish(told=told, language=language)
    if not (wanted.names_companies or wanted.overdue or wanted.status or wanted.right):
        raise UsageProblem("No case is selected.", hint="Name cases, or give --overdue.")
    with app.reading() as store:
        account = _account(app, store, wanted, account_name)
        if dry_run:
            show(app, _planned(app, store, wanted, wish, account, store.house()))
            return
    refuse_real_account_under_set_clock(app, account)
    with app.home.working(), app.writing() as store:
        _send(app, store, wanted, wish, account, confirm=confirm)


def _account(app: App, store: Store, wanted: Selector, name: str | None) -> Account:
    """The account named, else the one the first of the cases was written from."""
    from dsar.cli.mailing import account_named, accounts
    from dsar.cli.standings import standings

    if name is not None:
        return account_named(app, name)
    first = next((store.case(s.case.id) for s in standings(app, store, wanted)), None)
    box = first.facts.mailbox if first else None
    own = next((a for a in accounts(app) if box and a.address.lower() == box.lower()), None)
    return own or account_named(app, None)


def _planned(
    app: App, store: Store, wanted: Selector, wish: Wish, account: Account, house: House
) -> FollowUps:
    from dsar.cli.standings import whole_standings

    chosen = whole_standings(app, store, wanted)
    _check_missing(app, wish, [s.case.facts for s in chosen])
    return plan_follow_ups(app, chosen, wish, account, house)


def _check_missing(app: App, wish: Wish, cases: list[object]) -> None:
    """Raise UsageProblem for an id that no letter of these cases lists."""
    from dsar.core.case import CaseOpened
    from dsar.letters.demands import demands_of

    for facts in (c for c in cases if isinstance(c, CaseOpened) and wish.told.missing):
        rule = app.laws.regimes[facts.regime].rights[facts.right]
        known = demands_of(rule, app.template_folders)
        for item in wish.told.missing:
            if item not in known:
                raise UsageProblem(f"{item!r} is nothing that the request asked for.",
                                   hint=f"Known: {', '.join(known)}")


def _send(
    app: App, store: Store, wanted: Selector, wish: Wish, account: Account, *,
    confirm: int | None,
) -> None:
    from dsar.cli.send import approve_and_send
    from dsar.cli.sending import desk

    found = _planned(app, store, wanted, wish, account, store.house())
    if not app.settings.json:
        show(app, found)
    if found.plan.count == 0:
        _refuse_named(found, wanted)
        app.next("dsar status")
        return
    app.confirm_number(found.plan.count, given=confirm)
    writing = desk(app, store, account, attach="none")
    approve_and_send(app, found.plan, account, list(store.cases()), writing, overrides={})


def _refuse_named(found: FollowUps, wanted: Selector) -> None:
    """A case that was named and may not be reminded is refused with reason and date."""
    if not wanted.slugs or not found.held:
        return
    held = found.held[0]
    reason = held.reason
    when = f" A reminder may go from {reason.from_day}." if reason.from_day else ""
    raise RefusedByRail(reason.rail, f"{held.case.id}: {reason.why}.{when}", hint=reason.way_out)


def show(app: App, found: FollowUps) -> None:
    """Print the plan: the screen, tab-separated, or one JSON line a letter or case held."""
    items = follow_up_items(found)
    if app.settings.json:
        for item in items:
            app.emit_line(item)
    elif app.settings.plain:
        app.emit_rows(COLUMNS, items)
    else:
        for line in _lines(found):
            click.echo(line)


def _lines(found: FollowUps) -> Iterator[str]:
    from dsar.report.terminal import row

    if found.plan.letters:
        yield row(("Case", 11), ("Company", 17), ("To", 24), last="Because")
    for letter in found.plan.letters:
        case = letter.case.id if letter.case else ""
        yield row((case, 11), (letter.controller.name, 17), (letter.contact.value, 24),
                  last=letter.because)
    if found.plan.queued:
        yield f"Approved earlier, not sent yet ({len(found.plan.queued)}):"
        yield from (row((c.id, 11), (c.facts.controller_name, 17), last=c.approved.recipient)
                    for c in found.plan.queued if c.approved)
    if found.held:
        yield f"Held back ({len(found.held)}):"
    for held in found.held:
        yield row((held.case.id, 11), (held.case.facts.controller_name, 17), last=held.reason.why)
        day = f"from {held.reason.from_day}; " if held.reason.from_day else ""
        if held.reason.way_out or day:
            yield row(("", 11), last=f"-> {day}{held.reason.way_out}")
    count = found.plan.count
    yield f"{count} {'letter' if count == 1 else 'letters'}."
