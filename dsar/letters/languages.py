"""Facts of a language, such as a day in its words, from templates/letters/languages.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from dsar import yamlfile
from dsar.core.letter import Letter
from dsar.core.regime import Regime
from dsar.errors import LetterIncomplete

FILE = "languages.yaml"


@dataclass(frozen=True)
class LanguageFacts:
    """How one language, perhaps of one country, writes a day; `locale` is its full BCP 47 tag.

    months_in_text: the months as they are inflected within a sentence, where that differs.
    reviewed: whether a second reader has gone through the letters of the language.
    """

    locale: str
    pattern: str
    months: tuple[str, ...]
    first: str
    months_in_text: tuple[str, ...] = ()
    reviewed: bool = False

    def in_words(self, day: date) -> str:
        """Return the day as it stands at the foot of a letter, such as "22 November 2026"."""
        return self._written(day, self.months)

    def in_text(self, day: date) -> str:
        """Return the day as it stands in a sentence that says when something happened."""
        return self._written(day, self.months_in_text or self.months)

    def _written(self, day: date, months: Sequence[str]) -> str:
        number = self.first if day.day == 1 and self.first else str(day.day)
        return (self.pattern.replace("{day}", number).replace("{year}", str(day.year))
                .replace("{month}", months[day.month - 1]))


def variant(regime: Regime, language: str) -> str:
    """Return the language as the country of the law writes it: `de` under Swiss law is `de-CH`."""
    return f"{language}-{regime.jurisdiction[:2]}"


def facts_of_language(letter: Letter, folders: Sequence[Path]) -> LanguageFacts:
    """Return the facts for the language of a letter; raises LetterIncomplete for an unknown one."""
    return language_facts(letter.language, folders, of_country=variant(letter.regime,
                                                                       letter.language))


def language_facts(
    language: str, folders: Sequence[Path], *, of_country: str | None = None
) -> LanguageFacts:
    """Return the facts for a language; of_country: the same with its country, taken first.

    Raises LetterIncomplete for an unknown one.
    """
    for folder in folders:
        known = _read(folder / FILE)
        for wanted in filter(None, (of_country, language, language.partition("-")[0])):
            if wanted in known:
                return known[wanted]
    raise LetterIncomplete(f"{FILE} does not say how {language!r} writes a date.")


def reviewed_languages(folders: Sequence[Path]) -> frozenset[str]:
    """Return the languages whose letters a second reader has gone through."""
    return frozenset(code for folder in folders
                     for code, facts in _read(folder / FILE).items() if facts.reviewed)


def country_name(code: str, language: str, folders: Sequence[Path]) -> str:
    """Return the name of an ISO 3166-1 country in a language, or the code where there is none."""
    for folder in folders:
        found = _countries(folder / language / "countries.yaml").get(code)
        if found:
            return found
    return code


def country_codes(language: str, folders: Sequence[Path]) -> Mapping[str, str]:
    """Return the names of all countries in a language by ISO 3166-1 code."""
    found: dict[str, str] = {}
    for folder in reversed(folders):
        found |= _countries(folder / language / "countries.yaml")
    return found


@lru_cache(maxsize=64)
def _countries(path: Path) -> Mapping[str, str]:
    if not path.exists():
        return {}
    document = yamlfile.read(path)
    entry = yamlfile.Reader.of(document, document.value, "countries")
    names = {code: entry.text(code) for code in entry.value}
    document.raise_problems()
    return names


@lru_cache(maxsize=8)
def _read(path: Path) -> Mapping[str, LanguageFacts]:
    if not path.exists():
        return {}
    document = yamlfile.read(path)
    top = yamlfile.Reader.of(document, document.value, "languages")
    facts = {language: _facts(top.mapping(language)) for language in top.value}
    document.raise_problems()
    return facts


def _facts(entry: yamlfile.Reader) -> LanguageFacts:
    facts = LanguageFacts(entry.text("locale", required=True), entry.text("date", required=True),
                          entry.texts("months"), entry.text("first"),
                          entry.texts("months_in_text"), entry.flag("reviewed"))
    for key, months in (("months", facts.months), ("months_in_text", facts.months_in_text)):
        if len(months) != 12 and (months or key == "months"):
            entry.problem(key, f"has {len(months)} months, not 12")
    entry.finish()
    return facts
