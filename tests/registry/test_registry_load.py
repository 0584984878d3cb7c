"""Reading companies.yaml and the overlay."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest

from dsar.errors import FileProblems, UnknownCompany
from dsar.registry.load import load_registry

HEAD = "schema: dsar.companies/1\ncompanies:\n"
ACME = """\
  acme:
    name: Acme Data
    brands: [Zoë's List]
    country: NO
    contacts:
      - kind: email
        value: privacy@acme.example
        source: https://acme.example/privacy
        checked: 2026-05
"""
BETA = ACME.replace("acme", "beta").replace("Acme Data", "Beta Lists")


def written(folder: Path, text: str, name: str = "companies.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(folder: Path, text: str) -> list[str]:
    with pytest.raises(FileProblems) as caught:
        load_registry(written(folder, text))
    return [f"{p.line}: {p.message}" for p in caught.value.problems]


def test_an_entry_becomes_a_controller(tmp_path: Path) -> None:
    acme = load_registry(written(tmp_path, HEAD + ACME)).get("acme")
    assert (acme.name, acme.country, acme.brands) == ("Acme Data", "NO", ("Zoë's List",))
    contact = acme.contacts[0]
    assert (contact.checked, contact.checked_as) == (date(2026, 5, 31), "2026-05")
    assert contact.source == "https://acme.example/privacy"


def test_no_stays_norway(tmp_path: Path) -> None:
    assert load_registry(written(tmp_path, HEAD + ACME)).get("acme").country == "NO"


def test_all_problems_come_at_once_each_with_its_line(tmp_path: Path) -> None:
    text = HEAD + ACME.replace("country: NO", "countri: NO").replace("kind: email", "kind: fax")
    found = problems_of(tmp_path, text)
    assert found[0] == "6: acme: unknown key 'countri'"
    assert found[1].startswith("8: acme: contacts[1]: 'kind' is 'fax'")


def test_a_duplicate_slug_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path, HEAD + ACME + ACME) == [
        "12: 'acme' stands here a second time (first in line 3)"]


def test_a_duplicate_key_is_refused(tmp_path: Path) -> None:
    text = HEAD + ACME.replace("    country: NO\n", "    country: NO\n    country: SE\n")
    assert problems_of(tmp_path, text) == [
        "7: 'country' stands here a second time (first in line 6)"]


@pytest.mark.parametrize("text", [
    "schema: dsar.companies/1\ncompanies: [\n", "\x00", "- a\n- b\n", "{{{", "&a [*a, *a]",
    HEAD + "  acme: 3\n", HEAD + "  acme:\n    name: [x]\n", "schema: other\ncompanies: {}\n",
    HEAD + "  ACME:\n    name: Acme\n", HEAD + "  acme:\n    country: NO\n",
    HEAD + "  acme:\n    name: \"a\\r\\nBcc: x@example.org\"\n", HEAD.replace("companies", "firms"),
    HEAD + "  acme: {name: A, contacts: [x]}\n", HEAD + "  acme: {name: A, laws: eu-gdpr}\n",
])
def test_what_is_no_registry_is_refused_with_a_place(tmp_path: Path, text: str) -> None:
    for problem in problems_of(tmp_path, text):
        assert int(problem.partition(":")[0]) >= 1


def test_a_contact_without_source_is_refused(tmp_path: Path) -> None:
    text = HEAD + ACME.replace("        source: https://acme.example/privacy\n", "")
    assert problems_of(tmp_path, text) == ["8: acme: contacts[1]: 'source' is missing"]


def test_an_unknown_slug_names_its_neighbours(tmp_path: Path) -> None:
    registry = load_registry(written(tmp_path, HEAD + ACME))
    with pytest.raises(UnknownCompany) as caught:
        registry.get("acmee")
    assert "acme" in caught.value.hint
    assert "acmee" not in registry


def test_the_overlay_edits_and_adds(tmp_path: Path) -> None:
    edits = HEAD + BETA + (
        "  acme:\n    country: SE\n    contacts:\n"
        "      - {kind: webform, value: https://acme.example/form, source: mine}\n")
    overlay = written(tmp_path, edits, "overlay.yaml")
    registry = load_registry(written(tmp_path, HEAD + ACME), overlay)
    assert [c.slug for c in registry] == ["acme", "beta"]
    acme = registry.get("acme")
    assert (acme.name, acme.country) == ("Acme Data", "SE")
    assert [c.kind for c in acme.contacts] == ["webform", "email"]


def test_an_overlay_for_a_company_that_is_not_there_is_refused(tmp_path: Path) -> None:
    overlay = written(tmp_path, HEAD + "  acmee:\n    country: SE\n", "overlay.yaml")
    with pytest.raises(FileProblems, match="acmee: is not in the registry"):
        load_registry(written(tmp_path, HEAD + ACME), overlay)


def test_a_missing_file_is_a_problem_with_a_place(tmp_path: Path) -> None:
    with pytest.raises(FileProblems, match=r"nothing\.yaml:1: cannot be read"):
        load_registry(tmp_path / "nothing.yaml")


def test_the_cache_gives_the_same_and_is_private(tmp_path: Path) -> None:
    path, cache = written(tmp_path, HEAD + ACME + BETA), tmp_path / "cache"
    first = list(load_registry(path, cache_folder=cache))
    assert list(load_registry(path, cache_folder=cache)) == first
    (kept,) = cache.glob("registry-*.jsonl")
    assert kept.stat().st_mode & 0o777 == 0o600


def test_the_cache_is_never_stale(tmp_path: Path) -> None:
    path, cache = written(tmp_path, HEAD + ACME), tmp_path / "cache"
    load_registry(path, cache_folder=cache)
    before = path.stat()
    path.write_text(HEAD + ACME.replace("Acme Data", "Acme Dato"), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert load_registry(path, cache_folder=cache).get("acme").name == "Acme Dato"


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\xfe", b'{"sha256": 1, "slugs": []}\n'])
def test_a_damaged_cache_is_read_from_the_source_again(tmp_path: Path, damage: bytes) -> None:
    path, cache = written(tmp_path, HEAD + ACME), tmp_path / "cache"
    load_registry(path, cache_folder=cache)
    (kept,) = cache.glob("registry-*.jsonl")
    kept.write_bytes(damage or kept.read_bytes().replace(b"Acme Data", b"Evil Data"))
    assert load_registry(path, cache_folder=cache).get("acme").name == "Acme Data"


def test_a_cache_folder_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    blocked = written(tmp_path, "a file, not a folder", "blocked")
    registry = load_registry(written(tmp_path, HEAD + ACME), cache_folder=blocked / "cache")
    assert len(registry) == 1


@pytest.mark.parametrize(("words", "slugs"), [
    ("acme", ["acme"]), ("ACME data", ["acme"]), ("zoe", ["acme", "beta"]),
    ("zoë", ["acme", "beta"]),
    ("privacy@beta.example", ["beta"]), ("nothing", []), ("", []), ('"', []), ("\\", []),
])
def test_search_finds_names_brands_and_addresses(
    tmp_path: Path, words: str, slugs: list[str]
) -> None:
    path, cache = written(tmp_path, HEAD + ACME + BETA), tmp_path / "cache"
    for _ in range(2):
        registry = load_registry(path, cache_folder=cache)
        assert [c.slug for c in registry.search(words)] == slugs


def test_the_best_match_comes_first(tmp_path: Path) -> None:
    other = ACME.replace("acme", "list-of-acme").replace("Acme Data", "List of Acme Data")
    registry = load_registry(written(tmp_path, HEAD + other + ACME))
    assert [c.slug for c in registry.search("acme data")] == ["acme", "list-of-acme"]


def test_successors_are_followed_and_a_circle_ends(tmp_path: Path) -> None:
    text = HEAD + ACME + "    successor: beta\n" + BETA + "    successor: acme\n"
    registry = load_registry(written(tmp_path, text))
    assert registry.successor_of("acme").slug == "beta"


def test_entries_survive_json(tmp_path: Path) -> None:
    registry = load_registry(written(tmp_path, HEAD + ACME))
    assert json.loads(json.dumps(registry.entry("acme"))) == registry.entry("acme")
