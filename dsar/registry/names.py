"""What two spellings of a company's name have in common."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from dsar.core.controller import Controller

FORMS = frozenset({
    "ab", "ag", "aps", "as", "asa", "bhd", "bv", "bvba", "co", "company", "corp",
    "corporation", "cv", "doo", "ev", "eg", "eood", "gbr", "ggmbh", "gmbh", "inc",
    "incorporated", "kft", "kg", "kgaa", "lda", "limited", "llc", "llp", "lp", "ltd", "mbh",
    "nv", "ohg", "oy", "oyj", "plc", "pbc", "pte", "pty", "pvt", "sa", "sarl", "sas",
    "sasu", "sca", "se", "sl", "slu", "sp", "spa", "srl", "sro", "ug", "ulc", "uab",
    "unlimited", "zoo",
})
"""Words that say what legal form a company has (dots and spaces removed)."""

_PLACES = frozenset({
    "america", "asia", "austria", "benelux", "canada", "central europe", "dach", "deutschland",
    "dubai", "emea", "europe", "eea uk", "france", "germany", "global", "international", "ireland",
    "israel", "italia", "italy", "nederland", "netherlands", "north america", "poland", "singapore",
    "spain", "switzerland", "uk", "united kingdom", "united states", "us", "usa", "worldwide",
})
_FILLING = frozenset({
    "the", "and", "und", "et", "of", "haftungsbeschrankt", "ehemals", "formerly", "vormals",
})
_LONG_FORMS = (
    (re.compile(r"\blimited liability company\b"), "llc"), (re.compile(r"\bincorporated\b"), "inc"),
    (re.compile(r"\bcorporation\b"), "corp"), (re.compile(r"\blimited\b"), "ltd"),
    (re.compile(r"\bcompany\b"), "co"), (re.compile(r"\bs ?a\W*r ?l\b"), "sarl"),
    (re.compile(r"\bsp\W+z\W*o ?o\b"), "sp zoo"),
)
_PARTS = re.compile(r"\s*[(/;]\s*|\)|\s+(?:d/?b/?a|doing business as|formerly|ehemals)\s+", re.I)
_DOTTED = re.compile(r"\b((?:[a-z]\. ?){1,4}[a-z]\.?)(?=\W|$)")


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name: no case, accents, dots between single letters, or filling."""
    plain = unicodedata.normalize("NFKD", name.casefold()[:300].replace("ß", "ss"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = _DOTTED.sub(lambda m: re.sub(r"[. ]", "", m[1]), plain).replace("&", " and ")
    plain = re.sub(r"['’`]", "", plain)
    for long, short in _LONG_FORMS:
        plain = long.sub(short, plain)
    return tuple(w for w in re.sub(r"[^\w]+", " ", plain).split() if w not in _FILLING)


def core(name: str) -> str:
    """Return the name without its legal form; "" where nothing else is left.

    >>> core("Acme Data, L.L.C."), core("ACME DATA LLC"), core("Acme.Data")
    ('acme data', 'acme data', 'acme data')
    """
    words = list(words_of(name))
    while words and words[-1] in FORMS:
        words.pop()
    return " ".join(words)


def has_form(name: str | None) -> bool:
    """Whether a name says its legal form, and so names one legal entity."""
    return any(part_words and part_words[-1] in FORMS
               for part in _PARTS.split(name or "") if (part_words := words_of(part)))


def entity(controller: Controller) -> str:
    """The legal entity with its form, as it is compared; "" where no form is given.

    >>> entity(Controller(slug="a", name="Acme", legal_entity="ACME Data, L.L.C."))
    'acme data llc'
    """
    words = words_of(controller.legal_entity or "")
    return " ".join(words) if words and words[-1] in FORMS else ""


def entity_cores(controller: Controller) -> frozenset[str]:
    """The legal entity without its form, in each way it is given."""
    return _cores([controller.legal_entity or ""])


def all_cores(controller: Controller) -> frozenset[str]:
    """Every name the controller goes by, without legal forms."""
    names = (controller.name, controller.legal_entity or "", *controller.aliases,
             *controller.brands)
    return _cores(names)


def _cores(names: Iterable[str]) -> frozenset[str]:
    """A part in brackets counts as a name, unless it only says where."""
    found = {core(part) for name in names for part in (name, *_PARTS.split(name))}
    kept = {c for c in found if len(c) > 2 and c not in _PLACES}
    return frozenset(kept | {c.replace(" ", "") for c in kept})


def is_shorter_name(one: str, other: str) -> bool:
    """Whether all words of one name stand in the other, such as Nielsen in Nielsen Company."""
    a, b = set(one.split()), set(other.split())
    return bool(a and b) and (a <= b or b <= a)
