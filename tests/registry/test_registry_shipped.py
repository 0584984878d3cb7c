"""The registry that ships with dsar."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import pytest

from dsar import shipped
from dsar.core.contact import (
    address_problem,
    contact_problem,
    mailbox_key,
    usable_email,
    what_can_be_done,
)
from dsar.registry.check import check
from dsar.registry.load import Registry, load_registry

TODAY = date(2026, 11, 24)
NAMED = {
    "clearview-ai", "pimeyes", "ditto-labs", "piqora", "openai", "bytedance", "tiktok", "google",
    "youtube", "meta", "instagram", "threads", "whatsapp", "microsoft", "linkedin", "sina-weibo",
    "x-twitter", "venmo", "tumblr", "pinterest", "snapchat", "herta-security", "cogniware",
    "intracom-telecom", "cambridge-analytica", "frontex", "europol", "iborderctrl", "fr-taj",
    "it-sari", "nl-politie-catch", "us-fbi-ngi", "us-dhs-obim",
}
OWN_LAW = {
    "frontex": "eu-frontex", "europol": "eu-europol", "fr-taj": "eu-led", "it-sari": "eu-led",
    "nl-politie-catch": "eu-led", "us-fbi-ngi": "us-privacy-act", "us-dhs-obim": "us-privacy-act",
    "iborderctrl": "eu-1049-2001",
}


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(shipped.companies())


def test_all_215_entries_load_sorted(registry: Registry) -> None:
    slugs = [c.slug for c in registry]
    assert len(slugs) >= 215
    assert slugs == sorted(slugs)


def test_nothing_in_it_is_to_mend() -> None:
    assert check(shipped.companies(), today=TODAY).mistakes == []


def test_every_contact_has_a_source_and_every_verified_one_a_date(registry: Registry) -> None:
    for company in registry:
        for contact in company.contacts:
            assert contact.source, company.slug
            assert contact.checked or not contact.verified, (company.slug, contact.value)
            assert not contact.derived


def test_what_no_source_confirms_is_never_marked_verified(registry: Registry) -> None:
    for company in registry:
        for found in (*company.contacts, *company.enforcement):
            if "unverified" in found.source:
                assert not found.verified, (company.slug, found)


def test_addresses_of_other_sources_are_no_contacts(registry: Registry) -> None:
    for company in registry:
        disputed = {mailbox_key(c.value) for c in company.conflicts if "@" in c.value}
        assert not disputed & {mailbox_key(c.value) for c in company.emails()}, company.slug


def test_every_named_company_is_there_and_says_what_can_be_done(registry: Registry) -> None:
    for slug in NAMED:
        assert len(what_can_be_done(registry.get(slug), TODAY)) > 20


def test_public_bodies_have_their_own_law(registry: Registry) -> None:
    for slug, law in OWN_LAW.items():
        body = registry.get(slug)
        assert body.public_body
        assert law in body.laws
        assert not {"eu-gdpr", "uk-gdpr"} & set(body.laws)


def test_one_mailbox_is_one_group(registry: Registry) -> None:
    owners = defaultdict(set)
    for company in registry:
        for contact in company.emails():
            owners[mailbox_key(contact.value)].add(company.group or company.slug)
    assert {m: g for m, g in owners.items() if len(g) > 1} == {}


def test_most_companies_with_an_address_can_be_written_to(registry: Registry) -> None:
    usable = [c for c in registry if c.contactable and usable_email(c, None, TODAY)]
    assert len(usable) >= 130
    for company in usable:
        contact = usable_email(company, None, TODAY)
        assert contact is not None
        assert address_problem(contact.value) is None
        assert contact_problem(contact, TODAY) is None


def test_those_not_contactable_say_why(registry: Registry) -> None:
    for company in registry:
        if not company.contactable:
            assert company.not_contactable_reason, company.slug
