"""What is enclosed with a complaint, in the language of the authority."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dsar.core.annex import WORD_OF, due_facts, proofs_of, steps_of
from dsar.core.case import CaseEvent
from dsar.core.followup import NO_EVENT, labels_of
from dsar.core.letter import Letter, Stage

if TYPE_CHECKING:
    from dsar.cli.app import App
    from dsar.core.status import Standing
    from dsar.evidence import Mail
    from dsar.mail.compose import Attachment
    from dsar.store import Recorded

NAMES = ("request", "reminder", "complaint", "reply", "proof", "timeline", "due")
"""The lines of letters/annex-names.txt.j2."""


def annexes_of(
    app: App, standing: Standing, events: Sequence[Recorded], letter: Letter
) -> list[Attachment]:
    """Letters and replies as they were sent and received, and three sheets of text.

    letter: language, law, company and reference of the complaint, dated the day of the request.
    Raises LetterIncomplete where the language lacks a word.
    """
    from dsar.mail.compose import Attachment

    names, mails = _names(app, letter), _mails(app, standing, events)
    found = [Attachment(name=_file(number, names[_kind(mail)], mail), content=mail.content or b"",
                        type="application/octet-stream") for number, mail in enumerate(mails, 1)]
    files = {mail.digest: annex.name for mail, annex in zip(mails, found, strict=True)}
    listed: list[Any] = [r.event for r in events if isinstance(r.event, CaseEvent)]
    steps = _with_files(app, standing, listed, files)
    sheets: dict[str, Mapping[str, object]] = {
        "proof": {"sent": proofs_of(listed)}, "timeline": {"steps": steps},
        "due": due_facts(standing)}
    return found + [
        Attachment(name=f"{number}-{names[sheet]}.txt", type="text/plain",
                   content=_text(app, replace(letter, facts=facts), sheet))
        for number, (sheet, facts) in enumerate(sheets.items(), len(found) + 1)]


def _mails(app: App, standing: Standing, events: Sequence[Recorded]) -> list[Mail]:
    """What belongs to the case: nothing automatic, doubtful, taken out or of an authority."""
    from dsar.evidence import mails_of

    case = standing.case
    theirs = {r.received.digest for r in case.replies if not NO_EVENT & set(labels_of(r))}
    ours = {a.digest for a in case.approvals if a.stage in WORD_OF}
    return [m for m in mails_of(events, lambda digest: _kept(app, digest))
            if m.content is not None and (m.way == "proof" or m.digest in theirs | ours)]


def _kept(app: App, digest: str) -> bytes | None:
    return app.archive.read(digest) if app.archive.has(digest) else None


def _kind(mail: Mail) -> str:
    return WORD_OF[Stage(mail.what)] if mail.way == "out" else (
        "proof" if mail.way == "proof" else "reply")


def _file(number: int, name: str, mail: Mail) -> str:
    return f"{number}-{mail.on}-{name}.{mail.path.rpartition('.')[2]}"


def _names(app: App, letter: Letter) -> dict[str, str]:
    """The words of the language as they stand in the name of a file."""
    from dsar.letters.words import render_annex

    words = render_annex(letter, "annex-names", app.template_folders).body.splitlines()
    return {key: re.sub(r"[^\w]+", "-", word).strip("-").lower()
            for key, word in zip(NAMES, words, strict=True)}


def _with_files(
    app: App, standing: Standing, events: Sequence[CaseEvent], files: Mapping[str, str]
) -> tuple[tuple[object, ...], ...]:
    return tuple((day, word, files[digest]) if digest in files else (day, word)
                 for day, word, digest in steps_of(standing.case, events, app.today))


def _text(app: App, letter: Letter, sheet: str) -> bytes:
    from dsar.letters.document import as_text
    from dsar.letters.words import render_annex

    return as_text(render_annex(letter, f"annex-{sheet}", app.template_folders)).encode()
