"""Reminders where each member sends: in a kit, once, and never for a company that has answered."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest
from campaigners import KitLetter, letters_of
from inprocess import Here
from test_campaign_rails import begin, here
from test_campaign_remind import IN_TIME, LATE, cases, held, plan, put_out, remind

from dsar.core.letter import Stage

__all__ = ["here"]


def sent_from_kits(here: Here, folder: Path) -> list[str]:
    codes = begin(here, folder, "kit")
    here("campaign", "kit", "spring", "-o", str(folder / "kits"))
    put_out(here)
    return codes


def kit_letters(folder: Path) -> list[KitLetter]:
    return [one for kit in sorted(folder.glob("*.zip")) for one in letters_of(kit)]


def copy(folder: Path, member: str, letter: KitLetter, name: str,
         on: str = "Mon, 04 Jan 2027") -> Path:
    """The blind copy of a letter, as the member's mail program sends it."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = member, letter.to, letter.subject
    message["Message-ID"] = f"<{name}@roe.example>"
    message["Date"] = f"{on} 10:00:00 +0000"
    message.set_content(letter.body)
    (folder / f"{name}.eml").write_bytes(message.as_bytes())
    return folder / f"{name}.eml"


def test_reminders_come_in_a_kit_once(here: Here, tmp_path: Path) -> None:
    sent_from_kits(here, tmp_path)
    assert (plan(here, IN_TIME)["letters"], plan(here)["letters"]) == (0, 4)
    out = tmp_path / "reminders"
    assert "-o FOLDER" in remind(here, 4, status=2)
    assert "2 kits with 4 reminders" in remind(here, 4, "-o", str(out))
    assert all("Reminder" in one.subject for one in kit_letters(out))
    assert all("on my behalf" not in one.body for one in kit_letters(out))
    assert {c.approved and (c.approved.channel, c.approved.stage) for c in cases(here)} == {
        ("kit", Stage.REMINDER)}
    assert held(here) == {"queued": 4}
    assert "0 kits" in here("campaign", "remind", "spring", "-o", str(tmp_path / "again"),
                            today=LATE).err
    assert not list((tmp_path / "again").iterdir())


def test_a_kit_that_was_not_written_to_the_disk_comes_with_the_next_run(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent_from_kits(here, tmp_path)
    out = tmp_path / "reminders"
    out.mkdir()
    for code in {c.facts.subject_id for c in cases(here)}:
        (out / f"reminders-{code}.zip").mkdir()
    remind(here, 4, "-o", str(out), status=None)
    for left in out.iterdir():
        left.rmdir()
    here("campaign", "remind", "spring", "--confirm", str(plan(here)["letters"]), "-o", str(out),
         today=LATE)
    assert len(kit_letters(out)) == 4
    assert len({one.subject for one in kit_letters(out)}) == 4


def test_a_copy_of_the_request_is_no_proof_that_the_reminder_went(
    here: Here, tmp_path: Path
) -> None:
    code = begin(here, tmp_path, "kit")[0]
    here("campaign", "kit", "spring", "-o", str(tmp_path / "kits"))
    request = letters_of(tmp_path / "kits" / f"kit-{code}.zip")[0]
    first = copy(tmp_path, "jane@roe.example", request, "first")
    here("campaign", "import", "spring", str(first), "--member", code)
    put_out(here)
    remind(here, len([c for c in cases(here) if c.request]), "-o", str(tmp_path / "out"),
           today="2027-03-01")
    again = copy(tmp_path, "jane@roe.example", request, "again")
    for one in (first, again):
        here("campaign", "import", "spring", str(one), "--member", code, today="2027-03-01")
    assert not [s for c in cases(here) for s in c.letters if s.stage is not Stage.REQUEST]
    reminder = letters_of(tmp_path / "out" / f"reminders-{code}.zip")[0]
    older = copy(tmp_path, "jane@roe.example", reminder, "older", "Sun, 28 Feb 2027")
    here("campaign", "import", "spring", str(older), "--member", code, today="2027-03-01")
    assert not [s for c in cases(here) for s in c.letters if s.stage is Stage.REMINDER]
    sent = copy(tmp_path, "jane@roe.example", reminder, "reminder", "Mon, 01 Mar 2027")
    here("campaign", "import", "spring", str(sent), "--member", code, today="2027-03-01")
    went = [s for c in cases(here) for s in c.letters if s.stage is Stage.REMINDER]
    assert [s.message_id for s in went] == ["<reminder@roe.example>"]


def test_an_answer_is_no_proof_that_the_reminder_went_and_takes_it_out_of_the_kit(
    here: Here, tmp_path: Path
) -> None:
    code = sent_from_kits(here, tmp_path)[0]
    remind(here, 4, "-o", str(tmp_path / "out"))
    case = next(c for c in cases(here) if c.facts.subject_id == code)
    answer = EmailMessage()
    answer["From"], answer["To"] = case.facts.recipient or "", "jane@roe.example"
    answer["Subject"], answer["Message-ID"] = f"Re: [{case.facts.reference}]", "<a@alpha.example>"
    answer["Date"] = "Mon, 04 Jan 2027 10:00:00 +0000"
    answer.set_content("We hold no personal data about you.")
    (tmp_path / "answer.eml").write_bytes(answer.as_bytes())
    here("campaign", "import", "spring", str(tmp_path / "answer.eml"), "--member", code,
         today=LATE)
    after = next(c for c in cases(here) if c.id == case.id)
    assert len(after.replies) == 1
    assert [s.stage for s in after.letters] == [Stage.REQUEST]
    here("campaign", "kit", "spring", code, "--again", "-o", str(tmp_path / "more"), today=LATE)
    left = letters_of(tmp_path / "more" / f"kit-{code}.zip")
    assert len(left) == 1, "only the company that is silent is reminded"
    assert case.facts.reference not in left[0].subject


def test_a_company_excluded_since_comes_into_no_kit_again(here: Here, tmp_path: Path) -> None:
    code = begin(here, tmp_path, "kit")[0]
    here("campaign", "kit", "spring", "-o", str(tmp_path / "kits"))
    here("registry", "exclude", "alpha", "--reason", "in talks")
    here("campaign", "kit", "spring", code, "--again", "-o", str(tmp_path / "more"))
    assert [one.to for one in letters_of(tmp_path / "more" / f"kit-{code}.zip")] == [
        "dpo@beta.example"]
    assert all(case.closed is None for case in cases(here)), "the member may have sent it"
