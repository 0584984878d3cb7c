"""`dsar case`: one case, and what the person knows about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import Day, Selector, global_options, selectors
from dsar.core.case import (
    Case,
    CaseClosed,
    CaseEvent,
    CaseReopened,
    ClockEvent,
    ComplaintLodged,
    ExtensionNotified,
    IdentityProvided,
    LetterSent,
    NoteAdded,
    ProofKept,
    ReceiptKnown,
    SendAbandoned,
)
from dsar.errors import DoneInPart, FileProblems, UsageProblem

OUTCOMES = ("answered", "erased", "nothing-held", "partly", "refused", "withdrawn", "no-answer",
            "not-sent", "duplicate", "other")

MAX_PROOF = 20_000_000
"""Bytes of a screenshot or receipt that are kept at most."""

EVENT_COLUMNS = ("sequence", "recorded_at", "author", "on", "kind")


on_option = click.option("--on", type=Day(), metavar="DATE", help="When it happened (today).")


@click.group()
@global_options
def case() -> None:
    """One case: what happened, and what you know about it."""


def _record(app: App, case_id: str, make: Sequence[CaseEvent], said: str) -> None:
    with app.writing() as store:
        found = store.case(case_id)
        store.append(case_id, make, after=found.version)
    app.say(said)
    app.next(f"dsar case show {case_id}")


@case.command(name="list")
@selectors
@global_options
@pass_app
def list_cases(app: App, *, wanted: Selector) -> None:
    """List the cases, one line each."""
    from dsar.cli.standings import standings
    from dsar.report.rows import STATUS_COLUMNS, status_item

    with app.reading() as store:
        items = [status_item(s) for s in standings(app, store, wanted)]
    if app.settings.json:
        app.emit("cases", items, {"total": len(items)})
    elif app.settings.plain:
        app.emit_rows(STATUS_COLUMNS, items)
    else:
        from dsar.report.terminal import row

        for item in items:
            click.echo(row((item["case"], 11), (item["company_name"], 26), (item["right"], 12),
                           (item["status"], 13), last=f"due {item['due'] or '-'}"))


@case.command()
@click.argument("case_id", metavar="CASE")
@click.option("--explain", is_flag=True, help="Show the steps that led to each due date.")
@global_options
@pass_app
def show(app: App, case_id: str, *, explain: bool) -> None:
    """Show one case: where it stands and everything that happened."""
    from dsar.report.onecase import case_item, case_lines

    with app.reading() as store:
        standing = app.standing(store.case(case_id))
        events = store.events(case_id)
    if app.settings.json:
        app.emit("case", [case_item(standing, events)])
        return
    if app.settings.plain:
        app.emit_rows(EVENT_COLUMNS, case_item(standing, events)["events"])
        return
    for line in case_lines(standing, events, explain=explain):
        click.echo(line)


@case.command()
@click.argument("case_id", metavar="CASE")
@click.argument("text")
@on_option
@global_options
@pass_app
def note(app: App, case_id: str, text: str, *, on: date | None) -> None:
    """Add a note to a case."""
    _record(app, case_id, [NoteAdded(on=on or app.today, text=text)], "Noted.")


FACTS = ("sent", "unsent", "received", "id-requested", "id-provided", "clarification-requested",
         "clarification-provided", "fee-requested", "fee-paid", "complaint-lodged",
         "complained-to-company", "appealed")


@case.command(name="set")
@click.argument("case_id", metavar="CASE")
@click.argument("fact", type=click.Choice(FACTS))
@on_option
@click.option("--how", default="", help="How you know, or what you gave.")
@click.option("--proof", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              metavar="FILE", help="A screenshot or receipt, kept in the archive of the case.")
@global_options
@pass_app
def set_fact(app: App, case_id: str, fact: str, *, on: date | None, how: str, proof: Path | None
             ) -> None:
    """Record a fact that only you know.

    `sent` and `unsent` settle a letter that is in doubt; `sent` also says that you filed a web
    form or posted a letter (--how: its reference or registered number), and `received` when it
    was delivered. `complaint-lodged` names the authority and its
    reference with --how. The others move the law's clock, or say what you did before a complaint.
    """
    with app.writing() as store:
        found = store.case(case_id)
        day = on or app.today
        events: list[CaseEvent] = [_fact(found, fact, day, how)]
        if day > app.today:
            raise UsageProblem(f"{day} is still to come.", hint="--on DATE: when it happened")
        if proof is not None:
            events.append(_proof(app, proof, day))
        store.append(case_id, events, after=found.version)
        if fact == "sent":
            from dsar.cli.sending import note_complaints

            note_complaints(app, store, [case_id])
    app.say(f"Recorded: {fact}.")
    app.next(f"dsar case show {case_id}")


def _proof(app: App, path: Path, on: date) -> ProofKept:
    """Keep the file's bytes as they are. Raises UsageProblem for one that is no proof."""
    content = path.read_bytes()
    if not 0 < len(content) <= MAX_PROOF:
        raise UsageProblem(f"{path} is empty, or larger than {MAX_PROOF // 10**6} MB.")
    return ProofKept(on=on, digest=app.archive.add(content), name=path.name)


