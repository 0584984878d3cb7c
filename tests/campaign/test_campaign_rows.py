"""A file of members: bad rows by line, CSV in every way, nothing kept but what is used."""

from __future__ import annotations

import resource
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from campaignfold import started

from dsar.campaign.keys import load_keyring, make_keys
from dsar.campaign.roster import Added, Enrolment, load_members, subject_of
from dsar.campaign.rows import BadRow, Row, open_table, read_mapping, read_rows
from dsar.core.campaign import fold_campaign
from dsar.errors import UsageProblem
from dsar.store.memory import MemoryStore

HEAD = "name,email,residence,consent"
TODAY = date(2026, 11, 24)


def rows(folder: Path, text: str | bytes, mapping: str = "") -> list[Row | BadRow]:
    path = folder / "members.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_rows(open_table(path, read_mapping(mapping)), default_languages=("en",)))


@pytest.mark.parametrize(("cells", "problem"), [
    (",a@b.example,DE,yes", "no name"),
    ("A,,DE,yes", "no mail address"),
    ("A,nobody,DE,yes", "email"),
    ("A,a@b.example <x>,DE,yes", "email"),
    ("A,a@b.example,Germany,yes", "residence"),
    ("A,a@b.example,DE-Jane Doe,yes", "residence"),
    ("A,a@b.example,DE,", "no consent"),
    ("A,a@b.example,DE,perhaps", "no consent"),
    ("A,a@b.example,DE,yes,more", "5 cells"),
    ('"A\nBcc: x@y.example",a@b.example,DE,yes', "name"),
    ('"A"b,a@b.example,DE,yes', "quotes"),
])
def test_a_bad_row_says_its_line_and_why_and_stops_nothing(
    tmp_path: Path, cells: str, problem: str
) -> None:
    text = f"{HEAD}\nG,g@b.example,DE,yes\n{cells}\nH,h@b.example,DE,1\n"
    good, bad, _ = rows(tmp_path, text)
    assert isinstance(good, Row)
    assert isinstance(bad, BadRow)
    assert bad.line == 3
    assert problem in bad.problem
    assert "Jane" not in bad.problem


def test_languages_are_codes_and_nothing_else(tmp_path: Path) -> None:
    found = rows(tmp_path, f"{HEAD},languages\nA,a@b.example,DE,yes,de pt-BR\n"
                           "B,b@b.example,DE,yes,Jane Doe\n")
    assert isinstance(found[0], Row)
    assert found[0].languages == ("de", "pt-BR")
    assert isinstance(found[1], BadRow)


def test_a_quote_that_is_never_closed_is_told(tmp_path: Path) -> None:
    found = rows(tmp_path, f'{HEAD}\n"A,a@b.example,DE,yes\nB,b@b.example,DE,yes\n')
    assert [type(r) for r in found] == [BadRow]
    assert found[0].line == 2


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_of_spreadsheets_are_read_with_or_without_a_mark(
    tmp_path: Path, separator: str
) -> None:
    text = f"{HEAD}\nÄnne,a@b.example,DE-BE,2026-11-01\n".replace(",", separator)
    found = rows(tmp_path, b"\xef\xbb\xbf" + text.encode())
    assert isinstance(found[0], Row)
    assert (found[0].name, found[0].consented_on) == ("Änne", date(2026, 11, 1))


@pytest.mark.parametrize("mapping", ["name", "name=", "shoe=Size", "name=A,name=B"])
def test_a_mapping_that_cannot_be_is_refused(mapping: str) -> None:
    with pytest.raises(UsageProblem):
        read_mapping(mapping)


@pytest.mark.parametrize("text", ["", "name,email\nA,a@b.example\n", b"name\xff\n"])
def test_a_file_that_cannot_be_members_is_refused(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(UsageProblem):
        rows(tmp_path, text)


def enrolment(folder: Path, store: MemoryStore) -> Enrolment:
    keys = make_keys(folder / "keys", "secret", b"e" * 32)
    begun = started(sending_key=keys.sending, content_key=keys.content)
    store.append("campaign/spring", [begun], after=0)
    counter = iter(range(10**9))
    return Enrolment(store=store, campaign=fold_campaign([begun]), today=TODAY,
                     keys=load_keyring(folder / "keys"),
                     entropy=lambda n: next(counter).to_bytes(n, "big"))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(now=lambda: datetime(2026, 11, 24, tzinfo=UTC), author="test")


def test_only_mapped_columns_are_kept_and_who_it_is_stands_nowhere(
    tmp_path: Path, store: MemoryStore
) -> None:
    found = rows(tmp_path, "Who,Mail,Land,Yes,Diagnosis\nJane Roe,jane@b.example,DE,yes,gout\n"
                           "Bad Row,,DE,yes,measles\n",
                 "name=Who,email=Mail,residence=Land,consent=Yes")
    desk = enrolment(tmp_path, store)
    told = list(desk.add(found))
    everything = "".join(repr(store.events(s)) for s in store.streams())
    for word in ("Jane", "jane", "gout", "measles"):
        assert word not in everything
    assert "measles" not in repr(told)
    member = next(load_members(store, desk.campaign))
    assert subject_of(member, desk.keys).name == "Jane Roe"
    assert "gout" not in repr(subject_of(member, desk.keys))


def test_the_same_person_is_one_member_however_the_address_is_written(
    tmp_path: Path, store: MemoryStore
) -> None:
    text = f"{HEAD}\nA,jane@b.example,DE,yes\nA, JANE@B.example ,DE,yes\n"
    desk = enrolment(tmp_path, store)
    first, second = sorted(desk.add(rows(tmp_path, text)), key=lambda r: r.line)
    assert isinstance(first, Added)
    assert isinstance(second, BadRow)
    assert first.code in second.problem
    assert all(isinstance(r, BadRow) for r in desk.add(rows(tmp_path, text)))


def test_a_consent_of_tomorrow_is_none(tmp_path: Path, store: MemoryStore) -> None:
    found = rows(tmp_path, f"{HEAD}\nA,a@b.example,DE,2026-11-25\n")
    told = list(enrolment(tmp_path, store).add(found))
    assert isinstance(told[0], BadRow)


def test_codes_are_unique_also_where_randomness_repeats(
    tmp_path: Path, store: MemoryStore
) -> None:
    desk = enrolment(tmp_path, store)
    draws = iter(n // 2 for n in range(10**6))
    desk.entropy = lambda n: next(draws).to_bytes(n, "big")
    text = HEAD + "".join(f"\nA,a{n}@b.example,DE,yes" for n in range(40))
    codes = [r.code for r in desk.add(rows(tmp_path, text)) if isinstance(r, Added)]
    assert len(set(codes)) == len(codes) == 40


def test_a_hundred_thousand_rows_are_read_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    with path.open("w") as file:
        file.write(HEAD + ",Padding\n")
        for n in range(100_000):
            file.write(f"Name {n},m{n}@b.example,DE,yes,{'x' * 400}\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    table = open_table(path, read_mapping(""))
    assert sum(isinstance(r, Row) for r in read_rows(table, default_languages=("en",))) == 100_000
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 20_000, f"{grown} kB for a file of {path.stat().st_size // 1024} kB"
