"""`poll --watch` on a real server, and triage at a real terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import time

from command import Dsar, write_companies
from servers.maillab import MailLab
from test_loop import letters_of, reply_to


def _hear_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_watching_files_a_reply_as_it_arrives(on_lab: Dsar, lab: MailLab, user: str) -> None:
    write_companies(on_lab.home, {"w1": "dpo@w1.example"})
    on_lab("send", "w1", "--confirm", "1", "--json")
    [letter] = letters_of(lab, user)
    process = subprocess.Popen(
        on_lab.argv("poll", "--watch", "--json", "-q"), stdin=subprocess.DEVNULL, text=True,
        env=on_lab.environment | {"PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # a shell that starts the tests in the background has SIGINT ignored, and we inherit that
        preexec_fn=_hear_interrupts)
    try:
        time.sleep(1.5)
        lab.deliver(user, reply_to(letter, "We have received your request.", number=1))
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], 30)
        assert ready, "the reply was filed within half a minute"
        assert json.loads(process.stdout.readline())["label"] == "acknowledgement"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 130


def test_triage_shows_one_screen_and_acts_on_one_key(
    on_lab: Dsar, lab: MailLab, user: str
) -> None:
    write_companies(on_lab.home, {"t1": "dpo@t1.example"})
    on_lab("send", "t1", "--confirm", "1", "--json")
    [letter] = letters_of(lab, user)
    lab.put(user, reply_to(
        letter, "Please send us a copy of your identity card so that we can verify who you are.",
        number=1))
    on_lab("poll")
    shown = _at_a_terminal(on_lab, "y", "inbox", "triage")
    assert "dpo@t1.example" in shown
    assert "identity_request" in shown
    assert "1 of 1 decided" in shown
    [item] = on_lab("status", "--json").json["items"]
    assert item["why"] == "asks for proof of identity"
    assert "read by a person" in on_lab("case", "show", item["case"]).out


def _at_a_terminal(dsar: Dsar, keys: str, *words: str) -> str:
    """Run a command on a pseudo-terminal, type `keys` once it waits, return what it showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(dsar.argv(*words), stdin=theirs, stdout=theirs, stderr=theirs,
                               env=dsar.environment | {"TERM": "xterm"}, start_new_session=True)
    os.close(theirs)
    shown, typed, end = b"", False, time.monotonic() + 30
    while time.monotonic() < end:
        ready, _, _ = select.select([ours], [], [], 0.5)
        if ready:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                break
        if not typed and b"q stop" in shown:
            time.sleep(1)  # a person reads first; what is typed before is thrown away
            os.write(ours, keys.encode())
            typed = True
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(shown.decode(errors="replace")) from None
    os.close(ours)
    return shown.decode(errors="replace")
