"""Domains made to be mistaken for another: typing errors, confusable characters, added words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

_FOLDS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"),
          ("3", "e"), ("4", "a"), ("8", "b"), ("6", "b"), ("u", "v"), ("q", "g"))
_CONFUSABLE = str.maketrans({
    "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "i", "ј": "j",
    "ѕ": "s", "һ": "h", "ԁ": "d", "ɡ": "g", "ӏ": "l", "ո": "n", "ս": "u", "α": "a", "ο": "o",
    "ν": "v", "ρ": "p", "τ": "t", "ι": "i", "κ": "k", "ı": "i", "ł": "l", "ø": "o", "đ": "d",
})
"""Letters of other scripts that look like Latin ones (Unicode TR 39, the common ones)."""


def resembles(domain: str, known: str) -> bool:
    """Whether `domain` could be taken for `known` without being it or lying below it."""
    domain, known = _shown(domain.lower()), _shown(known.lower())
    if not domain or domain == known or domain.endswith("." + known):
        return False
    mine, theirs = _core(domain), _core(known)
    if len(theirs) < 4:
        return False
    if skeleton(mine) == skeleton(theirs):
        return True
    if _is_word_in(theirs, domain):
        return True
    close = 1 if len(theirs) < 9 else 2
    return distance(mine, theirs, close) <= close


@dataclass(frozen=True)
class Lookalikes:
    """Many known domains, arranged so that one question costs the same however many there are.

    Finds confusable characters, added words and single errors; two errors are looked for only
    where the evidence names few domains (`resembles`).
    """

    by_skeleton: Mapping[str, str] = field(default_factory=dict)
    by_name: Mapping[str, str] = field(default_factory=dict)
    by_gap: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, domains: Iterable[str]) -> Lookalikes:
        """Arrange the domains; names under four characters imitate nothing."""
        named = [(d, core) for d in dict.fromkeys(domains) if len(core := _core(_shown(d))) >= 4]
        return cls(
            by_skeleton={skeleton(core): d for d, core in named},
            by_name={core.replace("-", "."): d for d, core in named if len(core) >= 5},
            by_gap={gap: d for d, core in named for gap in _gaps(core)},
        )

    def imitated(self, domain: str) -> str:
        """The known domain that `domain` could be taken for, or an empty string."""
        shown = _shown(domain.lower())
        core = _core(shown)
        found = [self.by_skeleton.get(skeleton(core), "")]
        found += [self.by_name.get(part, "") for part in _runs(shown)]
        found += [self.by_gap.get(gap, "") for gap in _gaps(core)]
        return next((k for k in found if k and resembles(domain, k)), "")


def _gaps(core: str) -> Iterator[str]:
    """The word itself and with each one character left out: words one error apart share one."""
    yield core
    if len(core) <= 40:
        for place in range(len(core)):
            yield core[:place] + core[place + 1:]


def _runs(domain: str) -> Iterator[str]:
    """Every run of words between hyphens and dots."""
    parts = domain.replace("-", ".").split(".")[:12]
    for start in range(len(parts)):
        for end in range(start + 1, len(parts) + 1):
            yield ".".join(parts[start:end])


def _is_word_in(name: str, domain: str) -> bool:
    """The name with a word added by a hyphen or a dot: `acme-support.example`."""
    parts = domain.replace("-", ".").split(".")
    wanted = name.replace("-", ".").split(".")
    return len(name) >= 5 and any(
        parts[i:i + len(wanted)] == wanted for i in range(len(parts) - len(wanted) + 1))


def _core(domain: str) -> str:
    """The label that names the owner: the one before the last, or before a short double ending."""
    labels = domain.split(".")
    if len(labels) >= 3 and len(labels[-1]) == 2 and len(labels[-2]) <= 3:
        return labels[-3]
    return labels[-2] if len(labels) > 1 else domain


def _shown(domain: str) -> str:
    """Punycode as it is displayed (RFC 3492); what cannot be decoded stays."""
    if "xn--" not in domain:
        return domain
    labels = []
    for label in domain.split("."):
        try:
            shown = label[4:].encode("ascii").decode("punycode") if label[:4] == "xn--" else label
        except (UnicodeError, ValueError):
            shown = label
        labels.append(shown)
    return ".".join(labels)


def skeleton(word: str) -> str:
    """A word with its accents off and its confusable characters folded together."""
    plain = unicodedata.normalize("NFKD", word.translate(_CONFUSABLE))
    folded = "".join(c for c in plain if not unicodedata.combining(c)).replace("-", "")
    for shape, meant in _FOLDS:
        folded = folded.replace(shape, meant)
    return folded


def distance(one: str, other: str, limit: int) -> int:
    """Edit distance with swaps (optimal string alignment), or limit + 1 when it is larger."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return min(last[-1], limit + 1)
