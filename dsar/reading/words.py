"""Text as the rules see it: folded, cut into sentences, and cut into tokens."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_SENTENCES = 120
MAX_TOKENS = 120
MAX_CHARACTERS = 20_000
"""Of one sentence, in which its tokens are looked for."""
_TABLE = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i",
                        "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "ς": "σ", "\xa0": " "})
# lengths are bounded (RFC 1035: labels of 63; RFC 5321: local parts of 64), or one long run of
# characters would be looked through again from each of them
_TOKEN = re.compile(
    r"https?://\S+|[\w-]{1,63}+(?:\.[\w-]{1,63}+){1,20}+/\S+|[\w.+-]{1,64}@[\w.-]{1,250}\w"
    r"|\d+(?:[.,/:-]\d+)*|[^\W\d_]+|[€£$%]|[,;:?!()–—-]")
_ADDRESS = re.compile(r"https?://[\x21-\x7e]{1,300}")
_ENDS = re.compile(
    r"(?<=[.!?。！？…])[\s\"'»”)]+(?=\S)|[。！？]|\n\s*\n|\n\s*[-•*·]\s+|\n(?=\s*\d{1,2}[.)]\s)")
_ABBREVIATED = re.compile(
    r"(?:^|[\s(.])(?:[^\W\d_]|\d{1,2}|art|abs|nr|no|mr|mrs|ms|dr|sig|sig\.ra|sr|sra|tel|z\.b|"
                          r"bzw|ca|vgl|ggf|inkl|lit|str|prof|ing|mgr|n|p|s|bv|ltd|inc|co|gmbh|usw|etc|"
                          r"evtl|ev|resp|min|max|vs|approx|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|"
                          r"r|ust|pkt|tzw|tj|np|dot|zob|odst|pism|čl|par|sec|para|arts)\.$", re.I)
_HAS_KANA = re.compile(r"[\u3040-\u30ff]")
UNSPACED = ("ja",)
"""Languages that put no spaces between words: there each character is a token."""


@dataclass(frozen=True)
class Sentence:
    """A sentence as written, folded, and as tokens."""

    text: str
    tokens: tuple[str, ...]
    is_question: bool = False


def fold(text: str, language: str = "") -> str:
    """Lower case without accents; Japanese keeps its marks and loses only its widths."""
    if language in UNSPACED:
        return unicodedata.normalize("NFKC", text).lower()
    plain = text.lower().translate(_TABLE)
    if plain.isascii():
        return plain
    split = unicodedata.normalize("NFKD", plain)
    return "".join(c for c in split if not unicodedata.combining(c)).translate(_TABLE)


def tokenise(folded: str) -> tuple[str, ...]:
    """Words, numbers, addresses and the punctuation that parts clauses."""
    return tuple(_TOKEN.findall(folded))


def sentences(text: str, language: str) -> tuple[Sentence, ...]:
    """Cut text into sentences; lines that a mail program wrapped are joined first."""
    found: list[str] = []
    for piece in _pieces(_joined(text)):
        if found and _is_abbreviated(found[-1], language):
            found[-1] = f"{found[-1]} {piece}"
        else:
            found.append(piece)
        if len(found) >= MAX_SENTENCES:
            break
    return tuple(_sentence(piece, language) for piece in found if piece.strip())


def _is_abbreviated(piece: str, language: str) -> bool:
    """Whether the full stop belongs to its word; "u." is one, but Dutch "van u." ends."""
    if piece.endswith("\n") or (language == "nl" and piece.endswith(" u.")):
        return False
    return _ABBREVIATED.search(piece[-12:]) is not None


def _joined(text: str) -> str:
    """One line per paragraph: a single line end is a space when the line was long."""
    lines = text.splitlines()
    joined: list[str] = []
    for line in lines:
        bare = line.strip()
        wrapped = joined and _width(joined[-1][-51:]) > 50 and bare
        listed = re.match(r"(?:[-•*·]|\d{1,2}[.)])\s", bare)
        if wrapped and not listed:
            joined[-1] += " " + bare
        else:
            joined.append(bare)
    return "\n".join(joined)


def _width(line: str) -> int:
    """Columns of a line; a character of Chinese or Japanese takes two of them."""
    return len(line) if line.isascii() else len(line) + sum(c > "\u2e80" for c in line)


def _pieces(text: str) -> list[str]:
    """Candidate sentences; a short line of its own is one, too."""
    return [p.strip() for piece in _ENDS.split(text[:60_000])
            for p in re.split(r"\n", piece) if p.strip()]


def _sentence(piece: str, language: str) -> Sentence:
    folded = fold(piece, language)
    if language in UNSPACED:
        bare = _ADDRESS.sub("", folded)
        tokens = tuple(c for c in bare if not c.isspace())[: MAX_TOKENS * 4]
    else:
        tokens = tokenise(folded[:MAX_CHARACTERS])[:MAX_TOKENS]
    ends_so = piece.rstrip(" \"'»”)").endswith(("?", "？", ";"))
    question = ends_so and "?" in piece.replace("？", "?")
    ends = {"ja": ("か",), "el": (";", "\u037e")}.get(language, ())
    asks = question or piece.rstrip().endswith(ends)
    return Sentence(text=" ".join(piece.split()), tokens=tokens, is_question=asks)


def looks_japanese(text: str) -> bool:
    """Whether kana occur: no other language of ours has them."""
    return _HAS_KANA.search(text) is not None
