"""The plan: one letter or one reason for each company, and never two letters to one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from dsar.core.case import (
    Case,
    CaseClosed,
    CaseEvent,
    CaseOpened,
    DeliveryFailed,
    LetterApproved,
    LetterRefused,
    LetterSent,
    ReplyRead,
    ReplyReceived,
    SendAbandoned,
    SendAttempted,
    fold,
)
from dsar.core.contact import mailbox_key
from dsar.core.controller import Contact, Controller
from dsar.core.letter import Stage
from dsar.core.plan import Choice, Plan, plan_requests
from dsar.core.queued import changed_since_approval
from dsar.core.regime import Regime, RightRule
from dsar.core.subject import DataSubject, Place

TODAY = date(2026, 11, 24)
SENT_ON = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
ALEX = DataSubject(id="alex", name="Alex Example", email="alex@example.org", residence=Place("DE"))
KIM = DataSubject(id="kim", name="Kim Example", email="kim@example.org", residence=Place("DE"))
RIGHTS = {right: RightRule(right=right, section="1")
          for right in ("access", "erasure", "objection")}
LAW = Regime(id="one-law", name="One Law", names={}, cite_forms={}, jurisdiction="DE",
             status="in force", confidence="verified", rights=RIGHTS, countries=("DE",))
OTHER_LAW = replace(LAW, id="other-law")


def contact(value: str, kind: str = "email", **more: object) -> Contact:
    facts: dict[str, object] = {"source": "invented", "checked": date(2026, 11, 1)}
    return Contact(kind=kind, value=value, **(facts | more))  # type: ignore[arg-type]


def company(slug: str, *contacts: Contact, **more: object) -> Controller:
    """A company with the mailbox privacy@SLUG.example, or with these contacts."""
    reached = contacts or (contact(f"privacy@{slug}.example"),)
    return Controller(slug=slug, name=slug, contacts=reached, **more)  # type: ignore[arg-type]


def choice(**changed: object) -> Choice:
    facts: dict[str, object] = {
        "right": "access", "subject": ALEX, "today": TODAY, "languages": lambda law: ("en",),
        "regimes_for": lambda controller: [(LAW, "you live there")]}
    return Choice(**(facts | changed))  # type: ignore[arg-type]


def opened(slug: str, **changed: object) -> CaseOpened:
    facts: dict[str, object] = {
        "on": SENT_ON, "case_id": f"CASE-{slug}", "reference": "DSAR-7K3Q-9MZ2",
        "subject_id": "alex", "controller": slug, "controller_name": slug, "right": "access",
        "regime": "one-law", "language": "en", "country": "DE",
        "recipient": f"privacy@{slug}.example"}
    return CaseOpened(**(facts | changed))  # type: ignore[arg-type]


def approved(slug: str, *, to: str = "", channel: str = "email", stage: Stage = Stage.REQUEST
             ) -> LetterApproved:
    return LetterApproved(on=SENT_ON, stage=stage, message_id=f"<{stage}.{slug}@example.org>",
                          digest="d", recipient=to or f"privacy@{slug}.example", account="main",
                          channel=channel)


def attempted(slug: str) -> SendAttempted:
    return SendAttempted(on=SENT_ON, at=NOON, message_id=f"<request.{slug}@example.org>",
                         recipient=f"privacy@{slug}.example", account="main")


def sent(slug: str) -> LetterSent:
    return LetterSent(on=SENT_ON, message_id=f"<request.{slug}@example.org>",
                      stage=Stage.REQUEST, recipient=f"privacy@{slug}.example")


def bounce(slug: str) -> DeliveryFailed:
    return DeliveryFailed(on=SENT_ON, message_id=f"<request.{slug}@example.org>",
                          recipient=f"privacy@{slug}.example", permanent=True)


def case(slug: str, *events: CaseEvent, **changed: object) -> Case:
    """A case with an approved letter and what came after."""
    return fold([opened(slug, **changed), approved(slug), *events])


def open_case(slug: str, **changed: object) -> Case:
    return case(slug, attempted(slug), sent(slug), **changed)


def rails(plan: Plan) -> dict[str, str]:
    return {skip.controller.slug: skip.rail for skip in plan.skipped}


def receivers(plan: Plan) -> list[str]:
    return [letter.contact.value for letter in plan.letters]


def test_fifteen_entries_with_two_held_one_form_and_three_sharing_an_address_give_ten_letters(
) -> None:
    shared = contact("privacy@parent.example")
    companies = [
        *(company(f"c{n}") for n in range(9)),
        *(company(name, shared) for name in ("s1", "s2", "s3")),
        company("stale", contact("old@stale.example", checked=date(2024, 1, 1))),
        company("doubtful", contact("x@doubtful.example", status="suspect")),
        company("form", contact("https://form.example/privacy", "webform")),
    ]
    plan = plan_requests(companies, [], choice())
    assert (len(companies), plan.count) == (15, 10)
    assert rails(plan) == {"stale": "contact", "doubtful": "contact", "form": "contact"}
    assert plan.letters[-1].covers == ("s2", "s3")
    keys = [mailbox_key(value) for value in receivers(plan)]
    assert len(keys) == len(set(keys))


def test_an_open_request_holds_its_company_its_group_and_its_mailbox() -> None:
    before = open_case("acme", group="acme-group")
    plan = plan_requests([
        company("acme"), company("sister", group="acme-group"),
        company("same", contact("Privacy@ACME.example")), company("other")], [before], choice())
    assert rails(plan) == dict.fromkeys(("acme", "sister", "same"), "duplicate")
    assert receivers(plan) == ["privacy@other.example"]


def test_members_of_one_group_get_one_letter() -> None:
    plan = plan_requests([company("a", group="g"), company("b", group="g")], [], choice())
    assert [(p.controller.slug, p.covers) for p in plan.letters] == [("a", ("b",))]


def test_two_people_of_one_home_and_two_rights_do_not_hold_each_other_back() -> None:
    before = [open_case("acme")]
    assert plan_requests([company("acme")], before, choice(subject=KIM)).count == 1
    assert plan_requests([company("acme")], before, choice(right="objection")).count == 1
    assert plan_requests([company("acme")], before, choice()).count == 0


def test_the_queue_of_another_person_is_no_part_of_the_plan() -> None:
    waiting = case("acme")
    assert plan_requests([company("acme")], [waiting], choice()).queued == (waiting,)
    plan = plan_requests([company("acme")], [waiting], choice(subject=KIM))
    assert (plan.queued, len(plan.letters)) == ((), 1)


@pytest.mark.parametrize(("right", "closed_on", "held"), [
    ("access", date(2026, 5, 25), True), ("access", date(2026, 5, 24), False),
    ("erasure", date(2025, 11, 25), True), ("erasure", date(2025, 11, 24), False),
])
def test_a_closed_request_cools_down_for_months(right: str, closed_on: date, held: bool) -> None:
    before = case("acme", attempted("acme"), sent("acme"),
                  CaseClosed(on=closed_on, outcome="answered"), right=right)
    plan = plan_requests([company("acme")], [before], choice(right=right, anyway="known"))
    assert rails(plan) == ({"acme": "duplicate"} if held else {})


def test_a_case_closed_before_any_letter_went_out_holds_nothing_back() -> None:
    before = case("acme", CaseClosed(on=TODAY, outcome="not-sent"))
    assert plan_requests([company("acme")], [before], choice()).count == 1


def test_again_writes_although_a_request_is_open() -> None:
    plan = plan_requests([company("acme")], [open_case("acme")], choice(again="it was ignored"))
    assert [letter.case for letter in plan.letters] == [None]


def test_a_letter_in_doubt_is_never_written_again_until_it_is_settled() -> None:
    doubtful = case("acme", attempted("acme"))
    for wish in (choice(), choice(again="surely not sent")):
        plan = plan_requests([company("acme"), company("b", contact("privacy@acme.example"))],
                             [doubtful], wish)
        assert rails(plan) == {"acme": "in-doubt", "b": "in-doubt"}
        assert plan.count == 0


def test_a_public_body_gets_a_letter_only_when_named() -> None:
    office = company("office", public_body=True)
    assert rails(plan_requests([office], [], choice())) == {"office": "named"}
    assert plan_requests([office], [], choice(named=frozenset({"office"}))).count == 1


def test_a_bounced_letter_goes_to_a_new_address_in_its_case_and_never_to_the_old_one() -> None:
    before = case("acme", attempted("acme"), sent("acme"), bounce("acme"))
    assert rails(plan_requests([company("acme")], [before], choice())) == {"acme": "duplicate"}
    moved = company("acme", contact("dpo@acme.example"))
    [letter] = plan_requests([moved], [before], choice()).letters
    assert (letter.case, letter.contact.value) == (before, "dpo@acme.example")


def test_a_refused_letter_goes_to_a_new_address_in_its_case() -> None:
    no = LetterRefused(on=SENT_ON, message_id="<request.acme@example.org>", code=550, reply="no")
    before = case("acme", attempted("acme"), no)
    moved = company("acme", contact("dpo@acme.example"))
    assert [p.case for p in plan_requests([moved], [before], choice()).letters] == [before]


def test_a_bounced_letter_does_not_go_where_another_request_went_already() -> None:
    bounced = case("acme", attempted("acme"), sent("acme"), bounce("acme"))
    parent = open_case("parent")
    moved = company("acme", contact("privacy@parent.example"))
    assert rails(plan_requests([moved], [bounced, parent], choice())) == {"acme": "duplicate"}
    member = replace(company("acme", contact("dpo@acme.example")), group="g")
    sister = open_case("sister", group="g")
    assert rails(plan_requests([member], [bounced, sister], choice())) == {"acme": "duplicate"}


def test_a_bounced_letter_waits_where_another_law_would_be_cited_than_its_case_has() -> None:
    before = case("acme", attempted("acme"), sent("acme"), bounce("acme"))
    moved = company("acme", contact("dpo@acme.example"))
    wish = choice(regimes_for=lambda controller: [(OTHER_LAW, "you moved")])
    assert rails(plan_requests([moved], [before], wish)) == {"acme": "duplicate"}


def test_a_form_that_was_prepared_and_perhaps_filed_holds_a_letter_by_mail() -> None:
    form = "https://acme.example/privacy"
    before = fold([opened("acme", recipient=form), approved("acme", to=form, channel="webform")])
    plan = plan_requests([company("acme")], [before], choice())
    assert (rails(plan), plan.count) == ({"acme": "duplicate"}, 0)


def test_an_approved_letter_waits_in_the_queue_and_is_written_only_once() -> None:
    for waiting in (case("acme"), case("acme", attempted("acme"), SendAbandoned(
            on=SENT_ON, message_id="<request.acme@example.org>", because="no network"))):
        plan = plan_requests([company("acme")], [waiting], choice())
        assert (plan.letters, plan.queued, plan.count) == ((), (waiting,), 1)


def test_a_queued_letter_is_held_when_its_company_has_another_address_now() -> None:
    moved = company("acme", contact("dpo@acme.example"))
    plan = plan_requests([moved], [case("acme")], choice())
    assert (rails(plan), plan.count) == ({"acme": "contact"}, 0)


def test_a_queued_letter_is_held_when_its_company_was_excluded_since() -> None:
    plan = plan_requests([company("acme")], [case("acme")], choice(excluded={"acme": "a friend"}))
    assert (rails(plan), plan.count) == ({"acme": "excluded"}, 0)
    assert plan.skipped[0].way_out == "dsar queue cancel CASE-acme"


def test_a_queued_letter_is_held_when_its_company_is_defunct() -> None:
    gone = company("acme", status="defunct")
    assert changed_since_approval(case("acme"), gone, TODAY)
    assert plan_requests([gone], [case("acme")], choice()).count == 0


def test_a_reminder_is_held_when_somebody_answered_since_and_not_for_a_machine() -> None:
    base: list[CaseEvent] = [opened("acme"), approved("acme"), attempted("acme"), sent("acme"),
                             approved("acme", stage=Stage.REMINDER)]
    got = ReplyReceived(on=TODAY, at=NOON, digest="r", message_id=None, subject="Re",
                        sender="privacy@acme.example", authentic="pass", evidence=())
    for label, held in (("auto_reply", False), ("no_data_held", True)):
        read = ReplyRead(on=TODAY, digest="r", labels=(label,), by="machine")
        found = changed_since_approval(fold([*base, got, read]), company("acme"), TODAY)
        assert bool(found) == held


def test_a_company_without_a_law_or_with_a_gap_in_what_it_needs_gets_a_reason() -> None:
    plan = plan_requests([company("acme")], [], choice(regimes_for=lambda controller: []))
    assert rails(plan) == {"acme": "law"}
    needy = company("acme", identifiers=(("customer-number",),))
    assert rails(plan_requests([needy], [], choice())) == {"acme": "least-data"}
