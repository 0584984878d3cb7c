"""The user's own additions, edits and confirmations."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dsar.core.contact import contact_problem, usable_email
from dsar.errors import FileProblems, UsageProblem
from dsar.registry.load import load_registry
from dsar.registry.overlay import add_imported, edit, new_entry, verified_contacts

TODAY = date(2026, 11, 24)
BASE = """schema: dsar.companies/1
companies:
  acme:
    name: Acme Data
    contacts:
      - {kind: email, value: privacy@acme.example, source: a list, checked: 2019, verified: false}
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "companies.yaml"
    path.write_text(BASE)
    return path


def test_a_company_you_add_can_be_written_to_today(base: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "mine" / "overlay.yaml"
    entry = new_entry(name="Beta", email="privacy@beta.example", webform=None, web=None,
                      country="NO", source="their site", today=TODAY)
    edit(overlay, {"beta": entry})
    beta = load_registry(base, overlay).get("beta")
    assert beta.country == "NO"
    assert usable_email(beta, "access", TODAY) is not None
    assert overlay.stat().st_mode & 0o777 == 0o600


def test_a_bad_address_is_not_added() -> None:
    with pytest.raises(UsageProblem):
        new_entry(name="Beta", email="x@y\r\nBcc: z@example.org", webform=None, web=None,
                  country=None, source="s", today=TODAY)


def test_confirming_a_contact_makes_it_usable_and_says_by_whom(base: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    assert usable_email(load_registry(base).get("acme"), None, TODAY) is None
    edit(overlay, {"acme": {"contacts": verified_contacts(load_registry(base), "acme", TODAY)}})
    (contact,) = load_registry(base, overlay).get("acme").contacts
    assert contact_problem(contact, TODAY) is None
    assert contact.source == "a list; checked by you"


def test_an_edit_keeps_the_rest_of_the_overlay_and_its_head(base: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    head = "# mine\nschema: dsar.companies/1\ncompanies:\n"
    overlay.write_text(head + "  acme:\n    web: a.example\n")
    edit(overlay, {"acme": {"excluded": "a client"}})
    assert overlay.read_text().startswith("# mine\n")
    acme = load_registry(base, overlay).get("acme")
    assert (acme.web, acme.excluded) == ("a.example", "a client")
    edit(overlay, {"acme": {"excluded": None}})
    assert load_registry(base, overlay).get("acme").excluded is None


def test_an_edit_that_would_break_the_file_changes_nothing(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    edit(overlay, {"acme": {"name": "Acme"}})
    before = overlay.read_bytes()
    with pytest.raises(FileProblems):
        edit(overlay, {"acme": {"country": "Norway"}})
    assert overlay.read_bytes() == before


def test_imported_companies_are_known_but_not_written_to(base: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    add_imported(overlay, [
        {"slug": "bright", "name": "Bright", "email": "p@bright.example", "aliases": ["BL"],
         "domains": ["bright.example"]},
        {"slug": "dim", "name": "Dim", "email": "", "aliases": [], "domains": []},
    ], checked=TODAY)
    registry = load_registry(base, overlay)
    assert registry.get("bright").reply_domains == ("bright.example",)
    assert usable_email(registry.get("bright"), None, TODAY) is None
    assert not registry.get("dim").contactable
