"""From what the user asked for to the facts of one letter, as `dsar letter` shares it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from dsar.cli.app import App
from dsar.core.disclose import disclosures
from dsar.core.letter import Letter, Stage
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.core.case import Case
    from dsar.core.controller import Controller
    from dsar.core.regime import Regime


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which letter: everything but the company."""

    right: str
    law: str | None
    language: str | None
    stage: Stage
    details: tuple[str, ...] = ()
    dodge: str | None = None
    authority: str | None = None
    demands: tuple[str, ...] = ()


def draft(app: App, controller: Controller, wanted: Wanted) -> tuple[Letter, str]:
    """The letter, and why this law. Raises UsageProblem where no law grants the right."""
    from dsar.cli.planning import narrowed_law
    from dsar.letters.sample import REFERENCE

    regime, because = _regime(app, controller, wanted)
    regime = narrowed_law(regime, wanted.right, wanted.demands)
    case = open_case(app, controller, wanted.right)
    rule = regime.rights.get(wanted.right)
    if rule is None or not rule.granted:
        raise UsageProblem(f"{regime.id} grants no {wanted.right}.",
                           hint=f"dsar law show {regime.id}")
    drafted = Letter(
        stage=wanted.stage, right=rule, regime=regime, subject=app.subject, controller=controller,
        language=_language(app, controller, regime, wanted),
        written_on=_written_on(app, case, wanted.stage),
        reference=case.facts.reference if case else REFERENCE,
        disclosures=disclosures(app.subject, controller, wanted.right),
        facts=_facts(app, case, regime, wanted),
    )
    return drafted, because


def _written_on(app: App, case: Case | None, stage: Stage) -> date:
    """A request that was approved keeps its date; everything else is written today."""
    approved = [a for a in case.approvals if a.stage is stage] if case else []
    return approved[-1].on if approved and stage is Stage.REQUEST else app.today


def law_named(app: App, law: str) -> Regime:
    """One law by its id. Raises UsageProblem."""
    if law not in app.laws.regimes:
        raise UsageProblem(f"No law {law!r}.", hint="dsar law list")
    return app.laws.regimes[law]


def _regime(app: App, controller: Controller, wanted: Wanted) -> tuple[Regime, str]:
    if wanted.law:
        return law_named(app, wanted.law), "named by --law"
    from dsar.cli.planning import regimes_for

    for regime, because in regimes_for(app, controller):
        if wanted.right in regime.rights:
            return regime, because
    raise UsageProblem(f"No law that applies to you grants {wanted.right} here.",
                       hint=f"dsar law applies {controller.slug}, or name one with --law.")


def _language(app: App, controller: Controller, regime: Regime, wanted: Wanted) -> str:
    """The language asked for; else one of the company's, of the law and of ours; else English."""
    from dsar.letters.catalogue import languages_of

    there_are = languages_of(regime, wanted.right, wanted.stage, app.template_folders)
    if wanted.language:
        return wanted.language
    return next((code for code in controller.languages if code in there_are), "en")


def open_case(app: App, controller: Controller, right: str) -> Case | None:
    """The latest case of the person with this company and right that is not closed."""
    with app.reading() as store:
        mine = [c for c in store.cases() if c.facts.controller == controller.slug
                and c.facts.right == right and c.facts.subject_id == app.subject.id]
    return next((c for c in reversed(mine) if not c.closed), None)


def _facts(
    app: App, case: Case | None, regime: Regime, wanted: Wanted
) -> dict[str, object]:
    """What the letter quotes. Raises UsageProblem where nothing was sent that it could follow."""
    details: dict[str, object] = {"details": wanted.details} if wanted.details else {}
    if wanted.stage is Stage.REQUEST:
        return details
    if case is None or case.request is None:
        raise UsageProblem("There is no request that was sent, so there is nothing to follow up.",
                           hint="dsar status lists the cases.")
    from dsar.core.followup import facts_of_case

    facts = facts_of_case(case, app.standing(case).deadlines, app.today) | details
    if wanted.dodge:
        facts["dodge"] = wanted.dodge.replace("-", "_")
    if wanted.stage is Stage.COMPLAINT:
        facts |= _complaint_facts(app, case, regime, wanted)
    if wanted.stage is Stage.COMPLAINT_FIRST:
        from dsar.core.followup import story_of

        first = regime.complaint.first
        facts |= {"story": story_of(case, app.today), "step": first.step if first else "complaint"}
    return facts


def _complaint_facts(
    app: App, case: Case, regime: Regime, wanted: Wanted
) -> dict[str, object]:
    """To whom, about whom, the story and what is enclosed."""
    from dsar.cli.authorities import authority_for
    from dsar.core.followup import story_of

    chosen = wanted.authority or authority_for(app, case).authority
    authority = app.laws.authorities.get(chosen or "")
    if authority is None:
        raise UsageProblem(f"{regime.id} does not name one authority for all.",
                           hint="Choose one with --authority; dsar law authority lists them.")
    company = app.registry.get(case.facts.controller)
    post = company.contact("post")
    where = " ".join(post.value.splitlines()) if post else case.facts.recipient
    return {
        "authority_lines": (authority.name, *authority.address), "story": story_of(case, app.today),
        "against": tuple(filter(None, (company.legal_entity or company.name, where))),
        "annexes": tuple(f"{sent.on.isoformat()} {sent.stage}.eml" for sent in case.letters),
    }
