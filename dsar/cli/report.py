"""`dsar report`: what came of the requests, as text, Markdown, a page, rows or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import Selector, global_options, selectors
from dsar.cli.standings import collector_paused, standings
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.core.controller import Controller
    from dsar.core.result import Result
    from dsar.report.statistics import Report

AT_ONCE = 1000
"""So many lines go out together."""
FORMS = ("text", "md", "html", "csv", "json", "codebook")


@click.command()
@click.argument("form", type=click.Choice(FORMS), metavar="FORM")
@selectors
@click.option("--public", is_flag=True, help="Show no number from 1 to 4, nothing to compute "
              "one from, and no single case.")
@click.option("--anonymise", is_flag=True, help="Leave out persons and case ids.")
@click.option("--provisional", is_flag=True,
              help="Count answers that only the machine has read.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
              help="Write to this file instead of standard output.")
@global_options
@pass_app
def report(app: App, *, form: str, wanted: Selector, public: bool, anonymise: bool,
           provisional: bool, output: Path | None) -> None:
    """Report what came of the requests: text, md, html, csv, json or codebook.

    Shares come with their 95 % intervals, days with the cases that are still open. A case whose
    reply waits to be read is never called late. The csv has one row per case, the codebook
    explains its columns and codes; letters and replies are in none of them.
    """
    if form == "codebook":
        from dsar.report.codebook import lines

        write_out("".join(lines()), output)
        return
    form = "json" if app.settings.json else form
    if public and form == "csv":
        raise UsageProblem("A csv has one row per case, so it cannot be --public.",
                           hint="Take json, md or html; or --anonymise.")
    with collector_paused():
        found = _results(app, wanted, provisional=provisional)
        if form == "csv":
            from dsar.report.csv import rows

            write_lines(rows(found, anonymous=anonymise), output)
            return
        from dsar.report.statistics import report as report_on

        shown = report_on(found, app.today, hide_small=public, anonymous=anonymise,
                          provisional=provisional)
        write_out(rendered(app, form, shown), output)


def _results(app: App, wanted: Selector, *, provisional: bool) -> list[Result]:
    """The cases selected as results; companies unknown to the registry stay uncategorised."""
    from dsar.core.result import Results

    with app.reading() as store:
        found = standings(app, store, replace(wanted, limit=None))
    known = {c.slug: c for c in app.registry}
    results = Results(app.today, provisional=provisional)
    chosen = ((standing, known.get(standing.case.controller)) for standing in found)
    counted = (results.of(standing, categories=company.categories if company else (),
                          seat=(company.country if company else "") or "")
               for standing, company in chosen if _is_of(company, wanted))
    return list(islice(counted, wanted.limit))


def _is_of(company: Controller | None, wanted: Selector) -> bool:
    categories = company.categories if company else ()
    return (wanted.category in (None, *categories)
            and wanted.country in (None, company.country if company else None))


def rendered(app: App, form: str, found: Report) -> str:
    """The report as text, md, html or json."""
    if form == "html":
        from dsar import shipped
        from dsar.report.html import page

        return page(found, shipped.templates() / "reports")
    if form == "json":
        return _json(app, found)
    return "".join(f"{line}\n" for line in _lines(form, found))


def _lines(form: str, found: Report) -> Iterator[str]:
    if form == "md":
        from dsar.report.markdown import markdown

        return markdown(found)
    from dsar.report.statistics import text

    return text(found)


def _json(app: App, found: Report) -> str:
    import json

    from dsar.report.statistics import document

    shown = {"schema": "dsar.report/1",
             "generated_at": app.now().isoformat("T", "seconds")} | document(found)
    return json.dumps(shown, ensure_ascii=False) + "\n"


def write_out(text: str, output: Path | None) -> None:
    """To a file of mode 0600, or to standard output."""
    write_lines([text], output)


def write_lines(lines: Iterable[str], output: Path | None) -> None:
    """The same, without holding more of them at once than a few."""
    if output is None:
        left = iter(lines)
        while some := "".join(islice(left, AT_ONCE)):
            click.echo(some.encode(), nl=False)
        return
    from dsar.home import write_private

    write_private(output, (line.encode() for line in lines))
