"""Official places where one filing reaches many brokers: pointed to, and recorded once filed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App
from dsar.cli.options import Selector
from dsar.core.case import LetterSent, ReceiptKnown
from dsar.core.letter import Letter, Rendered, Stage
from dsar.core.plan import Plan
from dsar.core.platform import PLATFORM, reached
from dsar.drafting import Desk, approve
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.core.controller import Controller
    from dsar.core.regime import Regime


@dataclass(frozen=True, kw_only=True)
class Filed:
    """What the person says of their filing: the day, and the reference they were given."""

    on: date
    how: str = ""


def pointer(app: App, wanted: Selector, right: str) -> Iterator[str]:
    """Yield the lines that point to the official place, before a mass mailing to its brokers."""
    companies = [c for c in app.controllers(wanted, app.registry_with_pulled)
                 if c.brokers_registered_in and c.excluded is None]
    found = reached(companies, _laws(app, companies), right)
    if found is None:
        return
    law, count = found
    place = law.platform
    assert place is not None
    at = f" ({place.url})" if place.url else ""
    state = ", ".join(law.applies.brokers_of)
    yield f"{count} of these are data brokers registered in {state}. One filing at {place.name}"
    yield f"{at.strip() or 'there'} reaches them all: deletion, and no sale from then on."
    if fact := law.facts.get("submission"):
        yield f"  {fact}"
    yield f"  Once filed: dsar send --all --right {right} --channel {PLATFORM} --filed DATE"


def _laws(app: App, companies: Sequence[Controller]) -> list[Regime]:
    """The laws the person may invoke against these, each set of registrations looked at once."""
    from dsar.cli.planning import regimes_for

    found: dict[str, Regime] = {}
    for company in {c.brokers_registered_in: c for c in companies}.values():
        found |= {law.id: law for law, _ in regimes_for(app, company)}
    return list(found.values())


def how_to_file(app: App, wanted: Selector, right: str) -> None:
    """Say where to file and how to record it. Raises UsageProblem where there is no such place."""
    lines = list(pointer(app, wanted, right))
    if not lines:
        raise UsageProblem(
            f"No official place takes {right} for these companies from where you live.",
            hint="dsar send without --channel drop")
    for line in lines:
        click.echo(line)


def noted(letter: Letter, filed: Filed) -> Rendered:
    """The record of a filing, archived in place of a letter; what was entered nobody here knows."""
    reference = f"Reference: {filed.how}\n" if filed.how else ""
    return Rendered(
        subject=f"Filed by the person [{letter.reference}]", language="en",
        body=f"Filed by the person at the official place on {filed.on}.\n{reference}"
             "What was entered there is known to the person alone.\n")


def record_filings(
    app: App, plan: Plan, writing: Desk, filed: Filed, *, overrides: Mapping[str, str]
) -> None:
    """Open a case for each company the filing reaches; it was received on the day of filing."""
    for planned in plan.letters:
        letter = approve(planned, app.subject, writing, overrides=overrides)
        case = writing.store.case(letter.case_id)
        writing.store.append(case.id, [
            LetterSent(on=filed.on, message_id=letter.message_id, stage=Stage.REQUEST,
                       recipient=letter.recipient, channel=PLATFORM,
                       settled_by=filed.how or "said by you"),
            ReceiptKnown(on=filed.on, how=f"filed at {letter.recipient}"),
        ], after=case.version)
        if app.settings.json:
            app.emit_line({"case": case.id, "to": letter.recipient, "outcome": "filed",
                           "message_id": letter.message_id})
    app.say(f"Recorded the filing for {len(plan.letters)} companies.")
    app.next("dsar status")
