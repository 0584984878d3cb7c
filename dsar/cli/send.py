"""`dsar send`: plan, confirm, send."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.mailing import account_note
from dsar.cli.options import Day, Selector, global_options, selectors
from dsar.cli.planning import Wish, capacity_of, first_due, for_account, make_plan, plan_items
from dsar.cli.platform import Filed, how_to_file, pointer
from dsar.core.case import Case, LetterRefused, LetterSent, SendAbandoned, SendAttempted
from dsar.core.erasing import DELETING
from dsar.core.plan import Plan
from dsar.core.platform import PLATFORM
from dsar.errors import DoneInPart, DsarError, UsageProblem
from dsar.outbox import Delivery

if TYPE_CHECKING:
    from dsar.cli.channels import Hand
    from dsar.drafting import Desk
    from dsar.mail.account import Account
    from dsar.store import Store

ATTACH = click.option("--attach", type=click.Choice(["none", "docx"]), default="none",
                      show_default=True, help="Attach the letter as a document as well.")


@click.command()
@selectors
@click.option("-n", "--dry-run", is_flag=True, help="Show the plan and send nothing.")
@click.option("--confirm", type=click.IntRange(min=1), metavar="N",
              help="The exact number of letters, for use without a terminal.")
@click.option("--account", "account_name", metavar="NAME", help="Send from this account.")
@click.option("--lang", "language", metavar="XX", help="Write in this language.")
@click.option("--channel", type=click.Choice(["email", "webform", "post", PLATFORM]),
              default="email", show_default=True,
              help="webform and post prepare what you file yourself; drop is the official place "
                   "that reaches all registered brokers at once.")
@click.option("-o", "--output", "folder", metavar="DIR",
              type=click.Path(file_okay=False, path_type=Path),
              help="Where letters to print are written (here).")
@click.option("--copy", is_flag=True, help="Copy the text for a web form to the clipboard.")
@click.option("--open", "open_page", is_flag=True, help="Open the page of a web form.")
@click.option("--filed", type=Day(), metavar="DATE",
              help="You filed at the official place that day: record it (--channel drop).")
@click.option("--how", default="", metavar="TEXT", help="The reference of that filing.")
@click.option("--again", is_flag=True, help="Send although a request is open; needs --reason.")
@click.option("--anyway", is_flag=True,
              help="Erase although access was not answered, or where you name a company that "
                   "you use; needs --reason.")
@click.option("--include-unverified", is_flag=True,
              help="Also companies and addresses that nobody has verified.")
@click.option("--demand", "demands", multiple=True, metavar="ID",
              help="Ask for this only, such as source and recipients; repeat it.")
@click.option("--reason", metavar="TEXT", help="Why, kept in the ledger.")
@ATTACH
@global_options
@pass_app
def send(
    app: App, *, wanted: Selector, dry_run: bool, confirm: int | None, account_name: str | None,
    language: str | None, again: bool, anyway: bool, reason: str | None, attach: str,
    channel: str, folder: Path | None, copy: bool, open_page: bool, filed: date | None,
    how: str, include_unverified: bool, demands: tuple[str, ...],
) -> None:
    """Send the requests that have not been sent yet.

    Shows the whole plan with what each company learns about you, asks once for the number of
    letters, then sends each letter at most once. What the limits of the account do not allow
    today stays queued: run the same command again. The right is access unless --right says
    otherwise. An erasure waits until the company has answered an access request.
    """
    from dsar.cli.channels import Hand
    from dsar.cli.mailing import refuse_real_account_under_set_clock, sending_account

    if (again or anyway) and not reason:
        raise UsageProblem(f"--{'again' if again else 'anyway'} needs --reason TEXT.")
    if filed is not None and (channel != PLATFORM or filed > app.today):
        raise UsageProblem("--filed is a day that is past, and goes with --channel drop.")
    account = sending_account(app, account_name)
    wish = Wish(right=_right(app, wanted), language=language, channel=channel,
                again=reason if again else None, anyway=reason if anyway else None,
                include_unverified=include_unverified, demands=demands)
    if channel == PLATFORM and filed is None:
        how_to_file(app, wanted, wish.right)
        return
    if dry_run:
        with app.reading() as store:
            cases = list(store.cases())
            plan = make_plan(app, wanted, wish, cases, store.house())
        show_plan(app, for_account(app, plan, account, channel), account, cases)
        _point(app, wanted, wish)
        return
    refuse_real_account_under_set_clock(app, account)
    task = Task(wanted=wanted, wish=wish, account=account, attach=attach, confirm=confirm,
                hand=Hand(folder=folder, copy=copy, open=open_page),
                filed=Filed(on=filed, how=how) if filed else None)
    with app.home.working():
        _send(app, task)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One call of `dsar send`. hand: for what the person files; filed: what they filed."""

    wanted: Selector
    wish: Wish
    account: Account
    attach: str
    confirm: int | None
    hand: Hand
    filed: Filed | None


