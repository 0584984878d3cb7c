"""Which demands of an access request an answer speaks of, each with the sentence that does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from dsar import shipped, yamlfile
from dsar.core.caseindex import CaseFacts
from dsar.core.message import Label, Message
from dsar.reading.classify import Words, read, words_of
from dsar.reading.engine import Tagged
from dsar.reading.words import UNSPACED, fold


def stated(message: Message, *, language: str = "en") -> Mapping[str, str]:
    """Return demand → sentence. `copy` is stated where data were given.

    Only the own words are read, never an attachment. A sentence that withholds something states
    nothing; "no automated decisions take place" does, since denial is an answer there.
    """
    words = words_of(message, fallback=language)
    patterns = _patterns(words.language)
    found: dict[str, str] = {}
    for tagged in words.tagged:
        folded = fold(tagged.sentence.text, words.language)
        for demand, pattern in patterns.items():
            if demand not in found and pattern.search(folded) and _is_statement(tagged):
                found[demand] = tagged.sentence.text[:300]
    return {**found, **_copy(message, words)}


def _is_statement(tagged: Tagged) -> bool:
    """No question, and nothing withheld or put off."""
    return not (tagged.sentence.is_question or tagged.has("withheld") or tagged.has("cannot")
                or tagged.has("future"))


def _copy(message: Message, words: Words) -> dict[str, str]:
    """Data were given where the reading says so, and a sentence tells it as a fact."""
    reading = read(message, facts=CaseFacts(case_id="", language=words.language))
    given = {Label.FULFILLED_ACCESS, Label.PARTIAL_FULFILMENT} & set(reading.labels)
    told = any(h.concept in ("given", "listing", "ready") and h.is_fact for h in words.hits)
    return {"copy": reading.sentence} if given and told else {}


@lru_cache(maxsize=16)
def _patterns(language: str) -> dict[str, re.Pattern[str]]:
    """One pattern per demand; raises FileProblems for a broken file."""
    path = shipped.reading_rules() / "_elements.yaml"
    document = yamlfile.read(path, name="_elements.yaml")
    reader = yamlfile.Reader.of(document, document.value, "elements")
    reader.text("sources", required=True)
    elements = reader.mapping("elements")
    found = {}
    for demand in elements.value:
        phrases = elements.mapping(demand).texts(language)
        if phrases:
            found[demand] = _alternatives(phrases, language)
    reader.finish()
    document.raise_problems()
    return found


def _alternatives(phrases: tuple[str, ...], language: str) -> re.Pattern[str]:
    words = []
    for phrase in phrases:
        stem = re.escape(fold(phrase.rstrip("*"), language)).replace(r"\ ", r"\s+")
        words.append(stem + (r"\w*" if phrase.endswith("*") else ""))
    joined = "|".join(words)
    return re.compile(joined if language in UNSPACED else rf"(?<!\w)(?:{joined})(?!\w)")
