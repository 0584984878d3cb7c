"""Invented facts, so that every letter there is can be rendered and looked at."""

from __future__ import annotations

from datetime import date

from dsar.core.controller import Contact, Controller
from dsar.core.letter import Disclosure, Letter, Stage
from dsar.core.reference import reference_from
from dsar.core.regime import Regime
from dsar.core.subject import DataSubject, Identifier, Place

REFERENCE = reference_from(bytes(5))
"""DSAR-0000-0000: a reference no case has; previews of letters without a case carry it."""

FACTS: dict[str, object] = {
    "sent_on": date(2026, 9, 14), "acknowledged_on": date(2026, 9, 16),
    "reply_by": date(2026, 12, 4), "authority": "the Example Authority", "dodge": "identity",
    "replied_on": date(2026, 9, 21), "asked_for": "a copy of my passport",
    "against": ("Acme Data", "privacy@example.com"), "annexes": ("my request", "its reminder"),
    "story": ((date(2026, 9, 14), "sent"), (date(2026, 9, 16), "acknowledged"),
              (date(2026, 11, 16), "reminded"), (date(2026, 11, 22), "no_answer")),
    "step": "complaint",
    "authority_lines": ("Example Authority", "1 Example Square", "Exampletown"),
}
DETAILS: dict[str, object] = {"details": ("my address is 1 Example Street",)}


def sample_letter(regime: Regime, right: str, stage: Stage, language: str) -> Letter:
    """Return a letter of an invented person who may invoke this law, to an invented company."""
    subject = DataSubject(
        id="alex", name="Alex Example", email="alex@example.org", residence=_home_under(regime),
        address=("1 Example Street", "12345 Exampletown"))
    controller = Controller(
        slug="acme-data", name="Acme Data", categories=("face-search", "adtech"),
        contacts=(Contact(kind="email", value="privacy@example.com"),))
    told = (Identifier("name", subject.name), Identifier("email", subject.email))
    facts = dict(FACTS)
    if regime.answer_period(right) is not None:
        facts["due_on"] = date(2026, 11, 13)
    return Letter(
        stage=stage, right=regime.rights[right], regime=regime, language=language,
        reference=REFERENCE, subject=subject, controller=controller,
        disclosures=tuple(Disclosure(identifier=i, reason="sample") for i in told),
        written_on=date(2026, 11, 22),
        facts=DETAILS if stage is Stage.REQUEST else facts | DETAILS,
    )


def _home_under(regime: Regime) -> Place:
    places = [p for p in regime.applies.residence if p != "*"]
    return Place.parse(places[0]) if places else Place("DE")
