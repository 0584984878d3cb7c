"""What a template may see of a letter: plain, cleaned texts, and nothing that is not to be told."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dsar.core.controller import Controller
from dsar.core.letter import Letter
from dsar.core.subject import Identifier
from dsar.errors import LetterIncomplete
from dsar.letters.demands import demands_of
from dsar.letters.languages import LanguageFacts, country_name

LONGEST_VALUE = 300
"""Characters; more is no name, address or number, and would push a letter off its page."""

TOPICS: Mapping[str, frozenset[str]] = {
    "biometric": frozenset({"face-search", "biometric-surveillance"}),
    "tracking": frozenset({"adtech", "location-data"}),
}
"""What a letter asks about besides, by the categories of the controller."""

_JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class Known:
    """One thing to find the person by: `kind` as in phrase ids, `value` in one line."""

    kind: str
    value: str


@dataclass(frozen=True)
class Period:
    """A statutory period; `unit` is a word of core.regime.Unit."""

    length: int
    unit: str


@dataclass(frozen=True, kw_only=True)
class LetterView:
    """The one object a template gets. Dates are in words, ids as the phrases spell them.

    grants: ids of the rights of the law. scope: "provided" where the right reaches only data
    that came from the person, else empty.
    """

    stage: str
    right: str
    reference: str
    name: str
    company: str
    jurisdiction: str
    date: str
    period: Period | None
    demands: tuple[str, ...]
    topics: tuple[str, ...]
    grants: tuple[str, ...]
    scope: str
    disclosures: tuple[Known, ...]


def view_of(letter: Letter, language: LanguageFacts, folders: Sequence[Path]) -> LetterView:
    """Return what the templates see. Raises LetterIncomplete for what fits no letter."""
    _check_residence(letter)
    return LetterView(
        stage=letter.stage, right=letter.right.right, jurisdiction=letter.regime.jurisdiction,
        reference=clean(letter.reference, "the reference"),
        name=clean(letter.subject.name, "the name"),
        company=clean(letter.controller.name, "the name of the company"),
        date=language.in_words(letter.written_on), period=_period(letter),
        demands=_demands(letter, folders), topics=topics_of(letter.controller),
        scope=_scope(letter),
        grants=tuple(name for name, rule in letter.regime.rights.items() if rule.granted),
        disclosures=tuple(_known(d.identifier, letter.language, folders)
                          for d in letter.disclosures),
    )


def _known(identifier: Identifier, language: str, folders: Sequence[Path]) -> Known:
    value = clean(identifier.value, identifier.kind)
    if identifier.kind == "country":
        value = country_name(value, language, folders)
    return Known(identifier.kind, value)


def _demands(letter: Letter, folders: Sequence[Path]) -> tuple[str, ...]:
    found = demands_of(letter.right, folders)
    if not found:
        raise LetterIncomplete(
            f"The data of {letter.regime.id} list no demands for {letter.right.right}.",
            hint="dsar letter types shows what there are letters for.")
    return found


def _scope(letter: Letter) -> str:
    until = letter.right.scope_until
    return letter.right.scope if until is None or letter.written_on <= until else ""


def facts_of(letter: Letter, language: LanguageFacts) -> dict[str, object]:
    """Return the facts of a follow-up: days in words, texts cleaned.

    Raises LetterIncomplete where the period named has not ended: no letter says that it has.
    """
    due_on = letter.facts.get("due_on")
    if isinstance(due_on, date) and due_on >= letter.written_on:
        raise LetterIncomplete(
            f"The period runs until {due_on}; a letter of {letter.written_on} cannot say it ended.",
            hint="Wait until the period has ended.")
    return {name: fact_in_words(name, value, language) for name, value in letter.facts.items()}


def fact_in_words(name: str, value: object, language: LanguageFacts) -> object:
    """Return one fact as a template sees it: a day in words, a text cleaned.

    Raises LetterIncomplete for anything else, and for a text that `clean` refuses.
    """
    match value:
        case date():
            return language.in_text(value)
        case bool() | int():
            return value
        case str():
            return clean(value, name)
        case tuple() | list():
            return tuple(fact_in_words(name, item, language) for item in value)
    raise LetterIncomplete(f"The fact {name} is neither a day nor text.")


def clean(value: str, what: str) -> str:
    """Return `value` in one line, without control and direction characters (Unicode Cc, Cf, Cs).

    Zero-width joiners stay: names in several scripts need them. Raises LetterIncomplete
    for an empty text and for one longer than LONGEST_VALUE.
    """
    line = value.strip() if value.isascii() and value.isprintable() else _one_line(value)
    if not line:
        raise LetterIncomplete(f"{what.capitalize()} is empty.")
    if len(line) > LONGEST_VALUE:
        raise LetterIncomplete(f"{what.capitalize()} has {len(line)} characters; "
                               f"at most {LONGEST_VALUE} fit a letter.")
    return line


def _one_line(value: str) -> str:
    normal = unicodedata.normalize("NFC", value)
    kept = "".join(c for c in normal if c in _JOINERS or c.isspace() or _is_printed(c))
    return re.sub(r"[^\S\u00a0\u202f]+", " ", kept).strip()


def _is_printed(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Cn")


def topics_of(controller: Controller) -> tuple[str, ...]:
    """Return the topics that the categories of this controller call for."""
    return tuple(t for t, kinds in TOPICS.items() if kinds & set(controller.categories))


def _period(letter: Letter) -> Period | None:
    """The period that binds; guidance without force is not put to the company as law."""
    rule = letter.regime.period(letter.right.right)
    found = letter.regime.answer_period(letter.right.right, letter.written_on)
    if rule is None or rule.advisory or found is None or found.length is None:
        return None
    return Period(found.length, str(found.unit))


def _check_residence(letter: Letter) -> None:
    """The law of a state or province is for those who live there, and a letter may say so."""
    jurisdiction, home = letter.regime.jurisdiction, str(letter.subject.residence)
    if re.fullmatch("[A-Z]{2}-[A-Z0-9]+", jurisdiction) and jurisdiction != home:
        raise LetterIncomplete(
            f"{letter.regime.id} is for residents of {jurisdiction}, "
            f"the person lives in {home}.",
            hint="Choose another law with --law, or correct the residence.")
