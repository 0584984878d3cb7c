"""The evidence of a case is verified with the standard library alone; a flipped byte is found."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from contextlib import redirect_stdout
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.core.case import (
    CaseEvent,
    CaseOpened,
    LetterApproved,
    LetterSent,
    NoteAdded,
    ReplyRead,
    ReplyReceived,
    SendAttempted,
    fold,
)
from dsar.core.deadline import Facts, deadlines
from dsar.core.letter import Stage
from dsar.core.redact import Redactor
from dsar.core.status import standing
from dsar.core.subject import DataSubject, Identifier, Place
from dsar.evidence import VERIFY, Evidence, chained, evidence_zip
from dsar.law.load import load_laws
from dsar.store import Recorded

SENT = date(2026, 8, 3)
NOON = datetime(2026, 8, 3, 12, tzinfo=UTC)
REQUEST = (b"From: Alex Example <alex@example.org>\r\nTo: privacy@acme.example\r\n"
           b"Subject: Access request [DSAR-7K3M-Q2XT]\r\nMessage-ID: <1@example.org>\r\n\r\n"
           b"My name is Alex Example, born 1990-05-17.\r\n")
ANSWER = (b"Authentication-Results: mx.example.org; dmarc=pass header.from=acme.example\r\n"
          b"From: Acme <privacy@acme.example>\r\nTo: alex+dsar-7k3mq2xt-1234@example.org\r\n"
          b"Subject: Re: Access request\r\nMessage-ID: <2@acme.example>\r\n\r\n"
          b"Dear Mr Example,\r\nwe refuse. Your number +49 30 5550100 and your birthday\r\n"
          b"17. Mai 1990 stay with us. Alex  EXAMPLE, Musterweg 1, 10115 Berlin.\r\n")
ALEX = DataSubject(
    id="alex", name="Alex Example", email="alex@example.org", residence=Place("DE", "BE"),
    address=("Musterweg 1", "10115 Berlin"),
    identifiers=(Identifier("phone", "+49 30 5550100"), Identifier("birth-date", "1990-05-17")))


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def events() -> list[CaseEvent]:
    return [
        CaseOpened(on=SENT, case_id="7K3M", reference="DSAR-7K3M-Q2XT", subject_id="alex",
                   controller="acme", controller_name="Acme", right="access", regime="eu-gdpr",
                   language="en", country="DE", recipient="privacy@acme.example",
                   mailbox="alex@example.org",
                   reply_address="alex+dsar-7k3mq2xt-1234@example.org"),
        LetterApproved(on=SENT, stage=Stage.REQUEST, message_id="<1@example.org>",
                       digest=sha(REQUEST), recipient="privacy@acme.example", account="main"),
        SendAttempted(on=SENT, at=NOON, message_id="<1@example.org>", account="main",
                      recipient="privacy@acme.example"),
        LetterSent(on=SENT, message_id="<1@example.org>", stage=Stage.REQUEST,
                   recipient="privacy@acme.example", server_reply="250 2.0.0 Ok: queued as 4XYZ"),
        ReplyReceived(on=date(2026, 8, 20), at=NOON, digest=sha(ANSWER), authentic="pass",
                      message_id="<2@acme.example>", sender="privacy@acme.example",
                      subject="Re: Access request", evidence=("in-reply-to",)),
        ReplyRead(on=date(2026, 8, 20), digest=sha(ANSWER), labels=("refusal",), by="person"),
        NoteAdded(on=date(2026, 8, 21), text="Alex Example rang +49 (30) 555 01 00"),
    ]


def evidence(**changed: object) -> bytes:
    laws = load_laws()
    listed = events()
    case = fold(listed)
    dates = deadlines(laws.regimes["eu-gdpr"], Facts(right="access", received=SENT, country="DE"),
                      laws.calendars)
    known = {sha(REQUEST): REQUEST, sha(ANSWER): ANSWER}
    values: dict[str, object] = {
        "standing": standing(case, dates, date(2026, 9, 20)), "as_of": date(2026, 9, 20),
        "events": [Recorded(sequence=n, recorded_at=NOON, author="alex", event=e)
                   for n, e in enumerate(listed, 1)],
        "read": known.get,
    }
    return evidence_zip(Evidence(**(values | changed)))  # type: ignore[arg-type]


def verify(content: bytes, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """The script of ten lines, in a Python that sees nothing of ours."""
    (tmp_path / "e.zip").write_bytes(content)
    (tmp_path / "verify.py").write_text(VERIFY)
    return subprocess.run(
        [sys.executable, "-I", "-S", str(tmp_path / "verify.py"), str(tmp_path / "e.zip")],
        capture_output=True, text=True, check=False)


def rebuilt(content: bytes, name: str, change: bytes | None) -> bytes:
    """The ZIP with one member replaced (or removed), its checksums of the ZIP made right."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for each in old.namelist():
            if each != name:
                new.writestr(each, old.read(each))
            elif change is not None:
                new.writestr(each, change)
    return buffer.getvalue()


