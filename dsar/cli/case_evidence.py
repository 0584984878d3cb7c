"""`dsar case evidence` and `dsar case check`: what a case proves, and what an answer lacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.core.case import AnswerChecked
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.core.case import Case
    from dsar.core.redact import Redactor


@click.command()
@click.argument("case_id", metavar="CASE")
@click.option("-o", "--output", "path", required=True, metavar="FILE",
              type=click.Path(dir_okay=False, path_type=Path), help="The ZIP to write.")
@click.option("--redact", is_flag=True,
              help="Leave out personal data: messages as text, [kind] in their place.")
@click.option("--dkim-keys", "keys", metavar="FILE",
              type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Keys to check signatures with again, `name text` a line.")
@global_options
@pass_app
def evidence(app: App, case_id: str, *, path: Path, redact: bool, keys: Path | None) -> None:
    """Write one ZIP a lawyer can use and check without dsar.

    It holds the mail both ways as it was, the timeline, the proof of sending, the computation of
    the due date, and the ledger as a chain of hashes; a manifest names the SHA-256 of each file.
    """
    import hashlib

    from dsar.evidence import Evidence, evidence_zip
    from dsar.home import write_private
    from dsar.mail.dkim import read_keys

    with app.reading() as store:
        standing = app.standing(store.case(case_id))
        events = store.events(case_id)
    _refuse_member(standing.case)
    found = Evidence(
        standing=standing, events=events, as_of=app.today,
        read=lambda digest: app.archive.read(digest) if app.archive.has(digest) else None,
        keys=read_keys(keys.read_text()) if keys else {},
        redactor=_redactor(app, standing.case) if redact else None)
    content = evidence_zip(found)
    write_private(path, content)
    digest = hashlib.sha256(content).hexdigest()
    if app.settings.json:
        app.emit("evidence", [{"case": case_id, "file": str(path), "sha256": digest,
                               "bytes": len(content), "redacted": redact,
                               "events": len(events)}], {"total": 1})
        return
    click.echo(f"{path}: {len(content)} bytes, {len(events)} events.")
    click.echo(f"SHA-256 {digest}")
    app.say("Write the SHA-256 down where nobody can change it: it proves the file is unchanged.")


def _refuse_member(case: Case) -> None:
    """Raise UsageProblem for a case of a campaign's member, whose mail is sealed."""
    facts = case.facts
    if facts.campaign is not None:
        raise UsageProblem(f"{case.id} is a case of {facts.subject_id}, a member of campaign "
                           f"{facts.campaign}.", hint="The keeper hands it over: dsar campaign "
                           f"export {facts.campaign} {facts.subject_id} -o FOLDER")


def _redactor(app: App, case: Case) -> Redactor:
    from dsar.core.redact import Redactor

    facts = case.facts
    person = app.config.person(facts.subject_id)
    own = {facts.mailbox or "", facts.reply_address or "", person.email}
    addresses = {a for a in (facts.recipient, *facts.reply_mailboxes) if a and a not in own}
    return Redactor.for_person(person, keep=(*addresses, *facts.reply_domains))


@click.command()
@click.argument("case_id", metavar="CASE")
@click.option("--missing", metavar="A,B", default="", help="What the answer lacks.")
@click.option("--has", "present", metavar="A,B", default="", help="What the answer gives.")
@global_options
@pass_app
def check(app: App, case_id: str, *, missing: str, present: str) -> None:
    """Go through an answer: what the law asks for, and what the answer lacks.

    `stated` is what a machine found a sentence for; `there` and `missing` are your own words.
    What you say is missing is what `dsar remind` asks for.
    """
    lacks, has = _ids(missing), _ids(present)
    if not lacks and not has:
        with app.reading() as store:
            _show(app, store.case(case_id))
        return
    with app.writing() as store:
        case = store.case(case_id)
        _check_known(app, case, (*lacks, *has))
        earlier = case.checked
        before = tuple(i for i in (earlier.missing if earlier else ()) if i not in has)
        given = tuple(i for i in (earlier.present if earlier else ()) if i not in lacks)
        store.append(case_id, [AnswerChecked(
            on=app.today, missing=tuple(dict.fromkeys((*before, *lacks))),
            present=tuple(dict.fromkeys((*given, *has))))], after=case.version)
        case = store.case(case_id)
    _show(app, case)
    still = case.checked.missing if case.checked else ()
    app.next(f"dsar remind {case_id}" if still else f"dsar case close {case_id}")


def _ids(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _demands(app: App, case: Case) -> tuple[str, ...]:
    from dsar.letters.demands import demands_of

    regime = app.laws.regimes[case.facts.regime]
    return demands_of(regime.rights[case.facts.right], app.template_folders)


def _check_known(app: App, case: Case, items: tuple[str, ...]) -> None:
    known = _demands(app, case)
    for item in items:
        if item not in known:
            raise UsageProblem(f"{item!r} is nothing that the request asked for.",
                               hint=f"Known: {', '.join(known)}")


def _show(app: App, case: Case) -> None:
    from dsar.core.completeness import State, completeness

    checked = case.checked
    found = completeness(_demands(app, case), _stated(app, case),
                         there=checked.present if checked else (),
                         missing=checked.missing if checked else ())
    items: list[dict[str, Any]] = [{"case": case.id, "demand": i.demand, "state": str(i.state),
                                    "sentence": i.sentence} for i in found]
    if app.settings.json:
        app.emit("completeness", items, {str(state): sum(i.state is state for i in found)
                                         for state in State})
    elif app.settings.plain:
        app.emit_rows(("case", "demand", "state", "sentence"), items)
    else:
        from dsar.report.terminal import row

        for item in items:
            click.echo(row((item["state"], 9), (item["demand"], 16), last=item["sentence"]))


def _stated(app: App, case: Case) -> dict[str, str]:
    """Demand → sentence, as a machine reads the confirmed answers of the case."""
    from dsar.cli.filing import archived
    from dsar.core.followup import NO_EVENT, labels_of
    from dsar.reading.elements import stated

    found: dict[str, str] = {}
    for reply in case.replies:
        digest = reply.received.digest
        if reply.confirmed is None or NO_EVENT & set(labels_of(reply)):
            continue
        if app.archive.has(digest):
            found |= stated(archived(app, digest), language=case.facts.language)
    return found
