"""Dates and lengths in a reply, and what they do to the time limit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from dsar.core.message import Label, Message
from dsar.reading.engine import Hit, Tagged
from dsar.reading.lexicon import Lexicon
from dsar.reading.reading import ClockReading, DueFacts
from dsar.reading.words import fold

_ISO = re.compile(r"\b(20\d\d)-(\d{1,2})-(\d{1,2})\b")
_NUMERIC = re.compile(r"\b(\d{1,2})[./-](\d{1,2})[./-](20\d\d)\b")
_EAST = re.compile(r"(20\d\d)年\s*(\d{1,2})月\s*(\d{1,2})日")
_EAST_SHORT = re.compile(r"(?<![\d年])(\d{1,2})月\s*(\d{1,2})日")
_WORD_MONTH = re.compile(r"\b([^\W\d_]{2,15})\s+(?:de\s+|of\s+)?([^\W\d_]{3,12})")
_DAY_MONTH = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th|er|e|º|°|a|:e)?\.?\s+(?:de\s+|of\s+|d[ei]\s+)?"
                        r"([^\W\d_]{3,12})\.?,?\s*(?:de[l]?\s+)?(20\d\d)?")
_MONTH_DAY = re.compile(r"\b([^\W\d_]{3,12})\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(20\d\d)")
_LENGTH = re.compile(r"\b(\d{1,3})\s*(?:[^\W\d_]+\s+)?([^\W\d_]+)")


def dates_in(text: str, words: Lexicon, near: date) -> tuple[date, ...]:
    """The dates in a sentence, in order; a missing year is the one nearest to `near`."""
    folded = fold(text, words.language)
    found: list[tuple[int, date]] = []
    for pattern, order in ((_ISO, (1, 2, 3)), (_EAST, (1, 2, 3)), (_NUMERIC, (3, 2, 1))):
        for m in pattern.finditer(folded):
            year, month, day = (int(m.group(i)) for i in order)
            _note(found, m.start(), year, month, day)
    for m in _DAY_MONTH.finditer(folded):
        month = _month(m.group(2), words)
        if month:
            year = int(m.group(3)) if m.group(3) else _year_near(near, month, int(m.group(1)))
            _note(found, m.start(), year, month, int(m.group(1)))
    for m in _EAST_SHORT.finditer(folded):
        month, day = int(m.group(1)), int(m.group(2))
        _note(found, m.start(), _year_near(near, month, day), month, day)
    for m in _WORD_MONTH.finditer(folded):
        day, month = words.numbers.get(m.group(1), 0), _month(m.group(2), words)
        if day > 1 and month:
            _note(found, m.start(), _year_near(near, month, day), month, day)
    for m in _MONTH_DAY.finditer(folded):
        month = _month(m.group(1), words)
        if month:
            _note(found, m.start(), int(m.group(3)), month, int(m.group(2)))
    return tuple(d for _, d in sorted(found))


def _note(found: list[tuple[int, date]], place: int, year: int, month: int, day: int) -> None:
    try:
        when = date(year, month, day)
    except ValueError:
        try:  # 03/31/2026: month and day in American order
            when = date(year, day, month)
        except ValueError:
            return
    if all(abs(place - p) > 3 for p, _ in found):
        found.append((place, when))


def _month(word: str, words: Lexicon) -> int:
    exact = words.months.get(word)
    if exact:
        return exact
    return next((n for name, n in words.months.items()
                 if len(name) >= 4 and word.startswith(name)), 0)


def _year_near(near: date, month: int, day: int) -> int:
    for year in (near.year, near.year + 1):
        try:
            if date(year, month, day) + timedelta(days=60) >= near:
                return year
        except ValueError:
            continue
    return near.year


@dataclass(frozen=True)
class ClockWords:
    """What the words say of the clock, before the labels decide whether it counts.

    extension: told as one. likely: what it must be, if the message is a notice of extension.
    """

    extension: ClockReading = field(default_factory=ClockReading)
    likely: ClockReading = field(default_factory=ClockReading)
    stop: ClockReading = field(default_factory=ClockReading)
    start: ClockReading = field(default_factory=ClockReading)

    @property
    def stated_on(self) -> date | None:
        """The latest date promised for an answer."""
        return self.extension.stated_on

    def for_labels(self, labels: Sequence[Label], *, sure: bool = False) -> ClockReading:
        """Only what goes with the labels counts: no extension without an extension notice.

        sure: whether it is one beyond doubt, so that its only date must be that of the answer.
        """
        if self.start.effect != "none":
            return self.start
        if Label.EXTENSION_NOTICE in labels:
            return self.likely if sure and not self.extension.new_due_on else self.extension
        waits = {Label.IDENTITY_REQUEST, Label.CLARIFICATION_REQUEST}
        return self.stop if waits & set(labels) else ClockReading()


def clock_reading(
    message: Message, hits: Sequence[Hit], tagged: Sequence[Tagged], words: Lexicon,
    due: DueFacts | None,
) -> ClockWords:
    """Read extensions, pauses and restarts. Without `due` no new date is computed."""
    received = message.received.date() if message.received else (
        message.dated.date() if message.dated else (due.sent_on if due else date.min))
    extension = _extension(hits, tagged, words, due, received)
    return ClockWords(
        extension=extension, likely=_likely(extension, tagged, words, due, received),
        stop=_stop(hits, tagged),
        start=_start(hits, tagged, words, due, received),
    )


def _of(hits: Sequence[Hit], *concepts: str) -> list[Hit]:
    return [h for h in hits if h.concept in concepts]


def _extension(
    hits: Sequence[Hit], tagged: Sequence[Tagged], words: Lexicon, due: DueFacts | None,
    received: date,
) -> ClockReading:
    """A date promised, or a length, or none of both (then the law's longest, once it says why).

    A notice after the due date extends nothing; a date beyond the longest is cut to it.
    """
    places = sorted({h.sentence for h in _of(hits, "extends", "promise")})
    promised = [d for p in places for d in dates_in(tagged[p].sentence.text, words, received)
                if d > received]
    stated = max(promised, default=None)
    sentence = tagged[places[0]].sentence.text if places else ""
    found = ClockReading(effect="extension_until", stated_on=stated, sentence=sentence)
    if due is None or received > due.due_on or not places:
        return found if places else ClockReading()
    if stated:
        when = min(stated, due.latest_due_on)
        return replace(found, new_due_on=when if when > due.due_on else None)
    extended = _of(hits, "extends")
    lengths = [n for h in extended for n in _lengths(tagged[h.sentence], words)]
    length = next((n for n in lengths if n not in _OF_THE_LAW), lengths[0] if lengths else None)
    return replace(found, new_due_on=_lengthened(due, length)) if extended and length else found


def _likely(
    told: ClockReading, tagged: Sequence[Tagged], words: Lexicon, due: DueFacts | None,
    received: date,
) -> ClockReading:
    """The one date after the due date, else the one length, that a notice names anywhere.

    Two dates or lengths leave it open. The month of the law itself is no length of an extension.
    """
    if due is None or received > due.due_on:
        return told
    sentences = [t for t in tagged if not t.sentence.is_question and not t.has("unit_years")]
    soonest, latest = due.due_on, due.latest_due_on + _BEYOND
    dates = {d: t.sentence.text for t in sentences
             for d in dates_in(t.sentence.text, words, received) if soonest < d <= latest}
    if len(dates) == 1:
        stated, sentence = dates.popitem()
        return ClockReading(effect="extension_until", stated_on=stated, sentence=sentence,
                            new_due_on=min(stated, due.latest_due_on))
    lengths = {length: t.sentence.text for t in sentences
               for length in _lengths(t, words) if length not in _OF_THE_LAW}
    if dates or len(lengths) != 1:
        return told
    length, sentence = lengths.popitem()
    return ClockReading(effect="extension_until", sentence=sentence,
                        new_due_on=_lengthened(due, length))


_BEYOND = timedelta(days=92)
"""How far after the longest period a date may lie that is still an answer's, and no other one."""
_OF_THE_LAW = frozenset({(1, "months"), (30, "days")})
"""The statutory periods themselves (GDPR, Article 12(3); FADP), named to say they are not kept."""


def _lengthened(due: DueFacts, length: tuple[int, str]) -> date:
    """Due plus so many days, weeks or months, never beyond the longest."""
    count, unit = length
    if unit == "days":
        return min(due.due_on + timedelta(days=count), due.latest_due_on)
    if unit == "weeks":
        return min(due.due_on + timedelta(weeks=count), due.latest_due_on)
    return min(months_later(due.due_on, count), due.latest_due_on)


def months_later(day: date, months: int) -> date:
    """The same day number so many months later, or the last day of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for number in range(day.day, 27, -1):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    return date(year, month + 1, min(day.day, 27))


def _length(sentences: Sequence[Tagged], words: Lexicon) -> tuple[int, str] | None:
    """The first "two months", "45 days" of some sentences."""
    return next((found for one in sentences for found in _lengths(one, words)), None)


def _lengths(sentence: Tagged, words: Lexicon) -> Iterator[tuple[int, str]]:
    tokens = sentence.sentence.tokens
    for i in range(len(tokens)):
        unit = _unit(sentence, i)
        count = _count(tokens, i, words) if unit else None
        if unit and count:
            yield count, unit


def _unit(sentence: Tagged, place: int) -> str:
    tags = sentence.tags[place]
    return next((u for u in ("months", "weeks", "days") if f"unit_{u}" in tags), "")


def _count(tokens: tuple[str, ...], place: int, words: Lexicon) -> int | None:
    """The number before a unit, at most four tokens back ("two further months")."""
    for token in reversed(tokens[max(0, place - 4):place]):
        if token.isdigit() and len(token) <= 3:
            return int(token)
        if token in words.numbers:
            return words.numbers[token]
    return None


def _stop(hits: Sequence[Hit], tagged: Sequence[Tagged]) -> ClockReading:
    stops = [h for h in _of(hits, "clock_stops") if not h.question]
    if not stops:
        return ClockReading()
    return ClockReading(effect="clock_stop_start", sentence=tagged[stops[0].sentence].sentence.text)


_ANEW = ("today", "resumed", "start_phrase")
"""What says that a period begins now, where no date is named."""


def _start(
    hits: Sequence[Hit], tagged: Sequence[Tagged], words: Lexicon, due: DueFacts | None,
    received: date,
) -> ClockReading:
    """"The month starts today", or on a date: the period from there. "Paused n days": plus n."""
    for hit in _of(hits, "paused_days"):
        length = _length([tagged[hit.sentence]], words)
        if length and length[1] == "days" and due and not hit.future:
            return ClockReading(effect="clock_stop_end", new_due_on=due.due_on
                                + timedelta(days=length[0]),
                                sentence=tagged[hit.sentence].sentence.text)
    stops = {h.sentence for h in _of(hits, "clock_stops")}
    for hit in _of(hits, "clock_starts", "clock_counts"):
        if hit.negated or hit.question or hit.conditional or hit.sentence in stops:
            continue
        text = tagged[hit.sentence].sentence.text
        stated = dates_in(text, words, received)
        if not stated and not any(tagged[hit.sentence].has(name) for name in _ANEW):
            continue  # what the law says of every period, or how long something is kept
        begins = stated[0] if stated else received
        return ClockReading(effect="clock_stop_end", stated_on=begins, sentence=text,
                            new_due_on=due.period_from(begins) if due else None)
    return ClockReading()
