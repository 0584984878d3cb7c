"""What is kept beside the ledger is for speed: it is never believed against the ledger."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from store_samples import DAY, NOON, attempted, joined, note, opened, sent

from dsar.core.case import CaseEvent, IdentityProvided, ReplyRead, ReplyReceived
from dsar.core.glance import Glance, glance
from dsar.core.house import STREAM, MessageSetAside
from dsar.errors import LedgerDamaged
from dsar.home import Home
from dsar.keeping import contents
from dsar.keeping.atrest import Key
from dsar.store import Addition, renewal, sidecar
from dsar.store.tiny import TinyStore

SEALER = Key(bytes(range(32)), readable_status=True, seals=True)


@pytest.fixture(autouse=True)
def _kept_from_the_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "FEWEST_LINES", 1)


def _store(folder: Path, *, write: bool = False, sealer: Key | None = None) -> TinyStore:
    return TinyStore(folder, write=write, now=lambda: NOON, author="jo", sealer=sealer)


def _life(case_id: str) -> list[CaseEvent]:
    at = datetime(2026, 1, 20, tzinfo=UTC)
    return [opened(case_id), attempted("<1@example.org>"), sent("<1@example.org>"),
            ReplyReceived(on=at.date(), at=at, digest="ab", message_id=None,
                          sender="privacy@acme.example", subject="Secret words",
                          authentic="pass", evidence=()),
            ReplyRead(on=at.date(), digest="ab", labels=("identity_request",), by="person"),
            IdentityProvided(on=date(2026, 1, 21), how="bank letter")]


def _filled(folder: Path) -> Path:
    """A ledger of three cases and a house, and the file beside it."""
    store = _store(folder, write=True)
    for case_id in ("acme", "bolt", "cog"):
        store.append(case_id, _life(case_id), after=0)
    store.append(STREAM, [MessageSetAside(
        on=DAY, at=NOON, digest="cd", sender="a@acme.example", subject="Re", labels=(),
        candidates=("acme", "bolt"), evidence=(), why="two cases")], after=0)
    store.close()
    return folder / sidecar.NAME


def _truth(folder: Path) -> list[Glance]:
    bare = folder.parent / "bare"
    shutil.rmtree(bare, ignore_errors=True)
    bare.mkdir()
    shutil.copy(folder / "ledger.jsonl", bare)
    return list(map(glance, _store(bare).cases()))


def _seen(folder: Path) -> list[Glance]:
    store = _store(folder)
    try:
        return list(store.glances())
    finally:
        store.close()


def test_a_writer_leaves_the_glances_beside_the_ledger_for_the_owner_only(tmp_path: Path) -> None:
    kept = _filled(tmp_path / "ledger")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    found = sidecar.snapshot(tmp_path / "ledger/ledger.jsonl")
    assert found is not None
    assert list(found.kept.glances) == _truth(tmp_path / "ledger")
    found.close()


def test_what_is_kept_names_no_address_and_no_word_of_a_mail(tmp_path: Path) -> None:
    text = _filled(tmp_path / "ledger").read_text()
    for word in ("example", "Secret", "DSAR-7K3M", "250 Ok"):
        assert word not in text


def test_a_reader_that_needs_the_ledger_after_all_reads_it(tmp_path: Path) -> None:
    _filled(tmp_path / "ledger")
    store = _store(tmp_path / "ledger")
    assert [c.id for c in store.cases()] == ["acme", "bolt", "cog"]
    assert len(store.house().waiting) == 1
    assert len(store.events("bolt")) == 6
    store.close()


def _flipped(raw: bytes) -> bytes:
    middle = len(raw) // 2
    return raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1:]


def _of_other_code(raw: bytes) -> bytes:
    return raw.replace(sidecar.form().encode(), b"0" * 64)


@pytest.mark.parametrize("damage", [
    lambda raw: b"", lambda raw: raw[:-1], lambda raw: raw[:40], lambda raw: b"{}\n{}",
    lambda raw: b"[]\n[]", lambda raw: b"\xff\n", _flipped, _of_other_code,
    lambda raw: raw.replace(b'"digest":"', b'"digest":"0', 1),
    lambda raw: raw + b"\n" + raw, lambda raw: raw + b"\n" + raw[:40], lambda raw: raw + b"\n",
])
def test_what_is_damaged_or_of_another_make_is_ignored_and_made_anew(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    kept = _filled(tmp_path / "ledger")
    whole = kept.read_bytes()
    kept.write_bytes(damage(whole))
    assert _seen(tmp_path / "ledger") == _truth(tmp_path / "ledger")
    store = _store(tmp_path / "ledger", write=True)
    store.append("acme", [note("x")], after=6)
    store.close()
    assert sidecar.snapshot(tmp_path / "ledger/ledger.jsonl") is not None
    assert _seen(tmp_path / "ledger") == _truth(tmp_path / "ledger")


def test_without_it_everything_is_as_with_it(tmp_path: Path) -> None:
    kept = _filled(tmp_path / "ledger")
    kept.unlink()
    assert _seen(tmp_path / "ledger") == _truth(tmp_path / "ledger")


def test_that_of_another_ledger_is_ignored(tmp_path: Path) -> None:
    _filled(tmp_path / "ledger")
    other = _store(tmp_path / "other", write=True)
    other.append("zed", [opened("zed")], after=0)
    other.close()
    shutil.copy(tmp_path / "other" / sidecar.NAME, tmp_path / "ledger")
    assert _seen(tmp_path / "ledger") == _truth(tmp_path / "ledger")


def test_what_fits_no_ledger_is_not_believed_however_whole_it_is(tmp_path: Path) -> None:
    _filled(tmp_path / "ledger")
    journal = tmp_path / "ledger/ledger.jsonl"
    kept = sidecar.read(journal)
    assert kept is not None
    lies = [seen._replace(controller_name="Bolt") for seen in kept.glances]
    [part] = kept.parts
    sidecar.write(journal, replace(kept, parts=[replace(part, digest="0" * 64)], glances=lies))
    assert _seen(tmp_path / "ledger") == _truth(tmp_path / "ledger")
    for version in range(6, 30):
        writer = _store(tmp_path / "ledger", write=True)
        writer.append("acme", [note("x")], after=version)
        assert list(writer.glances()) == list(map(glance, writer.cases()))
        writer.close()
        assert _seen(tmp_path / "ledger") == _truth(tmp_path / "ledger")
    assert sidecar.snapshot(journal) is not None, "in time it is made anew"


Work = Callable[[TinyStore], None]


def _note(case_id: str, after: int) -> Work:
    return lambda store: store.append(case_id, [note("x")], after=after)


def _open_cases(*names: str) -> Work:
    return lambda store: store.append_all(
        [Addition(stream=name, events=_life(name), after=0) for name in names])


def _grow(folder: Path, work: Work) -> None:
    """Let a writer work and close."""
    store = _store(folder, write=True)
    work(store)
    store.close()


def _wait_for_bolt(store: TinyStore) -> None:
    store.append(STREAM, [MessageSetAside(
        on=DAY, at=NOON, digest="ef", sender="a@bolt.example", subject="Re", labels=(),
        candidates=("bolt",), evidence=(), why="not sure")], after=1)


def test_a_writer_who_adds_little_adds_a_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "SHARE", 0)
    folder, kept = tmp_path / "ledger", _filled(tmp_path / "ledger")
    works: list[Work] = [
        _note("bolt", 6), _open_cases("a-new"), _wait_for_bolt, _open_cases("zed", "ant"),
        lambda store: store.append("member/x/A", [joined("A")], after=0), _note("bolt", 7)]
    for sections, work in enumerate(works, start=2):
        before, node = kept.read_bytes(), kept.stat().st_ino
        _grow(folder, work)
        assert kept.read_bytes().startswith(before)
        assert kept.read_bytes().count(b'"form"') == sections
        assert kept.stat().st_ino == node
        found = sidecar.snapshot(folder / "ledger.jsonl")
        assert found is not None
        found.close()
        assert _seen(folder) == _truth(folder)
    reader = _store(folder)
    assert sorted(reader.house().waiting) == ["cd", "ef"]
    reader.close()
    assert [g.id for g in _seen(folder)] == ["acme", "bolt", "cog", "a-new", "zed", "ant"]


def test_sections_are_joined_before_they_are_many(tmp_path: Path) -> None:
    folder, kept = tmp_path / "ledger", _filled(tmp_path / "ledger")
    _grow(folder, _open_cases(*(f"c{n}" for n in range(120))))
    found = set()
    for version in range(6, 40):
        _grow(folder, _note("acme", version))
        found.add(kept.read_bytes().count(b'"form"'))
        first, *later = kept.read_bytes().split(b"\n")[1::2]
        assert sum(map(len, later)) < len(first) / renewal.SHARE + 1000
        assert _seen(folder) == _truth(folder)
    assert 1 in found
    assert max(found) > 2


def test_what_is_added_in_bulk_is_written_with_the_rest(tmp_path: Path) -> None:
    folder, kept = tmp_path / "ledger", _filled(tmp_path / "ledger")
    _grow(folder, _open_cases("dot"))
    assert kept.read_bytes().count(b'"form"') == 1
    assert _seen(folder) == _truth(folder)


def test_a_section_that_is_torn_makes_all_of_it_worthless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "SHARE", 0)
    folder, kept = tmp_path / "ledger", _filled(tmp_path / "ledger")
    begin = len(kept.read_bytes())
    _grow(folder, _note("bolt", 6))
    whole, truth = kept.read_bytes(), _truth(folder)
    for cut in range(begin + 1, len(whole), 7):
        kept.write_bytes(whole[:cut])
        assert sidecar.read(folder / "ledger.jsonl") is None
    assert _seen(folder) == truth
    _grow(folder, _note("bolt", 7))
    assert sidecar.snapshot(folder / "ledger.jsonl") is not None
    kept.write_bytes(whole[:begin])  # the last one did not reach the disk at all
    assert _seen(folder) == _truth(folder)


def test_what_was_appended_since_counts(tmp_path: Path) -> None:
    kept = _filled(tmp_path / "ledger")
    old = kept.read_bytes()
    store = _store(tmp_path / "ledger", write=True)
    store.append("bolt", [note("x")], after=6)
    store.append("dot", _life("dot"), after=0)
    store.close()
    kept.write_bytes(old)  # as after a crash of that writer
    assert [(g.id, g.version) for g in _seen(tmp_path / "ledger")] == [
        ("acme", 6), ("bolt", 7), ("cog", 6), ("dot", 6)]
    assert _seen(tmp_path / "ledger") == _truth(tmp_path / "ledger")


def test_a_changed_ledger_is_found_damaged_and_nothing_kept_is_shown(tmp_path: Path) -> None:
    _filled(tmp_path / "ledger")
    ledger = tmp_path / "ledger/ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b"Acme Data Ltd", b"Acme Data Inc", 1))
    with pytest.raises(LedgerDamaged):
        _store(tmp_path / "ledger")


def test_who_is_erased_is_gone_from_beside_the_ledger_too(tmp_path: Path) -> None:
    kept = _filled(tmp_path / "ledger")
    store = _store(tmp_path / "ledger", write=True)
    store.erase("bolt")
    assert not kept.exists()
    store.close()
    assert "bolt" not in kept.read_text()
    assert [g.id for g in _seen(tmp_path / "ledger")] == ["acme", "cog"]


def test_an_encrypted_ledger_has_nothing_beside_it(tmp_path: Path) -> None:
    kept = _filled(tmp_path / "ledger")
    store = _store(tmp_path / "ledger", write=True)
    store.reseal(SEALER)
    assert not kept.exists()
    store.close()
    again = _store(tmp_path / "ledger", write=True, sealer=SEALER)
    again.append("acme", [note("x")], after=6)
    again.close()
    assert not kept.exists()
    with_key, without = _store(tmp_path / "ledger", sealer=SEALER), _store(tmp_path / "ledger")
    assert [g.id for g in without.glances()] == [g.id for g in with_key.glances()]


def test_what_cannot_be_kept_is_no_error(tmp_path: Path) -> None:
    kept = _filled(tmp_path / "ledger")
    kept.unlink()
    kept.mkdir()
    store = _store(tmp_path / "ledger", write=True)
    store.append("acme", [note("x")], after=6)
    store.close()
    assert _seen(tmp_path / "ledger")[0].version == 7


def test_a_snapshot_stays_as_it_was_while_a_writer_rewrites(tmp_path: Path) -> None:
    _filled(tmp_path / "ledger")
    reader = _store(tmp_path / "ledger")
    writer = _store(tmp_path / "ledger", write=True)
    writer.erase("acme", "bolt")
    writer.close()
    assert [g.id for g in reader.glances()] == ["acme", "bolt", "cog"]
    assert len(reader.house().waiting) == 1
    reader.close()


def test_days_pass_without_making_it_stale(tmp_path: Path) -> None:
    """Nothing of the day is in it: only what the ledger says, so that it fits tomorrow too."""
    kept = _filled(tmp_path / "ledger").read_bytes()
    later = _store(tmp_path / "ledger", write=True)
    later._now = lambda: NOON + timedelta(days=99)
    later.close()
    assert (tmp_path / "ledger" / sidecar.NAME).read_bytes() == kept


def test_it_is_in_no_backup_and_makes_no_home_that_a_restore_would_spare(tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path, tmp_path / "cache")
    kept = _filled(home.ledger)
    names = [item.name for item in contents.items(home, leave_out=(), with_secrets=True)]
    assert names == ["data/ledger/ledger.jsonl"]
    (home.ledger / "ledger.jsonl").unlink()
    assert kept.exists()
    assert contents.is_empty(home)
