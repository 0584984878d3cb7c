"""The words of one language by class, and the patterns over classes, loaded from YAML once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from dsar import shipped, yamlfile
from dsar.reading.words import UNSPACED, fold, tokenise

GAPS = {"..": 6, "...": 14}
"""How many tokens a gap may span; four times as many where a token is one character."""


@dataclass(frozen=True)
class Pattern:
    """A sequence of classes; `gaps[i]` tokens may stand before element i.

    needs: the classes without their order, so that most patterns need not be tried.
    """

    concept: str
    elements: tuple[str, ...]
    gaps: tuple[int, ...]
    needs: frozenset[str] = frozenset()


@dataclass
class Lexicon:
    """Words and phrases of one language, each with its classes.

    phrases: first token → (further tokens, class). starts and inner: stems for "stem*", "*stem*".
    """

    language: str
    exact: dict[str, frozenset[str]] = field(default_factory=dict)
    starts: tuple[tuple[str, str], ...] = ()
    inner: tuple[tuple[str, str], ...] = ()
    phrases: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = field(default_factory=dict)
    patterns: dict[str, tuple[Pattern, ...]] = field(default_factory=dict)
    months: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    concord: bool = False
    known: dict[str, frozenset[str]] = field(default_factory=dict)

    def classes(self, token: str) -> frozenset[str]:
        """The classes of one token; remembered, because words come again."""
        found = self.known.get(token)
        if found is None:
            if len(self.known) > 50_000:
                self.known.clear()
            found = self.known[token] = self._look_up(token)
        return found

    def _look_up(self, token: str) -> frozenset[str]:
        found = set(self.exact.get(token, ()))
        found.update(name for stem, name in self.starts if token.startswith(stem))
        found.update(name for stem, name in self.inner if stem in token)
        if token[0].isdigit():
            found.add("number")
        if "@" in token:
            found.add("address")
        return frozenset(found)


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """The languages there are rules for."""
    folder = shipped.reading_rules()
    return tuple(sorted(p.stem for p in folder.glob("*.yaml") if not p.stem.startswith("_")))


@lru_cache(maxsize=1)
def common_words() -> dict[str, frozenset[str]]:
    """The commonest words of each language: enough to tell a language without all its rules."""
    document = yamlfile.read(shipped.reading_rules() / "_common.yaml",
                             name="reading/rules/_common.yaml")
    reader = yamlfile.Reader.of(document, document.value, "_common")
    found = {name: frozenset(fold(w, name) for w in reader.texts(name)) for name in languages()}
    reader.finish()
    document.raise_problems()
    return found


@lru_cache(maxsize=32)
def lexicon(language: str) -> Lexicon:
    """Load the rules of a language; raises FileProblems for a broken file, with its line."""
    path = shipped.reading_rules() / f"{language}.yaml"
    document = yamlfile.read(path, name=f"reading/rules/{language}.yaml")
    reader = yamlfile.Reader.of(document, document.value, language)
    found = Lexicon(language, concord=reader.flag("concord"))
    reader.text("sources", required=True)
    months = reader.mapping("months")
    found.months = {fold(w, language): int(n) for n in sorted(months.value)
                    for w in months.texts(n)}
    numbers = reader.mapping("numbers")
    found.numbers = {fold(w, language): int(n) for n in numbers.value for w in numbers.texts(n)}
    _fill(found, [reader.mapping("classes"), *_further(language)])
    own = reader.mapping("patterns")
    found.patterns = _by_first([*_shared(language), *_patterns(own, language)])
    _check(document, found)
    reader.finish()
    document.raise_problems()
    return found


FURTHER = ("_certainty.yaml", "_scope.yaml", "_demands.yaml", "_sequence.yaml", "_actors.yaml",
           "_objects.yaml", "_clock.yaml")
"""Files of further words, for all languages each."""


def _further(language: str) -> list[yamlfile.Reader]:
    """The words of doubt, custom, detail and scope, most of which only ever keep a case open;
    and, where there is one, the wider vocabulary of the language, of all classes."""
    wider = f"_wider_{language}.yaml"
    has_wider = (shipped.reading_rules() / wider).exists()
    return [_words_of(name, language) for name in (*FURTHER, *([wider] if has_wider else []))]


def _words_of(name: str, language: str) -> yamlfile.Reader:
    raw = (shipped.reading_rules() / name).read_bytes()
    document = yamlfile.parse(_section(raw, language), name=name)
    reader = yamlfile.Reader.of(document, document.value, "further")
    reader.text("sources", required=True)
    found = reader.mapping("languages").mapping(language)
    document.raise_problems()
    return found


def _section(raw: bytes, language: str) -> bytes:
    """The file with the lines of other languages empty: most of the time goes into parsing them.

    Lines keep their numbers.
    """
    kept, wanted, own = [], True, f"  {language}:".encode()
    for line in raw.split(b"\n"):
        if _LANGUAGE.match(line):
            wanted = line.startswith(own)
        kept.append(line if wanted else b"")
    return b"\n".join(kept)


_LANGUAGE = re.compile(rb"  [a-z]{2}:")


def _fill(found: Lexicon, sources: list[yamlfile.Reader]) -> None:
    exact: dict[str, set[str]] = {}
    starts: list[tuple[str, str]] = []
    inner: list[tuple[str, str]] = []
    phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    named = [(name, entry) for classes in sources for name in classes.value
             for entry in classes.texts(name)]
    for name, entry in named:
        word = fold(entry, found.language)
        if found.language in UNSPACED:
            chars = tuple(word.replace(" ", ""))
            phrases.setdefault(chars[0], []).append((chars[1:], name))
        elif "*" not in word and len(tokens := tokenise(word)) > 1:
            phrases.setdefault(tokens[0], []).append((tokens[1:], name))
        elif "*" not in word and len(tokens) == 1:
            exact.setdefault(tokens[0], set()).add(name)
        elif word.startswith("*"):
            inner.append((word.strip("*"), name))
        elif word.endswith("*"):
            starts.append((word[:-1], name))
        else:
            exact.setdefault(word, set()).add(name)
    found.exact = {word: frozenset(names) for word, names in exact.items()}
    found.starts, found.inner = tuple(starts), tuple(inner)
    found.phrases = {word: tuple(rest) for word, rest in phrases.items()}


SHARED = ("_patterns.yaml", "_replies.yaml")
"""Files of patterns that hold for every language, over its own classes."""


@lru_cache(maxsize=32)
def _shared(language: str) -> tuple[Pattern, ...]:
    """The patterns of those files; raises FileProblems for a broken one."""
    found: list[Pattern] = []
    for name in SHARED:
        document = yamlfile.read(shipped.reading_rules() / name, name=name)
        reader = yamlfile.Reader.of(document, document.value, "patterns")
        reader.text("sources", required=True)
        found += _patterns(reader.mapping("patterns"), language)
        document.raise_problems()
    return tuple(found)


def _patterns(reader: yamlfile.Reader, language: str) -> list[Pattern]:
    return [p for concept in reader.value for line in reader.texts(concept)
            for p in parse_pattern(concept, line, language)]


def parse_pattern(concept: str, line: str, language: str) -> list[Pattern]:
    """`A .. B|C ... D` → patterns; `|` gives alternatives, `..` and `...` gaps.

    >>> parse_pattern("x", "A .. B", "en")[0].gaps
    (0, 6)
    """
    wide = 4 if language in UNSPACED else 1
    found: list[tuple[tuple[str, ...], tuple[int, ...]]] = [((), ())]
    gap = 0
    for word in line.split():
        if word in GAPS:
            gap = GAPS[word] * wide
            continue
        found = [((*e, one), (*g, gap)) for e, g in found for one in word.split("|")]
        gap = 4 if language in UNSPACED else 0
    return [Pattern(concept, elements, gaps, frozenset(elements)) for elements, gaps in found]


def _by_first(patterns: list[Pattern]) -> dict[str, tuple[Pattern, ...]]:
    found: dict[str, list[Pattern]] = {}
    for pattern in patterns:
        found.setdefault(pattern.elements[0], []).append(pattern)
    return {first: tuple(listed) for first, listed in found.items()}


def _check(document: yamlfile.Document, found: Lexicon) -> None:
    """A pattern over a class the language does not have can never match: it is skipped."""
    names = {n for names in found.exact.values() for n in names}
    names |= {n for _, n in (*found.starts, *found.inner)}
    names |= {n for rests in found.phrases.values() for _, n in rests} | {"number"}
    usable = {
        first: tuple(p for p in listed if set(p.elements) <= names)
        for first, listed in found.patterns.items()
    }
    found.patterns = {first: listed for first, listed in usable.items() if listed}
    if not found.patterns:
        document.add(1, "no pattern can match: the classes are missing")
