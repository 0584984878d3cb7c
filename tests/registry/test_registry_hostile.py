"""Hostile entries in every reader: an error with a place, never a header injection or a hang."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsar.core.contact import address_problem
from dsar.core.controller import Controller
from dsar.errors import FileProblems, Problem
from dsar.registry.check import check
from dsar.registry.entry import entry_of
from dsar.registry.load import load_registry
from dsar.registry.pulled import entry_problem
from dsar.registry.sources import SOURCES, Reading

NASTY = st.one_of(
    st.text(max_size=60), st.sampled_from([
        "a@b.example\r\nBcc: victim@example.org", "a@b.example\x00", "\x00", "\u202ea@b.example",
        "a@b.example, c@d.example", "<script>@b.example", "=cmd|' /C calc'!A0", "a@" + "b." * 200,
        "mailto:a@b.example?bcc=x@example.org", "http://[::1", "https://a.example/\r\nX: y",
        "javascript:alert(1)", "a [at] b [dot] example", "\ud800", "x" * 5000, "NO", "null", "",
    ]))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), NASTY),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NASTY, inner, max_size=4)),
    max_leaves=12)
KEYS = ("slug", "name", "email", "address", "web", "webform", "categories", "runs", "quality",
        "required-elements", "relevant-countries", "comments", "redirect-to", "reason", "url",
        "domains", "difficulty", "contact_mail_export", "url_export", "id", "website", "region",
        "needs-id-document", "need_id_card", "country_code", "updated_at", "request-language")
RECORDS = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, JSON)), max_size=4)
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12))


def read(source: str, raw: bytes) -> list[Controller]:
    return list(SOURCES[source].reader()(raw, Reading(source, "2026")))


def assert_harmless(controllers: list[Controller]) -> None:
    for controller in controllers:
        entry_problem(controller.slug, entry_of(controller))  # must not raise
        assert "\n" not in controller.name
        assert "\r" not in controller.name
        for contact in controller.contacts:
            assert not contact.verified
            assert not {"\r", "\x00"} & set(contact.value)
            if contact.kind == "email":
                assert address_problem(contact.value) is None
            if contact.kind == "webform":
                assert contact.value.startswith(("http://", "https://"))


def assert_refused_or_harmless(source: str, raw: bytes) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        assert_harmless(read(source, raw))
    except FileProblems as error:
        problems = error.problems
        assert problems
    assert all(problem.line >= 1 for problem in problems)


@pytest.mark.parametrize("source", ["datenanfragen", "jdm", "unlock-my-data"])
@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(records=RECORDS)
def test_hostile_records_do_no_harm(source: str, records: list[object]) -> None:
    assert_harmless(read(source, json.dumps(records).encode()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records=RECORDS)
def test_hostile_brokers_do_no_harm(records: list[object]) -> None:
    raw = json.dumps({"brokers": records}).encode()  # JSON is YAML
    assert_refused_or_harmless("eraser", raw)


@pytest.mark.parametrize(("source", "head"), [
    ("cppa", "Data broker name:,Data broker primary contact email address:,"
             "Data broker primary website:\n"),
    ("vermont", "Data Broker Name:,Email Address:,Primary Internet Address:\n"),
    ("california-ag", "Data Broker Name,Email Address,Website URL\n"),
    ("oregon", "full_name|doing_business_as|license_status_name\n"),
])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=st.lists(st.lists(NASTY, max_size=4), max_size=4))
def test_hostile_tables_do_no_harm(source: str, head: str, body: list[list[str]]) -> None:
    import csv
    import io

    out = io.StringIO()
    csv.writer(out, delimiter="|" if source == "oregon" else ",").writerows(body)
    raw = (head + out.getvalue()).encode("utf-8", "replace")
    assert_harmless(read(source, raw))


@settings(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=400))
@pytest.mark.parametrize("source", sorted(SOURCES))
def test_any_bytes_give_an_error_with_a_place_or_nothing(source: str, raw: bytes) -> None:
    assert_refused_or_harmless(source, raw)


@pytest.mark.parametrize("source", sorted(SOURCES))
@pytest.mark.parametrize("raw", [
    BOMB.encode(), b"[" * 100_000, b'{"a":' * 100_000, b"x" * 10_000_000, b"- " * 100_000,
    b'[{"name": "' + b"x" * 10_000_000 + b'"}]', b"\x1f\x8b" + b"\x00" * 100, b"\xff\xfe" * 100,
    b"[" + b"9" * 100_000 + b"]", b"\x00" * 1000,
], ids=["alias-bomb", "deep-json", "deep-objects", "long-line", "deep-yaml", "long-field",
        "broken-gzip", "not-utf8", "long-number", "nul"])
def test_bombs_end_with_an_error_or_nothing(source: str, raw: bytes) -> None:
    assert_refused_or_harmless(source, raw)


def test_a_huge_field_refuses_its_own_line_only() -> None:
    head = "Data broker name:,Data broker primary contact email address:\n"
    raw = head + "A," + "x" * 10_000_000 + "\nB Inc,privacy@b.example\n"
    reading = Reading("cppa", "2026")
    found = list(SOURCES["cppa"].reader()(raw.encode(), reading))
    assert [c.name for c in found] == ["B Inc"]
    assert reading.refused[0].place == 2


@pytest.mark.parametrize("text", [BOMB, "[" * 100_000, "- " * 50_000, "x" * 10_000_000, "\x00",
    "schema: dsar.companies/1\ncompanies: {a: {laws: &x [eu-gdpr], brands: *x}}"])
def test_a_registry_file_with_a_bomb_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(FileProblems):
        load_registry(path)
    assert check(path, today=date(2026, 11, 24)).mistakes


@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(entry=st.dictionaries(st.sampled_from([
    "name", "web", "country", "contacts", "laws", "brands", "successor", "checked", "sources",
    "identifiers", "reply_domains", "enforcement", "group", "contactable", "x"]), JSON))
def test_a_hostile_entry_is_refused_or_harmless(tmp_path: Path, entry: dict[str, object]) -> None:
    path = tmp_path / "c.yaml"
    whole = {"schema": "dsar.companies/1", "companies": {"acme": entry}}
    path.write_text(json.dumps(whole))
    check(path, today=date(2026, 11, 24))
    problems: tuple[Problem, ...] = ()
    try:
        names = [company.name for company in load_registry(path)]
    except FileProblems as error:
        names, problems = [], error.problems
    assert all(problem.line >= 1 for problem in problems)
    assert not any("\n" in name or "\r" in name for name in names)
