"""Letters made from the shipped law and templates, of an invented person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from letter_samples import HOMES, MakeLetter, controller_with

from dsar.core.disclose import disclosures
from dsar.core.letter import Letter, Stage
from dsar.core.regime import Regime
from dsar.core.subject import DataSubject, Place
from dsar.law.load import load_laws


@pytest.fixture(scope="session")
def laws() -> dict[str, Regime]:
    """Every law that ships."""
    return dict(load_laws().regimes)


@pytest.fixture
def make_letter(laws: dict[str, Regime]) -> MakeLetter:
    """Make a letter; any field of Letter may be given."""

    def make(law: str = "eu-gdpr", right: str = "access", language: str = "en",
             **fields: object) -> Letter:
        regime = laws[law]
        subject = DataSubject(
            id="alex", name="Alex Example", email="alex@example.org",
            residence=HOMES.get(law, Place("DE")),
            address=("1 Example Street", "12345 Exampletown"))
        controller = controller_with("data-broker")
        letter = Letter(
            stage=Stage.REQUEST, right=regime.rights[right], regime=regime, language=language,
            reference="DSAR-7K3Q-9MZ2", subject=subject, controller=controller,
            disclosures=disclosures(subject, controller, right), written_on=date(2026, 11, 22))
        return replace(letter, **fields)  # type: ignore[arg-type]

    return make
