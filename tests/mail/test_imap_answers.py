"""Answers of servers that answer in turns, refuse, or lie about sizes; the bytes as on the wire."""

from __future__ import annotations

import io
from imaplib import IMAP4

import pytest

from dsar.mail.imapstream import HEADS, FetchStream
from dsar.mail.imapwire import Answer, answers, sequence_set


class Wire(io.BytesIO):
    """What a server sends; commands go nowhere."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)


def fetched(uid: int, data: bytes, said: int | None = None) -> bytes:
    size = len(data) if said is None else said
    return b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n" % (uid, uid, size, data)


def read(text: bytes) -> list[Answer]:
    return list(answers(Wire(text), b"T", keep=1000))


def test_literals_quoted_text_and_nil_are_told_apart() -> None:
    found = read(fetched(1, b"a{3}\r\nb") + b'* 2 FETCH (BODY[] "q\\"x" UID 2)\r\n'
                 b"* 3 FETCH (UID 3 BODY[] NIL)\r\n* 4 EXISTS\r\n* 4 FETCH (FLAGS (\\Seen))\r\n"
                 b"T OK done\r\n")
    assert [(each.uid, each.data) for each in found] == [
        (1, b"a{3}\r\nb"), (2, b'q"x'), (3, None)]


@pytest.mark.parametrize("text", [
    fetched(1, b"abc", said=2) + b"T OK\r\n",
    fetched(1, b"abc", said=9) + b"T OK\r\n",
    fetched(1, b"abc", said=10**18), b"* BYE gone\r\n", b"", b"* 1 FETCH (UID 1 BODY[] {3}\r\nab",
])
def test_a_server_that_lies_about_sizes_or_hangs_up_is_a_lost_connection(text: bytes) -> None:
    with pytest.raises(IMAP4.abort):
        read(text)


def test_two_commands_answered_in_turns_lose_no_message() -> None:
    uids = [*range(1, 501), *range(601, 611)]
    stream = FetchStream.of(uids, HEADS)
    wire = Wire(b"")
    stream.ask(wire)
    first, second = (batch.tag for batch in stream.under_way)
    text = fetched(601, b"x") + b"".join(fetched(n, b"y") for n in range(1, 400))
    text += b"".join(fetched(n, b"z") for n in range(602, 611)) + second + b" OK\r\n"
    text += b"".join(fetched(n, b"y") for n in range(400, 501)) + first + b" OK\r\n"
    answering = Wire(text)
    stream.read_all(answering)
    assert sorted(each.uid for each in stream.read) == uids
    assert wire.sent[0].split()[3] == b"1:500"


class Refusing(Wire):
    """Says NO to every command that asks for message 2, after what comes before it."""

    def send(self, data: bytes) -> None:
        tag, _, _, listed, *_ = data.split()
        low, _, high = listed.partition(b":")
        place = self.tell()
        self.seek(0, io.SEEK_END)
        for uid in range(int(low), int(high or low) + 1):
            if uid == 2:
                self.write(tag + b" NO broken\r\n")
                break
            self.write(fetched(uid, b"x"))
        else:
            self.write(tag + b" OK\r\n")
        self.seek(place)


def test_a_message_the_server_refuses_is_singled_out_and_the_others_come() -> None:
    stream, server = FetchStream.of([1, 2, 3, 4], HEADS), Refusing(b"")
    got: list[Answer | tuple[int, str]] = []
    while not stream.is_done:
        stream.ask(server)
        stream.read_one(server)
        got += list(stream.taken())
    assert [each.uid for each in got if isinstance(each, Answer)] == [1, 3, 4]
    assert [each[0] for each in got if isinstance(each, tuple)] == [2]


def test_sequence_sets_are_short() -> None:
    assert sequence_set([1, 2, 3, 7, 9, 10]) == b"1:3,7,9:10"
    assert sequence_set([5]) == b"5"
