"""Two machines, two operators, one PostgreSQL and one Postfix: planned here, approved there.

Each machine has a home, a settings file and a database role of its own.
"""

from __future__ import annotations

import email
import subprocess
from collections import Counter
from datetime import UTC, datetime
from email import policy
from pathlib import Path

import pytest
from campaigners import begin, mail
from command import Dsar, write_companies
from inprocess import Here
from servers.maillab import MailLab
from servers.postgres import OWNER, PASSWORD, WORKER, PostgresServer

from dsar.campaign.secondhome import Pack, sealed
from dsar.store.postgres_migrate import migrate

OTHER = "dsar_other_worker"
MEMBERS = 30


@pytest.fixture
def ledgers(postgres: PostgresServer) -> tuple[str, str]:
    """One ledger as two roles reach it."""
    postgres.sql(f"DO $$ BEGIN CREATE ROLE {OTHER} LOGIN PASSWORD '{PASSWORD}'; "
                 "EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    name = postgres.new_database()
    migrate(postgres.url(name, OWNER), roles=[WORKER, OTHER])
    return postgres.url(name), postgres.url(name, OTHER)


@pytest.fixture
def word(tmp_path: Path) -> Path:
    path = tmp_path / "word"
    path.write_text("a word told by telephone\n")
    path.chmod(0o600)
    return path


def machine(folder: Path, operator: str) -> Dsar:
    (folder / operator).mkdir()
    return Dsar(folder / operator / "home", {"DSAR_AUTHOR": operator})


def sign_all(first: Dsar, folder: Path) -> None:
    first("campaign", "mandate", "issue", "spring", "-o", str(folder / "papers"))
    for paper in (folder / "papers").iterdir():
        paper.write_bytes(paper.read_bytes() + b"% by hand\n")
    first("campaign", "mandate", "sign", "spring", str(folder / "papers"), "--how", "pen",
          "--signed-on", datetime.now().astimezone().date().isoformat())


def both_work(*machines: Dsar) -> None:
    """A worker on each at the same time, to the end."""
    running = [subprocess.Popen(
        m.argv("campaign", "work", "spring", "--no-poll"), env=m.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for m in machines]
    ended = [(p.communicate(timeout=280)[0], p.returncode) for p in running]
    assert [status for _, status in ended] == [0, 0], ended


def test_one_plans_another_approves_both_send_and_the_second_fetches_the_answers(
    lab: MailLab, user: str, ledgers: tuple[str, str], tmp_path: Path, word: Path
) -> None:
    ann, bea = machine(tmp_path, "ann"), machine(tmp_path, "bea")
    companies = {"alpha": lab.new_user(), "beta": lab.new_user()}
    write_companies(ann.home, companies)
    (ann.home / "config.yaml").write_text(f"store: {ledgers[0]}\narchive: store\n")
    begin(ann, tmp_path, lab, user, mode="mandate", members=MEMBERS, slugs=tuple(companies))
    sign_all(ann, tmp_path)
    (ann.home / "campaigns" / "spring" / "content.key.age").rename(tmp_path / "keeper.age")
    ann("campaign", "pack", "spring", str(tmp_path / "second.age"), "--passphrase-file", str(word))
    bea("campaign", "join", str(tmp_path / "second.age"), "--passphrase-file", str(word),
        "--store", ledgers[1], "--password-file", str(tmp_path / "password"))
    assert "!!" not in bea("doctor", "--network").out
    ann("campaign", "send", "spring", "--letters", "60", "--confirm", "60")
    bea("campaign", "approve", "spring", "1", "--yes")
    both_work(ann, bea)
    letters = [email.message_from_bytes(raw, policy=policy.default)
               for box in companies.values() for raw in lab.delivered(box)]
    assert Counter(Counter(m["Message-ID"] for m in letters).values()) == {1: 60}
    for number, letter in enumerate(letters[:10]):
        lab.deliver(user, mail(str(letter["To"]), str(letter["Reply-To"]), f"Re: {number}",
                               "We hold no personal data about you.", date=datetime.now(UTC),
                               In_Reply_To=letter["Message-ID"]).as_bytes())
    assert "10 filed" in bea("poll").out
    assert "0 filed" in ann("poll", "--rescan").out
    seen = [m("campaign", "progress", "spring", "--json").json["summary"] for m in (ann, bea)]
    assert seen[0] == seen[1]
    assert (seen[0]["sent"], seen[0]["acknowledged"]) == (60, 10)
    assert bea("campaign", "export", "spring", members_of(bea)[0], "-o", str(tmp_path / "out"),
               status=6).err.count("keeper")
    assert authors(bea) >= {"ann", "bea"}


def members_of(one: Dsar) -> list[str]:
    return [m["member"] for m in one("campaign", "members", "spring", "--json").json["items"]]


def authors(one: Dsar) -> set[str]:
    """Who recorded what of the campaign."""
    import re

    from dsar.store import open_store

    url = re.search(r"store: (\S+)", (one.home / "config.yaml").read_text())
    assert url is not None
    store = open_store(url[1], write=False, now=lambda: datetime.now(UTC), author="test")
    try:
        return {r.author for r in store.events("campaign/spring")}
    finally:
        store.close()


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        group: Here, word: Path) -> tuple[Here, Path, list[str]]:
    """A group's home on PostgreSQL with its pack, and the options that open it."""
    from test_campaign_rails import begin as begin_small

    begin_small(group, tmp_path, "kit")
    word_option = ["--passphrase-file", str(word)]
    group("campaign", "pack", "spring", str(tmp_path / "p.age"), *word_option)
    return group, tmp_path / "p.age", word_option


def joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
           ) -> Here:
    return Here(tmp_path / "second", monkeypatch, capsys)


