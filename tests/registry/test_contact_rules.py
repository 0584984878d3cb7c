"""When a contact may be written to, and when two addresses are one mailbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.core.contact import (
    address_problem,
    contact_problem,
    last_day,
    mailbox_key,
    what_can_be_done,
)
from dsar.core.controller import Contact, Controller

TODAY = date(2026, 11, 24)
GOOD = Contact(kind="email", value="privacy@acme.example", source="https://acme.example/privacy",
               checked=date(2026, 11, 24), checked_as="2026-11-24")


def test_a_fresh_verified_contact_passes() -> None:
    assert contact_problem(GOOD, TODAY) is None


@pytest.mark.parametrize(("change", "reason"), [
    ({"verified": False}, "not verified"), ({"status": "dead"}, "bounced"),
    ({"status": "suspect"}, "doubtful"), ({"derived": True}, "guessed"), ({"source": ""}, "source"),
    ({"checked": None, "checked_as": ""}, "no known date"),
    ({"checked": date(2025, 11, 23), "checked_as": "2025-11-23"}, "2025-11-23"),
    ({"value": "privacy@acme.example\r\nBcc: x@example.org"}, "control character"),
])
def test_any_doubt_holds_the_contact_back(change: dict[str, object], reason: str) -> None:
    assert reason in (contact_problem(replace(GOOD, **change), TODAY) or "")  # type: ignore[arg-type]


def test_twelve_months_to_the_day_are_not_stale() -> None:
    assert contact_problem(replace(GOOD, checked=date(2025, 11, 24)), TODAY) is None


@pytest.mark.parametrize(("text", "day"), [
    ("2025", date(2025, 12, 31)), ("2024-02", date(2024, 2, 29)), ("2025-08-19", date(2025, 8, 19)),
    ("2025-13", None), ("2025-02-30", None), ("last year", None), ("", None), ("20251", None),
    ("0000", None),
])
def test_a_period_is_read_by_its_last_day(text: str, day: date | None) -> None:
    assert last_day(text) == day


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(0, 3000))
def test_a_contact_never_becomes_fresh_by_waiting(checked: date, days: int) -> None:
    contact = replace(GOOD, checked=checked)
    if contact_problem(contact, checked) is None and contact_problem(
            contact, checked + timedelta(days)) is not None:
        assert contact_problem(contact, checked + timedelta(days + 1)) is not None


@pytest.mark.parametrize(("one", "other"), [
    ("Privacy@ACME.example", "privacy@acme.example"), (" a@b.example ", "a@b.example"),
    ("a@bücher.example", "a@xn--bcher-kva.example"), ("a@BÜCHER.example", "a@bücher.example"),
])
def test_spellings_of_one_mailbox_have_one_key(one: str, other: str) -> None:
    assert mailbox_key(one) == mailbox_key(other)


def test_different_mailboxes_have_different_keys() -> None:
    assert len({mailbox_key(a) for a in ("a@x.example", "b@x.example", "a@y.example")}) == 3


@pytest.mark.parametrize("address", [
    "", "@", "a@", "@b.example", "a b@c.example", "a@b", "a@b.c.1", "a@-b.example", "a@b..example",
    "a@@b.example", "a@b.example\n", "a\x00@b.example", "a\u00ad@b.example", "a,b@c.example",
    "<a@b.example>", "a@b.example,c@d.example", "x" * 65 + "@b.example", "a@" + "b" * 300,
    "a@b.example\u2028", "privacy [at] acme.example", "a..b@c.example", ".a@c.example",
])
def test_what_is_no_address_is_named(address: str) -> None:
    assert address_problem(address) is not None


@given(st.text(max_size=300))
def test_an_address_that_passes_cannot_carry_a_header(text: str) -> None:
    if address_problem(text) is None:
        assert text.count("@") == 1
        assert not any(c.isspace() or ord(c) < 32 or c in "<>,;:\"\\" for c in text)
    assert isinstance(mailbox_key(text), str)


@pytest.mark.parametrize(("company", "said"), [
    (Controller(slug="a", name="A", contacts=(GOOD,)), "Write to privacy@acme.example."),
    (Controller(slug="a", name="A", contactable=False, not_contactable_reason="gone"),
     "Cannot be written to: gone"),
    (Controller(slug="a", name="A", contactable=False, successor="b", successor_verified=False,
                not_contactable_reason="sold"), "See b (succession unverified): sold"),
    (Controller(slug="a", name="A", excluded="a client"), "Excluded by you: a client"),
    (Controller(slug="a", name="A", contacts=(replace(GOOD, verified=False),)),
     "Held back: address not verified."),
    (Controller(slug="a", name="A", contacts=(
        replace(GOOD, kind="webform", value="https://a.example/f"),)),
     "Use the web form https://a.example/f"),
])
def test_every_entry_says_what_can_be_done(company: Controller, said: str) -> None:
    assert what_can_be_done(company, TODAY) == said
