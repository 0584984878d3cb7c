"""Merging public lists: one controller stays one, two stay two, one mailbox is one group."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dsar import shipped
from dsar.core.contact import mailbox_key
from dsar.core.controller import Contact, Controller
from dsar.registry.domains import registrable
from dsar.registry.load import load_registry
from dsar.registry.merge import Merged, finished
from dsar.registry.names import core
from dsar.registry.sources import SOURCES, Reading


def mail(value: str, day: str = "2026-01-01", *, verified: bool = False) -> Contact:
    return Contact(kind="email", value=value, source="s", verified=verified,
                   checked=date.fromisoformat(day), checked_as=day)


def company(slug: str, web: str | None = None, **more: Any) -> Controller:
    more.setdefault("name", slug.replace("-", " ").title())
    more.setdefault("pulled_from", ("list",))
    return Controller(slug=slug, web=web, **more)


def by_hand(slug: str, web: str | None = None, **more: Any) -> Controller:
    return company(slug, web, pulled_from=(), **more)


def merged(start: Iterable[Controller], *lists: Iterable[Controller]) -> dict[str, Controller]:
    found = Merged()
    found.start(start)
    for number, records in enumerate(lists):
        found.take(f"list{number}", records)
    return finished(found)


def test_one_site_and_one_name_are_one_controller() -> None:
    found = merged([], [company("acme-inc", "https://www.acme.example/", name="Acme, Inc.")],
                   [company("acme", "http://acme.example/privacy", name="ACME")])
    assert list(found) == ["acme-inc"]


def test_one_name_alone_is_never_enough() -> None:
    found = merged([], [company("apollo", "https://apollo.example", name="Apollo")],
                   [company("apollo", "https://apollo-program.example", name="Apollo")],
                   [company("apollo", None, name="Apollo")])
    assert len(found) == 3


def test_two_legal_entities_on_one_site_stay_two() -> None:
    found = merged([], [company("a", "https://x.example", name="Acme GmbH",
                                legal_entity="Acme GmbH", country="DE")],
                   [company("b", "https://x.example", name="Acme Inc.", legal_entity="Acme Inc.",
                            country="US"),
                    company("c", "https://x.example", name="Other LLC", legal_entity="Other LLC",
                            country="DE")])
    assert len(found) == 3


def test_one_legal_entity_in_one_country_is_found_without_a_site() -> None:
    found = merged([], [company("a", "https://x.example", legal_entity="Acme Data, L.L.C.",
                                name="Acme Data, L.L.C.", country="US")],
                   [company("b", None, name="ACME DATA LLC", legal_entity="ACME DATA LLC",
                            country="US")])
    assert list(found) == ["a"]


def test_an_alias_counts_on_the_same_site_only() -> None:
    known = company("zen", "https://apollo.example", name="ZenLeads", aliases=("Apollo",))
    same = company("apollo", "https://apollo.example", name="Apollo")
    other = company("apollo", "https://other.example", name="Apollo")
    assert list(merged([], [known], [same])) == ["zen"]
    assert len(merged([], [known], [other])) == 2


def test_where_many_share_a_site_only_equal_names_count() -> None:
    parishes = [company(f"parish-{n}", "https://church.example", name=f"Parish {n} Town")
                for n in range(4)]
    found = merged([], parishes, [company("parish", "https://church.example", name="Parish")])
    assert len(found) == 5


def test_a_page_on_a_platform_says_nothing_about_its_owner() -> None:
    found = merged([by_hand("facebook", "https://www.facebook.com/", name="Facebook")],
                   [company("bakery", "https://www.facebook.com/bakery", name="Facebook Bakery")])
    assert len(found) == 2


def test_two_records_of_one_list_stay_two_unless_they_say_the_same() -> None:
    one = company("acme", "https://acme.example", name="Acme", contacts=(mail("a@acme.example"),))
    two = company("acme-2", "https://acme.example", name="Acme",
                  contacts=(mail("b@acme.example"),))
    assert len(merged([], [one, two])) == 2
    assert len(merged([], [one, company("acme-3", "https://acme.example", name="Acme",
                                        contacts=one.contacts)])) == 1


def test_what_was_compiled_by_hand_keeps_its_address() -> None:
    ours = by_hand("acme", "https://acme.example", name="Acme",
                   contacts=(mail("privacy@acme.example", "2020-01-01", verified=True),))
    found = merged([ours], [company("x", "https://acme.example", name="Acme",
                                    contacts=(mail("legal@acme.example", "2026-10-01"),))])
    assert found["acme"].contacts == ours.contacts
    assert [c.value for c in found["acme"].conflicts] == ["legal@acme.example"]


def test_between_lists_the_fresher_address_stays_and_the_other_is_noted() -> None:
    old = company("acme", "https://acme.example", name="Acme",
                  contacts=(mail("old@acme.example", "2021-01-01"),))
    new = company("acme", "https://acme.example", name="Acme",
                  contacts=(mail("new@acme.example", "2026-01-01"),))
    for lists in (([old], [new]), ([new], [old])):
        found = merged([], *lists)["acme"]
        assert [c.value for c in found.contacts] == ["new@acme.example"]
        assert [c.value for c in found.conflicts] == ["old@acme.example"]


def test_a_company_compiled_by_hand_gets_no_address_from_a_list() -> None:
    ours = by_hand("acme", "https://acme.example", name="Acme")
    found = merged([ours], [company("x", "https://acme.example", name="Acme",
                                    contacts=(mail("legal@acme.example"),))])
    assert found["acme"].contacts == ()
    assert [c.value for c in found["acme"].conflicts] == ["legal@acme.example"]


def test_the_exact_legal_entity_wins_between_two_that_fit() -> None:
    start = [by_hand("parent", "https://x.example", name="Parent", country="US",
                     legal_entity="Parent, Inc. (Acme / Holding)"),
             by_hand("acme", "https://x.example", name="Acme", legal_entity="Acme, Inc.",
                     country="US")]
    found = merged(start, [company("a", "https://x.example", name="Acme Inc",
                                   legal_entity="Acme Inc", country="US")])
    assert list(found) == ["parent", "acme"]


def test_a_shared_mailbox_makes_a_group() -> None:
    found = merged([by_hand("ours", "https://a.example", contacts=(mail("dpo@x.example"),))],
                   [company("theirs", "https://b.example", contacts=(mail("DPO@X.example"),)),
                    company("alone", "https://c.example", contacts=(mail("dpo@c.example"),))])
    assert found["ours"].group == found["theirs"].group
    assert found["ours"].group is not None
    assert found["alone"].group is None


def test_an_obsolete_record_redirects_to_where_its_successor_went() -> None:
    ours = by_hand("acme-group", "https://acme.example", name="Acme")
    found = merged([ours], [
        company("acme", "https://acme.example", name="Acme", pulled_from=("list0",)),
        company("old", None, name="Old", status="merged", contactable=False, successor="acme",
                pulled_from=("list0",)),
        company("lost", None, name="Lost", contactable=False, successor="nobody",
                pulled_from=("list0",))])
    assert found["old"].successor == "acme-group"
    assert found["lost"].successor is None


@pytest.mark.parametrize(("one", "other"), [
    ("Acme Data, L.L.C.", "ACME DATA LLC"), ("Müller GmbH & Co. KG", "Muller"),
    ("Acme Incorporated", "Acme, Inc."), ("The Acme Company", "Acme"), ("Acme S.à r.l.", "Acme"),
    ("Acme Sp. z o.o.", "Acme"), ("Acme B.V.", "acme bv"),
])
def test_a_name_is_compared_without_its_legal_form(one: str, other: str) -> None:
    assert core(one) == core(other)


@pytest.mark.parametrize(("url", "domain"), [
    ("https://www.acme.co.uk/x", "acme.co.uk"), ("acme.example", "acme.example"),
    ("https://a.github.io/", "a.github.io"), ("https://www.bka.bund.de", "bund.de"),
    ("https://www.google.com/", "google.com"), ("https://sites.google.com/view/x", None),
    ("https://bücher.example", "xn--bcher-kva.example"), ("http://[::1]/", None), ("", None),
    (None, None), ("https://127.0.0.1/", None),
])
def test_registrable_domains(url: str | None, domain: str | None) -> None:
    assert registrable(url) == domain


FILES = (
    ("datenanfragen", "datenanfragen-companies.json.gz", "2026-07-21"),
    ("datenanfragen", "datenanfragen-obsolete-records.json", "2026-07-21"),
    ("cppa", "cppa-registry-2025.csv", "2025"), ("eraser", "eraser-brokers.yaml", "2026-08-22"),
    ("jdm", "jdm-sites.json", "2026-08-21"),
    ("unlock-my-data", "unlock-my-data-manual.json", "2026-08-18"),
    ("oregon", "oregon-registry-2026-06-excerpt.psv", "2026-06"),
    ("vermont", "vt-registry-2021-mislabelled-virginia.csv", "2021"),
    ("california-ag", "ca-ag-registry-2022-06.csv", "2022-06"),
)


@pytest.fixture(scope="module")
def real() -> tuple[Merged, dict[str, Controller]]:
    shared = os.environ.get("DSAR_SHARED")
    if not shared:
        pytest.skip("DSAR_SHARED names no folder")
    lists: dict[str, list[Controller]] = defaultdict(list)
    for source, name, stated in FILES:
        raw = Path(shared, "registry", "upstream", name).read_bytes()
        lists[source] += SOURCES[source].reader()(raw, Reading(source, stated))
    found = Merged()
    found.start(load_registry(shipped.companies()))
    for source, records in lists.items():
        found.take(source, records)
    return found, finished(found)


@pytest.mark.shared
def test_the_merged_registry_holds_over_five_thousand(
    real: tuple[Merged, dict[str, Controller]],
) -> None:
    found, entries = real
    print(f"{len(entries)} controllers from {len(found.decisions)} records")
    assert len(entries) > 5000


@pytest.mark.shared
def test_no_two_entries_share_site_and_mailbox_outside_a_group(
    real: tuple[Merged, dict[str, Controller]],
) -> None:
    owners: dict[tuple[str | None, str], set[str]] = defaultdict(set)
    for slug, entry in real[1].items():
        for contact in entry.emails():
            key = (registrable(entry.web), mailbox_key(contact.value))
            owners[key].add(entry.group or slug)
    assert [key for key, groups in owners.items() if len(groups) > 1] == []


@pytest.mark.shared
@pytest.mark.parametrize(("source", "record", "into"), [
    ("datenanfragen", "clearview-ai", "clearview-ai"), ("cppa", "spokeo-inc", "spokeo"),
    ("eraser", "cognism", "cognism"), ("jdm", "facebook", "meta"), ("jdm", "discord", "discord"),
    ("cppa", "lusha-systems-inc", "lusha"), ("datenanfragen", "crifbuergel", "crif-de"),
    ("datenanfragen", "calvary-petroleum-uk-limited", None), ("cppa", "roq-ad-inc", None),
    ("cppa", "pubmatic-inc", None), ("cppa", "epsilon-data-management-llc", None),
    ("datenanfragen", "unzer-luxembourg", None), ("datenanfragen", "meetic-fr", None),
    ("datenanfragen", "apolloprogram", None), ("unlock-my-data", "copilot", None),
])
def test_known_merges_and_known_look_alikes(
    real: tuple[Merged, dict[str, Controller]], source: str, record: str, into: str | None
) -> None:
    found = {(d.source, d.record): d.into for d in real[0].decisions}
    assert found[source, record] == into


@pytest.mark.shared
def test_every_redirect_leads_somewhere(real: tuple[Merged, dict[str, Controller]]) -> None:
    for entry in real[1].values():
        assert entry.successor is None or entry.successor in real[1], entry.slug
