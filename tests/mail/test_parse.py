"""Parsing: what a mail says, whatever its shape."""

from __future__ import annotations

import base64
import hashlib
import tracemalloc
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsar.core.message import Authentic, Message
from dsar.mail.parse import parse

HEAD = """\
Return-Path: <privacy@acme.example>
Received: from mta.acme.example (mta.acme.example [203.0.113.9]) by mx.example.org (Postfix)
\twith ESMTPS id 1; Thu, 12 Mar 2026 16:03:55 +0100
From: Acme Privacy <Privacy@Acme.example>
To: "Doe, Jo" <jo+dsar-12345678@example.net>
Subject: =?utf-8?q?Ihre_Anfrage_=E2=80=93_?= =?utf-8?q?=C3=84nderung?=
Message-ID: <a1@acme.example>
In-Reply-To: <r1@example.net>
"""


def mail(body: str, *, head: str = HEAD, kind: str = "text/plain; charset=utf-8") -> Message:
    raw = f"{head}MIME-Version: 1.0\nContent-Type: {kind}\n\n{body}"
    return parse(raw.encode(), trusted_authserv=("mx.example.org",))


def test_headers_become_data() -> None:
    message = mail("Hello.\n")
    assert message.sender is not None
    assert (message.sender.name, message.sender.addr) == ("Acme Privacy", "privacy@acme.example")
    assert message.subject == "Ihre Anfrage – Änderung"
    assert message.message_id == "<a1@acme.example>"
    assert message.in_reply_to == ("<r1@example.net>",)
    assert message.recipients[0].addr == "jo+dsar-12345678@example.net"
    assert message.received == datetime(2026, 3, 12, 15, 3, 55, tzinfo=UTC)


def test_the_providers_time_of_receipt_comes_before_the_header() -> None:
    when = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
    raw = (HEAD + "\nx").encode()
    assert parse(raw, trusted_authserv=(), received=when).received == when


@pytest.mark.parametrize(("results", "expected"), [
    ("mx.example.org; dmarc=pass header.from=acme.example", Authentic.PASS),
    ("mx.example.org; dkim=fail header.d=acme.example; dmarc=fail", Authentic.FAIL),
    ("mx.example.org; spf=pass smtp.mailfrom=bounce@mail.acme.example", Authentic.PASS),
    ("mx.example.org; spf=pass smtp.mailfrom=other.example", Authentic.NONE),
    ("mx.example.org; dkim=fail header.d=x.example; spf=softfail", Authentic.FAIL),
    ("mx.evil.example; dmarc=pass header.from=acme.example", Authentic.NONE),
    ("mx.example.org (a ; comment); dmarc=pass (p=none) header.from=acme.example", Authentic.PASS),
    (";;;=== \x00", Authentic.NONE),
])
def test_only_the_results_of_the_own_provider_count(results: str, expected: Authentic) -> None:
    message = mail("Hello.", head=HEAD + f"Authentication-Results: {results}\n")
    assert message.authentic is expected


def test_the_topmost_result_counts_and_one_below_it_is_ignored() -> None:
    forged = "Authentication-Results: mx.example.org; dmarc=pass\n"
    real = "Authentication-Results: mx.example.org; dmarc=fail\n"
    assert mail("x", head=real + HEAD + forged).authentic is Authentic.FAIL


def test_without_a_known_provider_only_a_result_above_the_receiving_host_counts() -> None:
    field = "Authentication-Results: mx.example.org; dmarc=pass\n"
    above = parse((field + HEAD + "\nx").encode(), trusted_authserv=())
    below = parse((HEAD + field + "\nx").encode(), trusted_authserv=())
    foreign = parse((field.replace("mx.example.org", "mx.evil.example") + HEAD + "\nx").encode(),
                    trusted_authserv=())
    found = (above.authentic, below.authentic, foreign.authentic)
    assert found == (Authentic.PASS, Authentic.NONE, Authentic.NONE)


def test_hidden_text_is_not_read() -> None:
    message = mail(
        '<p>Visible.</p><div style="display:none">All data erased.</div>'
        '<span style="font-size:1px;color:#fff">erased</span><p hidden>gone</p>'
        '<div style="max-height:0;overflow:hidden">preview</div>'
        '<span style="color:#ffffff">white</span><script>x()</script>',
        kind="text/html; charset=utf-8")
    assert message.own_text == "Visible."


@pytest.mark.parametrize("around", ["<br>" * 3000, "<div>" * 150, "<p>" * 9000])
def test_hidden_text_stays_hidden_in_odd_markup(around: str) -> None:
    message = mail(f'{around}<p>Visible.</p><div style="display:none">All data erased.</div>',
                   kind="text/html")
    assert "Visible." in message.own_text
    assert "erased" not in message.own_text


def test_markup_deeper_than_the_parser_goes_is_said_to_be_unread() -> None:
    message = mail("<div>" * 3000 + "Visible.", kind="text/html")
    assert message.defects == ("HTML nested too deeply",)


def test_a_quotation_in_html_is_not_the_senders_word() -> None:
    message = mail("<p>No.</p><blockquote><p>Please delete my data.</p></blockquote>",
                   kind="text/html")
    assert message.own_text == "No."
    assert "Please delete my data." in message.quoted_text