def names(content: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def member(content: bytes, name: str) -> bytes:
    return zipfile.ZipFile(io.BytesIO(content)).read(name)


def test_ten_lines_with_hashlib_zipfile_and_json_verify_it(tmp_path: Path) -> None:
    done = verify(evidence(), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "verified: 8 files\n"
    assert len(VERIFY.splitlines()) <= 10
    assert max(map(len, VERIFY.splitlines())) <= 100
    assert "dsar" not in VERIFY


def test_equal_input_gives_equal_bytes() -> None:
    assert evidence() == evidence()


def test_one_flipped_byte_in_any_file_is_found(tmp_path: Path) -> None:
    content = evidence()
    for name in names(content):
        whole = bytearray(member(content, name))
        for place in {0, len(whole) // 2, len(whole) - 1}:
            bad = bytearray(whole)
            bad[place] ^= 1
            assert verify(rebuilt(content, name, bytes(bad)), tmp_path).returncode, (name, place)
        assert verify(rebuilt(content, name, None), tmp_path).returncode, name


def run_here(content: bytes, path: Path) -> object:
    """What the script ends with, run in this process: None where it finds nothing wrong."""
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()):
        patch.setattr(sys, "argv", ["verify.py", str(path)])
        try:
            exec(compile(VERIFY, "verify.py", "exec"), {})  # the script itself
        except SystemExit as ended:
            return ended.code
        except Exception as fault:  # Python shows it and ends with 1
            return repr(fault)


WHOLE = evidence()
REDACTED = evidence(redactor=Redactor.for_person(ALEX))


@pytest.mark.parametrize("name", names(WHOLE))
@given(data=st.data())
def test_any_bit_of_any_file_counts(name: str, data: st.DataObject) -> None:
    whole = bytearray(member(WHOLE, name))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with tempfile.TemporaryDirectory() as folder:
        assert run_here(WHOLE, Path(folder, "whole.zip")) is None
        assert run_here(rebuilt(WHOLE, name, bytes(whole)), Path(folder, "bad.zip"))


@pytest.mark.parametrize("content", [WHOLE, REDACTED], ids=["whole", "redacted"])
@given(data=st.data())
def test_a_flip_in_the_bytes_of_the_zip_is_found_or_changes_no_file(
    content: bytes, data: st.DataObject
) -> None:
    """What the script cannot see is the ZIP's own order and dates; its digest shows that too."""
    bad = bytearray(content)
    bad[data.draw(st.integers(0, len(bad) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with tempfile.TemporaryDirectory() as folder:
        if run_here(bytes(bad), Path(folder, "bad.zip")) is None:
            assert names(bytes(bad)) == names(content)
            assert all(member(bytes(bad), n) == member(content, n) for n in names(content))
    assert sha(bytes(bad)) != sha(content)


def test_a_second_file_of_the_same_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "e.zip").write_bytes(WHOLE)
    with (zipfile.ZipFile(tmp_path / "e.zip", "a") as archive,
          pytest.warns(UserWarning, match="Duplicate")):
        archive.writestr("timeline.txt", member(WHOLE, "timeline.txt"))
    assert run_here((tmp_path / "e.zip").read_bytes(), tmp_path / "again.zip")


def test_an_event_left_out_or_changed_breaks_the_chain(tmp_path: Path) -> None:
    content = evidence()
    lines = member(content, "ledger.jsonl").splitlines(keepends=True)
    for changed in (b"".join(lines[:3] + lines[4:]), b"".join(lines[:-1]),
                    b"".join(lines).replace(b"2026-08-20", b"2026-08-19")):
        forged = json.loads(member(content, "manifest.json"))
        forged["files"]["ledger.jsonl"]["sha256"] = sha(changed)
        text = json.dumps(forged).encode()
        bad = rebuilt(content, "ledger.jsonl", changed)
        bad = rebuilt(bad, "manifest.json", text)
        bad = rebuilt(bad, "manifest.sha256", f"{sha(text)}  manifest.json\n".encode())
        assert verify(bad, tmp_path).stderr.startswith("CHANGED: [")


def test_the_mail_is_there_byte_for_byte_with_the_words_of_the_servers() -> None:
    content = evidence()
    assert member(content, "mail/001-2026-08-03-out-request.eml") == REQUEST
    assert member(content, "mail/002-2026-08-20-in-refusal.eml") == ANSWER
    timeline = member(content, "timeline.txt").decode()
    assert "250 2.0.0 Ok: queued as 4XYZ" in timeline
    assert "Thu 3 September 2026" in timeline
    assert "mail/002" in timeline
    said = json.loads(member(content, "authentication.json"))
    assert said[0]["recorded"] == "pass"
    assert "dmarc=pass" in said[0]["authentication_results"][0]
    assert "python3 verify.py" in member(content, "README.txt").decode()


def test_a_redacted_copy_holds_nothing_of_the_person(tmp_path: Path) -> None:
    redactor = Redactor.for_person(ALEX, keep=("privacy@acme.example", "acme.example"))
    content = evidence(redactor=redactor)
    assert verify(content, tmp_path).returncode == 0
    readable = b"".join(member(content, n) for n in names(content) if not n.endswith(".pdf"))
    for word in (b"Alex", b"EXAMPLE,", b"alex@", b"alex+", b"Musterweg", b"10115", b"5550100",
                 b"555 01 00", b"1990"):
        assert word not in readable, word
    assert b"privacy@acme.example" in readable
    assert b"we refuse" in readable
    assert not any(n.endswith(".eml") for n in names(content))
    listed = json.loads(member(content, "manifest.json"))["mail"]
    assert {m["sha256_of_the_original"] for m in listed} == {sha(REQUEST), sha(ANSWER)}


def test_a_message_that_is_not_kept_is_named_and_not_made_up() -> None:
    content = evidence(read=lambda digest: None)
    listed = json.loads(member(content, "manifest.json"))["mail"]
    assert [m["kept"] for m in listed] == [False, False]
    assert not any(n.startswith("mail/") for n in names(content))


def test_texts_with_broken_characters_can_be_chained() -> None:
    (line,) = chained([{"event": {"text": "lone \ud800 and \0"}}])
    assert len(line["hash"]) == 64


def test_the_timeline_is_a_pdf_as_well_where_typst_is_there() -> None:
    pytest.importorskip("typst")
    pypdf = pytest.importorskip("pypdf")
    text = "".join(page.extract_text() for page in pypdf.PdfReader(
        io.BytesIO(member(evidence(), "timeline.pdf"))).pages)
    assert "What happened" in text
    assert "queued as 4XYZ" in text
