"""What only an IMAP server can do to us: a real Dovecot, and wires that break."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from servers.cutproxy import Cut, CutProxy
from servers.maillab import MailLab

from dsar.errors import LoginRefused, MailServerUnreachable, Temporary
from dsar.mail.account import Account, Auth, Endpoint, Security
from dsar.mail.imap import HEADERS_AT_ONCE, ImapMailbox
from dsar.mail.secret import Secret


def box(lab: MailLab, user: str, port: int | None = None, **changes: object) -> ImapMailbox:
    security = Security.TLS if port is None else Security.NONE
    security = changes.pop("security", security)  # type: ignore[assignment]
    secret = changes.pop("secret", Secret(lab.password))
    imap = Endpoint(
        host=lab.host, port=port or lab.ports.imaps, security=security, username=user
    )
    settings = {"ca_file": lab.ca_file} | changes
    account = Account(name="main", address=user, imap=imap, **settings)  # type: ignore[arg-type]
    return ImapMailbox(account, secret, timeout_s=5)  # type: ignore[arg-type]


def mail(number: int) -> bytes:
    return b"Subject: %d\r\nMessage-ID: <n%d@acme.example>\r\n\r\nGood day.\r\n" % (number, number)


def test_a_second_look_shows_nothing_twice_and_asks_for_the_state_only(
    lab: MailLab, user: str
) -> None:
    lab.put(user, mail(1))
    mailbox = box(lab, user)
    _, cursor = mailbox.new("INBOX", None)
    envelopes, again = mailbox.new("INBOX", cursor)
    assert (list(envelopes), again) == ([], cursor)
    lab.put(user, mail(2))
    [envelope] = mailbox.new("INBOX", cursor)[0]
    assert envelope.headers["subject"] == ("2",)


def test_the_last_message_is_not_shown_again_after_others_were_deleted(
    lab: MailLab, user: str
) -> None:
    mailbox = box(lab, user)
    for number in (1, 2):
        lab.put(user, mail(number))
    _, cursor = mailbox.new("INBOX", None)
    lab.put(user, mail(3))  # comes and goes: UIDNEXT has moved, and nothing is there
    lab.doveadm("expunge", "-u", user, "mailbox", "INBOX", "header", "subject", "3")
    envelopes, cursor = mailbox.new("INBOX", cursor)
    assert list(envelopes) == []
    lab.put(user, mail(4))
    assert [each.headers["subject"] for each in mailbox.new("INBOX", cursor)[0]] == [("4",)]


def test_another_uidvalidity_means_reading_from_the_start(lab: MailLab, user: str) -> None:
    mailbox = box(lab, user)
    lab.put(user, mail(1), "Junk")
    [before], cursor = mailbox.new("Junk", None)
    lab.uidvalidity(user, "Junk")
    lab.put(user, mail(2), "Junk")
    envelopes, following = mailbox.new("Junk", cursor)
    assert [each.headers["subject"] for each in envelopes] == [("2",)]
    assert following.uidvalidity != cursor.uidvalidity
    with pytest.raises(Temporary):
        list(mailbox.fetch([before.coordinates]))


def test_a_kicked_connection_is_made_anew_without_anybody_noticing(
    lab: MailLab, user: str
) -> None:
    for number in range(3):
        lab.put(user, mail(number))
    mailbox = box(lab, user)
    envelopes, _ = mailbox.new("INBOX", None)
    lab.kick(user)
    found = list(envelopes)
    lab.kick(user)
    assert len(list(mailbox.fetch([each.coordinates for each in found]))) == 3


def test_a_server_that_keeps_hanging_up_is_a_temporary_error_and_loses_nothing(
    lab: MailLab, user: str, cut_proxy: Callable[..., CutProxy]
) -> None:
    lab.put(user, mail(1))
    cut = Cut(when=b"EXAMINE")
    mailbox = box(lab, user, cut_proxy(lab.ports.imap, cut, cut).port)
    with pytest.raises(Temporary):
        mailbox.new("INBOX", None)
    assert len(list(mailbox.new("INBOX", None)[0])) == 1


def test_a_copy_whose_answer_was_lost_is_not_filed_twice(
    lab: MailLab, user: str, cut_proxy: Callable[..., CutProxy]
) -> None:
    cut = Cut(when=b"Good day.\r\n\r\n", pass_on=True)
    box(lab, user, cut_proxy(lab.ports.imap, cut).port).file_sent(mail(7))
    assert len(lab.delivered(user, "Sent")) == 1


def test_more_messages_than_fit_one_command_are_all_shown(lab: MailLab, user: str) -> None:
    lab.put(user, mail(0))
    template = next((lab.root / "mail" / user).glob("new/*"))
    for number in range(2 * HEADERS_AT_ONCE + 1):
        copy = Path(f"{template.parent}/{number}.copies")
        copy.write_bytes(mail(number))
        copy.chmod(0o644)
    mailbox = box(lab, user)
    envelopes = list(mailbox.new("INBOX", None)[0])
    assert len(envelopes) == 2 * HEADERS_AT_ONCE + 2
    assert len(list(mailbox.fetch([each.coordinates for each in envelopes]))) == len(envelopes)


def test_quarantine_mailboxes_of_the_account_are_read_if_they_exist(
    lab: MailLab, user: str
) -> None:
    lab.doveadm("mailbox", "create", "-u", user, "Unbekannt")
    mailbox = box(lab, user, mailboxes=("Unbekannt", "Nowhere"))
    assert list(mailbox.mailboxes()) == ["INBOX", "Junk", "Unbekannt"]


def test_starttls_is_used_and_its_certificate_checked(lab: MailLab, user: str) -> None:
    box(lab, user, lab.ports.imap, security=Security.STARTTLS).check()
    with pytest.raises(MailServerUnreachable, match="certificate"):
        box(lab, user, lab.ports.imap, security=Security.STARTTLS, ca_file=None).check()
    with pytest.raises(MailServerUnreachable, match="certificate"):
        box(lab, user, ca_file=None).check()


@pytest.mark.parametrize("auth", [Auth.XOAUTH2, Auth.OAUTHBEARER])
def test_a_token_logs_in_and_a_stale_one_is_a_refused_login(
    lab: MailLab, user: str, auth: Auth
) -> None:
    box(lab, user, auth=auth, secret=Secret(lab.token(user))).check()
    stale = Secret(lab.token(user, expires_in=-60))
    with pytest.raises(LoginRefused):
        box(lab, user, auth=auth, secret=stale).check()


def test_no_password_shows_in_anything_a_refused_login_leaves(
    lab: MailLab, user: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    password = "hidden-in-plain-sight-é-7c1"
    mailbox = box(lab, user, secret=Secret(password))
    with pytest.raises(LoginRefused) as caught:
        mailbox.check()
    told = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(vars(mailbox))
    told += "".join(capfd.readouterr())
    assert password not in told
    assert base64.b64encode(f"\0{user}\0{password}".encode()).decode() not in told


def test_no_mail_of_the_user_shows_in_the_log(
    lab: MailLab, user: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    lab.put(user, b"Subject: quite private\r\n\r\nbody\r\n")
    mailbox = box(lab, user)
    list(mailbox.fetch([each.coordinates for each in mailbox.new("INBOX", None)[0]]))
    assert "quite private" not in caplog.text


def test_a_lost_connection_during_login_is_not_a_refusal(
    lab: MailLab, user: str, cut_proxy: Callable[..., CutProxy]
) -> None:
    proxy = cut_proxy(lab.ports.imap, Cut(when=b"AUTHENTICATE"))
    with pytest.raises(MailServerUnreachable):
        box(lab, user, proxy.port).check()
