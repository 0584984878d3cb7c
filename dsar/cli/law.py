"""`dsar law`: which laws there are, which apply, what is due when, where to complain."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options

if TYPE_CHECKING:
    from dsar.core.regime import Counting, Regime
    from dsar.law.authorities import Authority

LIST_COLUMNS = ("regime", "name", "jurisdiction", "status", "in_force_from", "confidence",
                "rights", "period")
AUTHORITY_COLUMNS = ("authority", "name", "country", "email", "complaint_form", "confidence")


@click.group()
@global_options
def law() -> None:
    """Laws: what applies, what is due when, and how far each rule is verified."""


@law.command(name="list")
@click.option("--country", metavar="CC[-SUB]", help="Only laws of this country or state.")
@click.option("--right", metavar="R", help="Only laws that grant this right.")
@global_options
@pass_app
def list_laws(app: App, *, country: str | None, right: str | None) -> None:
    """List every law with its status, its period, and how far it is verified."""
    found = [r for r in app.laws.regimes.values()
             if (country is None or _is_of(r, country.upper()))
             and (right is None or right in r.rights)]
    items = [_list_item(regime, app.today) for regime in found]
    if app.settings.json:
        app.emit("laws", items, {"total": len(items), **Counter(i["status"] for i in items)})
    elif app.settings.plain:
        app.emit_rows(LIST_COLUMNS, items)
    else:
        for item in items:
            click.echo(_list_line(item))


def _is_of(regime: Regime, place: str) -> bool:
    known = {regime.jurisdiction, *regime.countries}
    return place in known or any(k.startswith(place + "-") for k in known)


def _list_item(regime: Regime, today: date) -> dict[str, Any]:
    default = regime.periods.get("default")
    return {
        "regime": regime.id, "name": regime.name, "jurisdiction": regime.jurisdiction,
        "status": _status(regime, today), "in_force_from": _iso(regime.valid_from),
        "in_force_to": _iso(regime.valid_to), "confidence": regime.confidence,
        "roll_confidence": default.roll_confidence if default and default.due.rolls else None,
        "verified": _iso(regime.verified), "rights": list(regime.rights),
        "period": _words(default.due) if default and default.due.length is not None else None,
        "unverified": list(regime.unverified),
    }


def _status(regime: Regime, today: date) -> str:
    """The status on this day, in the words of the data."""
    if regime.valid_from and regime.valid_from > today:
        return "enacted-not-in-force"
    return "superseded" if regime.valid_to and regime.valid_to < today else "in-force"


def _words(counting: Counting) -> str:
    from dsar.core.inwords import length

    return length(counting)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _list_line(item: Mapping[str, Any]) -> str:
    from dsar.report.terminal import row

    status = {"in-force": "in force", "superseded": f"until {item['in_force_to']}"}.get(
        item["status"], f"from {item['in_force_from']}")
    return row((item["regime"], 19), (status, 17), (item["period"] or "no number", 19),
               last=item["confidence"])


@law.command()
@click.argument("regime_id", metavar="ID")
@global_options
@pass_app
def show(app: App, *, regime_id: str) -> None:
    """Show one law: rights and sections, periods, extension, complaint, sources, doubts."""
    from dsar.cli.duefacts import regime_of
    from dsar.cli.lawtext import law_lines

    regime = regime_of(app.laws, regime_id)
    authority = app.laws.authorities.get(regime.complaint.authority or "")
    if app.settings.json:
        app.emit("laws", [_show_item(regime, app.today)], {"total": 1})
        return
    if app.settings.plain:
        app.emit_rows(LIST_COLUMNS, [_list_item(regime, app.today)])
        return
    for line in law_lines(regime, authority):
        click.echo(line)


def _show_item(regime: Regime, today: date) -> dict[str, Any]:
    """Everything the data say, in the names of the data."""
    from dataclasses import asdict

    whole = asdict(regime)
    periods = {right: _period_item(rule) for right, rule in regime.periods.items()}
    more = {key: whole[key] for key in (
        "statute", "sections", "extensions", "acknowledgement", "clock", "complaint", "applies",
        "facts", "precedents", "notes", "sources", "successor")}
    rights = {name: asdict(rule) | {"cite": regime.cite(rule.section)}
              for name, rule in regime.rights.items()}
    return _list_item(regime, today) | {"rights": rights, "periods": periods} | more


def _period_item(rule: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(rule)


@law.command()
@click.argument("slug", metavar="COMPANY")
@click.option("--residence", metavar="CC[-SUB]",
              help="Where the person lives, for example DE or US-CA. Default: your own.")
@global_options
@pass_app
def applies(app: App, *, slug: str, residence: str | None) -> None:
    """Show which laws may be invoked against a company, strongest first, and why."""
    from dsar.cli.duefacts import place_of
    from dsar.cli.lawtext import applies_lines
    from dsar.core.applicable import applicable, not_yet

    place = place_of(residence) if residence else app.subject.residence
    controller = app.registry.get(slug)
    found = applicable(place, controller, app.laws, app.today)
    later = not_yet(place, controller, app.laws, app.today)
    items = [{"regime": a.regime_id, "strength": a.strength, "because": a.because} for a in found]
    if app.settings.json:
        waiting = [{"regime": n.regime_id, "in_force_from": _iso(n.begins)} for n in later]
        app.emit("applies", items, {"total": len(items), "not_in_force": waiting})
    elif app.settings.plain:
        app.emit_rows(("regime", "strength", "because"), items)
    else:
        for line in applies_lines(found, later):
            click.echo(line)
        if not found:
            app.say("No law in the data binds this company towards someone who lives there.")


@law.command()
@click.argument("source", required=False, type=click.File("rb"), metavar="[-]")
@click.option("--regime", "regime_id", metavar="ID", help="The law, for example eu-gdpr.")
@click.option("--received", metavar="DATE",
              help="The day it reached the company there, or the instant with its offset.")
@click.option("--country", metavar="CC[-SUB]", help="Where the company has to act.")
@click.option("--right", default="access", show_default=True, metavar="R", help="The right used.")
@click.option("--event", "events", multiple=True, metavar="KIND=DATE[..UNTIL][!]",
              help="What happened since; ! at the end: without good reason.")
@click.option("--flag", "flags", multiple=True, metavar="NAME", help="Such as small_agent.")
@global_options
@pass_app
def due(
    app: App, *, source: BinaryIO | None, regime_id: str | None, received: str | None,
    country: str | None, right: str, events: tuple[str, ...], flags: tuple[str, ...],
) -> None:
    """Show when an answer is due, and why.

    With - it reads JSON Lines like {"regime": "eu-gdpr", "received": "2026-11-22"} from standard
    input and prints one result a line, in order.
    """
    from dsar.cli.duefacts import event_of
    from dsar.errors import UsageProblem

    if source is not None:
        _stream(app, source)
        return
    if not regime_id or not received:
        raise UsageProblem("--regime and --received are needed.",
                           hint="For example: dsar law due --regime eu-gdpr --received 2026-11-22")
    _one(app, {
        "regime": regime_id, "received": received, "jurisdiction": country, "right": right,
        "events": [event_of(text) for text in events], "flags": dict.fromkeys(flags, True),
    })


def _one(app: App, asked: Mapping[str, Any]) -> None:
    from dsar.cli.duefacts import DATES, answer
    from dsar.cli.lawtext import wrapped

    item = answer(app.laws, asked)
    if app.settings.json:
        shown = {"schema": "dsar.due/1", "generated_at": app.now().isoformat("T", "seconds"),
                 "items": [item], "summary": {"total": 1}}
        app.emit_line(item | shown)
        return
    if app.settings.plain:
        app.emit_rows(("in_force", *DATES), [item])
        return
    for name in DATES:
        if item[name]:
            click.echo(f"{name.replace('_', ' '):<22}{item[name]}")
    if not item["due"]:
        click.echo("no due date")
    for step in item["steps"]:
        for line in wrapped(step):
            click.echo(line)


def _stream(app: App, source: BinaryIO) -> None:
    """One result a line; a bad line is answered with an error object and stops nothing else."""
    from dsar.errors import DoneInPart

    bad = 0
    for item in _results(app, source):
        bad += item.get("schema") == "dsar.error/1"
        app.emit_line(item)
    if bad:
        raise DoneInPart(f"{bad} {'line' if bad == 1 else 'lines'} could not be read.",
                         hint="The error objects in the output name them.")


def _results(app: App, source: BinaryIO) -> Iterator[dict[str, Any]]:
    from dsar.cli.duefacts import EXAMPLE, answer
    from dsar.errors import DsarError

    laws = app.laws
    for number, line in enumerate(source, 1):
        if not line.strip():
            continue
        try:
            yield answer(laws, _object(line))
        except (DsarError, ValueError, OverflowError) as error:
            hint = getattr(error, "hint", "") or f"For example: {EXAMPLE}"
            code = getattr(error, "exit_status", 2)
            yield {"schema": "dsar.error/1", "code": code, "rail": None, "line": number,
                   "message": f"line {number}: {error}", "hint": hint}


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        raise ValueError("this is not JSON") from None
    if not isinstance(found, dict):
        raise ValueError("this is not a JSON object")
    return found


@law.command()
@click.argument("wanted", required=False, metavar="[ID|CC]")
@global_options
@pass_app
def authority(app: App, *, wanted: str | None) -> None:
    """Show the supervisory authorities: one by its id, or those of a country."""
    from dsar.errors import UsageProblem

    everyone = app.laws.authorities
    found = [a for a in everyone.values() if wanted is None or _is_meant(a, wanted)]
    if not found:
        raise UsageProblem(f"No authority is called {wanted!r}.",
                           hint="`dsar law authority` lists them all.")
    items = [_authority_item(one) for one in found]
    if app.settings.json:
        app.emit("authorities", items, {"total": len(items)})
    elif app.settings.plain:
        app.emit_rows(AUTHORITY_COLUMNS, items)
    else:
        _show_authorities(found, long=len(found) == 1)


def _is_meant(one: Authority, wanted: str) -> bool:
    places = (one.country, one.country.partition("-")[0])
    return wanted.lower() == one.id or wanted.upper() in places


def _authority_item(one: Authority) -> dict[str, Any]:
    from dataclasses import asdict

    item = asdict(one)
    return {"authority": item.pop("id"), **item, "verified": _iso(one.verified)}


def _show_authorities(found: list[Authority], *, long: bool) -> None:
    from dsar.cli.lawtext import authority_lines
    from dsar.report.terminal import row

    for one in found:
        if long:
            for line in authority_lines(one):
                click.echo(line)
        else:
            click.echo(row((one.id, 16), (one.country, 6), (one.name, 42), last=one.confidence))
