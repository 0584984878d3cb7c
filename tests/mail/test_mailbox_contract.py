"""The contract of Mailbox, kept by IMAP (a real Dovecot) and by a Maildir."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from servers.maillab import MailLab

from dsar.errors import Temporary
from dsar.mail import Coordinates, Cursor, Envelope, Mailbox
from dsar.mail.account import Account, Endpoint
from dsar.mail.imap import ImapMailbox
from dsar.mail.maildir import MaildirMailbox
from dsar.mail.secret import Secret


@dataclass
class Place:
    """A mailbox under test: how to put mail in, and what its files look like."""

    box: Mailbox
    put: Callable[[bytes, str], None]
    flags: Callable[[str], list[str]]


@pytest.fixture(params=["imap", "maildir"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made = request.getfixturevalue(f"{request.param}_place")
    yield made
    made.box.close()


@pytest.fixture
def imap_place(lab: MailLab) -> Place:
    user = lab.new_user()
    return Place(
        ImapMailbox(imap_account(lab, user), Secret(lab.password), timeout_s=10),
        lambda raw, mailbox: lab.put(user, raw, mailbox),
        lambda mailbox: lab.flags(user, mailbox),
    )


@pytest.fixture
def maildir_place(tmp_path: Path) -> Place:
    root = tmp_path / "Maildir"
    for folder in (root, root / ".Junk", root / ".Sent"):
        for part in ("tmp", "new", "cur"):
            (folder / part).mkdir(parents=True)

    def folder(mailbox: str) -> Path:
        return root if mailbox == "INBOX" else root / f".{mailbox}"

    def put(raw: bytes, mailbox: str) -> None:
        count = len(list(folder(mailbox).glob("*/*")))
        (folder(mailbox) / "new" / f"{count}.example").write_bytes(raw)

    def flags(mailbox: str) -> list[str]:
        files = folder(mailbox).glob("[nc]*/*")
        return sorted("new" if f.parent.name == "new" else f.name[-1] for f in files)

    account = Account(name="main", address="alex@example.org", maildir=root)
    return Place(MaildirMailbox(account), put, flags)


def imap_account(lab: MailLab, user: str, **changes: object) -> Account:
    imap = Endpoint(host=lab.host, port=lab.ports.imaps, username=user)
    return Account(name="main", address=user, imap=imap, ca_file=lab.ca_file, **changes)  # type: ignore[arg-type]


def mail(number: int, body: bytes = b"Good day.\r\n") -> bytes:
    return (
        b"From: DPO <dpo@acme.example>\r\nTo: alex+tag@example.org\r\n"
        b"Subject: =?utf-8?q?Re=3A_request?= %d\r\nMessage-ID: <m%d@acme.example>\r\n"
        b"In-Reply-To: <letter@example.org>\r\nX-Unasked: no\r\n"
        b"Authentication-Results: mx.example.org; dkim=pass\r\n\r\n%b" % (number, number, body)
    )


def ids(envelopes: Iterator[Envelope]) -> list[str]:
    return sorted(each.headers["message-id"][0] for each in envelopes)


def test_everything_is_new_at_first_with_the_headers_that_matter(place: Place) -> None:
    place.put(mail(1), "INBOX")
    envelopes, _ = place.box.new("INBOX", None)
    [envelope] = envelopes
    assert envelope.headers["in-reply-to"] == ("<letter@example.org>",)
    assert envelope.headers["to"] == ("alex+tag@example.org",)
    assert envelope.received is not None
    assert envelope.received.tzinfo is UTC
    assert abs(datetime.now(UTC) - envelope.received) < timedelta(minutes=5)


def test_an_empty_mailbox_has_nothing_new_and_a_cursor(place: Place) -> None:
    envelopes, cursor = place.box.new("INBOX", None)
    assert list(envelopes) == []
    place.put(mail(1), "INBOX")
    assert ids(place.box.new("INBOX", cursor)[0]) == ["<m1@acme.example>"]


def test_no_message_is_left_out_between_two_looks(place: Place) -> None:
    shown: set[str] = set()
    cursor: Cursor | None = None
    for number in range(6):
        place.put(mail(number), "INBOX")
        envelopes, cursor = place.box.new("INBOX", cursor)
        shown |= set(ids(envelopes))
    assert shown == {f"<m{number}@acme.example>" for number in range(6)}


def test_without_a_cursor_all_is_shown_again(place: Place) -> None:
    place.put(mail(1), "INBOX")
    first = ids(place.box.new("INBOX", None)[0])
    assert ids(place.box.new("INBOX", None)[0]) == first


def test_a_cursor_of_another_mailbox_generation_shows_all_again(place: Place) -> None:
    place.put(mail(1), "INBOX")
    _, cursor = place.box.new("INBOX", None)
    foreign = Cursor(uidvalidity=cursor.uidvalidity + 1, last_uid=cursor.last_uid + 10**9)
    assert ids(place.box.new("INBOX", foreign)[0]) == ["<m1@acme.example>"]


def test_the_bytes_come_as_they_lie_there(place: Place) -> None:
    raws = [mail(1), mail(2, b"\xff\xfe\x01 broken\r\n"), mail(3, b"x" * 76 + b"\r\n")]
    for raw in raws:
        place.put(raw, "INBOX")
    coordinates = [each.coordinates for each in place.box.new("INBOX", None)[0]]
    fetched = {each.coordinates: each.whole() for each in place.box.fetch(coordinates)}
    assert sorted(fetched.values()) == sorted(raws)
    assert set(fetched) == set(coordinates)


def test_a_message_of_several_megabytes_comes_whole(place: Place) -> None:
    raw = mail(1, b"0123456789abcdef" * 4 + b"\r\n") + (b"y" * 70 + b"\r\n") * 45_000
    place.put(raw, "INBOX")
    place.put(mail(2), "INBOX")
    envelopes = list(place.box.new("INBOX", None)[0])
    fetched = [f.whole() for f in place.box.fetch([e.coordinates for e in envelopes])]
    assert sorted(map(len, fetched)) == [len(mail(2)), len(raw)]
    assert raw in fetched


def test_junk_is_read_too(place: Place) -> None:
    place.put(mail(1), "Junk")
    assert list(place.box.mailboxes()) == ["INBOX", "Junk"]
    [envelope] = place.box.new("Junk", None)[0]
    assert [f.whole() for f in place.box.fetch([envelope.coordinates])] == [mail(1)]


def test_looking_changes_no_flag(place: Place) -> None:
    for number in range(3):
        place.put(mail(number), "INBOX")
    before = place.flags("INBOX")  # "new" also means that no mail program has seen it yet
    envelopes, cursor = place.box.new("INBOX", None)
    list(place.box.fetch([each.coordinates for each in envelopes]))
    place.box.new("INBOX", cursor)
    assert place.flags("INBOX") == before


def test_a_message_that_is_gone_is_left_out(place: Place) -> None:
    place.put(mail(1), "INBOX")
    [envelope] = place.box.new("INBOX", None)[0]
    here = envelope.coordinates
    gone = Coordinates(
        account=here.account, mailbox="INBOX", uidvalidity=here.uidvalidity, uid=here.uid + 7
    )
    assert [f.coordinates for f in place.box.fetch([gone, here])] == [here]


def test_another_generation_of_the_mailbox_is_never_read_by_mistake(place: Place) -> None:
    place.put(mail(1), "INBOX")
    [envelope] = place.box.new("INBOX", None)[0]
    here = envelope.coordinates
    other = Coordinates(
        account=here.account, mailbox="INBOX", uidvalidity=here.uidvalidity + 1, uid=here.uid
    )
    with pytest.raises(Temporary):
        list(place.box.fetch([other]))


def test_a_sent_letter_is_filed_once_as_read_and_found_by_its_message_id(place: Place) -> None:
    place.box.file_sent(mail(1))
    found = place.box.sent_ids(["<m1@acme.example>", "<m2@acme.example>", "<m@acme.example>"])
    assert found == {"<m1@acme.example>"}
    assert place.flags("Sent") == ["S"]


def test_headers_and_bodies_may_be_read_in_turns(place: Place) -> None:
    for number in range(4):
        place.put(mail(number), "INBOX")
    place.put(mail(9), "Junk")
    [junk] = place.box.new("Junk", None)[0]
    envelopes, _ = place.box.new("INBOX", None)
    seen = 0
    for envelope in envelopes:
        [fetched] = place.box.fetch([envelope.coordinates])
        assert envelope.headers["message-id"][0].encode() in fetched.whole()
        assert len(list(place.box.fetch([junk.coordinates]))) == 1
        seen += 1
    assert seen == 4
