"""Sheets on which a member says what the answers are: codes and labels, no word of an answer.

The machine has read a sealed answer as it arrived, and nobody of the group may read it again:
whether it read rightly, the member alone can say.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from dsar.campaign.rows import BadRow
from dsar.core.case import Case, Reply
from dsar.core.message import Label
from dsar.errors import UsageProblem

COLUMNS = ("member", "answer", "case", "company", "received", "read as", "is", "until")
YES = frozenset({"yes", "y"})
SHORT = 12
"""Digits of a digest that stand on the sheet."""
_JOIN = "+"


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a member says of one answer. labels: empty confirms what the machine read."""

    line: int
    member: str
    answer: str
    case_id: str
    labels: tuple[str, ...]
    until: date | None


def open_answers(cases: Iterable[Case]) -> list[tuple[Case, Reply]]:
    """The answers nobody has said anything of, by company and day."""
    found = [(case, reply) for case in cases for reply in case.replies if reply.confirmed is None]
    return sorted(found, key=lambda f: (f[0].facts.controller_name, f[1].received.on, f[0].id))


def sheet_of(member: str, answers: Sequence[tuple[Case, Reply]]) -> bytes:
    """The sheet of a member as CSV (UTF-8 with a byte order mark, for office programs)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for case, reply in answers:
        got, labels = reply.received, reply.machine.labels if reply.machine else ("unclear",)
        writer.writerow((member, got.digest[:SHORT], case.id, case.facts.controller_name,
                         got.on.isoformat(), _JOIN.join(labels), "", ""))
    return text.getvalue().encode("utf-8-sig")


def read_sheet(raw: bytes) -> Iterator[Said | BadRow]:
    """Yield what stands on a sheet that came back, row by row; empty rows say nothing.

    Raises UsageProblem for what is no sheet.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageProblem("The sheet is not UTF-8.") from None
    first = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
    lacking = [name for name in ("member", "answer", "case", "is")
               if name not in (rows.fieldnames or ())]
    if lacking:
        raise UsageProblem(f"The sheet has no column {lacking[0]!r}.")
    for row in rows:
        cells = {key: (row.get(key) or "").strip() for key in COLUMNS}
        if cells["is"]:
            yield _said(rows.line_num, cells)


def _said(line: int, cells: dict[str, str]) -> Said | BadRow:
    word = cells["is"].casefold()
    labels = () if word in YES else tuple(part.strip() for part in word.split(_JOIN))
    unknown = [name for name in labels if name not in tuple(Label)]
    shown = tuple(cells.values())
    if unknown:
        return BadRow(line, f"{unknown[0]!r} is no label", shown)
    try:
        until = date.fromisoformat(cells["until"]) if cells["until"] else None
    except ValueError:
        return BadRow(line, f"{cells['until']!r} is no date such as 2026-11-22", shown)
    if len(cells["answer"]) < SHORT:
        return BadRow(line, "the number of the answer is cut off", shown)
    return Said(line=line, member=cells["member"], answer=cells["answer"].lower(),
                case_id=cells["case"], labels=labels, until=until)
