"""A complaint that may or may not have gone out, and one that came back."""

from __future__ import annotations

import email.utils
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from command import ALEX, Dsar
from inprocess import case_row, write_cases
from servers.cutproxy import Cut, CutProxy
from servers.maillab import MailLab
from test_loop import letters_of

BERLIN = "mailbox@datenschutz-berlin.de"
LATE = "2026-11-24"


def account(home: Path, user: str, port: int) -> None:
    """Sends through this port, reads a Maildir of its own."""
    (home / "config.yaml").write_text(f"""
accounts:
  - name: main
    address: {user}
    smtp: {{host: localhost, port: {port}, security: none}}
    auth: none
    maildir: mail
    sent_copy: none
    limits: off
""")
    for part in ("cur", "new", "tmp"):
        (home / "mail" / part).mkdir(parents=True, exist_ok=True)
        (home / "mail" / ".Sent" / part).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def overdue(dsar: Dsar, user: str) -> Dsar:
    """A home with one request that nobody answered, sent from the address of `user`."""
    dsar("person", "add", "alex", "--email", user, *ALEX)
    person = {"name": "Alex", "mailbox": user, "plus_address": user}
    account(dsar.home, user, 9)
    dsar("case", "import", str(write_cases(dsar.home / "cases.yaml", case_row(
        6, sent="2026-08-03", due="2026-09-03", data_subject=person))), today=LATE)
    return dsar


def kinds(dsar: Dsar) -> list[str]:
    return [e["kind"] for e in dsar("case", "show", "T06", "--json").json["items"][0]["events"]]


def complaint_in_doubt(
    dsar: Dsar, lab: MailLab, user: str, cut_proxy: Callable[..., CutProxy]
) -> EmailMessage:
    """The server takes the complaint and is gone before it says so; returns the letter."""
    proxy = cut_proxy(lab.ports.plain, Cut(when=b"\r\n.\r\n", pass_on=True))
    account(dsar.home, user, proxy.port)
    dsar("complain", "T06", "--send", "--confirm", "1", "--json", today=LATE, status=None)
    assert dsar("status", "--json", today=LATE).json["items"][0]["status"] == "in-doubt"
    assert "ComplaintLodged" not in kinds(dsar)
    return next(m for m in letters_of(lab, user) if BERLIN in str(m["To"]))


def test_a_complaint_found_in_the_sent_folder_was_lodged(
    overdue: Dsar, lab: MailLab, user: str, cut_proxy: Callable[..., CutProxy]
) -> None:
    letter = complaint_in_doubt(overdue, lab, user, cut_proxy)
    (overdue.home / "mail" / ".Sent" / "cur" / "1.lab:2,S").write_bytes(letter.as_bytes())
    overdue("poll", today=LATE)
    events = overdue("case", "show", "T06", "--json").json["items"][0]["events"]
    assert [e["kind"] for e in events[-2:]] == ["LetterSent", "ComplaintLodged"]
    assert events[-1]["authority"] == "de-berlbdi"
    assert events[-1]["message_id"] == letter["Message-ID"]
    overdue("poll", today=LATE)
    assert kinds(overdue).count("ComplaintLodged") == 1
    again = overdue("complain", "T06", "--send", "--confirm", "1", "--json", today=LATE, status=7)
    assert '"rail": "duplicate"' in again.err


def test_a_complaint_that_the_person_knows_to_be_out_was_lodged(
    overdue: Dsar, lab: MailLab, user: str, cut_proxy: Callable[..., CutProxy]
) -> None:
    complaint_in_doubt(overdue, lab, user, cut_proxy)
    overdue("case", "set", "T06", "sent", today=LATE)
    assert kinds(overdue)[-1] == "ComplaintLodged"


def test_a_complaint_that_came_back_was_not_lodged_and_can_be_sent_again(
    overdue: Dsar, lab: MailLab, user: str
) -> None:
    account(overdue.home, user, lab.ports.plain)
    overdue("complain", "T06", "--send", "--confirm", "1", "--json", today=LATE)
    assert kinds(overdue)[-1] == "ComplaintLodged"
    letter = next(m for m in letters_of(lab, user) if BERLIN in str(m["To"]))
    (overdue.home / "mail" / "new" / "1.lab").write_bytes(bounce_of(letter, user))
    overdue("poll", today=LATE)
    item = overdue("status", "--json", today=LATE).json["items"][0]
    assert (item["status"], item["why"]) == ("needs-you", "the complaint came back")
    done = overdue("complain", "T06", "--send", "--confirm", "1", "--json", today=LATE).lines[0]
    assert done["outcome"] == "sent"
    assert overdue("status", "--json", today=LATE).json["items"][0]["status"] == "overdue"


def bounce_of(letter: EmailMessage, user: str) -> bytes:
    """A delivery status notification (RFC 3464) that the address does not exist."""
    return (
        f"From: Mail Delivery System <MAILER-DAEMON@mx.example.org>\r\nTo: {user}\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\nDate: {email.utils.formatdate()}\r\n"
        "Message-ID: <bounce.1@mx.example.org>\r\nMIME-Version: 1.0\r\nContent-Type: "
        'multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org"
        f"\r\n\r\nFinal-Recipient: rfc822; {BERLIN}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {letter['Message-ID']}\r\n"
        f"To: {BERLIN}\r\n\r\n--b--\r\n").encode()
