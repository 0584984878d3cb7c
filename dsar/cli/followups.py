"""From cases to the plan of follow-ups, as `remind` and `complain --to-company` share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dsar.cli.app import App
from dsar.core.controller import Contact
from dsar.core.disclose import disclosures
from dsar.core.letter import Disclosure, Stage
from dsar.core.plan import Plan, PlannedLetter
from dsar.core.queued import changed_since_approval, recipient_problem
from dsar.core.remind import FollowUp, NotNow, Told, follow_up, thread

if TYPE_CHECKING:
    from dsar.core.case import Case
    from dsar.core.controller import Controller
    from dsar.core.house import House
    from dsar.core.regime import Regime
    from dsar.core.status import Standing
    from dsar.core.subject import DataSubject, Place
    from dsar.mail.account import Account


@dataclass(frozen=True, kw_only=True)
class Held:
    """A case without a follow-up, and why."""

    case: Case
    reason: NotNow


@dataclass(frozen=True, kw_only=True)
class FollowUps:
    """What goes out, what waits since an earlier run, and what is held back."""

    plan: Plan
    found: Mapping[str, FollowUp]
    held: tuple[Held, ...]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the person says about the answer, and the language they want."""

    told: Told
    language: str | None = None


def plan_follow_ups(
    app: App, standings: Sequence[Standing], wish: Wish, account: Account, house: House
) -> FollowUps:
    """One letter or one reason for every case, in their order."""
    letters: list[PlannedLetter] = []
    queued: list[Case] = []
    held: list[Held] = []
    found: dict[str, FollowUp] = {}
    for standing in standings:
        case = standing.case
        decided = _decide(app, standing, wish, account, house)
        match decided:
            case NotNow():
                held.append(Held(case=case, reason=decided))
            case FollowUp():
                found[case.id] = decided
                letters.append(planned(app, case, decided.stage, decided.facts,
                                       because=decided.because, language=wish.language))
            case None:
                queued.append(case)
    return FollowUps(plan=Plan(letters=tuple(letters), queued=tuple(queued)), found=found,
                     held=tuple(held))


def _decide(
    app: App, standing: Standing, wish: Wish, account: Account, house: House
) -> FollowUp | NotNow | None:
    """The follow-up, why there is none, or None for one approved earlier that waits."""
    case = standing.case
    closed_way = unreachable(app, case, account, house)
    if case.approved is not None and not case.in_doubt and not case.closed:
        return closed_way or _waiting(app, case, case.approved.stage, account)
    decided = follow_up(case, standing.deadlines, app.today, wish.told)
    if isinstance(decided, NotNow):
        return decided
    if closed_way is not None:
        return closed_way
    return naming_the_authority(app, case, decided)


def _waiting(app: App, case: Case, stage: Stage, account: Account) -> NotNow | None:
    """Why a letter approved earlier does not go out with this command, or None."""
    from dsar.cli.planning import for_account

    if stage not in (Stage.REMINDER, Stage.FOLLOW_UP):
        return NotNow(rail="queued", why=f"a {stage} waits to be sent",
                      way_out="dsar queue list")
    changed = changed_since_approval(case, _company(app, case), app.today)
    if changed:
        return NotNow(rail="contact", why=f"approved letter held: {changed}",
                      way_out=f"dsar queue cancel {case.id}")
    staying = for_account(app, Plan(queued=(case,)), account, "email").skipped
    return NotNow(rail="queue", why=staying[0].why, way_out=staying[0].way_out) if (
        staying) else None


def unreachable(app: App, case: Case, account: Account, house: House) -> NotNow | None:
    """Why no further letter of this case may go to the company: contact, exclusion, account."""
    facts = case.facts
    if facts.campaign is not None:
        return NotNow(rail="person", why=f"it is a case of campaign {facts.campaign}",
                      way_out=f"dsar campaign remind {facts.campaign} -n")
    if facts.subject_id != app.subject.id:
        return NotNow(rail="person", why=f"it is a case of {facts.subject_id}",
                      way_out=f"-p {facts.subject_id}")
    return other_mailbox(case, account) or no_way_to(app, case, house)


def other_mailbox(case: Case, account: Account) -> NotNow | None:
    """A case is written from one mailbox to its end: answers come back to it."""
    box = case.facts.mailbox
    if box and box.lower() != account.address.lower():
        return NotNow(rail="account", why=f"it is written from {box}", way_out="--account NAME")
    return None


