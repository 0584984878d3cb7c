"""The plan, the status and single cases as lines for a terminal of 80 columns."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from dsar.core.status import Glimpse, Status

if TYPE_CHECKING:
    from dsar.core.plan import Plan, PlannedLetter, Skip
    from dsar.core.subject import DataSubject

WIDTH = 80


def columns(text: str) -> int:
    """How many terminal columns `text` takes."""
    if text.isascii():  # most cells, and 2,000 rows have many
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    none = sum(unicodedata.combining(c) > 0 for c in text)
    return len(text) + wide - none


def printable(text: str) -> str:
    """`text` on one line without control characters, so that no name can steer a terminal."""
    if text.isascii() and text.isprintable():
        return text
    spaced = "".join(" " if c.isspace() else c for c in text)
    return "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))


def cell(text: str, width: int) -> str:
    """`text` cut to `width` columns with an ellipsis, or filled up with spaces."""
    clean = cut(text, width)
    return clean + " " * (width - columns(clean))


def cut(text: str, width: int) -> str:
    """`text` on one line of at most `width` columns."""
    clean = printable(text)
    if columns(clean) <= width:
        return clean
    if clean.isascii():
        return clean[: max(width - 1, 0)] + "…"
    while clean and columns(clean) > width - 1:
        clean = clean[:-1]
    return clean + "…"


def row(*cells: tuple[str, int], last: str = "") -> str:
    """Cells of fixed width, and a last one that takes the rest of the line."""
    head = "".join(cell(cut(text, width - 1), width) for text, width in cells)
    return (head + cell(last, max(WIDTH - columns(head), 1))).rstrip()


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """What an account may send: used in the last 24 h, of how many (None: no limit)."""

    account: str
    used: int
    per_day: int | None
    first_day: bool
    today: int
    done_by: date | None


def plan_lines(
    plan: Plan, subject: DataSubject, today: date, *, capacity: Capacity | None,
    first_due: date | None,
) -> Iterator[str]:
    """Yield the plan screen."""
    if plan.letters:
        yield from _plan_head(plan.letters, subject)
        for number, letter in enumerate(plan.letters, start=1):
            yield from _letter_rows(number, letter, today)
    if plan.queued:
        yield f"Approved earlier, not sent yet ({len(plan.queued)}):"
        for case in plan.queued:
            to = case.approved.recipient if case.approved else ""
            yield row(("", 5), (case.facts.controller_name, 28), (to, 28), last=case.id)
    yield from _held_lines(plan.skipped)
    yield from _sum_lines(plan, capacity, first_due)


def _plan_head(letters: Sequence[PlannedLetter], subject: DataSubject) -> Iterator[str]:
    rights = "/".join(sorted({letter.right for letter in letters}))
    laws = ", ".join(dict.fromkeys(a.regime.names.get("en", a.regime.name) for a in letters))
    languages = "/".join(sorted({letter.language for letter in letters}))
    yield f"Plan: {rights} requests for {printable(subject.name)}"
    yield row(last=f"  law: {laws}; language: {languages}")
    yield row(("  #", 4), ("Company", 24), ("To", 28), ("", 9), last="Learns")


def _letter_rows(number: int, letter: PlannedLetter, today: date) -> Iterator[str]:
    """One row, and more below it where the company learns more than fits: that is never cut."""
    group = f" + {len(letter.covers)} in its group" if letter.covers else ""
    name = cut(letter.controller.name, 23 - columns(group)) + group
    checked = letter.contact.checked
    age = f"ok {(today - checked).days}d" if checked and checked <= today else "ok"
    learns = _in_lines([d.identifier.kind for d in letter.disclosures], WIDTH - 65)
    yield row((f"{number:3}", 4), (name, 24), (letter.contact.value, 28), (age, 9), last=learns[0])
    yield from (row(("", 65), last=more) for more in learns[1:])


def _in_lines(words: Sequence[str], width: int) -> list[str]:
    """Words in lines of at most `width` columns; at least one line."""
    lines = [""]
    for word in words:
        joined = f"{lines[-1]} {word}".strip()
        if columns(joined) <= width or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def _held_lines(skipped: Sequence[Skip]) -> Iterator[str]:
    if not skipped:
        return
    yield f"Held back ({len(skipped)}):"
    for skip in skipped:
        yield from _held_rows(skip)


def _held_rows(skip: Skip) -> Iterator[str]:
    """One row, or two where reason or way out do not fit: neither is cut while there is room."""
    name, way = (skip.controller.name, 20), f"-> {skip.way_out}" if skip.way_out else ""
    if columns(skip.why) < 24 and columns(way) <= WIDTH - 46:
        yield row(("", 2), name, (skip.why, 24), last=way)
        return
    yield row(("", 2), name, last=skip.why)
    if way:
        yield row(("", 22), last=way)


def _sum_lines(plan: Plan, capacity: Capacity | None, first_due: date | None) -> Iterator[str]:
    companies = len(plan.queued) + sum(1 + len(letter.covers) for letter in plan.letters)
    text = f"{plan.count} {_plural(plan.count, 'letter')}, " + (
        f"{companies} {_plural(companies, 'company')}.")
    if capacity is not None:
        limit = f"of {capacity.per_day} " if capacity.per_day is not None else ""
        first = " (first day)" if capacity.first_day else ""
        text += f" Account {capacity.account}: {capacity.used} {limit}used today{first}."
    yield text
    if plan.count and capacity is not None and capacity.done_by:
        due = f" First due date {first_due}." if first_due else ""
        yield f"Today {capacity.today}, done by {capacity.done_by}.{due}"


def _plural(count: int, word: str) -> str:
    if count == 1:
        return word
    return word[:-1] + "ies" if word.endswith("y") else word + "s"


@dataclass(frozen=True, kw_only=True)
class Poll:
    """When mail was last fetched, and how it went."""

    at: str
    result: str


def status_lines(
    standings: Sequence[Glimpse], who: str, today: date, *, poll: Poll | None, triage: int,
    height: int | None = None,
) -> Iterator[str]:
    """Yield the status screen, most urgent first.

    triage: messages waiting for assignment. height: lines of the screen it has to fit; each
    group then shows its most urgent cases and counts the others.
    """
    last = f"last poll {_short(poll.at, today)} ({poll.result})" if poll else "no mail fetched yet"
    yield row((who, 24), (f"{today:%A %-d %b %Y}", 29), last=last)
    if not standings:
        yield "  no cases yet"
        yield "Next: dsar send --all -n"
        return
    yield from _packed(_counts(standings), gap=3)
    groups = _grouped(standings)
    listed = [(title, status) for title, status in _LISTED if groups.get(status)]
    most = fewest([len(groups[status]) for _, status in listed], height) if height else None
    for title, status in listed:
        found = groups[status]
        yield title
        yield from (_case_row(s, today) for s in found[:most])
        if most is not None and len(found) > most:
            yield f"  and {len(found) - most:,} more: dsar status --status {status}"
    yield from _packed(_waiting(standings, groups), gap=4)
    if following := next_line(standings, triage=triage):
        yield following


HEAD = 7
"""Lines of the status screen beside its groups: who, counts, waiting, next, and the prompt."""


def fewest(lengths: Sequence[int], height: int) -> int:
    """How many rows each group of the status screen may have so that all fit `height` lines.

    Never fewer than three, and one row is not left out to be counted.
    """
    rows = max(lengths, default=0)
    while rows > 3 and sum(min(n, rows) + (n > rows) + 1 for n in lengths) + HEAD > height:
        rows -= 1
    return rows


def _short(at: str, today: date) -> str:
    """The time for today, the day for any other."""
    day, _, time = at.partition(" ")
    return time if day == today.isoformat() else day


_LISTED = (
    ("In doubt: may or may not have been sent", Status.IN_DOUBT),
    ("Not delivered", Status.BOUNCED),
    ("Refused by the mail server", Status.REFUSED),
    ("Needs you", Status.NEEDS_YOU),
    ("Overdue", Status.OVERDUE),
)


def _grouped(standings: Iterable[Glimpse]) -> dict[Status, list[Glimpse]]:
    groups: dict[Status, list[Glimpse]] = {}
    for standing in standings:
        groups.setdefault(standing.status, []).append(standing)
    return groups


def _packed(parts: Sequence[str], *, gap: int) -> Iterator[str]:
    """Yield `parts` side by side, on as many lines as they need."""
    line = ""
    for part in parts:
        longer = f"{line}{' ' * gap}{part}" if line else part
        if columns(longer) > WIDTH:
            yield line
            longer = f"  {part}"
        line = longer
    yield line


def _counts(standings: Sequence[Glimpse]) -> list[str]:
    sent = [s for s in standings if s.case.letters]
    delivered = [s for s in sent if s.case.request is not None]
    answered = [s for s in delivered if s.status is Status.ANSWERED
                or (s.case.closed and s.case.replies)]
    share = f" ({100 * len(answered) // len(delivered)}%)" if delivered else ""
    by = Counter(s.status for s in standings)
    needing = sum(bool(s.needs_you) for s in standings)
    return [f"  sent {len(sent)}", f"delivered {len(delivered)}",
            f"answered {len(answered)}{share}", f"overdue {by[Status.OVERDUE]}",
            f"needs you {needing}"]


def _case_row(standing: Glimpse, today: date) -> str:
    case = standing.case
    by = standing.answer_by
    days = "" if standing.days_left is None else f"{abs(standing.days_left)}d"
    if standing.status is Status.OVERDUE:
        why, when = f"no answer, due {by}", f"{days} late"
        if reminded := _reminded(standing):
            why = f"reminded {reminded}, due {by}"
    else:
        past = standing.days_left is not None and standing.days_left < 0
        due = f"{days} past due" if past else f"due {by} {days}"
        why, when = standing.needs_you, due if by else "no due date"
    return row(("", 2), (case.id, 11), (case.facts.controller_name, 20), (why, 28), last=when)


def _reminded(standing: Glimpse) -> str:
    later = [s for s in standing.case.letters if s.stage in ("reminder", "follow-up")]
    return f"{later[-1].on:%m-%d}" if later else ""


def _waiting(
    standings: Sequence[Glimpse], groups: Mapping[Status, Sequence[Glimpse]]
) -> list[str]:
    soon = sum(s.days_left is not None and 0 <= s.days_left <= 7 and s.is_open for s in standings)
    waiting = len(groups.get(Status.WAITING, ())) + len(groups.get(Status.ACKNOWLEDGED, ()))
    parts = [f"Due within 7 days: {soon}", f"Waiting: {waiting}",
             f"Extended: {len(groups.get(Status.EXTENDED, ()))}"]
    for word, status in (("Unsent", Status.UNSENT), ("Answered", Status.ANSWERED),
                         ("Closed", Status.CLOSED)):
        if count := len(groups.get(status, ())):
            parts.append(f"{word}: {count}")
    return parts


def next_line(standings: Sequence[Glimpse], *, triage: int) -> str:
    """The one `Next:` line: what helps most now, with counts."""
    by = Counter(s.status for s in standings)
    steps: list[str] = []
    if by[Status.IN_DOUBT]:
        steps.append(f"dsar poll ({by[Status.IN_DOUBT]} in doubt)")
    if triage:
        steps.append(f"dsar inbox list ({triage} to assign)")
    needing = [s for s in standings if s.status is Status.NEEDS_YOU]
    if needing:
        need = "needs" if len(needing) == 1 else "need"
        steps.append(f"{needing[0].next} ({len(needing)} {need} you)")
    unsent = Counter(s.next for s in standings if s.status is Status.UNSENT)
    steps += [f"{command} ({count} not sent)" for command, count in unsent.items()]
    late = [s for s in standings if s.status is Status.OVERDUE
            and s.next.startswith("dsar remind ")]
    if late:
        steps.append(f"dsar remind --overdue ({len(late)} not yet reminded)")
    return "Next: " + _that_fit(steps, WIDTH - 6) if steps else ""


def _that_fit(steps: Sequence[str], width: int) -> str:
    """The first step, and as many of the others as fit into the line."""
    line = steps[0]
    for step in steps[1:]:
        if columns(f"{line}, {step}") > width:
            break
        line = f"{line}, {step}"
    return line
