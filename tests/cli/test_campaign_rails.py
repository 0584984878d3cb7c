"""Rails of a campaign, from the command line: mandates, waves, sealed answers, what is deleted."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from command import write_companies
from inprocess import ALEX, Here, reply

from dsar.campaign.planning import choose_wave, survey
from dsar.campaign.roster import load_members
from dsar.campaign.waves import open_cases
from dsar.cli.app import App
from dsar.cli.campaigning import Room
from dsar.cli.options import Settings
from dsar.core.case import LetterSent, SendAttempted
from dsar.store.tiny import TinyStore

ACCOUNT = """
accounts:
  - name: main
    address: group@rights.example
    smtp: {host: 127.0.0.1, port: 9, security: none}
    auth: none
    maildir: mail
    sent_copy: none
    limits: off
"""
KEEPER = ("--passphrase-command", "echo secret")
COMPANIES = {"alpha": "dpo@alpha.example", "beta": "dpo@beta.example"}
MEMBERS = """name,email,residence,consent,analysis
Jane Roe,jane@roe.example,DE,yes,no
Bob Poe,bob@poe.example,DE,yes,yes
"""
ANSWER = "We hold no personal data about you. Quittengelee."


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Here:
    found = Here(tmp_path / "home", monkeypatch, capsys)
    write_companies(found.home, COMPANIES)
    (found.home / "config.yaml").write_text(ACCOUNT)
    for part in ("cur", "new", "tmp"):
        (found.home / "mail" / part).mkdir(parents=True)
    (tmp_path / "consent.txt").write_text("I agree.\n")
    (tmp_path / "members.csv").write_text(MEMBERS)
    return found


def begin(here: Here, folder: Path, mode: str, name: str = "spring", *more: str) -> list[str]:
    """A campaign with two members and two companies; returns the members' codes."""
    here("campaign", "init", name, "--organisation", "Rights Group", "--contact",
         "c@rights.example", "--mode", mode, "--consent", str(folder / "consent.txt"),
         "--purge-on", "2027-11-01", *more, *KEEPER)
    here("campaign", "targets", name, *COMPANIES)
    here("campaign", "add-members", name, str(folder / "members.csv"))
    return [i["member"] for i in here.items("campaign", "members", name)]


def issue(here: Here, folder: Path, *more: str) -> Path:
    here("campaign", "mandate", "issue", "spring", "-o", str(folder / "papers"), *more)
    return folder / "papers"


def sign(here: Here, source: Path, *more: str, status: int = 0) -> str:
    return here("campaign", "mandate", "sign", "spring", str(source), "--how", "pen",
                "--signed-on", "2026-11-24", *more, status=status).err


def sign_all(here: Here, folder: Path) -> Path:
    papers = issue(here, folder)
    for paper in papers.iterdir():
        paper.write_bytes(paper.read_bytes() + b"% signed by pen\n")
    assert "2 mandates recorded" in sign(here, papers)
    return papers


def planned(here: Here) -> int:
    found: int = here("campaign", "send", "spring", "-n", "--json").json["summary"]["letters"]
    return found


def send(here: Here, letters: int) -> None:
    here("campaign", "send", "spring", "--confirm", str(letters), "--by", "Ann")
    here("campaign", "approve", "spring", "1", "--yes", "--by", "Bea")


def opened(here: Here) -> TinyStore:
    return TinyStore(here.home / "ledger", write=True, now=lambda: datetime.now(UTC),
                     author="test")


def send_and_answer(here: Here) -> None:
    """As if all letters had gone out and each company had answered in the thread."""
    store, at = opened(here), datetime(2026, 11, 24, 9, tzinfo=UTC)
    for case in list(store.cases()):
        approved = case.approved
        if approved is None or case.facts.campaign is None:
            continue
        store.append(case.id, [
            SendAttempted(on=at.date(), at=at, message_id=approved.message_id, account="main",
                          recipient=approved.recipient),
            LetterSent(on=at.date(), message_id=approved.message_id, stage=approved.stage,
                       recipient=approved.recipient)], after=case.version)
        message = EmailMessage()
        message["From"], message["To"] = approved.recipient, case.facts.reply_address
        message["Subject"] = f"Re: Marmelade [{case.facts.reference}]"
        message["In-Reply-To"] = approved.message_id
        message["Message-ID"] = f"<{case.id}@x.example>"
        message["Date"] = "Tue, 24 Nov 2026 10:00:00 +0000"
        message.set_content(ANSWER)
        (here.home / "mail" / "new" / case.id).write_bytes(message.as_bytes())
    store.close()
    here("poll")
    for left in (here.home / "mail").rglob("*"):
        if left.is_file():
            left.unlink()


