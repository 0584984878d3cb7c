"""`dsar registry pull|diff`: public lists of companies, beside the registry compiled by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.registry.pulled import Pull, Report
    from dsar.registry.sources import Source

SHOWN = 10


@click.command()
@click.argument("source", required=False)
@click.option("--all", "everything", is_flag=True, help="Every list that has an address.")
@click.option("--from", "files", multiple=True, metavar="FILE",
              type=click.Path(exists=True, path_type=Path),
              help="Read a local copy (a folder of JSON files too) instead of the network.")
@click.option("--as-of", "stated", metavar="DATE", default="",
              help="The date or year for which the list says what it says (today when fetched).")
@click.option("-n", "--dry-run", is_flag=True, help="Show the report and keep nothing.")
@click.option("--remarks", is_flag=True, help="Also show every record mended or refused.")
@global_options
@pass_app
def pull(
    app: App, *, source: str | None, everything: bool, files: tuple[Path, ...], stated: str,
    dry_run: bool, remarks: bool,
) -> None:
    """Fetch a public list and merge it in; nobody on it is written to without your say.

    Lists: datenanfragen (default), cppa, eraser, jdm, unlock-my-data; from a file also oregon,
    vermont and california-ag. Contacts that come from a list stay unverified until
    `dsar registry verify`, or until you send with --include-unverified.
    """
    sources = _sources(source, everything, files)
    items = []
    for found in sources:
        items.append(_pull_one(app, found, files, stated, dry_run=dry_run, remarks=remarks))
    if app.settings.json:
        app.emit("pulls", items, {"lists": len(items)})
    if not dry_run:
        app.next("dsar registry diff")


def _sources(source: str | None, everything: bool, files: tuple[Path, ...]) -> list[Source]:
    from dsar.registry.pulled import source_named
    from dsar.registry.sources import SOURCES

    if everything:
        if source or files:
            raise UsageProblem("--all takes neither a list nor --from.")
        return [found for found in SOURCES.values() if found.url]
    found = source_named(source or "datenanfragen")
    if found.url is None and not files:
        raise UsageProblem(f"{found.id} has no stable address.",
                           hint=f"dsar registry pull {found.id} --from FILE")
    return [found]


def _pull_one(
    app: App, source: Source, files: tuple[Path, ...], stated: str, *, dry_run: bool,
    remarks: bool,
) -> dict[str, Any]:
    from dsar.cli.registry import pulled_folder
    from dsar.registry.pulled import compare, read_pull, save, saved

    folder = pulled_folder(app)
    old = saved(folder, source.id)
    if files:
        contents, etag, origin = _local(files), "", str(files[0])
    else:
        fetched = _fetch(app, source, old)
        if fetched is None:
            app.say(f"{source.id}: unchanged since the last pull.")
            return {"source": source.id, "unchanged": True}
        contents, etag, origin = [fetched.raw], fetched.etag, source.url or ""
        stated = stated or app.today.isoformat()
    new = read_pull(source, contents, stated=stated, origin=origin, etag=etag)
    report = compare(old, new, _with_open_cases(app, source.id))
    _show(app, new, report, remarks=remarks)
    if not dry_run and not (report.is_empty and old and old.sha256 == new.sha256):
        if not report.is_empty:
            app.ask_yes(f"Take over what {source.id} says?")
        save(folder, new, app.today)
    return _item(new, report)


def _local(files: tuple[Path, ...]) -> list[bytes]:
    """The bytes of files, and of every JSON file in a folder."""
    from dsar.registry.fetch import MAX_BYTES

    paths = [inner for path in files for inner in (
        sorted(path.rglob("*.json")) if path.is_dir() else [path])]
    for path in paths:
        if path.stat().st_size > MAX_BYTES:
            raise UsageProblem(f"{path} is larger than {MAX_BYTES} bytes.")
    return [path.read_bytes() for path in paths]


def _fetch(app: App, source: Source, old: Pull | None) -> Any:
    from dsar.registry.fetch import fetch

    app.needs_network()
    app.say(f"{source.id}: {source.title} ({source.licence}) from {source.url}")
    etag = old.etag if old else ""
    return fetch(source.url or "", source.media, etag=etag, clock=time.monotonic)


def _with_open_cases(app: App, source: str) -> set[str]:
    """Records of the list that stand for a company with an open case."""
    if not app.home.ledger.exists():
        return set()
    from dsar.registry.merge import Merged

    with app.reading() as store:
        open_slugs = {case.facts.controller for case in store.cases() if not case.closed}
    merged = Merged()
    merged.start(app.registry)
    known = {record for (name, record), slug in merged.references.items()
             if name == source and slug in open_slugs}
    return known | open_slugs


def _show(app: App, new: Pull, report: Report, *, remarks: bool) -> None:
    reading = new.reading
    app.say(f"{new.source}: {reading.records} records, {len(new.entries)} companies; "
            f"{len(reading.mended)} mended, {len(reading.refused)} refused. "
            f"SHA-256 {new.sha256[:16]}…")
    if app.settings.json:
        return
    for line in _report_lines(report):
        click.echo(line)
    if remarks:
        for kind, found in (("mended", reading.mended), ("refused", reading.refused)):
            for remark in found:
                click.echo(f"  {kind} {remark.place}: {remark.name}: {remark.what}")


def _report_lines(report: Report) -> Iterator[str]:
    for title, slugs in (("added", report.added), ("contact changed", report.contacts_changed),
                         ("changed", report.changed), ("gone", report.gone)):
        more = f" … and {len(slugs) - SHOWN} more" if len(slugs) > SHOWN else ""
        if slugs:
            yield f"  {title} {len(slugs)}: {', '.join(slugs[:SHOWN])}{more}"


def _item(new: Pull, report: Report) -> dict[str, Any]:
    reading = new.reading
    return {
        "source": new.source, "sha256": new.sha256, "records": reading.records,
        "companies": len(new.entries), "added": report.added, "changed": report.changed,
        "contacts_changed": report.contacts_changed, "gone": report.gone,
        "mended": [{"place": r.place, "name": r.name, "what": r.what} for r in reading.mended],
        "refused": [{"place": r.place, "name": r.name, "what": r.what} for r in reading.refused],
    }


@click.command()
@click.argument("slugs", nargs=-1, metavar="[SLUG]...")
@global_options
@pass_app
def diff(app: App, *, slugs: tuple[str, ...]) -> None:
    """Show where the pulled lists say otherwise than the registry."""
    from dsar.cli.registry import everything

    ours = app.registry
    items = [
        {"company": company.slug, "field": conflict.field, "theirs": conflict.value,
         "source": conflict.source}
        for company in everything(app)
        if company.slug in ours and (not slugs or company.slug in slugs)
        for conflict in company.conflicts if conflict not in ours.get(company.slug).conflicts
    ]
    if app.settings.json:
        app.emit("differences", items, {"total": len(items)})
    elif app.settings.plain:
        app.emit_rows(("company", "field", "theirs", "source"), items)
    else:
        from dsar.report.terminal import row

        for item in items:
            click.echo(row((item["company"], 23), (item["field"], 9), (item["theirs"], 31),
                           last=item["source"]))
        app.say(f"{len(items)} differences; nothing of it is written to.")


COMMANDS = (pull, diff)
