"""Complaints as letters and files: to an authority, or first to the company."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsar.cli.annexes import annexes_of
from dsar.cli.app import App
from dsar.cli.followups import planned, unreachable
from dsar.core.controller import Contact
from dsar.core.followup import facts_of_case, story_of
from dsar.core.letter import Disclosure, Letter, Stage
from dsar.core.plan import Plan, PlannedLetter
from dsar.errors import RefusedByRail, UsageProblem

if TYPE_CHECKING:
    from dsar.core.case import Case
    from dsar.core.status import Standing
    from dsar.law.authorities import Authority
    from dsar.mail.account import Account
    from dsar.mail.compose import Attachment
    from dsar.store import Store

FORMS = ("text", "pdf", "docx", "eml")
"""How a complaint is written; `text` is also what one pastes into a web form."""


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """A complaint before it is written: to whom and why, the letter, what is enclosed."""

    case: Case
    authority: Authority
    because: str
    letter: Letter
    plan: PlannedLetter
    annexes: tuple[Attachment, ...]


def draft_complaint(
    app: App, store: Store, standing: Standing, authority: Authority, because: str, language: str
) -> Complaint:
    """The complaint about one case with everything that is enclosed."""
    case = standing.case
    draft = _draft(app, case, language)
    asked = case.request.on if case.request else app.today
    annexes = annexes_of(app, standing, store.events(case.id), replace(draft, written_on=asked))
    facts = _facts(app, standing, authority, [a.name for a in annexes])
    base = planned(app, case, Stage.COMPLAINT, facts, because=because, language=language)
    plan = PlannedLetter(
        controller=base.controller, right=base.right, regime=base.regime, language=language,
        contact=Contact(kind="email", value=authority.email or ""), because=because, case=case,
        disclosures=_told_to_authority(app, base), stage=Stage.COMPLAINT, facts=facts)
    letter = replace(draft, disclosures=plan.disclosures, facts=facts)
    return Complaint(case=case, authority=authority, because=because, letter=letter, plan=plan,
                     annexes=tuple(annexes))


def _draft(app: App, case: Case, language: str) -> Letter:
    """The complaint without what it tells: case, law, company and language."""
    regime = app.laws.regimes[case.facts.regime]
    return Letter(
        stage=Stage.COMPLAINT, right=regime.rights[case.facts.right], regime=regime,
        language=language, reference=case.facts.reference, subject=app.subject,
        controller=app.registry_with_pulled.get(case.facts.controller), disclosures=(),
        written_on=app.today)


def _told_to_authority(app: App, plan: PlannedLetter) -> tuple[Disclosure, ...]:
    """An authority has to know who complains: also the postal address."""
    address = next((i for i in app.subject.all_identifiers() if i.kind == "address"), None)
    own = tuple(d for d in plan.disclosures if d.identifier.kind in ("name", "email"))
    return (*own, *((Disclosure(identifier=address, reason="says who complains"),)
                    if address else ()))


def _facts(
    app: App, standing: Standing, authority: Authority, annexes: Sequence[str]
) -> dict[str, object]:
    case = standing.case
    facts = facts_of_case(case, standing.deadlines, app.today)
    if standing.deadlines is not None and standing.deadlines.advisory:
        facts.pop("due_on", None)
    company = app.registry_with_pulled.get(case.facts.controller)
    post = company.contact("post")
    where = " ".join(post.value.splitlines()) if post else case.facts.recipient
    return facts | {
        "authority_lines": (authority.name, *authority.address),
        "story": story_of(case, app.today),
        "against": tuple(filter(None, (company.legal_entity or company.name, where))),
        "annexes": tuple(annexes),
    }


def write_complaint(
    app: App, complaint: Complaint, folder: Path, forms: Sequence[str]
) -> list[Path]:
    """Write the letter in the forms asked for, and the annexes beside it; the paths written."""
    from dsar.home import make_private_folder, write_private

    make_private_folder(folder / "annexes")
    written = []
    for form in forms or _possible(complaint):
        path = folder / f"complaint.{'txt' if form == 'text' else form}"
        write_private(path, _as(app, complaint, form))
        written.append(path)
    for annex in complaint.annexes:
        path = folder / "annexes" / annex.name
        write_private(path, annex.content)
        written.append(path)
    return written


def _possible(complaint: Complaint) -> tuple[str, ...]:
    """Every form, without the mail where no mail is taken and the PDF where typst is missing."""
    from importlib.util import find_spec

    without = set() if find_spec("typst") else {"pdf"}
    authority = complaint.authority
    if not authority.email or not authority.complaints_by_email:
        without.add("eml")
    return tuple(form for form in FORMS if form not in without)


def _as(app: App, complaint: Complaint, form: str) -> bytes:
    from dsar.letters.document import as_docx, as_text
    from dsar.letters.words import render

    words = render(complaint.letter, app.template_folders)
    match form:
        case "docx":
            return as_docx(words, complaint.letter)
        case "pdf":
            from dsar.letters.pdf import as_pdf

            return as_pdf(words, complaint.letter)
        case "eml":
            return _as_mail(app, complaint, words)
        case _:
            return as_text(words).encode()


def _as_mail(app: App, complaint: Complaint, words: Any) -> bytes:
    from dsar.cli.sending import composed
    from dsar.drafting import Headers
    from dsar.mail.compose import new_message_id

    if not complaint.authority.email:
        raise UsageProblem(f"{complaint.authority.id} has no e-mail address.",
                           hint="Give another --format.")
    return composed(words, complaint.letter, Headers(
        sender=app.subject.email, display_name=app.subject.name, reply_to=None,
        recipient=complaint.authority.email, message_id=new_message_id(app.subject.email),
        dated=app.now()), annexes=complaint.annexes)


def send_complaint(
    app: App, store: Store, complaint: Complaint, account: Account, *,
    overrides: Mapping[str, str],
) -> None:
    """Approve and send; that it was lodged is recorded when the server has taken it."""
    from dsar.cli.send import approve_and_send
    from dsar.cli.sending import desk

    writing = desk(app, store, account, attach="none", annexes=complaint.annexes)
    plan = replace(complaint.plan, overridden=tuple(overrides))
    approve_and_send(app, Plan(letters=(plan,)), account, list(store.cases()), writing,
                     overrides=overrides)


def text_to_company(app: App, standing: Standing, step: str) -> str:
    """The complaint or appeal to the company as text."""
    from dsar.letters.document import as_text
    from dsar.letters.words import render

    plan = _to_company(app, standing, step)
    letter = Letter(
        stage=plan.stage, right=plan.regime.rights[plan.right], regime=plan.regime,
        language=plan.language, reference=standing.case.facts.reference, subject=app.subject,
        controller=plan.controller, disclosures=plan.disclosures, written_on=app.today,
        facts=plan.facts)
    return as_text(render(letter, app.template_folders))


def _to_company(app: App, standing: Standing, step: str) -> PlannedLetter:
    case = standing.case
    if case.request is None or case.request.channel != "email":
        raise UsageProblem("The request did not go by e-mail.",
                           hint=f"dsar letter preview {case.facts.controller} --stage "
                                "complaint-first")
    facts = facts_of_case(case, standing.deadlines, app.today)
    if standing.deadlines is not None and standing.deadlines.advisory:
        facts.pop("due_on", None)
    return planned(app, case, Stage.COMPLAINT_FIRST, because=f"{step} to the company",
                   facts=facts | {"story": story_of(case, app.today), "step": step})


def send_to_company(
    app: App, case_id: str, step: str, *, confirm: int | None, name: str | None
) -> None:
    """Send the complaint or appeal to the company in the thread of its case."""
    from dsar.cli.mailing import refuse_real_account_under_set_clock, sending_account
    from dsar.cli.send import approve_and_send
    from dsar.cli.sending import desk

    account = sending_account(app, name)
    refuse_real_account_under_set_clock(app, account)
    with app.home.working(), app.writing() as store:
        standing = app.standing(store.case(case_id))
        held = unreachable(app, standing.case, account, store.house())
        if held is not None:
            raise RefusedByRail(held.rail, f"{case_id}: {held.why}.", hint=held.way_out)
        if standing.case.in_doubt is not None:
            raise RefusedByRail("in-doubt", f"{case_id}: a letter may or may not have been sent.",
                                hint=f"dsar poll; dsar case set {case_id} sent|unsent")
        if standing.case.approved is not None:
            raise RefusedByRail("queued", f"{case_id}: a letter waits to be sent.",
                                hint="dsar queue list")
        plan = Plan(letters=(_to_company(app, standing, step),))
        app.confirm_number(1, given=confirm)
        writing = desk(app, store, account, attach="none")
        approve_and_send(app, plan, account, list(store.cases()), writing, overrides={})

