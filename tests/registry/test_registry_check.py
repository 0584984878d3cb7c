"""What `registry check` finds, each with its line and a fix."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dsar.registry.check import Checked, check

TODAY = date(2026, 11, 24)
HEAD = "schema: dsar.companies/1\ncompanies:\n  acme:\n    name: Acme Data\n"


def contact(value: str, kind: str = "email", more: str = "checked: 2026-10-01") -> str:
    return f"      - kind: {kind}\n        value: {value}\n        source: s\n        {more}\n"


def checked(folder: Path, text: str) -> Checked:
    path = folder / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return check(path, today=TODAY)


@pytest.mark.parametrize(("value", "kind", "said", "fix"), [
    ("privacy [at] acme [dot] example", "email", "is not an e-mail address",
     "Write privacy@acme.example."),
    ('"daten\\u00adschutz@acme.example"', "email", "invisible", "Write datenschutz@acme.example."),
    ("a@acme.example; b@acme.example", "email", "is not an e-mail address",
     "Write a@acme.example or b@acme.example."),
    ("https://a.example/x https://b.example/y", "webform", "holds 2 web addresses",
     "Keep one: https://a.example/x"),
    ("www.acme.example/form", "webform", "is not a web address", "https://www.acme.example/form"),
    ("javascript:alert(1)", "webform", "is not a web address", ""),
    ("https://urldefense.com/v3/__https://acme.example/f__;!!x$", "webform", "wrapped link",
     "Write https://acme.example/f"),
    ("https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Facme.example%2Ff&d=1",
     "webform", "wrapped link", "Write https://acme.example/f"),
])
def test_a_mistake_in_a_contact_has_its_line_and_its_fix(
    tmp_path: Path, value: str, kind: str, said: str, fix: str
) -> None:
    (problem,) = checked(tmp_path, HEAD + "    contacts:\n" + contact(value, kind)).mistakes
    assert (problem.line, problem.slug) == (7, "acme")
    assert said in problem.message
    assert fix in problem.hint


@pytest.mark.parametrize(("value", "more", "said", "line"), [
    ("privacy@acme.example", "checked: 2025-10-31", "last checked at 2025-10-31", 9),
    ("privacy@acme.example", "checked: 2024", "last checked at 2024", 9),
    ("privacy@acme.example", "note: x", "no known date", 7),
    ("jane.doe@acme.example", "checked: 2026-10-01", "one person's mailbox", 7),
    ("acme.privacy@gmail.com", "checked: 2026-10-01", "free mail provider", 7),
    ("privacy@bücher.example", "checked: 2026-10-01", "is international", 7),
])
def test_a_doubt_is_no_mistake(
    tmp_path: Path, value: str, more: str, said: str, line: int
) -> None:
    text = HEAD + "    contacts:\n" + contact(value, more=more)
    found = checked(tmp_path, text)
    assert found.mistakes == []
    (doubt,) = found.doubts
    assert (said in doubt.message, doubt.line) == (True, line)


@pytest.mark.parametrize(("more", "said"), [
    ("", "has no contact"), ("    contactable: false\n", "without a reason"),
    ("    contactable: false\n    not_contactable_reason: gone\n    successor: nobody\n",
     "'nobody' is not in the registry"),
    ("    contactable: false\n    not_contactable_reason: gone\n    successor: acme\n", "circle"),
    ("    contactable: false\n    not_contactable_reason: gone\n    status: alias\n", "alias of"),
    ("    contacts:\n" + contact("privacy@acme.example", more="checked: 2027-01"), "yet to come"),
    ("    contacts:\n" + contact("privacy@acme.example", more="derived: true"), "guessed"),
    ("    preferred_channel: post\n    contacts:\n" + contact("privacy@acme.example"),
     "prefers post"),
    ("    reply_domains: [gmail.com]\n    contacts:\n" + contact("privacy@acme.example"),
     "anybody can write from gmail.com"),
    ("    public_body: true\n    categories: [law-enforcement]\n    laws: [eu-gdpr]\n"
     "    contacts:\n" + contact("privacy@acme.example"), "does not bind this body"),
])
def test_mistakes_in_an_entry_are_named(tmp_path: Path, more: str, said: str) -> None:
    mistakes = checked(tmp_path, HEAD + more).mistakes
    assert [p for p in mistakes if said in p.message], mistakes


def test_this_year_as_a_date_is_not_yet_to_come(tmp_path: Path) -> None:
    text = HEAD + "    contacts:\n" + contact("privacy@acme.example", more="checked: 2026")
    assert checked(tmp_path, text).mistakes == []


def test_two_entries_with_one_mailbox_need_one_group(tmp_path: Path) -> None:
    second = "  beta:\n    name: Beta\n    contacts:\n" + contact("Privacy@ACME.example")
    text = HEAD + "    contacts:\n" + contact("privacy@acme.example") + second
    (problem,) = checked(tmp_path, text).mistakes
    assert "shares privacy@acme.example with acme" in problem.message
    grouped = text.replace("name: Acme Data\n", "name: Acme Data\n    group: acme\n").replace(
        "name: Beta\n", "name: Beta\n    group: acme\n")
    assert checked(tmp_path, grouped).mistakes == []


def test_a_broken_file_gives_its_problems_like_any_other(tmp_path: Path) -> None:
    assert checked(tmp_path, "companies: [\n").mistakes[0].message.startswith("is not YAML")


def test_an_overlay_is_checked_with_what_it_changes(tmp_path: Path) -> None:
    base, overlay = tmp_path / "base.yaml", tmp_path / "overlay.yaml"
    base.write_text(HEAD + "    contacts:\n" + contact("privacy@acme.example"))
    overlay.write_text("schema: dsar.companies/1\ncompanies:\n  acme:\n    successor: nobody\n")
    (problem,) = check(base, overlay, today=TODAY).mistakes
    assert (Path(problem.path).name, problem.line) == ("overlay.yaml", 4)
