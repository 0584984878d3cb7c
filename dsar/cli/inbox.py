"""`dsar inbox`: replies that wait for a person, and mail read from files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.filing import archived, file_under, full_digest, ignore_message, take_out
from dsar.cli.inbox_read import read
from dsar.cli.options import Day, global_options
from dsar.core.message import Label

if TYPE_CHECKING:
    from dsar.core.message import Message
    from dsar.store import Store


@click.group()
@global_options
def inbox() -> None:
    """Replies that wait for you, and mail from files."""


@inbox.command(name="list")
@global_options
@pass_app
def list_waiting(app: App) -> None:
    """List what waits: messages to assign, and replies a machine has read provisionally."""
    from dsar.report.terminal import row

    with app.reading() as store:
        items = [*_to_assign(store), *_to_confirm(store)]
    if app.settings.json:
        app.emit("inbox", items, {"total": len(items)})
        return
    if app.settings.plain:
        app.emit_rows(("message", "kind", "sender", "case", "labels", "why"), items)
        return
    for item in items:
        case = item["case"] or "?"
        click.echo(row((item["message"][:10], 12), (case, 11), (item["sender"], 28),
                       last=f"{'/'.join(item['labels'])} {item['why']}"))
    if not items:
        click.echo("Nothing waits for you.")
    elif items:
        app.next(f"dsar inbox show {items[0]['message'][:10]}")


def _to_assign(store: Store) -> Iterator[dict[str, Any]]:
    for aside in store.house().waiting.values():
        yield {"message": aside.digest, "kind": "assign", "sender": aside.sender, "case": None,
               "candidates": list(aside.candidates), "labels": list(aside.labels),
               "subject": aside.subject, "why": aside.why, "on": aside.on.isoformat()}


def _to_confirm(store: Store) -> Iterator[dict[str, Any]]:
    from dsar.core.needs import waits_to_be_read

    for case in store.cases():
        for reply in case.replies:
            if case.closed or not waits_to_be_read(reply):
                continue
            labels = reply.machine.labels if reply.machine else (str(Label.UNCLEAR),)
            yield {"message": reply.received.digest, "kind": "confirm", "case": case.id,
                   "sender": reply.received.sender, "candidates": [], "labels": list(labels),
                   "subject": reply.received.subject, "on": reply.received.on.isoformat(),
                   "why": reply.machine.sentence if reply.machine else ""}


@inbox.command()
@click.argument("digest", metavar="MESSAGE")
@global_options
@pass_app
def show(app: App, digest: str) -> None:
    """Show one message: who wrote, by which evidence it is filed, its own words.

    Attachments are listed, never opened; links are shown as text, never followed.
    """
    with app.reading() as store:
        full = full_digest(store, digest)
    message = archived(app, full)
    if app.settings.json:
        app.emit("message", [_message_item(message)])
        return
    show_message(message)
    app.next(f"dsar inbox assign {full[:10]} CASE --label LABEL, or dsar inbox ignore")


def show_message(message: Message) -> None:
    """Print one message: who wrote, what is attached, its own words."""
    from dsar.report.terminal import printable

    sender = f"{message.sender.name} <{message.sender.addr}>" if message.sender else "unknown"
    click.echo(f"From:    {printable(sender)}")
    click.echo(f"Checked: {message.authentic} (by your provider)")
    click.echo(f"Subject: {printable(message.subject)}")
    click.echo(f"Arrived: {message.received or 'unknown'}")
    for part in message.parts:
        click.echo(f"Attached: {printable(part.name)} ({part.declared_type}, {part.size} bytes)")
    click.echo()
    for line in message.own_text.splitlines():
        click.echo(printable(line))


def _message_item(message: Message) -> dict[str, Any]:
    return {
        "message": message.digest, "message_id": message.message_id, "subject": message.subject,
        "sender": message.sender.addr if message.sender else None,
        "authentic": str(message.authentic), "own_text": message.own_text,
        "received": message.received.isoformat() if message.received else None,
        "attachments": [{"name": p.name, "type": p.declared_type, "size": p.size}
                        for p in message.parts],
    }


LABELS = [str(label) for label in Label]


@inbox.command()
@click.argument("digest", metavar="MESSAGE")
@click.argument("case_id", metavar="CASE")
@click.option("--label", "labels", multiple=True, type=click.Choice(LABELS), metavar="LABEL",
              help="What it says, confirmed by you; repeat it where it says several things: "
                   f"{', '.join(LABELS)}.")
@click.option("--until", type=Day(), metavar="DATE",
              help="For an extension: the date the company names.")
@global_options
@pass_app
def assign(app: App, digest: str, case_id: str, *, labels: tuple[str, ...], until: date | None
           ) -> None:
    """File a message under a case, and say what it is.

    Also confirms or corrects the reading of a message that is filed already.
    """
    with app.writing() as store:
        full = full_digest(store, digest)
        file_under(app, store, case_id, full, labels=labels, until=until)
    app.say(f"Filed under {case_id}." if not labels else f"{case_id}: {', '.join(labels)}.")
    app.next(f"dsar case show {case_id}")


@inbox.command()
@click.argument("digests", nargs=-1, required=True, metavar="MESSAGE...")
@global_options
@pass_app
def ignore(app: App, digests: tuple[str, ...]) -> None:
    """Say that messages answer no case; their bytes are removed from the archive."""
    with app.writing() as store:
        for short in digests:
            ignore_message(app, store, full_digest(store, short))
    app.say(f"Ignored {len(digests)}.")
    app.next("dsar inbox list")


@inbox.command()
@click.argument("digest", metavar="MESSAGE")
@click.argument("case_id", metavar="CASE")
@click.option("--reason", default="filed by mistake", show_default=True, help="Why.")
@global_options
@pass_app
def unfile(app: App, digest: str, case_id: str, *, reason: str) -> None:
    """Take a message out of a case it does not belong to; nothing is deleted."""
    with app.writing() as store:
        take_out(app, store, case_id, full_digest(store, digest), reason)
    app.say(f"Taken out of {case_id}.")
    app.next(f"dsar inbox assign {digest} CASE")


@inbox.command()
@global_options
@pass_app
def triage(app: App) -> None:
    """Go through what waits, one screen per message, one key per decision.

    Shows the sender and what your provider says of them, the sentence the reading rests on, and
    up to three cases with the reasons. Every decision is recorded at once.
    """
    from dsar.cli.triage import go_through

    with app.writing() as store:
        items = [*_to_assign(store), *_to_confirm(store)]
        decided = go_through(app, store, items)
    app.say(f"{decided} of {len(items)} decided.")
    app.next("dsar status")


@inbox.command(name="export-examples")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write to this file instead of standard output.")
@global_options
@pass_app
def export_examples(app: App, output: Path | None) -> None:
    """Write the replies you corrected as redacted examples, so that the rules can be improved.

    Names, addresses, numbers and links are replaced; look through the file before you share it.
    """
    from dsar.cli.triage import examples

    with app.reading() as store:
        text = examples(app, store)
    if output is None:
        click.echo(text, nl=False)
        return
    from dsar.home import write_private

    write_private(output, text.encode())
    app.say(f"Wrote {output}. Read it before you share it.")


inbox.add_command(read)