def no_way_to(app: App, case: Case, house: House) -> NotNow | None:
    """Why the company of a case may not be written to any more: contact or exclusion."""
    facts = case.facts
    show = f"dsar registry show {facts.controller}"
    if facts.controller not in app.registry_with_pulled:
        return NotNow(rail="contact", why="the registry knows the company no more", way_out=show)
    company = _company(app, case)
    if facts.controller in house.excluded or company.excluded is not None:
        return NotNow(rail="excluded", why="excluded by you", way_out=show)
    latest = case.request or case.approved
    address = latest.recipient if latest else ""
    problem = recipient_problem(case, company, address, app.today)
    mend = f"dsar registry verify {company.slug}" if problem == "address not verified" else show
    return NotNow(rail="contact", why=problem, way_out=mend) if problem else None


def _company(app: App, case: Case) -> Controller:
    return app.registry_with_pulled.get(case.facts.controller)


def naming_the_authority(app: App, case: Case, decided: FollowUp, home: Place | None = None
                         ) -> FollowUp:
    """The last reminder says to whom the person will turn, where nobody is to hear first."""
    if not decided.is_last or decided.stage is not Stage.REMINDER:
        return decided
    from dsar.cli.authorities import authority_for, step_of

    if step_of(app, case) is not None:
        return decided
    chosen = authority_for(app, case, home)
    authority = app.laws.authorities.get(chosen.authority or "")
    if authority is None:
        return decided
    return replace(decided, facts={**decided.facts, "authority": authority.name})


def planned(
    app: App, case: Case, stage: Stage, facts: Mapping[str, object], *, because: str,
    language: str | None = None, subject: DataSubject | None = None,
) -> PlannedLetter:
    """The letter in the thread of its case: same address, same reference, same law.

    subject: whose case it is, where that is not the person at hand.
    """
    regime = app.laws.regimes[case.facts.regime]
    request = case.request
    in_reply_to, references = thread(case)
    company = _company(app, case)
    return PlannedLetter(
        controller=company, right=case.facts.right, regime=regime, because=because, case=case,
        contact=Contact(kind="email", value=request.recipient if request else ""),
        language=language or _language(app, case, regime, stage), stage=stage, facts=facts,
        disclosures=_told_before(subject or app.subject, case, company), in_reply_to=in_reply_to,
        references=references,
    )


def _told_before(subject: DataSubject, case: Case, company: Controller
                 ) -> tuple[Disclosure, ...]:
    """A follow-up tells nothing that the request did not tell."""
    known = {kind for a in case.approvals for kind, _ in a.disclosed} or {"name", "email"}
    return tuple(d for d in disclosures(subject, company, case.facts.right)
                 if d.identifier.kind in known)


def _language(app: App, case: Case, regime: Regime, stage: Stage) -> str:
    """The language of the request; where there is no such letter in it, English or another."""
    from dsar.letters.catalogue import languages_of

    there = languages_of(regime, case.facts.right, stage, app.template_folders)
    own = case.facts.language
    base = own.partition("-")[0]
    return next((code for code in (own, base, "en", *there) if code in there), own)


def follow_up_items(found: FollowUps) -> list[dict[str, Any]]:
    """The JSON lines of the plan: letters, letters that wait, and what is held back."""
    items = [_letter_item(letter, found.found) for letter in found.plan.letters]
    for case in found.plan.queued:
        waiting = case.approved
        items.append({
            "case": case.id, "company": case.facts.controller, "queued": True,
            "to": waiting.recipient if waiting else None, "right": case.facts.right,
            "regime": case.facts.regime, "lang": case.facts.language, "learns": [],
            "stage": str(waiting.stage) if waiting else None,
        })
    return items + [{
        "case": held.case.id, "company": held.case.facts.controller, "skipped": held.reason.rail,
        "why": held.reason.why, "next": held.reason.way_out or None,
        "from": held.reason.from_day.isoformat() if held.reason.from_day else None,
    } for held in found.held]


def _letter_item(letter: PlannedLetter, found: Mapping[str, FollowUp]) -> dict[str, Any]:
    case = letter.case
    assert case is not None
    decided = found.get(case.id)
    return {
        "case": case.id, "company": letter.controller.slug, "to": letter.contact.value,
        "right": letter.right, "regime": letter.regime.id, "lang": letter.language,
        "learns": [], "stage": str(letter.stage), "because": letter.because,
        "dodge": decided.dodge if decided else None,
        "reply_by": decided.reply_by.isoformat() if decided else None,
    }
