"""A request that was forgotten still holds a second one back, until its cool-down is over."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.core.controller import Contact, Controller
from dsar.core.plan import Choice, Plan, plan_requests
from dsar.core.subject import DataSubject, Place
from dsar.core.taken import person_keys
from dsar.core.tombstone import Tombstones, hashes
from dsar.law.load import load_laws

JO = DataSubject(id="jo", name="Jo Sample", email="jo@example.org", residence=Place("DE"))
DAY = date(2026, 1, 31)
SALT = b"s" * 32
GDPR = load_laws().regimes["eu-gdpr"]


def _company(slug: str, mail: str = "", group: str | None = None) -> Controller:
    contact = Contact(kind="email", value=mail or f"privacy@{slug}.example", source="invented",
                      checked=date(2026, 1, 1))
    return Controller(slug=slug, name=slug.title(), group=group, contacts=(contact,))


def _plan(company: Controller, buried: str, *, today: date, right: str = "access",
          person: DataSubject = JO, again: str | None = None) -> Plan:
    keys = hashes(SALT, person_keys("jo", "jo@example.org"), "access", [buried])
    choice = Choice(
        right=right, subject=person, today=today, languages=lambda regime: ("en",),
        regimes_for=lambda c: [(GDPR, "")], again=again,
        tombstones=Tombstones(salt=SALT, dates=dict.fromkeys(keys, DAY)))
    return plan_requests([company], [], choice)


@pytest.mark.parametrize("buried", ["slug:acme", "group:acmes", "mail:privacy@acme.example"])
def test_slug_group_and_mailbox_hold_back(buried: str) -> None:
    company = _company("acme", mail="Privacy@Acme.example", group="acmes")
    plan = _plan(company, buried, today=date(2026, 2, 1))
    assert [s.rail for s in plan.skipped] == ["duplicate"]
    assert "2026-01-31" in plan.skipped[0].why


@pytest.mark.parametrize(("today", "letters"), [(date(2026, 7, 30), 0), (date(2026, 7, 31), 1)])
def test_the_cool_down_of_access_ends_after_six_months(today: date, letters: int) -> None:
    assert len(_plan(_company("acme"), "slug:acme", today=today).letters) == letters


def test_another_company_right_or_person_is_not_held_back() -> None:
    today = date(2026, 2, 1)
    other = DataSubject(id="max", name="Max", email="max@example.org", residence=Place("DE"))
    assert _plan(_company("bolt"), "slug:acme", today=today).letters
    assert _plan(_company("acme"), "slug:acme", today=today, right="erasure").letters
    assert _plan(_company("acme"), "slug:acme", today=today, person=other).letters


def test_a_person_who_comes_back_under_another_id_is_known_by_mailbox() -> None:
    again = DataSubject(id="jo2", name="Jo", email="JO@example.org", residence=Place("DE"))
    assert _plan(_company("acme"), "slug:acme", today=date(2026, 2, 1), person=again).skipped


def test_the_override_lets_it_pass() -> None:
    plan = _plan(_company("acme"), "slug:acme", today=date(2026, 2, 1), again="they asked")
    assert plan.letters


@given(st.text(), st.text(), st.text(), st.text(), st.text(), st.text())
def test_different_requests_have_different_hashes(
    a: str, b: str, c: str, d: str, e: str, f: str
) -> None:
    one, two = hashes(SALT, [a], b, [c]), hashes(SALT, [d], e, [f])
    assert (one == two) == ((a, b, c) == (d, e, f))
    assert one != hashes(b"other", [a], b, [c])
