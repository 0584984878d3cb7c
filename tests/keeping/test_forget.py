"""What is forgotten stands in no file any more; what is not is as it was."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keeping_samples import (
    DAY,
    JO,
    MAX,
    contents,
    files_with,
    fill,
    home_at,
    ledger,
    letter_to,
    open_case,
    reply_from,
)

from dsar.config import load_config, write_people
from dsar.core.case import CaseOpened, Retracted
from dsar.core.house import STREAM
from dsar.home import Home, write_private
from dsar.keeping.forget import (
    Company,
    Forgetting,
    OlderThan,
    Person,
    Wanted,
    forget,
    plan_forgetting,
)
from dsar.keeping.tombstones import load_tombstones
from dsar.keeping.traces import traces
from dsar.store.archive import Archive

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("keeping_worker.py")
OF_JO = ("Jo Sample", "jo.sample@", "Samplegasse", "5550123", "7K3M-Q2XT", "2F8H-N7CC")
ACCOUNTS = b"""\
companies: [acme, bolt]
accounts:
  - {name: main, address: Jo.Sample@example.org, secret: {file: jo.password}}
  - {name: office, address: desk@example.net, secret: {prompt: true}}
"""


def _forget(home: Home, wanted: Wanted, *, tombstones: bool = False,
            own: frozenset[str] = frozenset(), excluded: tuple[str, ...] = ()) -> Forgetting:
    """Forget and return what was found to be removed; the traces left are checked by callers."""
    config = load_config(home.config, home.people)
    store, archive = ledger(home), Archive(home.archive)
    try:
        going = plan_forgetting(wanted, store, config, own_companies=own)
        forget(going, home, store, archive, config, today=DAY, keep_tombstones=tombstones,
               stay_excluded=excluded)
    finally:
        store.close()
    return going


def _traces(home: Home, going: Forgetting) -> list[str]:
    store = ledger(home, write=False)
    return list(traces(home, store, Archive(home.archive), going.needles))


def test_a_person_stands_in_no_byte_of_the_home_any_more(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    assert len(files_with(tmp_path, *OF_JO)) > 6
    going = _forget(home, Person("jo"))
    assert files_with(tmp_path, *OF_JO) == [
        _name(home, _shared_with_max(home))], "only what waits for Max names a case of Jo's"
    assert _traces(home, going) == []
    assert len(going.mails) == 5


def _shared_with_max(home: Home) -> str:
    return next(iter(ledger(home, write=False).house().waiting))


def _name(home: Home, digest: str) -> str:
    return digest[2:]


def test_others_are_as_they_were(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    store = ledger(home, write=False)
    before = {c.id: store.events(c.id) for c in store.cases() if c.facts.subject_id == "max"}
    _forget(home, Person("jo"))
    after = ledger(home, write=False)
    assert {c.id: after.events(c.id) for c in after.cases()} == before
    archive = Archive(home.archive)
    for kept in (k for events in before.values() for k in events):
        if digest := getattr(kept.event, "digest", ""):
            archive.read(digest)
    assert [p.id for p in load_config(home.config, home.people).people] == ["max"]
    [waiting] = after.house().waiting.values()
    assert waiting.candidates == ("QX41-T0AB",)
    assert waiting.evidence == ("domain: QX41-T0AB",)
    assert archive.has(waiting.digest)


def test_a_mail_that_answers_a_case_that_stays_stays_with_it(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    store, archive = ledger(home), Archive(home.archive)
    both = archive.add(b"Subject: both\r\n\r\nTo Max and Jo Sample.\r\n")
    for case_id in ("7K3M-Q2XT", "QX41-T0AB"):
        reply = store.events(case_id)[4].event
        store.append(case_id, [replace(reply, digest=both)], after=6)  # type: ignore[arg-type,type-var]
    store.close()
    going = _forget(home, Person("jo"))
    assert both in going.shared
    assert archive.has(both)
    assert _traces(home, going) == [f"mail {both[:12]}"], "and it is named as a trace"


def test_the_account_that_was_theirs_alone_goes_with_its_password(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    write_private(home.config, ACCOUNTS)
    write_private(home.config_folder / "jo.password", b"secret\n")
    write_private(home.cursors, b'{"cursors": {"main/INBOX": [1, 2]}}')
    store = ledger(home)  # Max's cases went out from another account than Jo's
    for case in list(store.cases()):
        if case.facts.subject_id == "max":
            store.erase(case.id)
    store.close()
    going = _forget(home, Person("jo"))
    assert going.accounts == ("main",)
    assert [a.name for a in load_config(home.config, home.people).accounts] == ["office"]
    assert load_config(home.config, home.people).chosen == ("acme", "bolt")
    assert not (home.config_folder / "jo.password").exists()
    assert not home.cursors.exists()
    assert files_with(tmp_path, "ample@example") == []


def test_an_account_that_others_use_stays_and_is_named_as_a_trace(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    write_private(home.config, ACCOUNTS)
    going = _forget(home, Person("jo"))
    assert going.accounts == ()
    assert _traces(home, going) == [str(home.config)]


def test_what_two_people_share_is_no_trace_of_one(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    write_people(home.people, [JO, replace(MAX, email=JO.email, address=JO.address)])
    going = _forget(home, Person("jo"))
    assert JO.email not in going.needles
    assert JO.name in going.needles


def test_a_company_goes_with_what_the_user_added_about_it(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    going = _forget(home, Company("acme"), own=frozenset({"acme"}))
    assert {c.id for c in going.cases} == {"7K3M-Q2XT", "QX41-T0AB"}
    assert _traces(home, going) == []
    assert not home.overlay.exists()
    assert load_config(home.config, home.people).chosen == ("bolt",)
    assert files_with(tmp_path, "privacy@acme.example", "acme") == []
    assert {c.id for c in ledger(home, write=False).cases()} == {"2F8H-N7CC", "9MZ2-0000"}
    assert len(load_config(home.config, home.people).people) == 2


def test_a_company_that_must_not_be_written_to_stays_excluded(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    write_private(home.overlay, b"schema: dsar.companies/1\ncompanies:\n"
                                b"  acme: {excluded: they employ Jo Sample}\n")
    _forget(home, Company("acme"), own=frozenset({"acme"}), excluded=("acme",))
    text = home.overlay.read_text()
    assert "acme:" in text
    assert "excluded: excluded by you" in text
    assert "Jo" not in text


def test_the_last_chosen_company_stays_chosen_because_none_would_mean_all(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    write_private(home.config, b"companies: [acme]\n")
    _forget(home, Company("acme"), own=frozenset({"acme"}))
    assert load_config(home.config, home.people).chosen == ("acme",)


@pytest.mark.parametrize(("day", "gone"), [
    (date(2025, 1, 10), set()), (date(2025, 1, 11), {"2F8H-N7CC"}),
    (date(2026, 1, 5), {"2F8H-N7CC"}), (date(2026, 1, 6), {"2F8H-N7CC", "9MZ2-0000"}),
])
def test_old_cases_are_those_closed_with_nothing_since(
    tmp_path: Path, day: date, gone: set[str]
) -> None:
    home = fill(home_at(tmp_path / "home"))
    going = _forget(home, OlderThan(day))
    assert {c.id for c in going.cases} == gone
    assert len(list(ledger(home, write=False).cases())) == 4 - len(gone)
    assert len(load_config(home.config, home.people).people) == 2


def test_mail_that_a_crash_left_without_a_case_goes_if_it_is_theirs(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    archive = Archive(home.archive)
    theirs = archive.add(reply_from(JO, "lost", "x"))
    hidden = archive.add(b"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n"
                         b"Content-Transfer-Encoding: base64\r\n\r\nRGVhciBKbyBTYW1wbGUsCg==\r\n")
    other = archive.add(reply_from(MAX, "lost", "x"))
    (home.archive / ".arriving-x").write_bytes(letter_to(JO, "acme", "y"))
    _forget(home, Person("jo"))
    assert [archive.has(d) for d in (theirs, hidden, other)] == [False, False, True]
    assert not (home.archive / ".arriving-x").exists()


def test_tombstones_say_nothing_to_a_reader(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    _forget(home, Person("jo"), tombstones=True)
    kept = home.tombstones.read_text()
    for needle in (*OF_JO, "acme", "bolt", '"jo"'):
        assert needle not in kept
    found = load_tombstones(home.tombstones)
    assert found.since({"jo"}, "access", {"slug:acme"}) == DAY
    assert found.since({"jo"}, "access", {"group:bolts"}) == date(2025, 1, 10)
    assert found.since({"jo.sample@example.org"}, "access", {"mail:privacy@bolt.example"})
    for people, right, companies in (({"max"}, "access", {"slug:acme"}),
                                     ({"jo"}, "erasure", {"slug:acme"}),
                                     ({"jo"}, "access", {"slug:cord"})):
        assert found.since(people, right, companies) is None


def test_without_the_wish_there_is_no_tombstone(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    _forget(home, Person("jo"))
    assert not home.tombstones.exists()


def test_forgetting_again_and_again_is_no_error(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    _forget(home, Person("jo"), tombstones=True)
    before = contents(tmp_path / "home")
    assert _forget(home, Person("jo"), tombstones=True).is_nothing
    assert contents(tmp_path / "home") == before


def test_kill_9_at_any_instant_is_repaired_by_running_it_again(tmp_path: Path) -> None:
    died = 0
    for step in count():
        home = fill(home_at(tmp_path / f"home{step}"))
        child = subprocess.Popen(
            [sys.executable, str(WORKER), "forget", str(home.data_folder)],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(step * 0.002)
        child.kill()
        child.communicate()
        finished = child.returncode == 0
        died += not finished
        going = _forget(home, Person("jo"), tombstones=True)
        assert _traces(home, going) == []
        assert files_with(home.data_folder, "Jo Sample", "jo.sample", "2F8H") == []
        found = load_tombstones(home.tombstones)
        assert found.since({"jo"}, "access", {"slug:acme"}), "raised before anything went"
        assert found.since({"jo.sample@example.org"}, "access", {"slug:bolt"})
        assert len(list(ledger(home, write=False).cases())) == 2
        if finished:
            break
        assert step < 100
    assert died > 3


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_whoever_is_forgotten_leaves_no_mail_and_nobody_else_loses_any(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    home = home_at(tmp_path_factory.mktemp("any"))
    home.create()
    write_people(home.people, [JO, MAX])
    store, archive = ledger(home), Archive(home.archive)
    whose: dict[str, str] = {}
    for number in range(data.draw(st.integers(1, 6))):
        person = data.draw(st.sampled_from([JO, MAX]))
        slug = data.draw(st.sampled_from(["acme", "bolt"]))
        open_case(store, archive, person, slug, f"CASE-{number}",
                  closed=data.draw(st.sampled_from(["", "answered"])))
        whose[f"CASE-{number}"] = person.id
        if data.draw(st.booleans()):
            store.append(f"CASE-{number}", [Retracted(on=DAY, sequence=5, because="wrong")],
                         after=len(store.events(f"CASE-{number}")))
    store.close()
    _forget(home, Person("jo"))
    left = ledger(home, write=False)
    assert {c.id for c in left.cases()} == {c for c, p in whose.items() if p == "max"}
    named = {d for c in left.cases() for k in left.events(c.id)
             if (d := getattr(k.event, "digest", ""))}
    assert set(archive.digests()) == named
    assert left.events(STREAM) == ()
    assert all(isinstance(left.events(c.id)[0].event, CaseOpened) for c in left.cases())
