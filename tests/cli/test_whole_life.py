"""The life of a case on real servers, from the request to its end, in eight kinds."""

from __future__ import annotations

import email
import json
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from command import Dsar, Result, write_companies
from servers.maillab import MailLab
from test_loop import letters_of, reply_to


def after(days: int) -> str:
    """A day so long after today: letters and answers of the lab bear the real date."""
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


NEXT, EARLY, SOON, LATE, LATER = after(2), after(16), after(57), after(78), after(88)


class Life:
    """One company, one case; every date is after the day of sending, which is today."""

    def __init__(self, dsar: Dsar, lab: MailLab, user: str, *, right: str = "access") -> None:
        self.dsar, self.lab, self.user, self.answers = dsar, lab, user, 0
        write_companies(dsar.home, {"acme": "privacy@acme.example"})
        more = ("--right", right) if right != "access" else ()
        sent = dsar("send", "acme", *more, "--confirm", "1", "--json")
        self.case = sent.lines[0]["case"]
        lab.wait_for(user, 1, "Sent")

    @property
    def letters(self) -> list[EmailMessage]:
        """Our letters as the company got them, in the order sent."""
        mine = [m for m in letters_of(self.lab, self.user) if "acme" in str(m["X-Original-To"])]
        return sorted(mine, key=lambda m: email.utils.parsedate_to_datetime(str(m["Date"])))

    def answer(self, text: str, *labels: str, until: str = "") -> EmailMessage:
        """The company answers our first letter, and the person confirms what it is."""
        self.answers += 1
        raw = reply_to(self.letters[0], text, number=self.answers)
        self.lab.put(self.user, raw)
        assert [line["case"] for line in self.dsar("poll", "--json").lines] == [self.case]
        events = self.dsar("case", "show", self.case, "--json").json["items"][0]["events"]
        digest = [e["digest"] for e in events if e["kind"] == "ReplyReceived"][-1]
        words = [word for label in labels for word in ("--label", label)]
        words += ["--until", until] if until else []
        if labels:
            self.dsar("inbox", "assign", digest, self.case, *words)
        return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]

    def remind(self, *more: str, today: str, status: int = 0) -> Result:
        return self.dsar("remind", self.case, *more, "--confirm", "1", "--json", today=today,
                         status=status)

    def status(self, today: str) -> dict[str, object]:
        items = self.dsar("status", "--json", today=today).json["items"]
        found: dict[str, object] = next(i for i in items if i["case"] == self.case)
        return found


@pytest.fixture
def life(on_lab: Dsar, lab: MailLab, user: str) -> Life:
    return Life(on_lab, lab, user)


def test_silence_reminder_second_reminder_complaint(life: Life) -> None:
    early = life.remind(today=EARLY, status=7)
    assert '"rail": "early"' in early.err
    assert re.search(r"due 2\d{3}-\d\d-\d\d.* may go from 2", json.loads(early.err)["message"])
    assert json.loads(life.dsar("complain", life.case, "--json", today=EARLY,
                                status=7).err)["rail"] == "early"

    assert life.remind(today=SOON).lines[0]["outcome"] == "sent"
    life.lab.wait_for(life.user, 2, "Sent")
    first, reminder = life.letters
    assert reminder["In-Reply-To"] == first["Message-ID"]
    assert str(first["Message-ID"]) in str(reminder["References"])
    assert reminder["Reply-To"] == first["Reply-To"]
    assert f"[DSAR-{life.case}]" in str(reminder["Subject"])
    assert f"reminded {SOON[5:]}" in life.dsar("status", today=SOON).out
    assert life.status(SOON)["reminded_on"] == SOON
    assert '"rail": "early"' in life.remind(today=after(62), status=7).err
    assert life.remind(today=LATE).lines[0]["outcome"] == "sent"
    life.lab.wait_for(life.user, 3, "Sent")
    assert "Berliner Beauftragte" in life.letters[2].get_content()
    assert '"rail": "twice"' in life.remind(today=LATER, status=7).err

    found = life.dsar("complain", life.case, "--json", today=LATER).json["items"][0]
    assert (found["authority"], found["lang"]) == ("de-berlbdi", "de")
    folder = life.dsar.home.parent / f"complaint-{life.case}"
    names = {p.name for p in folder.rglob("*") if p.is_file()}
    assert {"complaint.txt", "complaint.docx", "complaint.eml"} <= names
    text = (folder / "complaint.txt").read_text()
    assert "DSGVO" in text
    proof = next((folder / "annexes").glob("*-nachweis-der-versendung.txt")).read_text()
    assert "250 " in proof, "the server's words are kept"
    assert len(list((folder / "annexes").glob("*.eml"))) == 3
    assert life.status(LATER)["status"] == "overdue"

    asked = life.dsar("complain", life.case, "--send", "--json", today=LATER, status=8)
    assert "nobody can be asked" in asked.err
    done = life.dsar("complain", life.case, "--send", "--confirm", "1", "--json", today=LATER)
    assert done.lines[0]["outcome"] == "sent"
    assert done.lines[0]["to"] == "mailbox@datenschutz-berlin.de"
    kinds = [e["kind"] for e in life.dsar("case", "show", life.case, "--json"
                                          ).json["items"][0]["events"]]
    assert kinds[-1] == "ComplaintLodged"
    letter = next(m for m in letters_of(life.lab, life.user) if "berlin" in str(m["To"]))
    life.lab.put(life.user, reply_to(letter, "We have received your complaint.", number=9))
    (line,) = life.dsar("poll", "--json").lines
    assert (line["case"], line["candidates"]) == (None, [life.case]), "not the company's word"
    again = life.dsar("complain", life.case, "--send", "--confirm", "1", "--json", today=LATER,
                      status=7)
    assert '"rail": "duplicate"' in again.err