def words_in(home: Path, *words: str) -> list[str]:
    """Which of the words stand in which file, whatever the case."""
    return [f"{word} in {path.relative_to(home)}" for path in home.rglob("*") if path.is_file()
            for word in words if word.lower().encode() in path.read_bytes().lower()]


def test_a_paper_nobody_signed_is_no_mandate(here: Here, tmp_path: Path) -> None:
    begin(here, tmp_path, "mandate")
    assert "nobody signed it" in sign(here, issue(here, tmp_path), status=3)
    assert planned(here) == 0


def test_a_paper_of_somebody_else_is_no_mandate(here: Here, tmp_path: Path) -> None:
    first, second = begin(here, tmp_path, "mandate")
    papers = issue(here, tmp_path)
    paper = papers / f"mandate-{first}.pdf"
    assert "is the paper of" in sign(here, paper, "--member", second, status=3)
    paper.write_bytes(paper.read_bytes() + b"% signed\n")
    sign(here, paper)
    assert "is the paper of" in sign(here, paper, "--member", second, status=3)


def test_a_mandate_is_no_wider_than_its_paper(here: Here, tmp_path: Path) -> None:
    code = begin(here, tmp_path, "mandate")[0]
    paper = issue(here, tmp_path) / f"mandate-{code}.pdf"
    paper.write_bytes(paper.read_bytes() + b"% signed\n")
    for wider in (("--answers-to", "holder"), ("--right", "erasure"), ("--only", "gamma"),
                  ("--signed-on", "2026-11-23"), ("--signed-on", "2026-11-25")):
        sign(here, paper, *wider, status=3)
    assert planned(here) == 0
    sign(here, paper, "--only", "beta")
    assert planned(here) == 1


def test_a_mandate_taken_back_stays_so_when_the_folder_is_read_again(
    here: Here, tmp_path: Path
) -> None:
    code = begin(here, tmp_path, "mandate")[0]
    papers = sign_all(here, tmp_path)
    sign(here, papers)
    assert planned(here) == 4
    here("campaign", "mandate", "revoke", "spring", code)
    assert "taken back" in sign(here, papers, status=3)
    assert planned(here) == 2
    here("campaign", "mandate", "revoke", "spring", code)


def test_whoever_leaves_or_revokes_takes_back_what_waits(here: Here, tmp_path: Path) -> None:
    first, second = begin(here, tmp_path, "mandate")
    sign_all(here, tmp_path)
    send(here, 4)
    assert "2 letters withdrawn" in here("campaign", "mandate", "revoke", "spring", first).err
    assert "2 letters withdrawn" in here("campaign", "leave", "spring", second).err
    assert not [c for c in here.items("case", "list") if c["status"] == "unsent"]


def test_a_wave_that_broke_off_is_finished_before_another_is_planned(
    here: Here, tmp_path: Path
) -> None:
    begin(here, tmp_path, "mandate")
    sign_all(here, tmp_path)
    store = opened(here)
    room = Room.of(App(Settings(), os.environ), store, "spring")
    outlook = survey(load_members(store, room.campaign), room.planner({}))
    list(open_cases(choose_wave(outlook, 3), 1, room.writing({})))
    store.close()
    shown = here("campaign", "send", "spring", "--by", "Ann").err
    assert "Wave 1: 3 letters written" in shown
    here("campaign", "send", "spring", "--by", "Ann", status=7)
    assert planned(here) == 1


def test_nobody_acts_under_no_name_or_that_of_the_program(here: Here, tmp_path: Path) -> None:
    begin(here, tmp_path, "mandate")
    sign_all(here, tmp_path)
    for name in (" ", "dsar", "DSAR "):
        here("campaign", "send", "spring", "--confirm", "4", "--by", name, status=2)


