"""Bounces: structure first, then known forms, and people are never taken for one."""

from __future__ import annotations

import logging
from email.message import EmailMessage

import pytest

from dsar.core.message import DeliveryReport
from dsar.mail.parse import parse

LETTER = "Message-ID: <r1@example.net>\nFrom: jo@example.net\nSubject: Request\n"


def dsn(action: str, status: str, diagnostic: str = "smtp; 550 no") -> str:
    return (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.org\nTo: jo@example.net\n"
        "Auto-Submitted: auto-replied\nSubject: Report\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example.org\n\n"
        f"Final-Recipient: rfc822; Privacy@acme.example\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: {diagnostic}\n\n--b\nContent-Type: text/rfc822-headers\n\n"
        f"{LETTER}\n--b--\n"
    )


def report_of(text: str) -> DeliveryReport | None:
    return parse(text.encode(), trusted_authserv=()).report


@pytest.mark.parametrize(("action", "status", "passing"), [
    ("failed", "5.1.1", False), ("failed", "5.7.1", False), ("failed", "5.2.2", True),
    ("failed", "4.4.1", True), ("delayed", "4.4.7", True),
])
def test_a_report_is_read_by_its_structure(action: str, status: str, passing: bool) -> None:
    report = report_of(dsn(action, status))
    assert report is not None
    assert (report.action, report.status, report.passing) == (action, status, passing)
    assert report.recipients == ("privacy@acme.example",)
    assert report.returned_message_id == "<r1@example.net>"


def test_the_structure_comes_before_the_auto_reply_headers() -> None:
    message = parse(dsn("failed", "5.1.1").encode(), trusted_authserv=())
    assert message.report is not None
    assert message.automatic == "auto-replied"


def test_a_bounce_in_plain_words_names_the_letter_and_the_address() -> None:
    report = report_of(
        "From: MAILER-DAEMON@acme.example\nTo: jo@example.net\nSubject: Correo no entregado\n\n"
        "El buzón datos@acme.example no existe.\n\n--- copia ---\n\n"
        f"Return-Path: <jo@example.net>\n{LETTER}\nEstimados:\n")
    assert report is not None
    assert (report.action, report.recipients) == ("failed", ("datos@acme.example",))
    assert report.returned_message_id == "<r1@example.net>"
    assert not report.passing


def test_a_warning_that_it_is_tried_again_is_a_delay() -> None:
    report = report_of(
        "From: Mail Delivery System <MAILER-DAEMON@mx.example.org>\nSubject: Delayed Mail\n\n"
        "Your message could not be delivered for 4 hours. It will be retried.\n"
        "<a@acme.example>: connect to mx.acme.example: Connection timed out\n")
    assert report is not None
    assert report.action == "delayed"


def test_numbers_in_a_letter_are_no_smtp_codes() -> None:
    human = ("From: Dee <help@acme.example>\nTo: jo@example.net\nSubject: Re: Request\n\n"
             "Come to room 512 or 550 if the form could not be delivered. Dee\n")
    assert report_of(human) is None


def test_a_person_who_forwards_a_bounce_is_no_bounce() -> None:
    forward = EmailMessage()
    forward["From"], forward["To"] = "Jo <jo@example.net>", "dee@example.org"
    forward["Subject"] = "Fwd: Undelivered Mail Returned to Sender"
    forward.set_content("It could not be delivered, see below. 550 5.1.1 User unknown")
    nested = EmailMessage()
    nested["From"], nested["Message-ID"] = "MAILER-DAEMON@mx.example.org", "<z@mx.example.org>"
    nested.set_content("550 5.1.1 user unknown")
    forward.add_attachment(nested)
    assert report_of(forward.as_string()) is None


def test_a_read_receipt_is_no_bounce() -> None:
    text = dsn("failed", "5.1.1").replace("delivery-status", "disposition-notification")
    text = text.replace("Action: failed", "Disposition: manual-action/MDN-sent-manually; displayed")
    message = parse(text.encode(), trusted_authserv=())
    assert message.report is None
    assert message.automatic == "read-receipt"


def test_junk_that_looks_like_a_bounce_prints_nothing(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("flufl.bounce").setLevel(logging.NOTSET)
    assert report_of("From:\nReturn-Path: <>\nSubject: Undeliverable\n\nHello\n") is None
    assert caplog.records == []