def _right(app: App, wanted: Selector) -> str:
    right = wanted.right or "access"
    if right not in app.rights:
        raise UsageProblem(f"{right!r} is no right that dsar knows.",
                           hint=f"Known: {', '.join(sorted(app.rights))}")
    return right


def _send(app: App, task: Task) -> None:
    with app.writing() as store:
        cases, wish = list(store.cases()), task.wish
        plan = make_plan(app, task.wanted, wish, cases, store.house())
        plan = for_account(app, plan, task.account, wish.channel)
        if not app.settings.json:
            show_plan(app, plan, task.account, cases)
        _point(app, task.wanted, wish)
        if plan.count == 0:
            app.next("dsar status")
            return
        task.hand.check(wish.channel, plan.count)
        if task.filed is not None:
            _record(app, store, plan, task, task.filed)
            return
        word = "erase" if wish.right in DELETING else ""
        app.confirm_number(plan.count, given=task.confirm, word=word)
        _act(app, store, plan, task, cases)


def _act(app: App, store: Store, plan: Plan, task: Task, cases: Sequence[Case]) -> None:
    """Send, or hand over what the person files themselves."""
    from dsar.cli.channels import hand_over
    from dsar.cli.sending import approve_all, desk

    wish = task.wish
    writing = desk(app, store, task.account, attach=task.attach, channel=wish.channel)
    if wish.channel == "email":
        approve_and_send(app, plan, task.account, cases, writing, overrides=wish.overrides)
        return
    ready, failed = approve_all(app, plan, writing, overrides=wish.overrides)
    hand_over(app, plan, ready, channel=wish.channel, hand=task.hand)
    _raise_failed(failed)


def _record(app: App, store: Store, plan: Plan, task: Task, filed: Filed) -> None:
    """Record a filing that was made: nothing is sent."""
    from dsar.cli.platform import noted, record_filings
    from dsar.cli.sending import desk

    app.confirm_number(plan.count, given=task.confirm, act="record")
    writing = desk(app, store, task.account, attach="none", channel=task.wish.channel,
                   render=lambda letter: noted(letter, filed))
    record_filings(app, plan, writing, filed, overrides=task.wish.overrides)


def _point(app: App, wanted: Selector, wish: Wish) -> None:
    """Name the official place that would spare the person a mass mailing."""
    if wish.channel != "email":
        return
    for line in pointer(app, wanted, wish.right):
        if app.settings.json or app.settings.plain:
            app.say(line)
        else:
            click.echo(line)


def approve_and_send(
    app: App, plan: Plan, account: Account, cases: Sequence[Case], writing: Desk, *,
    overrides: Mapping[str, str],
) -> Counter[str]:
    """Approve what the plan holds and send it, showing each outcome; how often which came out.

    Raises DoneInPart when anything did not go out as planned, and what ends a run of sending.
    """
    from dsar.cli.sending import approve_all, queued_letters, send_all

    ready, failed = approve_all(app, plan, writing, overrides=overrides)
    letters = [*queued_letters(app, writing.store, plan.queued, account), *ready]
    done: Counter[str] = Counter()
    try:
        show_outcomes(app, send_all(app, writing.store, letters, account, cases), len(letters),
                      done)
    except DsarError:
        _say_done(app, done, waiting=len(letters) - sum(done.values()))
        raise
    _report(app, done, waiting=len(letters) - sum(done.values()), failed=failed)
    return done


