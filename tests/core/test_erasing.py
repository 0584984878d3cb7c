"""The rail `erasure`: never where the person is a customer, and access comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from dsar.core.case import (
    Case,
    CaseClosed,
    CaseEvent,
    CaseOpened,
    CaseReopened,
    LetterApproved,
    LetterSent,
    RailOverridden,
    ReplyRead,
    ReplyReceived,
    fold,
)
from dsar.core.controller import Contact, Controller
from dsar.core.erasing import in_use_keys
from dsar.core.letter import Stage
from dsar.core.plan import Choice, Plan, plan_requests
from dsar.core.queued import changed_since_approval
from dsar.core.regime import Regime, RightRule
from dsar.core.subject import DataSubject, Place
from dsar.core.tombstone import Tombstones, hashes

TODAY, THEN = date(2026, 11, 24), date(2026, 10, 1)
NOON = datetime(2026, 10, 20, 12, tzinfo=UTC)
JO = DataSubject(id="jo", name="Jo Example", email="jo@example.org", residence=Place("DE"))


def law(*rights: str) -> Regime:
    return Regime(id="one-law", name="One", names={}, cite_forms={}, jurisdiction="DE",
                  status="in force", confidence="verified", countries=("DE",),
                  rights={r: RightRule(right=r, section="1") for r in rights})


BOTH = law("access", "erasure")


def company(slug: str, mail: str = "", **more: object) -> Controller:
    reach = Contact(kind="email", value=mail or f"privacy@{slug}.example", source="invented",
                    checked=date(2026, 11, 1))
    return Controller(slug=slug, name=slug, contacts=(reach,), **more)  # type: ignore[arg-type]


def access(slug: str, *events: CaseEvent) -> Case:
    message_id = f"<{slug}@example.org>"
    return fold([
        CaseOpened(on=THEN, case_id=f"A-{slug}", reference="DSAR-7K3Q-9MZ2", subject_id="jo",
                   controller=slug, controller_name=slug, right="access", regime="one-law",
                   language="en", country="DE", recipient=f"privacy@{slug}.example"),
        LetterApproved(on=THEN, stage=Stage.REQUEST, message_id=message_id, digest="d",
                       recipient=f"privacy@{slug}.example", account="main"), *events])


def sent(slug: str) -> LetterSent:
    return LetterSent(on=THEN, message_id=f"<{slug}@example.org>", stage=Stage.REQUEST,
                      recipient=f"privacy@{slug}.example")


def read_as(label: str, by: str) -> list[CaseEvent]:
    return [ReplyReceived(on=NOON.date(), at=NOON, digest="r", message_id=None, sender="x",
                          subject="", authentic="pass", evidence=()),
            ReplyRead(on=NOON.date(), digest="r", labels=(label,), by=by)]


def plan(*companies: Controller, cases: tuple[Case, ...] = (), regime: Regime = BOTH,
         **changed: object) -> Plan:
    facts: dict[str, object] = {
        "right": "erasure", "subject": JO, "today": TODAY, "languages": lambda law: ("en",),
        "regimes_for": lambda controller: [(regime, "you live there")],
        "in_use": in_use_keys(companies, "erasure")}
    return plan_requests(companies, cases, Choice(**(facts | changed)))  # type: ignore[arg-type]


def held(found: Plan) -> dict[str, tuple[str, str]]:
    return {s.controller.slug: (s.rail, s.why) for s in found.skipped}


def test_without_an_access_request_the_erasure_waits_and_the_way_is_named() -> None:
    [skip] = plan(company("acme")).skipped
    assert (skip.rail, skip.why, skip.way_out) == (
        "erasure", "access comes first", "dsar send acme")


@pytest.mark.parametrize(("events", "goes"), [
    ([], False),
    ([sent("acme")], False),
    ([sent("acme"), *read_as("fulfilled_access", "machine")], False),
    ([sent("acme"), *read_as("acknowledgement", "person")], False),
    ([sent("acme"), *read_as("fulfilled_access", "person")], True),
    ([sent("acme"), *read_as("no_data_held", "person")], True),
    ([sent("acme"), CaseClosed(on=NOON.date(), outcome="no-answer")], True),
    ([CaseClosed(on=NOON.date(), outcome="not-sent")], False),
])
def test_an_erasure_goes_once_access_was_answered_as_a_person_confirms(
    events: list[CaseEvent], goes: bool
) -> None:
    found = plan(company("acme"), cases=(access("acme", *events),))
    assert (len(found.letters) == 1) is goes
    assert goes or held(found)["acme"][0] == "erasure"


def test_access_to_one_of_a_group_or_mailbox_serves_all_it_reaches() -> None:
    done = access("acme", sent("acme"), CaseClosed(on=NOON.date(), outcome="answered"))
    assert plan(company("same", "Privacy@ACME.example"), cases=(done,)).count == 1
    assert plan(company("other"), cases=(done,)).count == 0


def test_the_access_of_another_person_does_not_count() -> None:
    done = access("acme", sent("acme"), CaseClosed(on=NOON.date(), outcome="answered"))
    other = replace(JO, id="kim", email="kim@example.org")
    assert plan(company("acme"), cases=(done,), subject=other).count == 0


def test_where_no_law_grants_access_there_is_nothing_to_wait_for() -> None:
    assert plan(company("acme"), regime=law("erasure")).count == 1


def test_an_access_request_forgotten_since_counts() -> None:
    [seal] = hashes(b"salt", ["jo"], "access", ["slug:acme"])
    buried = Tombstones(salt=b"salt", dates={seal: THEN})
    assert plan(company("acme"), tombstones=buried).count == 1


def test_the_override_is_noted_on_the_letters_the_rail_held_and_on_no_other() -> None:
    done = access("done", sent("done"), CaseClosed(on=NOON.date(), outcome="answered"))
    found = plan(company("acme"), company("done"), cases=(done,), anyway="known from the press")
    assert {p.controller.slug: p.overridden for p in found.letters} == {
        "acme": ("erasure",), "done": ()}


def test_a_company_in_use_is_held_with_all_that_shares_its_group_or_mailbox() -> None:
    found = plan(company("bank", in_use="my bank", group="g"), company("sister", group="g"),
                 company("same", "privacy@bank.example"), anyway="clean slate")
    assert held(found) == dict.fromkeys(("bank", "sister", "same"), ("erasure",
                                                                     "in use: my bank"))


def test_a_company_in_use_is_erased_only_when_named_with_a_reason() -> None:
    bank = company("bank", in_use="my bank")
    assert plan(bank, named=frozenset({"bank"})).count == 0
    [letter] = plan(bank, named=frozenset({"bank"}), anyway="closed the account").letters
    assert letter.overridden == ("erasure",)


def test_access_to_a_company_in_use_is_free() -> None:
    bank = company("bank", in_use="my bank")
    assert plan(bank, right="access", in_use=in_use_keys([bank], "access")).count == 1


def test_an_approved_erasure_stays_once_the_company_is_marked_unless_that_was_overridden() -> None:
    waiting = access("bank")
    asked = replace(waiting.facts, right="erasure")
    erasure = fold([asked, waiting.approvals[0]])
    bank = company("bank", in_use="my bank")
    assert changed_since_approval(erasure, bank, TODAY) == "in use: my bank"
    overridden = fold([asked, RailOverridden(on=THEN, rail="erasure", reason="closed"),
                       waiting.approvals[0]])
    assert changed_since_approval(overridden, bank, TODAY) == ""


def test_a_case_opened_again_sends_no_letter_that_was_approved_before() -> None:
    again = access("acme", CaseClosed(on=THEN, outcome="not-sent"), CaseReopened(on=TODAY))
    assert again.approved is None
    [letter] = plan(company("acme"), cases=(again,), right="access").letters
    assert letter.case == again, "it is written and approved anew, in its case"


def test_a_form_prepared_before_stays_so_that_its_filing_can_be_recorded() -> None:
    form = access("acme")
    approved = replace(form.approvals[0], channel="webform")
    again = fold([form.facts, approved, CaseClosed(on=THEN, outcome="other"),
                  CaseReopened(on=TODAY)])
    assert again.approved == approved
