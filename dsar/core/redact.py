"""The one way personal data are taken out of a text before it is shown to somebody else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from dsar.core.subject import DataSubject

_ATEXT = r"\w.!#$%&'*+/=?^`{|}~-"
_EMAIL = re.compile(rf"(?<![{_ATEXT}])[{_ATEXT}]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.@<-])\+?\(?\d[\d ()/.-]{7,20}\d(?![\w@-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[0-9A-Z]{4}){3,7}(?: ?[0-9A-Z]{1,3})?\b")
_IP = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}/\d{1,2}/\d{4}")
_EXAMPLE = ((re.compile(r"https?://\S+"), "[link]"),
            (re.compile(r"DSAR-[0-9A-Z]{4}-[0-9A-Z]{4}"), "[reference]"),
            (re.compile(r"\d{4,}"), "[number]"))
"""What goes as well from a text that strangers read for its wording alone."""
_SHORTEST = 3
"""Characters; a shorter value (a country code, an initial) would hit words by chance."""


@dataclass(frozen=True)
class Redactor:
    """Replaces what is known of a person by `[kind]`, and what looks like personal data.

    known: kind and value, as the person's record has them. keep: mailboxes and domains of the
    company, which stay readable: they say who wrote. wording_only: links, references and long
    numbers go as well.
    """

    known: tuple[tuple[str, str], ...]
    keep: frozenset[str] = frozenset()
    wording_only: bool = False

    @classmethod
    def for_person(cls, subject: DataSubject, *, keep: Iterable[str] = ()) -> Redactor:
        """Everything the record of a person holds, each word of the name, each address line."""
        known = [(i.kind, i.value) for i in subject.all_identifiers() if i.kind != "country"]
        known += [("address", line) for line in subject.address]
        known += [("name", word) for kind, value in list(known)
                  if kind in ("name", "former-name") for word in re.split(r"[\s,]+", value)]
        return cls(tuple(dict.fromkeys(known)), frozenset(k.lower() for k in keep if k))

    @classmethod
    def for_examples(cls, people: Iterable[DataSubject], companies: Iterable[str]) -> Redactor:
        """For texts that strangers read: of all people, and of the companies, nothing stays."""
        known = [pair for person in people for pair in cls.for_person(person).known]
        known += [("company", part) for name in companies
                  for part in (name, *re.split(r"[\s,]+", name))]
        return cls(tuple(dict.fromkeys(known)), wording_only=True)

    def text(self, text: str) -> str:
        """Return `text` with nothing of the person left that is known or has a known form."""
        pieces, end = [], 0
        for found in _EMAIL.finditer(text):
            pieces += [self._plain(text[end:found.start()]), self._address(found.group())]
            end = found.end()
        return "".join([*pieces, self._plain(text[end:])])

    def _plain(self, text: str) -> str:
        for pattern, kind in self._patterns:
            text = pattern.sub(f"[{kind}]", text)
        text = _IBAN.sub("[account]", text)
        text = _IP.sub("[ip-address]", text)
        text = _PHONE.sub(_number, text)
        for pattern, instead in _EXAMPLE if self.wording_only else ():
            text = pattern.sub(instead, text)
        return text

    def value(self, value: Any) -> Any:
        """Redact every text inside JSON values; the keys and other values stay."""
        match value:
            case str():
                return self.text(value)
            case Mapping():
                return {key: self.value(item) for key, item in value.items()}
            case Sequence():
                return [self.value(item) for item in value]
        return value

    @cached_property
    def _patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        """Longest values first, so that a street is gone before its number."""
        found = [(form, kind) for kind, value in self.known for form in _forms(kind, value)
                 if len(form.strip()) >= _SHORTEST]
        ordered = sorted(found, key=lambda pair: -len(pair[0]))
        births = [(p, kind) for kind, value in self.known if kind == "birth-date"
                  for p in _in_words(value)]
        return (*births, *((_pattern(form), kind) for form, kind in ordered))

    def _address(self, address: str) -> str:
        """A mailbox of the company stays, without a name of the person in its local part."""
        local, _, domain = address.rpartition("@")
        known = address.lower() in self.keep or any(
            domain.lower() == k or domain.lower().endswith(f".{k}")
            for k in self.keep if "@" not in k)
        return f"{self._plain(local)}@{domain}" if known else "[email]"


def _forms(kind: str, value: str) -> tuple[str, ...]:
    """The ways one value is written: a date in any order; mailboxes go by their form."""
    if kind == "email":
        return ()
    if kind == "birth-date":
        return (value, *_dates(value))
    return (value,)


def _dates(value: str) -> tuple[str, ...]:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return ()
    d, m, y = day.day, day.month, day.year
    return (f"{d:02}.{m:02}.{y}", f"{d}.{m}.{y}", f"{d:02}/{m:02}/{y}", f"{m:02}/{d:02}/{y}",
            f"{d}/{m}/{y}", f"{m}/{d}/{y}", f"{d:02}-{m:02}-{y}", f"{y}/{m:02}/{d:02}")


def _in_words(value: str) -> tuple[re.Pattern[str], ...]:
    """The day with the month in words of any language: `17. Mai 1990`, `May 17th, 1990`."""
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return ()
    word, between = r"[^\W\d]{3,12}\.?", r",?\s+(?:de\s+)?"
    number = rf"0?{day.day}(?:st|nd|rd|th|er|º)?\.?"
    return (re.compile(rf"(?<!\d){number}\s+(?:de\s+|of\s+)?{word}{between}{day.year}(?!\d)"),
            re.compile(rf"{word}\s+{number}{between}{day.year}(?!\d)"))


def _pattern(form: str) -> re.Pattern[str]:
    """Case and spacing do not matter, nor the marks inside a number."""
    if re.fullmatch(r"[+()\d\s/.-]+", form) and sum(c.isdigit() for c in form) >= 6 and (
            not _DATE.fullmatch(form)):
        digits = [c for c in form if c.isdigit()]
        return re.compile(r"\+?\(?" + r"[\s()/.-]{0,2}".join(digits) + r"(?!\d)")
    body = r"[\s>]+".join(map(re.escape, form.split()))
    return re.compile(rf"(?<!\w){body}(?!\w)", re.IGNORECASE)


def _number(found: re.Match[str]) -> str:
    """A date or a reference is no telephone number."""
    text = found.group()
    digits = sum(c.isdigit() for c in text)
    return text if _DATE.match(text) or digits < 8 or digits > 15 else "[phone]"
