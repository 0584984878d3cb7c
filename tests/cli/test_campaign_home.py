"""The commands for everything else in a home with a campaign: on a file and on PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from campaigners import opened_ledger
from inprocess import ALEX, Here
from test_campaign_rails import COMPANIES, KEEPER, begin, send, sign_all

from dsar.core.case import LetterSent, SendAttempted

SECRET = "Quittengelee"
NAMES = ("roe.example", "poe.example", "Jane Roe", "Bob Poe")
AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
def here(group: Here) -> Here:
    return group


def on_postgres(here: Here) -> bool:
    return "postgresql" in (here.home / "config.yaml").read_text()


def drop(here: Here, name: str, sender: str, to: str, subject: str, text: str, thread: str = ""
         ) -> None:
    """One mail into the group's mailbox."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"], message["Date"] = f"<{name}@x.example>", "Tue, 24 Nov 2026 10:00 +0000"
    if thread:
        message["In-Reply-To"] = thread
    message.set_content(text)
    (here.home / "mail" / "new" / name).write_bytes(message.as_bytes())


def mark_sent(here: Here) -> None:
    """As if all letters that wait had gone out."""
    store = opened_ledger(here.home)
    for case in list(store.cases()):
        if (approved := case.approved) is not None:
            store.append(case.id, [
                SendAttempted(on=AT.date(), at=AT, message_id=approved.message_id,
                              account="main", recipient=approved.recipient),
                LetterSent(on=AT.date(), message_id=approved.message_id, stage=approved.stage,
                           recipient=approved.recipient)], after=case.version)
    store.close()


def answer_all(here: Here) -> None:
    """Each company answers each letter in its thread, and once without naming any."""
    store = opened_ledger(here.home)
    for case in store.cases():
        drop(here, case.id, case.facts.recipient or "", case.facts.reply_address or "",
             f"Re: {SECRET} [{case.facts.reference}]",
             f"We hold no personal data about you. {SECRET}.", case.message_ids[0])
    store.close()
    drop(here, "stray", COMPANIES["alpha"], "group@rights.example", f"Your request, {SECRET}",
         f"We have received your request for access to personal data. {SECRET} for Jane Roe.")


@pytest.fixture
def answered(here: Here, tmp_path: Path) -> tuple[Here, str, str]:
    """Two members, the second lets the group read: four letters are out and answered."""
    jane, bob = begin(here, tmp_path, "mandate")
    sign_all(here, tmp_path)
    send(here, 4)
    mark_sent(here)
    answer_all(here)
    here("run", "--json")
    return here, jane, bob


def said(here: Here, *command: str, status: int | None = 0) -> str:
    shown = here(*command, status=status)
    assert "Traceback" not in shown.err
    return shown.out + shown.err


def test_doctor_of_a_group_misses_no_person(here: Here, tmp_path: Path) -> None:
    begin(here, tmp_path, "mandate")
    shown = said(here, "doctor")
    assert "!!" not in shown
    assert "campaign spring" in shown
    (here.home / "campaigns" / "spring" / "sending.key").unlink()
    assert "keys are not here" in said(here, "doctor", status=3)


def test_doctor_without_a_campaign_still_asks_for_a_person(here: Here) -> None:
    assert "dsar init" in said(here, "doctor", status=3)


def test_doctor_names_a_signed_mandate_that_is_gone(here: Here, tmp_path: Path) -> None:
    begin(here, tmp_path, "mandate")
    sign_all(here, tmp_path)
    store = opened_ledger(here.home)
    from dsar.campaign.roster import load_campaign, load_members

    signed = next(m.mandate.digest for m in load_members(store, load_campaign(store, "spring"))
                  if m.mandate)
    store.close()
    remove(here, signed)
    assert "1 mails named by the ledger" in said(here, "doctor", status=3)


def remove(here: Here, digest: str) -> None:
    import os

    from dsar.cli.app import App
    from dsar.cli.options import Settings

    App(Settings(), os.environ).archive.delete(digest)


def test_a_timer_polls_for_a_campaign_and_sends_nothing_of_it(
    here: Here, tmp_path: Path
) -> None:
    begin(here, tmp_path, "mandate")
    sign_all(here, tmp_path)
    here("campaign", "send", "spring", "--confirm", "4", "--by", "Ann")
    assert "held" not in said(here, "run"), "what a wave holds is no trouble of the timer"
    here("campaign", "approve", "spring", "1", "--yes", "--by", "Bea")
    said(here, "run")
    store = opened_ledger(here.home)
    assert [len(c.attempts) for c in store.cases()] == [0] * 4
    store.close()