def test_replies_are_filed_sealed_and_only_the_keeper_opens_what_was_not_shared(
    here: Here, tmp_path: Path
) -> None:
    jane, bob = begin(here, tmp_path, "mandate")
    sign_all(here, tmp_path)
    send(here, 4)
    send_and_answer(here)
    assert here("campaign", "progress", "spring", "--json").json["summary"]["acknowledged"] == 4
    for code in (jane, bob):
        out = tmp_path / code
        here("campaign", "export", "spring", code, "-o", str(out), "--passphrase-command",
             "echo wrong", status=2)
        here("campaign", "export", "spring", code, "-o", str(out), *KEEPER)
        files = sorted(out.iterdir())
        assert len(files) == 6  # mandate, two letters, two answers, what each is
        assert sum(ANSWER.encode() in f.read_bytes() for f in files) == 2
        assert {f.stat().st_mode & 0o777 for f in files} == {0o600}
    store = opened(here)
    room = Room.of(App(Settings(), os.environ), store, "spring")
    readable = {c.facts.subject_id: b"Quittengelee" in _read(room, c.replies[0].received.digest)
                for c in store.cases()}
    store.close()
    assert readable == {jane: False, bob: True}
    archive, ledger = here.home / "archive", (here.home / "ledger" / "ledger.jsonl").read_text()
    assert words_in(archive, "Quittengelee", "Marmelade", "Jane Roe") == []
    assert ledger.count("Marmelade") == 2  # the subjects of whoever lets the group read
    assert "roe.example" not in ledger


def _read(room: Room, digest: str) -> bytes:
    from dsar.store.sealing import Locked

    try:
        return room.archive.read(digest)
    except Locked:
        return b""


def test_commands_for_one_person_say_whose_it_is(here: Here, tmp_path: Path) -> None:
    jane, _ = begin(here, tmp_path, "mandate")
    sign_all(here, tmp_path)
    send(here, 4)
    send_and_answer(here)
    here("person", "add", *ALEX)
    case = next(c["case"] for c in here.items("case", "list") if c["person"] == jane)
    for command in (("status",), ("case", "show", case), ("case", "show", case, "--explain"),
                    ("deadlines",), ("report", "text"), ("inbox", "list")):
        shown = here(*command)
        assert not re.search("Quittengelee|roe\\.example|Traceback", shown.out + shown.err)
    for word in ("remind", "complain"):
        told = here(word, case, status=None)
        assert "Held" in told.out + told.err
    assert f"campaign forget spring {jane}" in here("forget", "person", jane, status=2).err
    refused = here("export", "--person", jane, "-o", str(tmp_path / "x.zip"), status=2)
    assert "campaign export" in refused.err
    assert "send --all" not in here("status").out


def test_a_member_who_is_forgotten_leaves_nothing_and_others_keep_theirs(
    here: Here, tmp_path: Path
) -> None:
    jane, bob = begin(here, tmp_path, "mandate")
    sign_all(here, tmp_path)
    send(here, 4)
    send_and_answer(here)
    here("campaign", "forget", "spring", jane, "--yes")
    assert [i["member"] for i in here.items("campaign", "members", "spring")] == [bob]
    assert words_in(here.home, jane, "jane", "roe.example") == []
    here("campaign", "export", "spring", bob, "-o", str(tmp_path / "bob"), *KEEPER)
    assert len(list((tmp_path / "bob").iterdir())) == 6


def test_a_purge_leaves_nothing_of_the_members_and_all_of_everybody_else(
    here: Here, tmp_path: Path
) -> None:
    here("person", "add", *ALEX)
    codes = begin(here, tmp_path, "mandate")
    other = begin(here, tmp_path, "kit", "summer")
    sign_all(here, tmp_path)
    send(here, 4)
    send_and_answer(here)
    here("campaign", "kit", "summer", "-o", str(tmp_path / "kits"))
    here("campaign", "close", "spring", "--purge", "--yes", status=7)
    here("campaign", "close", "spring", "--purge", "--early", "--yes")
    assert words_in(here.home, *codes, "alpha.example>", "Quittengelee", "Marmelade") == []
    assert not list((here.home / "campaigns" / "spring").glob("*.key*"))
    assert [i["member"] for i in here.items("campaign", "members", "summer")] == other
    for code in other:
        here("campaign", "export", "summer", code, "-o", str(tmp_path / code), *KEEPER)
        assert len(list((tmp_path / code).glob("*.eml"))) == 2
    for command in (("kit", "spring", "-o", str(tmp_path / "k")), ("targets", "spring", "alpha"),
                    ("send", "spring")):
        here("campaign", *command, status=2)


