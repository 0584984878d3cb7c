"""`dsar complain`: the complaint to the supervisory authority, with its annexes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App, pass_app
from dsar.cli.authorities import (
    authority_named,
    complaint_language,
    refuse_before_first_step,
    step_of,
)
from dsar.cli.complaints import FORMS, Complaint, draft_complaint, write_complaint
from dsar.cli.options import global_options
from dsar.core.authority import against_complaint, lodged_on
from dsar.errors import RefusedByRail, UsageProblem

if TYPE_CHECKING:
    from dsar.core.case import Case
    from dsar.core.status import Standing
    from dsar.store import Store


@click.command()
@click.argument("case_id", metavar="CASE")
@click.option("--authority", "authority_id", metavar="ID", help="To this authority.")
@click.option("--format", "forms", type=click.Choice(FORMS), multiple=True,
              help="Only this form; may be given several times (all that are possible).")
@click.option("-o", "--output", "folder", metavar="DIR",
              type=click.Path(file_okay=False, path_type=Path),
              help="Where the files are written (complaint-CASE).")
@click.option("--lang", "language", metavar="XX", help="Write in this language.")
@click.option("--to-company", is_flag=True,
              help="Complain or appeal to the company, where the law wants that first.")
@click.option("--send", "sending", is_flag=True, help="Send it, after a question.")
@click.option("--confirm", type=click.IntRange(min=1), metavar="N",
              help="The number of letters (1), for use without a terminal.")
@click.option("--account", "account_name", metavar="NAME", help="Send from this account.")
@click.option("--anyway", is_flag=True, help="Before the step the law wants; needs --reason.")
@click.option("--reason", metavar="TEXT", help="Why, kept in the ledger when it is sent.")
@global_options
@pass_app
def complain(
    app: App, case_id: str, *, authority_id: str | None, forms: tuple[str, ...],
    folder: Path | None, language: str | None, to_company: bool, sending: bool,
    confirm: int | None, account_name: str | None, anyway: bool, reason: str | None,
) -> None:
    """Write the complaint to the supervisory authority, and send it with --send.

    Possible once the company is late on every reading of the law, with some days of grace, or
    when you have confirmed that it refused or answered in part. The authority follows from where
    you live and where the company sits. Enclosed are the request, the proof of sending, the
    replies, the timeline and the computation of the due date.
    """
    if anyway and not reason:
        raise UsageProblem("--anyway needs --reason TEXT.")
    with app.reading() as store:
        standing = app.standing(store.case(case_id))
        _refuse_other_person(app, standing)
        _refuse_too_early(app, standing)
        if to_company:
            _first(app, standing, sending=sending, confirm=confirm, name=account_name)
            return
        if not anyway:
            refuse_before_first_step(app, standing.case, step_of(app, standing.case))
        authority, because = authority_named(app, standing.case, authority_id)
        chosen = language or complaint_language(app, standing.case, authority)
        complaint = draft_complaint(app, store, standing, authority, because, chosen)
    if sending:
        _send(app, complaint, confirm=confirm, name=account_name,
              overrides={"first-step": reason} if anyway and reason else {})
        return
    place = folder or Path(f"complaint-{case_id}")
    _report(app, complaint, write_complaint(app, complaint, place, forms))


def _refuse_other_person(app: App, standing: Standing) -> None:
    """A complaint tells name and address of the person it is written for."""
    facts = standing.case.facts
    owner = facts.subject_id
    if facts.campaign is not None:
        raise RefusedByRail("person", f"{standing.case.id} is a case of {owner}, a member of "
                            f"campaign {facts.campaign}.",
                            hint=f"dsar campaign export {facts.campaign} {owner} -o FOLDER")
    if owner != app.subject.id:
        raise RefusedByRail("person", f"{standing.case.id} is a case of {owner}.",
                            hint=f"-p {owner}")


def _refuse_too_early(app: App, standing: Standing) -> None:
    held = against_complaint(standing.case, standing.deadlines, app.today)
    if held is None:
        return
    when = f" A complaint may go from {held.from_day}." if held.from_day else ""
    raise RefusedByRail(held.rail, f"{standing.case.id}: {held.why}.{when}", hint=held.way_out)


def _first(
    app: App, standing: Standing, *, sending: bool, confirm: int | None, name: str | None
) -> None:
    """The step the law wants first: shown, or sent in the thread of the case."""
    case, step = standing.case, step_of(app, standing.case)
    if step is None:
        raise UsageProblem(f"{case.facts.regime} wants no step before the complaint.",
                           hint=f"dsar complain {case.id}")
    if step.done_on is not None:
        raise RefusedByRail("duplicate", f"{case.id}: you wrote to the company on "
                            f"{step.done_on} already.", hint=f"dsar complain {case.id}")
    from dsar.cli.complaints import send_to_company, text_to_company

    if not sending:
        click.echo(text_to_company(app, standing, step.step), nl=False)
        app.next(f"dsar complain {case.id} --to-company --send")
        return
    send_to_company(app, case.id, step.step, confirm=confirm, name=name)


def _send(
    app: App, complaint: Complaint, *, confirm: int | None, name: str | None,
    overrides: dict[str, str],
) -> None:
    from dsar.cli.complaints import send_complaint
    from dsar.cli.mailing import refuse_real_account_under_set_clock, sending_account

    _refuse_address(complaint)
    account = sending_account(app, name)
    refuse_real_account_under_set_clock(app, account)
    with app.home.working(), app.writing() as store:
        _refuse_second(store, store.case(complaint.case.id))
        if not app.settings.json:
            click.echo(f"To {complaint.authority.name} <{complaint.authority.email}>, in "
                       f"{complaint.letter.language}; {len(complaint.annexes)} enclosures.")
        app.confirm_number(1, given=confirm)
        send_complaint(app, store, complaint, account, overrides=overrides)


def _refuse_address(complaint: Complaint) -> None:
    """Only an address that is verified and takes complaints is written to."""
    authority = complaint.authority
    way = authority.complaint_form or authority.website or "post"
    if not authority.email or not authority.complaints_by_email:
        raise RefusedByRail("contact", f"{authority.id} takes no complaint by e-mail.",
                            hint=f"Write the files (without --send) and use {way}.")
    if authority.confidence != "verified":
        raise RefusedByRail("contact", f"The address of {authority.id} is not verified.",
                            hint=f"Write the files (without --send) and look it up: {way}")


def _refuse_second(store: Store, case: Case) -> None:
    when = lodged_on(case)
    if when is not None:
        raise RefusedByRail("duplicate", f"{case.id}: a complaint was lodged on {when}.",
                            hint=f"dsar case show {case.id}")
    if case.in_doubt is not None:
        raise RefusedByRail("in-doubt", f"{case.id}: a letter may or may not have been sent.",
                            hint=f"dsar poll; dsar case set {case.id} sent|unsent")
    if case.approved is not None:
        raise RefusedByRail("queued", f"{case.id}: a {case.approved.stage} waits to be sent.",
                            hint="dsar queue list")


def _report(app: App, complaint: Complaint, files: list[Path]) -> None:
    authority = complaint.authority
    form = authority.complaint_form or ""
    if app.settings.json:
        app.emit("complaint", [{
            "case": complaint.case.id, "authority": authority.id, "name": authority.name,
            "because": complaint.because, "lang": complaint.letter.language,
            "email": authority.email if authority.complaints_by_email else None,
            "form": form or None, "confidence": authority.confidence,
            "annexes": [a.name for a in complaint.annexes], "files": list(map(str, files)),
        }], {"files": len(files)})
        return
    click.echo(f"{authority.name} ({authority.id}): {complaint.because}.")
    if authority.confidence != "verified":
        click.echo("Its address is not verified: look it up first.")
    if authority.note:
        click.echo(f"Note: {authority.note}.")
    if form:
        click.echo(f"Form: {form}")
    for path in files:
        click.echo(str(path))
    sendable = authority.email and authority.complaints_by_email
    app.next(f"dsar complain {complaint.case.id} --send" if sendable else
             f"dsar case set {complaint.case.id} complaint-lodged --how {authority.id}")
