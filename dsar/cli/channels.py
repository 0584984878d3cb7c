"""Letters that do not go by e-mail: texts for web forms, letters to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App
from dsar.core.letter import Letter, Outgoing, Rendered
from dsar.core.plan import Plan, PlannedLetter
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.core.case import Case


@dataclass(frozen=True, kw_only=True)
class Hand:
    """How the person wants what they file themselves: where PDFs go, and help with a form."""

    folder: Path | None = None
    copy: bool = False
    open: bool = False

    def check(self, channel: str, count: int) -> None:
        """Raises UsageProblem where copying or opening makes no sense."""
        if not (self.copy or self.open):
            return
        if channel != "webform":
            raise UsageProblem("--copy and --open are for web forms.", hint="--channel webform")
        if count > 1:
            raise UsageProblem("--copy and --open take one form at a time.",
                               hint="Name one company, or: dsar queue show CASE --copy")


def written(words: Rendered, letter: Letter, channel: str) -> bytes:
    """The exact bytes that are approved: plain text for a form, a PDF for post."""
    if channel == "post":
        from dsar.letters.pdf import as_pdf

        return as_pdf(words, letter)
    from dsar.letters.document import as_text

    return as_text(words).encode()


def hand_over(
    app: App, plan: Plan, ready: Sequence[Outgoing], *, channel: str, hand: Hand
) -> None:
    """Give the person what they file themselves, and say how to record that they did."""
    planned = {letter.controller.slug: letter for letter in plan.letters}
    for letter in ready:
        if channel == "post":
            _save(app, letter, hand.folder or Path.cwd())
        else:
            _show_form(app, letter, planned[letter.controller])
            help_with_form(app, letter.recipient, letter.message.decode(), hand)
    if not ready:
        return
    first = ready[0].case_id
    if channel == "post":
        app.next(f"dsar case set {first} sent --on DATE --how NUMBER, once it is posted; "
                 f"dsar case set {first} received --on DATE, once it is delivered")
    else:
        app.next(f"dsar case set {first} sent --how REFERENCE --proof FILE, once it is filed")


def help_with_form(app: App, page: str, text: str, hand: Hand) -> None:
    """Copy the text, open the page: each only because the person asked for it."""
    if hand.copy:
        from dsar.cli.clipboard import copy

        app.say(f"The text is on {copy(text, app.environment)}.")
    if hand.open:
        _open(app, page)


def _open(app: App, page: str) -> None:
    """Hand an https address of the registry to the browser, nothing else."""
    import webbrowser

    app.needs_network()
    if not page.lower().startswith("https://"):
        raise UsageProblem(f"{page} is no https address: it is not opened.")
    if not webbrowser.open(page):
        raise UsageProblem("There is no browser here.", hint=f"Open {page} yourself.")
    app.say(f"Opened {page} in your browser.")


def _save(app: App, letter: Outgoing, folder: Path) -> None:
    from dsar.home import write_private

    path = folder / f"DSAR-{letter.case_id}.pdf"
    write_private(path, letter.message)
    if app.settings.json:
        app.emit_line({"case": letter.case_id, "to": letter.recipient, "outcome": "prepared",
                       "message_id": letter.message_id, "file": str(path)})
        return
    click.echo(f"{letter.case_id}: {path}, to {' / '.join(letter.recipient.splitlines())}")


def _show_form(app: App, letter: Outgoing, planned: PlannedLetter) -> None:
    """The page is named, never opened by itself; the fields are those the letter tells."""
    fields = {d.identifier.kind: d.identifier.value for d in planned.disclosures}
    text = letter.message.decode()
    if app.settings.json:
        app.emit_line({"case": letter.case_id, "to": letter.recipient, "outcome": "prepared",
                       "message_id": letter.message_id, "fields": fields, "text": text})
        return
    click.echo(f"{letter.case_id}: {planned.controller.name}")
    click.echo(f"Form: {letter.recipient}")
    for kind, value in fields.items():
        click.echo(f"  {kind}: {value}")
    click.echo()
    click.echo(text)


def show_waiting(app: App, case: Case, hand: Hand, output: Path | None) -> None:
    """Print the very bytes approved for a case, or write them; a web form may be copied."""
    approved = case.approved
    if approved is None:
        raise UsageProblem(f"No letter of case {case.id} waits.", hint="dsar queue list")
    hand.check(approved.channel, 1)
    content = app.archive.read(approved.digest)
    app.say(f"{case.id}: {case.facts.controller_name}, by {approved.channel}, approved "
            f"{approved.on}, SHA-256 {approved.digest[:16]}…")
    if output is not None:
        from dsar.home import write_private

        write_private(output.absolute(), content)
        app.say(f"Written to {output}.")
        return
    if approved.channel == "post":
        raise UsageProblem("A letter to print is no text.",
                           hint=f"dsar queue show {case.id} -o FILE writes the PDF.")
    text = printable_text(content)
    click.echo(text if approved.channel == "email" else
               f"To: {approved.recipient}\n\n{text}")
    help_with_form(app, approved.recipient, content.decode(errors="replace"), hand)


def printable_text(content: bytes) -> str:
    """The bytes as text that cannot steer a terminal; lines stay lines."""
    from dsar.report.terminal import printable

    lines = content.decode("utf-8", "replace").splitlines()
    return "\n".join(printable(line) for line in lines)
