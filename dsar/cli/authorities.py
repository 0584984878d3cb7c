"""Which authority, in which language, and which step comes first: for the commands."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from dsar.cli.app import App
from dsar.core.authority import Chosen, FirstStep, choose_authority, first_step, wait_until
from dsar.core.controller import Controller
from dsar.core.letter import Stage
from dsar.core.subject import Place
from dsar.errors import RefusedByRail, UsageProblem

if TYPE_CHECKING:
    from dsar.core.case import Case
    from dsar.law.authorities import Authority


def authority_for(app: App, case: Case, home: Place | None = None) -> Chosen:
    """The authority for a case by the home of its person and the seat of the company.

    home: where a member of a campaign lives, whom the configuration does not know.
    """
    laws = app.laws
    return choose_authority(laws.regimes[case.facts.regime], home or _home(app, case),
                            _company(app, case), laws.authorities, laws.states)


def authority_named(app: App, case: Case, wanted: str | None) -> tuple[Authority, str]:
    """The authority and why it. Raises UsageProblem where the person has to choose."""
    known = app.laws.authorities
    if wanted is not None:
        if wanted not in known:
            raise UsageProblem(f"No authority is called {wanted!r}.",
                               hint="`dsar law authority` lists them all.")
        return known[wanted], "named by --authority"
    chosen = authority_for(app, case)
    if chosen.authority is None:
        listed = f": {', '.join(chosen.others)}" if chosen.others else ""
        raise UsageProblem(f"Which authority is for you cannot be told: {chosen.because}.",
                           hint=f"Name one with --authority{listed}")
    others = f"; also competent: {', '.join(chosen.others)}" if chosen.others else ""
    return known[chosen.authority], f"{chosen.because}{others}"


def refuse_before_first_step(app: App, case: Case, step: FirstStep | None) -> None:
    """Raise RefusedByRail where the law wants the company to be asked first."""
    if step is None:
        return
    if step.done_on is None:
        word = "complained-to-company" if step.step == "complaint" else "appealed"
        raise RefusedByRail(
            "first-step", f"{case.id}: {step.because}.",
            hint=f"dsar complain {case.id} --to-company; if you did it already: "
                 f"dsar case set {case.id} {word} --on DATE")
    until = step_until(app, case, step)
    if until is not None and app.today <= until:
        raise RefusedByRail("first-step",
                            f"{case.id}: you wrote to the company on {step.done_on}; it may "
                            f"answer until {until}.",
                            hint=f"dsar complain {case.id} from the day after.")


def step_of(app: App, case: Case) -> FirstStep | None:
    """What the law wants before a complaint in this case."""
    return first_step(app.laws.regimes[case.facts.regime], case, app.today)


def step_until(app: App, case: Case, step: FirstStep) -> date | None:
    """The last day the company has to answer the step."""
    from dsar.core.deadline import Facts, deadlines

    regime = app.laws.regimes[case.facts.regime]
    first = regime.complaint.first
    due = None
    if step.done_on is not None and step.step in regime.periods:
        place = case.facts
        due = deadlines(regime, Facts(
            right=step.step, received=step.done_on, country=place.country,
            subdivision=place.subdivision), app.laws.calendars).complain_after
    return wait_until(step, first.wait_days if first else None, due)


def complaint_language(app: App, case: Case, authority: Authority) -> str:
    """A language the authority works in and there is a letter in, the person's own first.

    Raises UsageProblem where there is none.
    """
    from dsar.letters.catalogue import languages_of

    regime = app.laws.regimes[case.facts.regime]
    there = languages_of(regime, case.facts.right, Stage.COMPLAINT, app.template_folders)
    theirs = [authority.complaint_language] if authority.complaint_language else []
    theirs += [code for code in authority.languages if code not in theirs]
    fitting = [code for code in theirs if code in there]
    own = [] if authority.complaint_language else [
        code for code in _languages(app, case) if code in fitting]
    found = next(iter([*own, *fitting]), None)
    if found is None:
        raise UsageProblem(
            f"There is no complaint in a language of {authority.id} "
            f"({', '.join(map(str, theirs))}).",
            hint=f"Choose one with --lang: {', '.join(there)}; ask whether it is accepted.")
    return found


def _languages(app: App, case: Case) -> tuple[str, ...]:
    return app.config.person(case.facts.subject_id).languages


def _home(app: App, case: Case) -> Place:
    """Where the person lives now; for a case of nobody known, where they lived."""
    known = {person.id: person for person in app.config.people}
    if case.facts.subject_id in known:
        return known[case.facts.subject_id].residence
    return Place(case.facts.country, case.facts.subdivision)


def _company(app: App, case: Case) -> Controller:
    registry = app.registry_with_pulled
    if case.facts.controller in registry:
        return registry.get(case.facts.controller)
    return Controller(slug=case.facts.controller, name=case.facts.controller_name)
