"""Letters as bytes: read back with the standard library, and attacked."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.core.message import Address
from dsar.mail.compose import Attachment, compose, new_message_id
from dsar.mail.wire import Unsendable, address_on_the_wire

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ALEX = Address(name="Alex Example", addr="alex@example.org")
COMPANY = Address(name="", addr="privacy@acme.example")

# everything a header may hold: no control characters, separators of lines or lone surrogates
words = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=300)
# other marks that Python takes for the end of a line would only confuse the test's own reading
MARKS = "\0\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
bodies = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters=MARKS), max_size=1500
)


def build(subject: str = "Request", body: str = "Good day.\n", **changes: Any) -> bytes:
    settings: dict[str, Any] = {
        "sender": ALEX, "recipient": COMPANY, "message_id": "<abc@example.org>",
        "date": datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    }  # fmt: skip
    return compose(subject, body, **(settings | changes))


def read(raw: bytes) -> EmailMessage:
    found = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def unflowed(text: str) -> str:
    """RFC 3676, section 4.2, as a receiving program does it."""
    joined = ""
    for line in text.removesuffix("\n").split("\n"):
        line = line.removeprefix(" ")
        goes_on = line.endswith(" ") and line != "-- "
        joined += line if goes_on else f"{line}\n"
    return joined


def text_of(message: EmailMessage) -> str:
    part = message.get_body()
    assert part is not None
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode(part.get_content_charset("ascii")).replace("\r\n", "\n")


@given(words)
def test_any_subject_comes_back_as_it_was(subject: str) -> None:
    raw = build(subject)
    read(raw)
    assert decoded(raw, "Subject") == subject


@given(words)
def test_any_name_comes_back_in_one_address(name: str) -> None:
    message = read(build(sender=Address(name=name, addr="alex@example.org")))
    [found] = message["From"].addresses
    assert found.addr_spec == "alex@example.org"


@pytest.mark.parametrize(
    "name",
    ["Zoë Müller", "O'Neil, Pat", 'Pat "P" \\ Doe', "Иван Петров", "山田 太郎", "=?utf-8?q?x?=",
     "a@b.example", "x" * 150, "Dr. A. Example (DPO)"],
)  # fmt: skip
def test_unusual_names_come_back_word_for_word(name: str) -> None:
    message = read(build(sender=Address(name=name, addr="alex@example.org")))
    assert message["From"].addresses[0].display_name == name.strip()


def decoded(raw: bytes, header: str) -> str:
    """As RFC 2047 has it; the newer parser of Python 3.11 keeps blanks between encoded words."""
    [value] = [v for k, v in email.message_from_bytes(raw).items() if k == header]
    return str(make_header(decode_header(value.replace("\r\n", ""))))


def test_a_long_name_comes_back_without_gaps() -> None:
    raw = build(sender=Address(name="Zoë " * 30, addr="alex@example.org"))
    assert decoded(raw, "From") == "Zoë " * 30 + " <alex@example.org>"


@given(bodies)
def test_any_text_comes_back_once_unflowed(body: str) -> None:
    lines = body.rstrip("\n").split("\n")
    kept = [line if line == "-- " else line.rstrip(" ") for line in lines]
    assert unflowed(text_of(read(build(body=body)))) == "\n".join(kept) + "\n"


@given(words, bodies, st.binary(max_size=500))
def test_every_letter_is_safe_for_any_server(subject: str, body: str, content: bytes) -> None:
    raw = build(subject, body, attachments=[Attachment(name="a.docx", type=DOCX, content=content)])
    assert raw.isascii()
    assert raw.count(b"\r\n") == raw.count(b"\n") == raw.count(b"\r")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    head = raw.partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78


@given(st.lists(st.binary(max_size=2000), max_size=3))
def test_attachments_come_back_byte_for_byte(contents: list[bytes]) -> None:
    files = [Attachment(name=f"{n}.docx", type=DOCX, content=c) for n, c in enumerate(contents)]
    message = read(build(attachments=files))
    parts = message.iter_attachments()
    found = [(p.get_filename(), p.get_content_type(), p.get_content()) for p in parts]
    assert found == [(each.name, DOCX, each.content) for each in files]


@pytest.mark.parametrize("name", ["Antrag Müller.docx", "a'b%c.docx", "申请.docx", "x y.docx"])
def test_names_of_attachments_come_back(name: str) -> None:
    message = read(build(attachments=[Attachment(name=name, type=DOCX, content=b"x")]))
    assert [each.get_filename() for each in message.iter_attachments()] == [name]


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\0", "\x0b", "\x85", "\u2028", "\udc80"])
@pytest.mark.parametrize("field", ["subject", "name", "address", "reply_to", "file", "id", "type"])
def test_nothing_can_smuggle_a_header_in(field: str, break_: str) -> None:
    bad = f"x{break_}Bcc: victim@acme.example"
    attacks: dict[str, Any] = {
        "subject": {"subject": bad},
        "name": {"sender": Address(name=bad, addr="alex@example.org")},
        "address": {"recipient": Address(name="", addr=f"a@b.example{break_}")},
        "reply_to": {"reply_to": Address(name="", addr=f"{bad}")},
        "file": {"attachments": [Attachment(name=bad, type=DOCX, content=b"")]},
        "id": {"message_id": f"<{bad}@example.org>"},
        "type": {"attachments": [Attachment(name="a", type=f"text/{bad}", content=b"")]},
    }
    with pytest.raises(Unsendable) as caught:
        build(**attacks[field])
    assert break_ not in str(caught.value)


def test_ids_of_strangers_cannot_smuggle_headers_and_are_left_out() -> None:
    bad = "<x@y.example>\r\nBcc: victim@acme.example"
    good = [f"<r{n}@acme.example>" for n in range(40)]
    message = read(build(in_reply_to=bad, references=[good[0], bad, *good[1:]]))
    assert message["In-Reply-To"] is None
    assert message["Bcc"] is None
    kept = message["References"].split()
    assert (kept[0], kept[-1], len(kept)) == (good[0], good[-1], 20)


def test_equal_arguments_give_equal_bytes() -> None:
    files = [Attachment(name="a.docx", type=DOCX, content=b"x" * 999)]
    assert build(attachments=files) == build(attachments=files)


def test_our_message_id_and_date_stand_in_the_letter() -> None:
    message = read(build(in_reply_to="<q@acme.example>", reply_to=ALEX))
    assert message["Message-ID"] == "<abc@example.org>"
    assert message["Date"].datetime == datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    assert message["In-Reply-To"] == "<q@acme.example>"
    assert message["Reply-To"] == "Alex Example <alex@example.org>"


def test_message_ids_are_never_the_same_and_name_only_the_domain() -> None:
    ids = {new_message_id("alex@bücher.example") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(each.endswith("@xn--bcher-kva.example>") and "alex" not in each for each in ids)


def test_a_date_without_its_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        build(date=datetime(2026, 11, 22))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("privacy@Acme.Example", "privacy@acme.example"),
        ("dsb@bücher.example", "dsb@xn--bcher-kva.example"),
        ("o'neil+tag@acme.example", "o'neil+tag@acme.example"),
        ("schön@acme.example", "schön@acme.example"),
    ],
)
def test_addresses_go_onto_the_wire_with_an_ascii_domain(address: str, wire: str) -> None:
    assert address_on_the_wire(address) == wire


@pytest.mark.parametrize(
    "address",
    ["dsb@straße.example", "a@b.example\u200b", "a\u200b@b.example", "a@@b.example", "@b.example",
     "a@", "a b@c.example", "a@b..example", "a@-b.example", ".a@b.example", "a..b@c.example",
     "a@b.example>", "<a@b.example", "a,b@c.example", '"a b"@c.example', "a" * 65 + "@b.example"],
)  # fmt: skip
def test_what_could_reach_somebody_else_is_no_address(address: str) -> None:
    with pytest.raises(Unsendable):
        address_on_the_wire(address)


@pytest.mark.parametrize("kind", ["message/rfc822", "multipart/mixed", "docx", "text/x; a=b"])
def test_only_plain_types_are_attached(kind: str) -> None:
    with pytest.raises(Unsendable):
        build(attachments=[Attachment(name="a", type=kind, content=b"")])


def test_a_boundary_in_the_text_does_not_end_it() -> None:
    file = [Attachment(name="a.docx", type=DOCX, content=b"x")]
    boundary = read(build(attachments=file)).get_boundary()
    body = f"before\n--{boundary}\n\nafter --{boundary}--\n"
    message = read(build(body=body, attachments=file))
    assert len(list(message.iter_attachments())) == 1
    assert "after" in text_of(message)