def test_a_demand_for_an_identity_document_is_questioned_in_the_thread(life: Life) -> None:
    answer = life.answer("Please send us a copy of your passport.", "identity_request")
    held = life.remind(today=NEXT, status=7)
    assert "--asked-for" in json.loads(held.err)["hint"]
    life.remind("--asked-for", "a copy of my passport", today=NEXT)
    life.lab.wait_for(life.user, 2, "Sent")
    letter = life.letters[1]
    assert letter["In-Reply-To"] == answer["Message-ID"]
    assert "You ask for a copy of my passport" in " ".join(letter.get_content().split())
    assert "passport" not in life.letters[0].get_content()


def test_an_extension_in_time_waits_until_its_own_end(life: Life) -> None:
    life.answer("We need more time because of the complexity of your request.",
                "extension_notice", until=after(80))
    assert life.status(SOON)["status"] == "extended"
    held = json.loads(life.remind(today=SOON, status=7).err)
    assert held["rail"] == "early"
    assert str(life.status(SOON)["extended_due"]) in held["message"]
    assert life.remind(today=after(110)).lines[0]["outcome"] == "sent"


def test_a_late_extension_moves_nothing(life: Life) -> None:
    life.dsar("case", "extend", life.case, "--until", after(120), "--on", SOON, today=SOON)
    assert life.status(SOON)["extended_due"] is None
    life.dsar("remind", life.case, "--dodge", "extension-late", "--confirm", "1", today=after(58),
              status=7)
    assert life.remind(today=after(58)).lines[0]["outcome"] == "sent"


def test_a_partial_answer_is_completed_item_by_item_and_may_be_complained_of(life: Life) -> None:
    life.answer("Attached is part of your data.", "partial_fulfilment")
    assert "case check" in json.loads(life.remind(today=NEXT, status=7).err)["hint"]
    assert "nothing that the request asked for" in life.dsar(
        "case", "check", life.case, "--missing", "money", status=2).err
    life.dsar("case", "check", life.case, "--missing", "recipients,source", "--has", "copy")
    shown = life.dsar("case", "check", life.case, "--json").json
    assert shown["summary"]["missing"] == 2
    plan = life.dsar("remind", life.case, "-n", "--json", today=NEXT).lines
    assert [(i["stage"], i["dodge"]) for i in plan] == [("follow-up", "incomplete")]
    life.remind(today=NEXT)
    life.lab.wait_for(life.user, 2, "Sent")
    text = " ".join(life.letters[1].get_content().split())
    assert "recipients" in text
    assert "a copy of the data" not in text
    assert life.dsar("complain", life.case, "--json", today=NEXT).json["items"]


def test_a_refusal_is_questioned_and_may_be_complained_of_at_once(life: Life) -> None:
    life.answer("We refuse your request.", "refusal")
    assert life.remind(today=NEXT).lines[0]["outcome"] == "sent"
    found = life.dsar("complain", life.case, "--format", "text", "--json",
                      today=NEXT).json["items"][0]
    assert found["because"].startswith("you live in DE-BE")


def test_a_wrong_controller_is_asked_for_whom_it_works(life: Life) -> None:
    life.answer("We are only a processor; please write to Acme Data Ltd.",
                "redirect_to_other_controller")
    plan = life.dsar("remind", life.case, "-n", "--json", today=NEXT).lines
    assert plan[0]["dodge"] == "not_controller"
    life.remind(today=NEXT)
    life.lab.wait_for(life.user, 2, "Sent")
    assert "for whom you process" in " ".join(life.letters[1].get_content().split())


def test_an_account_deleted_in_answer_to_a_question_is_no_answer(life: Life) -> None:
    life.answer("Your account and all your data have been deleted.", "fulfilled_erasure")
    state = life.status(NEXT)
    assert state["status"] == "needs-you"
    assert "you asked for access" in str(state["why"])
    assert json.loads(life.remind(today=NEXT, status=7).err)["rail"] == "missing"
    life.dsar("case", "check", life.case, "--missing", "copy,source")
    assert life.remind(today=NEXT).lines[0]["outcome"] == "sent"
    assert life.status(NEXT)["status"] != "answered"


