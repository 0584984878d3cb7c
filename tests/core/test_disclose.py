"""Least data: what a letter tells, and what it never tells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dsar.core.controller import IDENTIFIER_KINDS, Controller
from dsar.core.disclose import NEVER_BY_ITSELF, disclosures, missing_identifiers
from dsar.core.subject import DataSubject, Identifier, Place


def person(*identifiers: Identifier, address: tuple[str, ...] = ()) -> DataSubject:
    """An invented person with these identifiers."""
    return DataSubject(id="alex", name="Alex Example", email="alex@example.org",
                       residence=Place("DE"), address=address, identifiers=identifiers)


def needing(*groups: tuple[str, ...]) -> Controller:
    """An invented company that finds people by these."""
    return Controller(slug="acme", name="Acme", identifiers=groups)


def kinds(subject: DataSubject, controller: Controller, **more: frozenset[str]) -> list[str]:
    """The kinds told with an access letter."""
    return [d.identifier.kind for d in disclosures(subject, controller, "access", **more)]


def test_name_and_mail_address_are_the_minimum_and_the_rule() -> None:
    rich = person(Identifier("phone", "+49 30 1"), Identifier("birth-date", "1990-01-01"),
                  address=("1 Example Street",))
    assert kinds(rich, needing()) == ["name", "email"]


def test_what_the_company_needs_is_told_with_its_reason() -> None:
    told = disclosures(person(address=("1 Example Street", "Exampletown")),
                       needing(("name",), ("address",)), "access")
    assert [d.identifier.value for d in told][2] == "1 Example Street, Exampletown"
    assert told[2].reason == "Acme needs it for access"


def test_the_least_harmful_alternative_is_told_and_no_other() -> None:
    subject = person(Identifier("birth-date", "1990-01-01"), Identifier("customer-number", "C-1"))
    assert kinds(subject, needing(("birth-date", "customer-number"))) == [
        "name", "email", "customer-number"]
    assert kinds(subject, needing(("birth-date", "age-band"))) == ["name", "email", "birth-date"]


def test_a_need_that_name_or_mail_meets_tells_nothing_more() -> None:
    subject = person(Identifier("username", "alex1"))
    assert kinds(subject, needing(("email", "username"))) == ["name", "email"]


def test_a_need_met_once_is_not_met_twice() -> None:
    subject = person(Identifier("phone", "1"), Identifier("username", "a"))
    assert kinds(subject, needing(("phone",), ("phone", "username"))) == ["name", "email", "phone"]


def test_never_means_never_and_asked_means_after_being_asked() -> None:
    subject = person(Identifier("phone", "1", tell="never"),
                     Identifier("birth-date", "1990-01-01", tell="asked"))
    company = needing(("phone",), ("birth-date",))
    assert kinds(subject, company) == ["name", "email"]
    assert kinds(subject, company, asked=frozenset({"birth-date", "phone"})) == [
        "name", "email", "birth-date"]


def test_what_is_missing_is_named_as_the_kinds_that_would_do() -> None:
    subject = person(Identifier("phone", "1", tell="never"))
    company = needing(("name",), ("phone",), ("customer-number", "account-id"))
    assert missing_identifiers(subject, company, "access") == (
        ("phone",), ("customer-number", "account-id"))


def test_a_letter_goes_out_without_what_is_only_told_when_asked_for() -> None:
    subject = person(Identifier("birth-date", "1990-01-01", tell="asked"))
    company = needing(("birth-date",), ("face-photo",))
    assert missing_identifiers(subject, company, "access") == ()


def test_all_tracking_identifiers_are_told_but_one_of_other_kinds() -> None:
    subject = person(Identifier("cookie-id", "a"), Identifier("cookie-id", "b"),
                     Identifier("phone", "1"), Identifier("phone", "2"))
    told = disclosures(subject, needing(("cookie-id",), ("phone",)), "access")
    assert [d.identifier.value for d in told[2:]] == ["a", "b", "1"]


identifiers = st.builds(Identifier, st.sampled_from(IDENTIFIER_KINDS), st.text(min_size=1),
                        st.sampled_from(["any", "asked", "never"]))
groups = st.lists(st.sampled_from(IDENTIFIER_KINDS), min_size=1, max_size=3).map(tuple)


@given(st.lists(identifiers, max_size=8), st.lists(groups, max_size=4))
def test_nothing_is_told_that_the_company_does_not_need_or_the_person_withholds(
    known: list[Identifier], needs: list[tuple[str, ...]]
) -> None:
    told = disclosures(person(*known), needing(*needs), "access")
    needed = {kind for group in needs for kind in group} | {"name", "email"}
    for disclosure in told:
        identifier = disclosure.identifier
        assert identifier.kind in needed
        assert identifier.kind not in NEVER_BY_ITSELF
        assert identifier.tell == "any" or identifier.kind in ("name", "email")
        assert disclosure.reason
    assert [d.identifier.kind for d in told[:2]] == ["name", "email"]
