"""Letters that do not go by e-mail: texts for web forms, letters to print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from dsar.cli.app import App
from dsar.core.letter import Letter, Outgoing, Rendered
from dsar.core.plan import Plan, PlannedLetter


def written(words: Rendered, letter: Letter, channel: str) -> bytes:
    """The exact bytes that are approved: plain text for a form, a PDF for post."""
    if channel == "post":
        from dsar.letters.pdf import as_pdf

        return as_pdf(words, letter)
    from dsar.letters.document import as_text

    return as_text(words).encode()


def hand_over(
    app: App, plan: Plan, ready: Sequence[Outgoing], *, channel: str, folder: Path | None
) -> None:
    """Give the person what they file themselves, and say how to record that they did."""
    planned = {letter.controller.slug: letter for letter in plan.letters}
    for letter in ready:
        if channel == "post":
            _save(app, letter, folder or Path.cwd())
        else:
            _show_form(app, letter, planned[letter.controller])
    if ready:
        app.next(f"dsar case set {ready[0].case_id} sent --how REFERENCE, once it is filed")


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