def test_a_bounce_and_a_corrected_address_stay_one_case(
    on_lab: Dsar, lab: MailLab, user: str
) -> None:
    write_companies(on_lab.home, {"acme": "gone@bounce.test"})
    case = on_lab("send", "acme", "--confirm", "1", "--json").lines[0]["case"]
    lab.wait_for(user, 1)
    on_lab("poll")
    assert '"rail": "unsent"' in on_lab("remind", case, "--confirm", "1", "--json",
                                        today=SOON, status=7).err
    write_companies(on_lab.home, {"acme": "privacy@acme.example"})
    again = on_lab("send", "acme", "--confirm", "1", "--json").lines[0]
    assert (again["case"], again["to"], again["outcome"]) == (case, "privacy@acme.example", "sent")
    assert on_lab("remind", case, "--confirm", "1", "--json", today=SOON
                  ).lines[0]["to"] == "privacy@acme.example"


def test_an_erasure_is_checked_months_later_by_a_case_that_names_it(
    on_lab: Dsar, lab: MailLab, user: str, tmp_path: Path
) -> None:
    write_companies(on_lab.home, {"acme": "privacy@acme.example"})
    case = on_lab("send", "acme", "--right", "erasure", "--anyway", "--reason", "they answered "
                  "on paper", "--confirm", "1", "--json").lines[0]["case"]
    on_lab("case", "close", case, "--outcome", "erased")
    early = on_lab("verify-erasure", case, "--confirm", "1", "--json", today=after(150), status=7)
    assert '"rail": "early"' in early.err
    assert on_lab("verify-erasure", "-n", "--json", today=after(150)).lines == []
    plan = on_lab("verify-erasure", "-n", "--json", today=after(190)).lines
    assert [(i["company"], i["right"]) for i in plan] == [("acme", "access")]
    done = on_lab("verify-erasure", "--confirm", "1", "--json", today=after(190)).lines[0]
    assert done["outcome"] == "sent"
    events = on_lab("case", "show", done["case"], "--json").json["items"][0]["events"]
    assert events[0]["follows"] == case
    assert on_lab("verify-erasure", "-n", "--json", today=after(191)).lines == []


def test_a_reminder_that_waits_does_not_go_out_once_an_answer_has_come(life: Life) -> None:
    config = life.dsar.home / "config.yaml"
    normal = config.read_text()
    config.write_text(normal.replace(str(life.lab.ports.submission), "9"))
    life.remind(today=SOON, status=5)
    assert [i["stage"] for i in life.dsar("queue", "list", "--json", today=SOON).json["items"]
            ] == ["reminder"]
    config.write_text(normal)
    life.answer("Here is everything we hold about you.", "fulfilled_access")
    assert "approved letter held" in life.dsar("run", "--json", today=SOON, status=3).err
    held = life.dsar("remind", life.case, "-n", "--json", today=SOON).lines
    assert "a message has come" in held[0]["why"]
    assert len(life.letters) == 1


def test_a_reminder_that_waits_goes_out_once_and_counts_once(life: Life) -> None:
    config = life.dsar.home / "config.yaml"
    normal = config.read_text()
    config.write_text(normal.replace(str(life.lab.ports.submission), "9"))
    life.remind(today=SOON, status=5)
    config.write_text(normal)
    plan = life.dsar("remind", life.case, "-n", "--json", today=SOON).lines
    assert [i.get("queued") for i in plan] == [True]
    life.dsar("run", "--json", today=SOON)
    life.lab.wait_for(life.user, 2, "Sent")
    assert len(life.letters) == 2
    assert life.remind(today=after(60), status=7).lines == []


def test_the_evidence_of_a_life_is_verified_without_dsar(life: Life, tmp_path: Path) -> None:
    life.answer("We refuse your request.", "refusal")
    life.remind(today=NEXT)
    path = tmp_path / "evidence.zip"
    life.dsar("case", "evidence", life.case, "-o", str(path), today=NEXT)
    first = path.read_bytes()
    life.dsar("case", "evidence", life.case, "-o", str(path), today=NEXT)
    assert path.read_bytes() == first, "equal input, equal bytes"
    with zipfile.ZipFile(path) as archive:
        (tmp_path / "verify.py").write_bytes(archive.read("verify.py"))
        assert len([n for n in archive.namelist() if n.startswith("mail/")]) == 3
        assert "250 " in archive.read("timeline.txt").decode()
    done = subprocess.run([sys.executable, "-I", str(tmp_path / "verify.py"), str(path)],
                          capture_output=True, text=True, check=False)
    assert done.stdout.startswith("verified:"), done.stderr