def test_mail_that_somebody_else_still_needs_outlives_the_purge(
    here: Here, tmp_path: Path
) -> None:
    begin(here, tmp_path, "mandate")
    sign_all(here, tmp_path)
    send(here, 4)
    store = opened(here)
    from dsar.campaign.closing import plan_purge
    from dsar.campaign.roster import load_campaign
    from dsar.core.case import CaseOpened, LetterApproved
    from dsar.core.letter import Stage

    shared = next(c for c in store.cases() if c.approved)
    assert shared.approved is not None
    store.append("ZZZZ-ZZZZ", [
        CaseOpened(on=shared.facts.on, case_id="ZZZZ-ZZZZ", reference="DSAR-ZZZZ-ZZZZ",
                   subject_id="alex", controller="alpha", controller_name="Alpha", right="access",
                   regime="eu-gdpr", language="en", country="DE", recipient="dpo@alpha.example"),
        LetterApproved(on=shared.facts.on, stage=Stage.REQUEST, message_id="<z@example.org>",
                       digest=shared.approved.digest, recipient="dpo@alpha.example",
                       account="main")], after=0)
    going = plan_purge(store, load_campaign(store, "spring"))
    store.close()
    assert shared.approved.digest not in going.files
    assert len(going.cases) == 4


def test_a_kit_comes_again_as_it_was_and_names_its_member_nowhere(
    here: Here, tmp_path: Path
) -> None:
    code = begin(here, tmp_path, "kit")[0]
    here("campaign", "kit", "spring", "-o", str(tmp_path / "kits"))
    first = (tmp_path / "kits" / f"kit-{code}.zip").read_bytes()
    (tmp_path / "kits" / f"kit-{code}.zip").unlink()
    assert "0 kits" in here("campaign", "kit", "spring", "-o", str(tmp_path / "kits")).err
    here("campaign", "kit", "spring", code, "--again", "-o", str(tmp_path / "kits"))
    assert (tmp_path / "kits" / f"kit-{code}.zip").read_bytes() == first
    assert len(here.items("case", "list")) == 4
    assert words_in(here.home, "jane", "roe.example") == []


def test_what_a_member_writes_is_no_answer_of_the_company(here: Here, tmp_path: Path) -> None:
    code = begin(here, tmp_path, "kit")[0]
    here("campaign", "kit", "spring", "-o", str(tmp_path / "kits"))
    case = next(c["case"] for c in here.items("case", "list") if c["person"] == code)
    message = EmailMessage()
    message["From"], message["To"] = "jane@roe.example", "group@rights.example"
    message["Subject"] = f"Question about DSAR-{case}"
    message.set_content("They hold no personal data about me, they say?")
    (tmp_path / "question.eml").write_bytes(message.as_bytes())
    shown = here("campaign", "import", "spring", str(tmp_path / "question.eml"), status=3)
    assert "holds no answer" in shown.err
    assert words_in(here.home, "roe.example") == []


def test_the_account_is_not_changed_under_letters_that_wait(here: Here, tmp_path: Path) -> None:
    begin(here, tmp_path, "mandate")
    sign_all(here, tmp_path)
    send(here, 4)
    shown = here("campaign", "change", "spring", "--account", "other", "--reason", "new", status=2)
    assert "4 letters wait" in shown.err
    here("campaign", "change", "spring", "--purge-on", "2028-01-01", "--reason", "x", status=2)


def test_mail_for_one_person_is_filed_beside_a_campaign(here: Here, tmp_path: Path) -> None:
    begin(here, tmp_path, "mandate")
    sign_all(here, tmp_path)
    send(here, 4)
    (tmp_path / "stray.eml").write_bytes(reply(1, ANSWER))
    here("inbox", "read", str(tmp_path / "stray.eml"))


@pytest.mark.parametrize("mode", ["kit", "mandate"])
def test_an_erasure_waits_for_access_unless_the_campaign_says_why_not(
    here: Here, tmp_path: Path, mode: str
) -> None:
    begin(here, tmp_path, mode, "spring", "--right", "erasure")
    if mode == "kit":
        told = here("campaign", "kit", "spring", "-o", str(tmp_path / "kits"), status=3).err
        assert "access comes first" in told
    else:
        sign_all(here, tmp_path)
        plan = here("campaign", "send", "spring", "-n", "--json").json["summary"]
        assert plan["letters"] == 0
        assert {held["rail"] for held in plan["held"]} == {"erasure"}


def test_a_campaign_that_erases_at_once_has_its_reason_with_every_letter(
    here: Here, tmp_path: Path
) -> None:
    begin(here, tmp_path, "kit", "spring", "--right", "erasure",
          "--erase-because", "answers of last year are here")
    here("campaign", "kit", "spring", "-o", str(tmp_path / "kits"))
    store = opened(here)
    cases = list(store.cases())
    store.close()
    assert len(cases) == 4
    assert {(o.rail, o.reason) for case in cases for o in case.overrides} == {
        ("erasure", "answers of last year are here")}
    assert all(case.overrides and case.approved for case in cases)
