"""`dsar deadlines`: what is due when, as text, JSON or a calendar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import Selector, global_options, selectors
from dsar.cli.standings import standings
from dsar.core.status import Glimpse


@click.command()
@selectors
@click.option("--format", "form", type=click.Choice(["text", "json", "ics"]), default="text",
              show_default=True, help="How to show them.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
              help="Write to this file instead of standard output.")
@global_options
@pass_app
def deadlines(app: App, *, wanted: Selector, form: str, output: Path | None) -> None:
    """Show what is due when, the earliest first.

    The calendar (ics) carries case ids only, no names; import it again to update it.
    """
    with app.glancing() as store:
        found = [s for s in standings(app, store, wanted) if s.is_open and s.answer_by]
    found.sort(key=lambda s: (s.answer_by, s.case.id))
    if form == "ics":
        from dsar.report.ics import calendar

        _write(calendar(found, app.now()), output)
    elif form == "json" or app.settings.json:
        from dsar.report.rows import deadline_item

        app.emit("deadlines", [deadline_item(s) for s in found], {"total": len(found)})
    elif app.settings.plain:
        from dsar.report.rows import STATUS_COLUMNS, status_item

        app.emit_rows(STATUS_COLUMNS, map(status_item, found))
    else:
        _write("".join(f"{line}\n" for line in _lines(found, wanted, output)), output)


def _lines(
    found: list[Glimpse], wanted: Selector, output: Path | None
) -> Iterator[str]:
    """All of them; on a terminal, where nothing was chosen, as many as fit it."""
    from dsar.cli.status import screen_height

    height = screen_height() if output is None and wanted == Selector() else None
    most = len(found) if height is None or len(found) < height else max(height - 3, 3)
    yield from map(_line, found[:most])
    if not found:
        yield "No open due date."
    if len(found) > most:
        yield f"and {len(found) - most:,} more: dsar deadlines --due 30d, or | less"


def _line(standing: Glimpse) -> str:
    from dsar.report.terminal import row

    left = standing.days_left or 0
    when = f"{left}d" if left >= 0 else f"{-left}d late"
    marks = [str(standing.status)]
    found = standing.deadlines
    if found and found.charitable_due not in (None, found.due):
        marks.append(f"(at the latest {found.charitable_due})")
    if found and found.unverified:
        marks.append("(unverified)")
    return row((str(standing.answer_by), 12), (when, 11), (standing.case.id, 11),
               (standing.case.facts.controller_name, 22), last=" ".join(marks))


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    from dsar.home import write_private

    write_private(output, text.encode())