def _fact(case: Case, fact: str, on: date, how: str) -> CaseEvent:
    match fact:
        case "sent" | "unsent":
            return _settled(case, fact, on, how)
        case "received":
            return ReceiptKnown(on=on, how=how or "said by you")
        case "id-provided":
            return IdentityProvided(on=on, how=how)
        case "complaint-lodged":
            authority, _, reference = how.partition(" ")
            return ComplaintLodged(on=on, authority=authority or "unnamed", reference=reference)
        case _:
            return ClockEvent(on=on, type=fact.replace("-", "_"))


def _settled(case: Case, fact: str, on: date, how: str) -> CaseEvent:
    from dsar.inbox import sent_after_all

    doubt, approved = case.in_doubt, case.approved
    if doubt is None and approved and approved.channel != "email" and fact == "sent":
        return LetterSent(on=on, message_id=approved.message_id, stage=approved.stage,
                          recipient=approved.recipient, channel=approved.channel,
                          settled_by=how or "said by you")
    if doubt is None:
        raise UsageProblem(f"Case {case.id} is not in doubt; there is nothing to settle.")
    if fact == "unsent":
        return SendAbandoned(on=on, message_id=doubt.message_id, because=how or "said by you")
    return sent_after_all(case, doubt, how or "said by you")


@case.command()
@click.argument("case_id", metavar="CASE")
@click.option("--until", type=Day(), metavar="DATE", help="The date the company names.")
@click.option("--without-reasons", is_flag=True, help="The notice gives no reasons.")
@on_option
@global_options
@pass_app
def extend(app: App, case_id: str, *, until: date | None, without_reasons: bool,
           on: date | None) -> None:
    """Record that the company announced it needs longer.

    Whether that moves the due date is the law's affair: a late notice changes nothing.
    """
    event = ExtensionNotified(on=on or app.today, until=until, reasoned=not without_reasons)
    _record(app, case_id, [event], "Recorded the notice.")


@case.command()
@click.argument("case_id", metavar="CASE")
@click.option("--outcome", type=click.Choice(OUTCOMES), default="answered", show_default=True,
              metavar="WORD", help=f"How it ended: {', '.join(OUTCOMES)}.")
@click.option("--note", "text", default="", help="What should be remembered.")
@on_option
@global_options
@pass_app
def close(app: App, case_id: str, *, outcome: str, text: str, on: date | None) -> None:
    """Close a case."""
    _record(app, case_id, [CaseClosed(on=on or app.today, outcome=outcome, note=text)],
            f"Closed {case_id}: {outcome}.")


@case.command()
@click.argument("case_id", metavar="CASE")
@click.option("--note", "text", default="", help="Why.")
@on_option
@global_options
@pass_app
def reopen(app: App, case_id: str, *, text: str, on: date | None) -> None:
    """Open a closed case again."""
    _record(app, case_id, [CaseReopened(on=on or app.today, note=text)], f"Opened {case_id}.")


@case.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@global_options
@pass_app
def import_cases(app: App, file: Path) -> None:
    """Take over requests filed elsewhere, from YAML or CSV.

    A bad row names its line and stops nothing else; a case that is there already is left as it
    is. A company the registry does not know is added to your own list.
    """
    from dsar.caseimport import read_cases
    from dsar.cli.importing import record_import

    found = read_cases(file, rights=app.rights, regimes=_countries(app))
    with app.writing() as store:
        result = record_import(app, store, found)
    problems = result.problems
    items = [{"case": c.case_id, "company": c.company["slug"]} for c in result.made]
    if app.settings.json:
        bad = [{"path": p.path, "line": p.line, "problem": p.message} for p in problems]
        app.emit("import", items, {"made": len(items), "already": result.already,
                                   "problems": bad})
    else:
        click.echo(f"{len(items)} cases made, {result.already} there already, "
                   f"{len(problems)} rows left out.")
    if problems and not items and not result.already:
        raise FileProblems(problems)
    if problems:
        listed = "\n".join(map(str, problems))
        raise DoneInPart(f"{len(problems)} rows were left out:\n{listed}")
    app.next("dsar status")


def _countries(app: App) -> dict[str, str]:
    """Each law with the country of its jurisdiction, where that is one country."""
    places = {law: app.laws.regimes[law].jurisdiction.split("-")[0] for law in app.laws.regimes}
    return {law: place if len(place) == 2 and place.isalpha() and place != "EU" else ""
            for law, place in places.items()}


def _register() -> None:
    """Commands of the group that stand in files of their own."""
    from dsar.cli.case_evidence import check, evidence

    case.add_command(evidence)
    case.add_command(check)


_register()
