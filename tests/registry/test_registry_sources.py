"""Reading public lists: labels, mended cells, refused rows, the real files where they are."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from dsar.core.contact import address_problem, contact_problem
from dsar.core.controller import Controller
from dsar.errors import FileProblems
from dsar.registry.entry import controller_of, entry_of
from dsar.registry.pulled import entry_problem
from dsar.registry.sources import SOURCES, Reading

CPPA = (
    '\ufeff,"not answered",,\n'
    "Data broker\u00a0name:,\"Doing Business As (DBA), if applicable:\",Data broker zip code:,"
    "Data broker state:,Data broker primary street address:,Data broker country:,"
    "Data broker primary contact email address:,Data broker primary website:\n"
    "Acme Data LLC,AcmeFind,7701,NJ,1 Main St,USA,privacy@acme.example,www.acme.example\n"
    'Beta Lists Inc,,,,,,"jane.doe@beta.example; privacy@beta.example",'
    '"https://beta.example;\nhttps://other.example"\n'
    ",,,,,,nobody@example.org,\n"
)


def read(source: str, raw: bytes | str, stated: str = "2026") -> tuple[list[Controller], Reading]:
    reading = Reading(source, stated)
    data = raw.encode() if isinstance(raw, str) else raw
    return list(SOURCES[source].reader()(data, reading)), reading


def test_columns_are_found_by_label_wherever_they_stand() -> None:
    (acme, beta), reading = read("cppa", CPPA)
    assert (acme.name, acme.aliases, acme.country) == ("Acme Data LLC", ("AcmeFind",), "US")
    assert acme.web == "https://www.acme.example"
    assert [c.value for c in acme.emails()] == ["privacy@acme.example"]
    assert beta.web == "https://beta.example"
    assert reading.records == 3


def test_what_was_mended_or_refused_is_named_with_its_line() -> None:
    (acme, beta), reading = read("cppa", CPPA)
    post = acme.contact("post")
    assert post is not None
    assert "NJ 07701" in post.value
    whats = {(remark.place, remark.what.partition(":")[0]) for remark in reading.mended}
    assert (3, "ZIP code 7701") in whats
    assert (4, "2 addresses in one cell") in whats
    assert (4, "2 web addresses in one cell") in whats
    assert beta.emails()[0].value == "privacy@beta.example"
    assert [(r.place, r.what) for r in reading.refused] == [(6, "has no name")]


def test_nothing_from_a_list_is_verified() -> None:
    for controller in read("cppa", CPPA)[0]:
        for contact in controller.contacts:
            assert not contact.verified
            assert contact.source.startswith("cppa:")


def test_an_address_written_with_at_is_read() -> None:
    text = '"Data Broker Name","Email Address","Website URL","Physical Address"\n' \
        '"Acme","privacy [at] acme.example","http://acme.example","1 Main St, Austin, CA"\n'
    (acme,), reading = read("california-ag", text)
    assert acme.emails()[0].value == "privacy@acme.example"
    assert acme.country is None
    assert "read as privacy@acme.example" in reading.mended[0].what


def test_a_quoted_line_of_oregon_is_read_like_the_others() -> None:
    text = "license_no|full_name|doing_business_as|license_status_name|\n" \
        "D-1|ACME LLC||Active|\n\"D-2|BETA LLC| Beta, Inc|Expired|\"\n"
    (acme, beta), reading = read("oregon", text)
    assert (acme.status, beta.status, beta.aliases) == ("active", "unclear", ("Beta, Inc",))
    assert not acme.contactable
    assert len(reading.mended) == 1


RECORD: dict[str, Any] = {
    "slug": "acme", "name": "Acme GmbH", "address": "Weg 1\n10115 Berlin\nDeutschland",
    "email": "daten\u00adschutz@acme.example", "web": "httsp://acme.example",
    "categories": ["ads", "school"], "relevant-countries": ["de"], "quality": "verified",
    "needs-id-document": False, "sources": [], "runs": ["Acme Find"],
    "required-elements": [{"desc": "Name", "type": "name"},
                          {"desc": "Kundennummer", "type": "input"},
                          {"desc": "Fax", "type": "input", "optional": True}],
}


def test_a_record_of_datenanfragen_becomes_a_controller() -> None:
    (acme,), reading = read("datenanfragen", json.dumps([RECORD]))
    assert (acme.country, acme.categories, acme.laws) == ("DE", ("adtech", "education"),
                                                          ("eu-gdpr",))
    assert acme.identifiers == (("name",), ("customer-number",))
    assert acme.emails()[0].value == "datenschutz@acme.example"
    assert acme.web == "https://acme.example"
    assert (acme.id_document, acme.languages) == ("not-required", ("de",))
    assert len(reading.mended) == 2


def test_the_police_gets_its_own_law_and_the_secret_service_none() -> None:
    police = {**RECORD, "slug": "p", "name": "Polizei Musterstadt", "categories": ["public body"]}
    secret = {**RECORD, "slug": "s", "name": "Amt für Verfassungsschutz"}
    (one, other), _ = read("datenanfragen", json.dumps([police, secret]))
    assert (one.laws, one.public_body) == (("eu-led",), True)
    assert (other.laws, other.contactable) == ((), False)


def test_an_obsolete_record_points_to_its_successor() -> None:
    record = {"slug": "old", "name": "Old", "quality": "obsolete", "reason": "company-merged",
              "redirect-to": "acme", "sources": []}
    (old,), _ = read("datenanfragen", json.dumps([record]))
    assert (old.status, old.successor, old.contactable) == ("merged", "acme", False)


def test_a_tarball_is_read_without_being_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in (("data-1/companies/acme.json", json.dumps(RECORD)),
                           ("data-1/../../evil.json", "{}"),
                           ("data-1/companies/bad.json", "{"),
                           ("data-1/package.json", '{"name": "no company"}')):
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    (acme,), reading = read("datenanfragen", packed.getvalue())
    assert acme.slug == "acme"
    assert len(reading.refused) == 1


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsar.registry.sources.records.MAX_UNPACKED", 1000)
    with pytest.raises(FileProblems, match="larger than"):
        read("datenanfragen", gzip.compress(b" " * 100_000))


def test_an_entry_survives_the_way_to_a_file_and_back() -> None:
    for source, raw in (("cppa", CPPA), ("datenanfragen", json.dumps([RECORD]))):
        for controller in read(source, raw)[0]:
            plain = json.loads(json.dumps(entry_of(controller)))
            assert controller_of(controller.slug, plain) == controller


REAL = (
    ("datenanfragen", "datenanfragen-companies.json.gz", 3069),
    ("datenanfragen", "datenanfragen-obsolete-records.json", 116),
    ("datenanfragen", "datenanfragen-ugly-sample.json", 28),
    ("cppa", "cppa-registry-2025.csv", 535), ("cppa", "cppa-registry-2026-06-excerpt.csv", 12),
    ("eraser", "eraser-brokers.yaml", 763), ("jdm", "jdm-sites.json", 2589),
    ("unlock-my-data", "unlock-my-data-manual.json", 140),
    ("oregon", "oregon-registry-2026-06-excerpt.psv", 12),
    ("vermont", "vt-registry-2021-mislabelled-virginia.csv", 278),
    ("california-ag", "ca-ag-registry-2022-06.csv", 484),
)


@pytest.fixture
def upstream() -> Path:
    shared = os.environ.get("DSAR_SHARED")
    if not shared:
        pytest.skip("DSAR_SHARED names no folder")
    return Path(shared, "registry", "upstream")


@pytest.mark.shared
@pytest.mark.parametrize(("source", "name", "count"), REAL)
def test_every_real_record_is_read(upstream: Path, source: str, name: str, count: int) -> None:
    found, reading = read(source, (upstream / name).read_bytes())
    print(f"{name}: {reading.records} records, {len(found)} read, "
          f"{len(reading.mended)} mended, {len(reading.refused)} refused")
    assert reading.records == count
    assert len(found) + len(reading.refused) == count
    for controller in found:
        assert entry_problem(controller.slug, entry_of(controller)) is None
        for contact in controller.contacts:
            assert not contact.verified
            if contact.kind == "email":
                assert address_problem(contact.value) is None


@pytest.mark.shared
@pytest.mark.parametrize(("source", "name", "count"), REAL)
def test_no_address_is_derived(upstream: Path, source: str, name: str, count: int) -> None:
    """Every address stands in the file it was read from, however it is written there."""
    raw = (upstream / name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith("gz") else raw).decode("utf-8", "replace")
    plain = text.replace(" [at] ", "@").replace("\u00ad", "").replace("\\u00ad", "").casefold()
    for controller in read(source, raw)[0]:
        for contact in controller.emails():
            assert contact.value.casefold() in plain, contact.value


@pytest.mark.shared
def test_the_ugly_sample_entry_by_entry(upstream: Path) -> None:
    raw = (upstream / "datenanfragen-ugly-sample.json").read_bytes()
    found = {c.slug: c for c in read("datenanfragen", raw)[0]}
    assert found["vrbank-muenchen-land"].emails()[0].value == "datenschutz@vrbml.de"
    assert found["asos-shop"].web == "https://www.asos.com"
    assert found["guenstiger-reisen"].emails()[0].value == "datenschutz@günstiger-reisen.de"
    assert found["lka-nrw"].laws == ("eu-led",)
    assert found["bundespolizei"].laws == ("eu-led",)
    assert not found["appnexus"].emails()
    assert found["tiktok"].contact("webform") is not None
    assert found["schufa"].notes
    assert found["liveramp-fr"].name == found["liveramp-de"].name
    for slug, controller in found.items():
        assert controller.contactable == bool(controller.contacts), slug


def test_a_pulled_contact_is_held_back() -> None:
    from datetime import date

    (acme, _), _ = read("cppa", CPPA)
    assert contact_problem(acme.emails()[0], date(2026, 11, 24)) == "address not verified"