@pytest.mark.parametrize("group", ["postgres"], indirect=True)
def test_the_keepers_key_and_passwords_stay_and_drop_addresses_are_the_same(
    two: tuple[Here, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str]
) -> None:
    first, packed, word_option = two
    assert packed.stat().st_mode & 0o077 == 0
    second = joined(tmp_path, monkeypatch, capsys)
    second("campaign", "join", str(packed), *word_option)
    found = {p.relative_to(second.home).as_posix() for p in second.home.rglob("*") if p.is_file()}
    assert found >= {"campaigns/spring/sending.key", "campaigns/spring/blind.key",
                     "reply-tag.key", "companies.local.yaml", "config.yaml"}
    assert not [name for name in found if "content" in name]
    assert not [p for p in second.home.rglob("*") if p.stat().st_mode & 0o077]
    for name in ("reply-tag.key", "companies.local.yaml"):
        assert (second.home / name).read_bytes() == (first.home / name).read_bytes()
    second("campaign", "join", str(packed), *word_option)  # again: nothing is in its way
    assert second.items("campaign", "members", "spring")


@pytest.mark.parametrize("group", ["postgres"], indirect=True)
def test_what_is_here_already_is_not_written_over(
    two: tuple[Here, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str]
) -> None:
    _, packed, word_option = two
    second = joined(tmp_path, monkeypatch, capsys)
    second.home.mkdir()
    (second.home / "reply-tag.key").write_bytes(b"x" * 32)
    (second.home / "config.yaml").write_text("accounts: []\n")
    told = second("campaign", "join", str(packed), *word_option, status=2).err
    assert "reply-tag.key is another" in told
    assert "config.yaml has another ledger" in told
    assert sorted(p.name for p in second.home.iterdir()) == ["config.yaml", "reply-tag.key"]


@pytest.mark.parametrize("group", ["postgres"], indirect=True)
def test_a_file_that_names_other_places_is_refused(
    two: tuple[Here, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str]
) -> None:
    _, packed, word_option = two
    second = joined(tmp_path, monkeypatch, capsys)
    files = {"campaigns/spring/sending.key": b"a", "campaigns/spring/blind.key": b"b"}
    for name in ("../x", "campaigns/other/sending.key", "people.yaml",
                 "templates/letters/../../config.yaml"):
        bad = Pack(campaign="spring", store="postgresql://x@127.0.0.1:1/x",
                   account={"name": "main"}, files=files | {name: b"c"})
        packed.write_bytes(sealed(bad, "a word told by telephone"))
        second("campaign", "join", str(packed), *word_option, status=2)
    assert not second.home.exists() or not list(second.home.rglob("*"))
    (tmp_path / "wrong").write_text("another\n")
    (tmp_path / "wrong").chmod(0o600)
    told = second("campaign", "join", str(packed), "--passphrase-file", str(tmp_path / "wrong"),
                  status=2)
    assert "passphrase does not open it" in told.err


@pytest.mark.parametrize("group", ["file"], indirect=True)
def test_a_ledger_in_one_home_is_not_shared(group: Here, tmp_path: Path, word: Path) -> None:
    from test_campaign_rails import begin as begin_small

    begin_small(group, tmp_path, "kit")
    told = group("campaign", "pack", "spring", str(tmp_path / "p.age"), "--passphrase-file",
                 str(word), status=2).err
    assert "archive: store" in told
    assert not (tmp_path / "p.age").exists()