def test_no_command_for_one_person_tells_what_members_did_not_share(
    answered: tuple[Here, str, str], tmp_path: Path
) -> None:
    here, jane, _ = answered
    cases = {c["case"]: c["person"] for c in here.items("case", "list")}
    sealed = [case for case, person in cases.items() if person == jane]
    waiting = next(i["message"] for i in here.items("inbox", "list") if not i["case"])
    commands: list[tuple[str, ...]] = [
        ("status",), ("status", "--json"), ("status", "--plain"), ("deadlines",),
        ("deadlines", "--json"), ("deadlines", "--format", "ics"), ("run",), ("poll", "--rescan"),
        ("inbox", "show", waiting), ("inbox", "export-examples"), ("report", "csv"),
        ("report", "text"), ("doctor",), ("plan", "--all")]
    confirmed = next(case for case, person in cases.items() if person != jane)
    filed = next(i["message"] for i in here.items("inbox", "list") if i["case"] == confirmed)
    here("inbox", "assign", filed, confirmed, "--label", "partial_fulfilment")
    assert "stated" not in said(here, "case", "check", confirmed)
    for case in sealed:
        commands += [("case", "show", case), ("case", "show", case, "--explain"),
                     ("case", "show", case, "--json"), ("case", "check", case),
                     ("case", "evidence", case, "-o", str(tmp_path / f"{case}.zip")),
                     ("remind", case), ("complain", case), ("verify-erasure", case)]
    assert f"campaign export spring {jane}" in said(
        here, "case", "evidence", sealed[0], "-o", str(tmp_path / "x.zip"), status=2)
    assert f"campaign export spring {jane}" in said(here, "complain", sealed[0], status=7)
    for command in commands:
        shown = said(here, *command, status=None)
        assert not re.search("|".join((SECRET, *NAMES)), shown), command


def test_what_a_poll_tells_of_sealed_answers_has_no_word_of_them(
    here: Here, tmp_path: Path
) -> None:
    _, bob = begin(here, tmp_path, "mandate")
    sign_all(here, tmp_path)
    send(here, 4)
    mark_sent(here)
    answer_all(here)
    lines = here("poll", "--json").lines
    told = {line["case"]: line for line in lines}
    people = {c["case"]: c["person"] for c in here.items("case", "list")}
    assert {case: bool(line["sentence"]) for case, line in told.items() if case} == {
        case: person == bob for case, person in people.items()}
    assert told[None]["sentence"] == "", "somebody it may concern shares nothing"
    assert told[None]["label"] == "acknowledgement"


def test_a_handover_of_a_member_goes_by_the_campaign(
    answered: tuple[Here, str, str], tmp_path: Path
) -> None:
    here, jane, bob = answered
    for code in (jane, bob):
        shown = said(here, "export", "--person", code, "-o", str(tmp_path / "x.zip"), status=2)
        assert f"dsar campaign export spring {code}" in shown
    shown = said(here, "export", "-o", str(tmp_path / "x.zip"), status=6)
    assert jane not in shown, "members are no people of the home"
    assert not (tmp_path / "x.zip").exists()
    here("person", "add", *ALEX)
    said(here, "export", "-o", str(tmp_path / "alex"))
    assert not [p for p in (tmp_path / "alex").rglob("*") if p.is_file()
                and SECRET.encode() in p.read_bytes()]


def test_a_backup_of_a_group_comes_back_whole(
    answered: tuple[Here, str, str], tmp_path: Path, make_here: Callable[[Path], Here]
) -> None:
    here, jane, _ = answered
    (tmp_path / "word").write_text("correct horse")
    (tmp_path / "word").chmod(0o600)
    command = ("backup", str(tmp_path / "b"), "--passphrase-file", str(tmp_path / "word"))
    if on_postgres(here):
        assert "campaigns" in said(here, *command, status=2)
        return
    said(here, *command)
    again = make_here(tmp_path / "again")
    shown = said(again, "restore", str(tmp_path / "b"), "--passphrase-file",
                 str(tmp_path / "word"))
    assert "4 cases" in shown
    assert "!!" not in said(again, "doctor")
    again("campaign", "export", "spring", jane, "-o", str(tmp_path / "jane"), *KEEPER)
    assert sum(SECRET.encode() in p.read_bytes() for p in (tmp_path / "jane").iterdir()) == 2


@pytest.fixture
def make_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
              ) -> Callable[[Path], Here]:
    return lambda home: Here(home, monkeypatch, capsys)
