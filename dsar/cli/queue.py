"""`dsar queue`: letters that are approved and wait to be sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.core.case import ApprovalWithdrawn, Case, CaseClosed, LetterApproved
from dsar.core.letter import Stage
from dsar.errors import UsageProblem


@click.group()
@global_options
def queue() -> None:
    """Letters that are approved and wait."""


@queue.command(name="list")
@global_options
@pass_app
def list_queue(app: App) -> None:
    """List the letters that wait, and why one is held since something changed."""
    from dsar.report.terminal import row

    with app.reading() as store:
        waiting = [c for c in store.cases() if c.approved and not c.in_doubt and not c.closed]
    items = [_item(app, c, c.approved) for c in waiting if c.approved]
    if app.settings.json:
        app.emit("queue", items, {"total": len(items)})
    elif app.settings.plain:
        app.emit_rows(("case", "company", "to", "stage", "approved_on", "account", "held"), items)
    else:
        for item in items:
            click.echo(row((item["case"], 11), (item["company"], 24), (item["to"], 30),
                           last=item["approved_on"]))
            if item["held"]:
                click.echo(row(("", 11), last=f"held: {item['held']}"))
        if not items:
            click.echo("No letter waits.")


def _item(app: App, case: Case, approved: LetterApproved) -> dict[str, Any]:
    return {"case": case.id, "company": case.facts.controller, "to": approved.recipient,
            "stage": str(approved.stage), "approved_on": approved.on.isoformat(),
            "account": approved.account, "digest": approved.digest, "held": _held(app, case)}


def _held(app: App, case: Case) -> str | None:
    """Why the letter does not go out as it was approved, or None."""
    from dsar.core.queued import changed_since_approval

    if case.facts.controller not in app.registry_with_pulled:
        return "the registry knows the company no more"
    controller = app.registry_with_pulled.get(case.facts.controller)
    return changed_since_approval(case, controller, app.today) or None


@queue.command()
@click.argument("case_id", metavar="CASE")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write the bytes to a file.")
@click.option("--copy", is_flag=True, help="Copy the text for a web form to the clipboard.")
@click.option("--open", "open_page", is_flag=True, help="Open the page of a web form.")
@global_options
@pass_app
def show(app: App, case_id: str, *, output: Path | None, copy: bool, open_page: bool) -> None:
    """Show the letter of a case that waits: the very bytes that were approved."""
    from dsar.cli.channels import Hand, show_waiting

    with app.reading() as store:
        case = store.case(case_id)
    show_waiting(app, case, Hand(copy=copy, open=open_page), output)


@queue.command()
@click.argument("case_ids", nargs=-1, metavar="[CASE]...")
@click.option("--all", "everything", is_flag=True, help="Every letter that waits.")
@click.option("--reason", default="cancelled by you", show_default=True, metavar="TEXT",
              help="Why, kept in the ledger.")
@global_options
@pass_app
def cancel(app: App, case_ids: tuple[str, ...], *, everything: bool, reason: str) -> None:
    """Take letters back before they are sent; a case without any letter is closed."""
    if not case_ids and not everything:
        raise UsageProblem("Name the cases, or give --all.")
    with app.writing() as store:
        chosen = ([c for c in store.cases() if c.approved and not c.in_doubt] if everything
                  else [store.case(case_id) for case_id in case_ids])
        for case in chosen:
            store.append(case.id, _withdrawal(app, case, reason), after=case.version)
    app.say(f"Took back {len(chosen)} letters.")
    app.next("dsar status")


def _withdrawal(app: App, case: Case, reason: str) -> list[ApprovalWithdrawn | CaseClosed]:
    if case.in_doubt:
        raise UsageProblem(f"Case {case.id} is in doubt: the letter may be out already.",
                           hint="dsar poll")
    if case.approved is None:
        raise UsageProblem(f"No letter of case {case.id} waits.")
    events: list[ApprovalWithdrawn | CaseClosed] = [ApprovalWithdrawn(
        on=app.today, message_id=case.approved.message_id, because=reason)]
    if case.approved.stage is Stage.REQUEST and case.request is None:
        events.append(CaseClosed(on=app.today, outcome="not-sent", note=reason))
    return events
