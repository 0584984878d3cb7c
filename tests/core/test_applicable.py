"""Which laws a person may invoke against a company, and why."""

from __future__ import annotations

from datetime import date

import pytest

from dsar.core.applicable import Applicable, applicable, not_yet
from dsar.core.controller import Contact, Controller
from dsar.core.subject import Place
from dsar.law.load import load_laws

LAWS = load_laws()
TODAY = date(2026, 11, 24)
GENERAL = {r.id for r in LAWS.regimes.values() if "private" in r.applies.bodies}


def company(**more: object) -> Controller:
    facts: dict[str, object] = {"slug": "acme", "name": "Acme", "country": "US"}
    return Controller(**(facts | more))  # type: ignore[arg-type]


def found(residence: str, controller: Controller, on: date = TODAY) -> dict[str, Applicable]:
    laws = applicable(Place.parse(residence), controller, LAWS, on)
    return {one.regime_id: one for one in laws}


def test_a_resident_invokes_the_law_of_home_against_a_company_outside() -> None:
    laws = found("DE", company())
    assert list(laws) == ["eu-gdpr"]
    assert laws["eu-gdpr"].strength == "medium"
    assert "monitoring" in laws["eu-gdpr"].because


def test_a_company_in_the_union_is_bound_whatever_the_residence() -> None:
    laws = found("US-TX", company(country="IE"))
    assert next(iter(laws)) == "eu-gdpr"
    assert laws["eu-gdpr"].strength == "strong"
    assert "IE" in laws["eu-gdpr"].because


def test_a_representative_in_the_union_makes_the_case_strong() -> None:
    contact = Contact(kind="representative-eu", value="1 Example Street", source="s")
    assert found("FR", company(contacts=(contact,)))["eu-gdpr"].strength == "strong"


def test_norway_goes_by_its_own_act() -> None:
    laws = found("NO", company())
    assert "no-gdpr" in laws
    assert "eu-gdpr" not in laws


def test_one_s_own_law_comes_before_another_of_the_same_strength() -> None:
    assert list(found("DE", company(country="GB", laws=("eu-gdpr",))))[:2] == [
        "eu-gdpr", "uk-gdpr"]


def test_a_state_law_needs_the_state_and_names_its_thresholds() -> None:
    laws = found("US-VA", company())
    assert "thresholds" in laws["us-va-vcdpa"].because
    assert "us-va-vcdpa" not in found("US-MD", company())
    assert not any(i.startswith("us-va") for i in found("US", company()))


def test_a_registered_broker_is_bound_strongly_in_california() -> None:
    laws = found("US-CA", company(brokers_registered_in=("US-CA",)))
    assert next(iter(laws)) == "us-ca-ccpa"
    assert laws["us-ca-ccpa"].strength == "strong"
    assert found("US-CA", company())["us-ca-ccpa"].strength == "medium"


def test_credit_reporting_law_is_offered_only_against_such_companies() -> None:
    assert "us-fcra" in found("US-NY", company(categories=("credit-bureau",)))
    assert "us-fcra" not in found("US-NY", company(categories=("adtech",)))


@pytest.mark.parametrize(("law", "category", "country"), [
    ("eu-led", "law-enforcement", "DE"), ("uk-led", "law-enforcement", "GB"),
    ("eu-institutions", "eu-institution", "EU"), ("eu-europol", "law-enforcement", "EU"),
    ("eu-frontex", "eu-institution", "EU"),
])
def test_a_public_body_goes_its_own_way(law: str, category: str, country: str) -> None:
    body = company(public_body=True, country=country, categories=(category,), laws=(law,))
    for residence in ("DE", "GB", "US-CA", "JP"):
        assert list(found(residence, body)) == [law]


@pytest.mark.parametrize("country", ["DE", "GB", "US", "EU", "FR"])
@pytest.mark.parametrize("category", ["law-enforcement", "eu-institution", "other"])
@pytest.mark.parametrize("laws", [(), ("eu-gdpr",), ("uk-gdpr", "eu-led"), ("us-foia",)])
def test_no_public_body_ever_gets_article_15(
    country: str, category: str, laws: tuple[str, ...]
) -> None:
    body = company(public_body=True, country=country, categories=(category,), laws=laws)
    assert not GENERAL & set(found("DE", body))


def test_the_police_of_a_state_are_bound_by_the_directive_without_being_listed() -> None:
    body = company(public_body=True, country="FR", categories=("law-enforcement",))
    assert list(found("DE", body)) == ["eu-led"]


def test_no_company_is_asked_under_the_law_of_the_police() -> None:
    for residence in ("DE", "GB", "US-CA"):
        assert not {"eu-led", "uk-led", "eu-europol"} & set(found(residence, company(country="DE")))


def test_a_law_not_in_force_is_not_offered_but_named() -> None:
    place = Place.parse("US-OK")
    assert "us-ok-ocdpa" not in found("US-OK", company())
    assert [n.regime_id for n in not_yet(place, company(), LAWS, TODAY)] == ["us-ok-ocdpa"]
    assert "us-ok-ocdpa" in found("US-OK", company(), date(2027, 1, 1))


def test_the_old_law_of_chile_gives_way_to_the_new_one() -> None:
    assert "cl-19628-old" in found("CL", company(), date(2026, 11, 30))
    later = found("CL", company(), date(2026, 12, 1))
    assert "cl-19628" in later
    assert "cl-19628-old" not in later


def test_every_law_says_why() -> None:
    for residence in ("DE", "NO", "GB", "CH", "US-CA", "BR", "CA-QC", "NZ"):
        for one in found(residence, company(country=residence[:2])).values():
            assert len(one.because) > 10