@pytest.mark.parametrize("quoted", [
    "On 3 March 2026, Jo Doe <jo@example.net>\nwrote:\n> Delete my data.",
    "Am 03.03.2026 um 10:12 schrieb Jo Doe:\n> Delete my data.",
    "Le 3 mars 2026 à 10:12, Jo Doe a écrit :\n\n> Delete my data.",
    "-----Original Message-----\nFrom: Jo <jo@example.net>\nSent: 3 March 2026\n\nDelete my data.",
    "________________________________\nVon: Jo <jo@example.net>\nGesendet: 3.3.2026\nAn: x\n"
    "Betreff: y\n\nDelete my data.",
    "Van: Jo <jo@example.net>\nVerzonden: 3 maart 2026 10:00\nAan: p@acme.example\nOnderwerp: y\n\n"
    "Delete my data.",
    "> Delete my data.",
    "-- \nDelete my data.",
])
def test_what_is_quoted_is_told_apart(quoted: str) -> None:
    message = mail(f"We will look into it.\n\n{quoted}\n")
    assert message.own_text == "We will look into it."
    assert "Delete my data." in message.quoted_text


def test_a_list_of_data_in_an_answer_is_not_taken_for_a_quotation() -> None:
    listed = "We hold:\n\nName: Jo Doe\nE-mail: jo@example.net\nCity: Cork\nSource: survey 2024"
    assert "Source: survey 2024" in mail(listed).own_text


def test_an_unknown_charset_falls_back_visibly() -> None:
    raw = (HEAD + "Content-Type: text/plain; charset=x-martian\n\n").encode() + "für".encode()
    message = parse(raw, trusted_authserv=())
    assert message.own_text == "für"
    assert message.defects == ("charset x-martian read as utf-8",)


def test_nuls_and_surrogates_are_removed() -> None:
    raw = HEAD.encode() + b"X-Odd: \x00\xed\xa0\x80\n\nA\x00B \xed\xa0\x80"
    message = parse(raw, trusted_authserv=())
    message.own_text.encode()
    assert "\x00" not in message.own_text + str(message.headers)


def _with_attachment(data: bytes, name: str) -> bytes:
    coded = base64.encodebytes(data).decode()
    return (f"{HEAD}MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
            f"--b\nContent-Type: text/plain\n\nEnclosed.\n--b\n"
            f"Content-Type: application/octet-stream; name=\"{name}\"\n"
            f"Content-Transfer-Encoding: base64\nContent-Disposition: attachment\n\n"
            f"{coded}\n--b--\n").encode()


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_attachments_are_listed_with_size_digest_and_kind(size: int) -> None:
    data = b"%PDF" + b"x" * size
    [part] = parse(_with_attachment(data, "copy.pdf"), trusted_authserv=()).parts
    assert (part.name, part.size) == ("copy.pdf", len(data))
    assert part.digest == hashlib.sha256(data).hexdigest()
    assert part.kind == "pdf"


def test_a_large_attachment_does_not_grow_memory() -> None:
    raw = _with_attachment(b"x" * 40_000_000, "big.bin")
    tracemalloc.start()
    message = parse(raw, trusted_authserv=())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert message.parts[0].size == 40_000_000
    assert message.own_text == "Enclosed."
    assert peak < 60_000_000


def test_a_forward_by_the_same_house_is_its_own_word_and_our_letter_is_not() -> None:
    def nested(author: str) -> str:
        return mail(f"--b\nContent-Type: text/plain\n\nfyi\n--b\nContent-Type: message/rfc822\n\n"
                    f"From: {author}\nSubject: s\n\nAccount closed.\n--b--\n",
                    kind="multipart/mixed; boundary=b").own_text

    assert nested("it@acme.example") == "fyi\n\nAccount closed."
    assert nested("jo@example.net") == "fyi"


@pytest.mark.parametrize(("head", "expected"), [
    ("Auto-Submitted: auto-replied\n", "auto-replied"),
    ("Auto-Submitted: auto-generated\n", "auto-generated"),
    ("Auto-Submitted: no\n", ""),
    ("Precedence: auto_reply\n", "auto-replied"),
    ("X-Autoreply: yes\n", "auto-replied"),
    ("List-Unsubscribe: <https://acme.example/u>\nAuto-Submitted: auto-generated\n", "bulk"),
])
def test_machines_are_known_by_their_headers(head: str, expected: str) -> None:
    assert mail("x", head=HEAD + head).automatic == expected


def test_hostile_structure_is_read_as_text() -> None:
    deep = "".join(f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n" for i in range(900))
    message = parse((HEAD + deep + "\nhello").encode(), trusted_authserv=())
    assert message.defects == ("too much structure",)
    assert message.sender is not None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=3000))
def test_no_bytes_raise(raw: bytes) -> None:
    message = parse(raw, trusted_authserv=("x",))
    assert message.digest == hashlib.sha256(raw).hexdigest()


_PIECES = st.sampled_from([
    HEAD, "\n", "\n\n", "--b\n", "--b--\n", "Content-Type: multipart/mixed; boundary=b\n",
    "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n",
    "Content-Type: message/delivery-status\n\n", "Final-Recipient: rfc822; a@b.example\n",
    "Action: failed\nStatus: 5.1.1\n", "Content-Type: message/rfc822\n\n", "From: \"<>@,;:\\\n",
    "Content-Type: text/html; charset=\"\n\n<p><blockquote>", "Content-Transfer-Encoding: base64\n",
    "=?x?q?=?=", "> > >", "On On On wrote:\n", "filename*0*=utf-8''%ff%00;", "\r\n", "\x00", "é",
    "begin 644 x\n", "Subject: =?utf-8?b?////?=\n", "Date: Thu, 99 Foo -1\n", "a" * 500,
])


@settings(max_examples=500, deadline=None)
@given(st.lists(_PIECES, max_size=25))
def test_no_mixture_of_mail_pieces_raises(pieces: list[str]) -> None:
    parse("".join(pieces).encode("utf-8", "surrogatepass"), trusted_authserv=())
