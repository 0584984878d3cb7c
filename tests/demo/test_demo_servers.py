"""The demo's mail servers, tried with smtplib and IMAPClient and without anything of dsar's own."""

from __future__ import annotations

import smtplib
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from dsar.demo.servers import LOOPBACK, MailServers

ALEX = "alex@example.org"
LETTER = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n.dot first\r\n..two\r\nbyte \xc3\xbc\r\n"
BERLIN = timezone(timedelta(hours=2))


@pytest.fixture
def servers() -> Iterator[MailServers]:
    accepts = {"privacy@meadow.example", "privacy@granite.example"}.__contains__
    with MailServers(host="mail.example.org", user=ALEX, accepts=accepts) as running:
        yield running


@pytest.fixture
def smtp(servers: MailServers) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(LOOPBACK, servers.smtp_port, "localhost", timeout=20) as client:
        yield client


@pytest.fixture
def imap(servers: MailServers) -> Iterator[IMAPClient]:
    client = IMAPClient(LOOPBACK, servers.imap_port, ssl=False, timeout=20)
    client.normalise_times = False
    client.login(ALEX, servers.password)
    yield client
    client.logout()


def test_a_letter_arrives_byte_for_byte_for_each_recipient(
    servers: MailServers, smtp: smtplib.SMTP
) -> None:
    smtp.login(ALEX, servers.password)
    to = ["privacy@meadow.example", "privacy@granite.example"]
    smtp.sendmail(ALEX, to, LETTER)
    assert [p.recipient for p in servers.posted] == to
    assert {p.raw for p in servers.posted} == {LETTER}


def test_nothing_is_accepted_before_the_login(servers: MailServers, smtp: smtplib.SMTP) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        smtp.sendmail(ALEX, ["privacy@meadow.example"], LETTER)
    assert refused.value.recipients["privacy@meadow.example"][0] == 530
    assert servers.posted == []


def test_a_mailbox_that_does_not_exist_is_refused(
    servers: MailServers, smtp: smtplib.SMTP
) -> None:
    smtp.login(ALEX, servers.password)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        smtp.sendmail(ALEX, ["someone@example.com"], LETTER)
    assert refused.value.recipients["someone@example.com"][0] == 550
    assert servers.posted == []


def test_a_wrong_password_opens_neither_server(servers: MailServers, smtp: smtplib.SMTP) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError):
        smtp.login(ALEX, "wrong")
    client = IMAPClient(LOOPBACK, servers.imap_port, ssl=False, timeout=20)
    with pytest.raises(LoginError):
        client.login(ALEX, "wrong")
    client.shutdown()


def test_a_delivered_message_is_in_the_inbox_with_its_date_and_every_byte(
    servers: MailServers, imap: IMAPClient
) -> None:
    at = datetime(2026, 9, 3, 9, 41, tzinfo=BERLIN)
    servers.deliver(LETTER, at)
    imap.select_folder("INBOX", readonly=True)
    (uid,) = imap.search()
    found = imap.fetch([uid], ["BODY.PEEK[]", "INTERNALDATE"])[uid]
    assert found[b"BODY[]"] == LETTER
    assert found[b"INTERNALDATE"].astimezone(UTC) == at.astimezone(UTC)


def test_there_are_mailboxes_for_sent_mail_and_junk(imap: IMAPClient) -> None:
    names = {name for _, _, name in imap.list_folders()}
    assert names == {"INBOX", "Sent", "Junk"}
    assert imap.find_special_folder(b"\\Sent") == "Sent"


def test_new_mail_raises_uidnext_as_polling_expects(
    servers: MailServers, imap: IMAPClient
) -> None:
    before = imap.folder_status("INBOX", ["UIDNEXT", "UIDVALIDITY"])
    servers.deliver(LETTER, datetime(2026, 9, 3, tzinfo=UTC))
    after = imap.folder_status("INBOX", ["UIDNEXT", "UIDVALIDITY"])
    assert after[b"UIDNEXT"] == before[b"UIDNEXT"] + 1
    assert after[b"UIDVALIDITY"] == before[b"UIDVALIDITY"]


def test_when_it_ends_the_ports_are_closed_and_the_thread_is_gone() -> None:
    with MailServers(host="mail.example.org", user=ALEX, accepts=lambda _: True) as running:
        ports = (running.smtp_port, running.imap_port)
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((LOOPBACK, port), timeout=20)
    assert "demo mail servers" not in {thread.name for thread in threading.enumerate()}