def show_plan(app: App, plan: Plan, account: Account, cases: Sequence[Case]) -> None:
    """Print the plan: the screen, or one JSON line a letter or skip."""
    items = plan_items(plan)
    if app.settings.json:
        for item in items:
            app.emit_line(item)
    elif app.settings.plain:
        app.emit_rows(("company", "to", "right", "regime", "lang", "learns", "skipped", "why"),
                      items)
    else:
        from dsar.report.terminal import plan_lines

        capacity = capacity_of(app, account, cases, plan.count)
        for line in plan_lines(plan, app.subject, app.today, capacity=capacity,
                               first_due=first_due(app, plan)):
            click.echo(line)
    if note := account_note(app, account):
        if app.settings.json or app.settings.plain:
            app.say(note)
        else:
            click.echo(note)


def outcome_item(delivery: Delivery) -> dict[str, Any]:
    """One JSON line of what became of a letter."""
    letter, outcome = delivery.letter, delivery.outcome
    item: dict[str, Any] = {"case": letter.case_id, "to": letter.recipient,
                            "message_id": letter.message_id, "outcome": word_for(outcome)}
    match outcome:
        case LetterSent():
            item["reply"] = outcome.server_reply
        case LetterRefused():
            item |= {"code": outcome.code, "reply": outcome.reply}
        case SendAbandoned():
            item["reply"] = outcome.because
    return item


def word_for(outcome: LetterSent | LetterRefused | SendAbandoned | SendAttempted) -> str:
    """sent, refused, deferred (the server says: later), not-sent, or in-doubt."""
    match outcome:
        case LetterSent():
            return "sent"
        case LetterRefused():
            return "deferred" if outcome.temporary else "refused"
        case SendAbandoned():
            return "not-sent"
        case SendAttempted():
            return "in-doubt"


def show_outcomes(app: App, deliveries: Iterable[Delivery], total: int, done: Counter[str]
                  ) -> None:
    """Print each outcome as it happens and count it in `done`."""
    for delivery in deliveries:
        word = word_for(delivery.outcome)
        done[word] += 1
        if app.settings.json:
            app.emit_line(outcome_item(delivery))
            continue
        app.say(f"  {sum(done.values())}/{total}  {word:9} {delivery.letter.recipient}"
                + _reply(delivery.outcome))


def _reply(outcome: LetterSent | LetterRefused | SendAbandoned | SendAttempted) -> str:
    return f": {outcome.code} {outcome.reply}" if isinstance(outcome, LetterRefused) else ""


def _say_done(app: App, done: Counter[str], *, waiting: int) -> None:
    parts = [f"{count} {word}" for word, count in done.items()]
    if waiting:
        parts.append(f"{waiting} queued for later")
    if not app.settings.json:
        click.echo(", ".join(parts) + "." if parts else "Nothing was sent.")


def _report(app: App, done: Counter[str], *, waiting: int, failed: Sequence[str]) -> None:
    """Say what was done; raise DoneInPart when anything was not."""
    _say_done(app, done, waiting=waiting)
    app.next("dsar poll" if done["in-doubt"] else "dsar status")
    refused = done["refused"] + done["in-doubt"] + done["not-sent"] + done["deferred"]
    _raise_failed(failed, refused)


def _raise_failed(failed: Sequence[str], refused: int = 0) -> None:
    if refused or failed:
        listed = "".join(f"\n  {line}" for line in failed)
        count = refused + len(failed)
        letters = "letter" if count == 1 else "letters"
        raise DoneInPart(f"{count} {letters} did not go out as planned.{listed}")
