"""A coordinator with the README section: from an empty folder to the public report."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from campaigners import KitLetter, address_of, begin, letters_of, mail, words_in
from command import write_companies
from inprocess import Here
from servers.maillab import MailLab
from test_json_schemas import check

COMPANIES = {"alpha": "dpo@alpha.example", "beta": "dpo@beta.example"}
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SECRET = "Quittengelee"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Here:
    found = Here(tmp_path / "home", monkeypatch, capsys)
    write_companies(found.home, COMPANIES)
    return found


def bcc_copy(member: str, letter: KitLetter) -> EmailMessage:
    """The member's letter as the drop address gets it: an id of the member's mail program."""
    return mail(member, letter.to, letter.subject, letter.body, date=NOW)


def answer(member: str, letter: KitLetter, text: str) -> EmailMessage:
    sender = letter.to
    return mail(sender, member, f"AW: {letter.subject}", text, date=NOW)


def forwarded(member: str, drop: str, inner: EmailMessage, *, attached: bool) -> EmailMessage:
    """As mail programs forward: the message attached, or its words quoted under a line."""
    text = "" if attached else (
        "\n-------- Weitergeleitete Nachricht --------\n"
        f"Betreff: {inner['Subject']}\nVon: {inner['From']}\nAn: {inner['To']}\n\n"
        + inner.get_content())
    found = mail(member, drop, f"Fwd: {inner['Subject']}", text or "siehe Anhang", date=NOW)
    if attached:
        found.add_attachment(inner)
    return found


def word_of(member: str) -> str:
    """A word that stands in the answer to this member alone."""
    return f"{SECRET}{member[:4]}"


def progress(here: Here) -> dict[str, Any]:
    shown = here("campaign", "progress", "spring", "--json").json
    check("campaign-progress", shown)
    found: dict[str, Any] = shown["summary"]
    return found


def test_rows_that_cannot_be_used_are_told_by_line_and_the_members_have_codes_only(
    here: Here, lab: MailLab, user: str, tmp_path: Path
) -> None:
    begin(here, tmp_path, lab, user, mode="kit", members=50, slugs=("alpha",))
    again = here("campaign", "add-members", "spring", str(tmp_path / "mitglieder.csv.bad.csv"),
                 "--map", "name=Vor- und Nachname,email=E-Mail,residence=Land,"
                 "consent=Einwilligung", "--json", status=3)
    check("members-added", again.json)
    assert [(r["line"], r["problem"].split(" m-")[0]) for r in again.json["items"]] == [
        (2, "no mail address"), (3, "no consent: a date such as 2026-11-22, or yes"),
        (4, "is member")]
    shown = here("campaign", "members", "spring", "--json").json
    check("members", shown)
    assert len(shown["items"]) == 50
    assert sum(m["analysis"] for m in shown["items"]) == 25
    check("campaigns", here("campaign", "list", "--json").json)
    check("targets", here("campaign", "targets", "spring", "--json").json)
    assert words_in(here.home, "Muster", "verein.example") == []


def test_members_send_from_kits_and_bring_answers_back_in_every_way(
    here: Here, lab: MailLab, user: str, tmp_path: Path
) -> None:
    begin(here, tmp_path, lab, user, mode="kit", members=50, slugs=("alpha", "beta"))
    shown = here("campaign", "kit", "spring", "-o", str(tmp_path / "kits"))
    assert "50 kits with 100 letters" in shown.err
    kits = sorted((tmp_path / "kits").glob("*.zip"))
    for number, kit in enumerate(kits):
        member = re.search(r"m\d\d\d@verein\.example", letters_of(kit)[0].body)
        assert member is not None
        first, second = letters_of(kit)
        lab.deliver(first.drop, bcc_copy(member[0], first).as_bytes())
        if number < 12:
            text = f"Wir verarbeiten keine Daten zu Ihrer Person ({word_of(member[0])})."
            one = answer(member[0], (first, second)[number % 2], text)
            lab.deliver(first.drop, forwarded(member[0], first.drop, one,
                                              attached=number % 3 > 0).as_bytes())
    back = here("campaign", "import", "spring", "--json")
    check("campaign-import", back.json)
    assert back.json["summary"] == {"filed": 12, "sent": 50, "left": 0}
    assert here("campaign", "import", "spring", "--json").json["summary"] == {
        "filed": 0, "sent": 0, "left": 0}, "nothing is filed twice"
    seen = progress(here)
    assert (seen["sent"], seen["acknowledged"], seen["kits"], seen["shared"]) == (56, 12, 50, 12)
    here("poll")
    assert progress(here)["acknowledged"] == 12, "what members brought is no second answer"
    first = letters_of(kits[0])[0]
    stray = forwarded("private@elsewhere.example", first.drop, answer(
        "x@verein.example", first, "Wir haben Ihren Antrag erhalten."), attached=False)
    lab.deliver(first.drop, stray.as_bytes())
    here("poll")
    assert not [i for i in here.items("inbox", "list") if not i["case"]], (
        "what comes to a drop address is for `import` alone")
    assert here("campaign", "import", "spring", "--json").json["summary"]["filed"] == 1
    closed_mouthed = [word_of(address_of(n)) for n in range(1, 50, 2)]
    assert words_in(here.home, *closed_mouthed) == []
    assert words_in(here.home, SECRET), "what members let the group read is read"
    ends(here, tmp_path)


def ends(here: Here, tmp_path: Path) -> None:
    """The public report, and the purge."""
    page = tmp_path / "report.html"
    here("campaign", "report", "spring", "html", "--public", "--provisional", "--invited", "80",
         "-o", str(page))
    assert "verein.example" not in page.read_text()
    assert not re.search(r"\bm-[0-9a-z]{8}\b", page.read_text())
    shown = here("campaign", "report", "spring", "json", "--public", "--provisional")
    check("report", shown.json)
    assert json.dumps(shown.json).count("verein.example") == 0
    here("campaign", "report", "spring", "codebook")
    here("campaign", "close", "spring", "--purge", "-y", status=7)
    assert here.items("campaign", "list")[0]["closed"] is False, "what is refused does nothing"
    here("campaign", "close", "spring", "--purge", "--early", "-y")
    check("campaigns", here("campaign", "list", "--json").json)
    assert here.items("campaign", "members", "spring") == []
    assert here.items("case", "list") == []


def sign(here: Here, tmp_path: Path) -> None:
    """What members bring back signed; an unsigned paper is none."""
    papers = tmp_path / "mandates"
    here("campaign", "mandate", "issue", "spring", "-o", str(papers))
    shown = here("campaign", "mandate", "sign", "spring", str(papers), "--how", "pen",
                 "--signed-on", "2026-11-24", status=3)
    assert "0 mandates recorded" in shown.err
    assert "Next" not in shown.err, "without a mandate there is nothing to send"
    (tmp_path / "signed").mkdir()
    for paper in papers.iterdir():
        (tmp_path / "signed" / paper.name).write_bytes(paper.read_bytes() + b"% by hand\n")
    here("campaign", "mandate", "sign", "spring", str(tmp_path / "signed"), "--how", "pen",
         "--signed-on", "2026-11-24")


def wave(here: Here, number: int) -> None:
    """One wave, as the group sends it: proposed, looked at, released, sent."""
    shown = here("campaign", "send", "spring", "--confirm", "50", "--by", "ada")
    assert "This wave: 50 of them" in shown.err
    assert f"Next: dsar campaign approve spring {number}" in shown.err
    here("campaign", "approve", "spring", str(number), "-y", "--by", "ada")
    here("campaign", "work", "spring")


def test_the_group_sends_with_mandates_and_answers_come_to_its_mailbox(
    here: Here, lab: MailLab, user: str, tmp_path: Path
) -> None:
    begin(here, tmp_path, lab, user, mode="mandate", members=50, slugs=("alpha", "beta"))
    who = tmp_path / "who.csv"
    here("campaign", "members", "spring", "--addresses", str(who))
    assert len(who.read_text().splitlines()) == 51
    assert who.stat().st_mode & 0o077 == 0
    assert "--without-mandate" in here("campaign", "send", "spring", "-n").err
    sign(here, tmp_path)
    plan = here("campaign", "send", "spring", "-n", "--json").json
    check("campaign-plan", plan)
    assert plan["summary"]["letters"] == 100
    here("campaign", "announce", "spring", "--letters", "50", "--from", "2026-12-01", "--send",
         "--confirm", "2")
    wave(here, 1)
    seen = progress(here)
    assert (seen["sent"], seen["paused"]) == (50, "wave 1 is out, nothing odd")
    here("campaign", "resume", "spring", "--reason", "looked at wave 1")
    wave(here, 2)
    assert progress(here)["sent"] == 100
    cases = here.items("case", "list")
    for case in cases[:20]:
        reply = mail(COMPANIES[case["company"]], user, f"Re: [DSAR-{case['case']}]",
                     f"We hold no personal data about you. {SECRET}", date=NOW)
        lab.deliver(user, reply.as_bytes())
    here("campaign", "work", "spring")
    seen = progress(here)
    assert seen["acknowledged"] == 20
    shown = [here("inbox", "show", i["message"]).out for i in here.items("inbox", "list")]
    assert {SECRET in text for text in shown} == {True, False}
    assert all((SECRET in text) != ("Sealed:" in text) for text in shown)
    leaver = here.items("campaign", "members", "spring")[0]["member"]
    assert "2 are out already" in here("campaign", "leave", "spring", leaver).err
    here("campaign", "mandate", "withdraw", "spring", leaver, "-o", str(tmp_path / "drafts"))
    assert len(list((tmp_path / "drafts").iterdir())) == 2
    ends(here, tmp_path)
