"""The sender's own words, told apart from what they quote, by the shape of the text.

One pass over the lines, every pattern anchored and bounded: time grows with the length only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from dsar import shipped, yamlfile

MAX_LINES = 4000
_DIVIDER = re.compile(r"^\s{0,20}[-_=*+#~–—]{2,80}\s?(?:[^\s-][^\n]{0,70}?)?\s?"
                      r"[-_=*+#~–—]{2,80}\s{0,20}$")
_FIELD = re.compile(r"^[\s*_|]{0,10}([^\W\d_][\w ./()-]{0,24}?)[\s*_]{0,4}[:：]\s{0,5}(.{0,300})")
_SIGNATURE = re.compile(r"^--\s?$")
_MARKER = re.compile(r"^\s{0,10}(##-.{0,80}-##|-{1,2}\s?#{2,3}.{0,80}#{2,3}\s?-{1,2})\s{0,5}$")
_MAILBOX = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")


@dataclass(frozen=True)
class QuoteWords:
    """Field names and attribution words, lower-case; see quote_words.yaml."""

    opening: frozenset[str]
    fields: frozenset[str]
    attribution: tuple[str, ...]


@lru_cache(maxsize=1)
def quote_words() -> QuoteWords:
    """Load the words once; raises FileProblems for a broken file."""
    document = yamlfile.read(shipped.data("mail/quote_words.yaml"))
    reader = yamlfile.Reader.of(document, document.value, "quote words")
    opening = frozenset(reader.texts("opening"))
    fields = frozenset(reader.texts("fields")) | opening
    found = QuoteWords(opening, fields, reader.texts("attribution"))
    reader.text("sources")
    reader.finish()
    document.raise_problems()
    return found


def split_quoted(text: str) -> tuple[str, str]:
    """Return (own words, quoted text).

    A signature below "-- " counts as quoted: nobody answers there.
    """
    lines = text.splitlines()
    rest = lines[MAX_LINES:]
    lines = lines[:MAX_LINES]
    own: list[str] = []
    quoted: list[str] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        if _ends_own_words(lines, position):
            quoted += lines[position:]
            break
        taken = _attribution(lines, position)
        if taken and _is_followed_by_quote(lines, position + taken):
            quoted += lines[position:position + taken]
            position += taken
            continue
        if taken:
            quoted += lines[position:]
            break
        if line.lstrip().startswith((">", "|>")):
            quoted.append(line.lstrip("> |"))
        elif not _MARKER.match(line):
            own.append(line)
        position += 1
    return "\n".join(own).strip(), "\n".join(quoted + rest).strip()


def _ends_own_words(lines: list[str], position: int) -> bool:
    line = lines[position]
    if _SIGNATURE.match(line):
        return True
    return _is_header_block(lines, position) or (
        _DIVIDER.match(line) is not None and _is_header_soon(lines, position + 1)
    )


def _field_name(line: str) -> tuple[str, str] | None:
    found = _FIELD.match(line)
    return (found.group(1).strip().lower(), found.group(2)) if found else None


def _is_header_soon(lines: list[str], start: int) -> bool:
    """Whether one of the next three lines with text is a header field."""
    seen = 0
    for line in lines[start:start + 6]:
        if not line.strip("> \t"):
            continue
        field = _field_name(line.lstrip("> "))
        if field and field[0] in quote_words().fields:
            return True
        seen += 1
        if seen == 2:
            return False
    return False


def _is_header_block(lines: list[str], position: int) -> bool:
    """From:, then two or more other fields soon after, one of them with a mailbox or a date."""
    first = _field_name(lines[position])
    if not first or first[0] not in quote_words().opening:
        return False
    names, values = {first[0]}, [first[1]]
    for line in lines[position + 1:position + 9]:
        field = _field_name(line)
        if field and field[0] in quote_words().fields:
            names.add(field[0])
            values.append(field[1])
        elif line.strip() and values[-1:] != [""]:
            values.append(line)
            if len(names) < 2 and len(values) > 3:
                break
    return len(names) >= 3 and any(_MAILBOX.search(v) or re.search(r"\d{4}", v) for v in values)


def _attribution(lines: list[str], position: int) -> int:
    """How many lines (up to three) form "On …, … wrote:", or 0."""
    joined = ""
    for count in range(1, 4):
        if position + count > len(lines) or len(joined) > 400:
            return 0
        line = lines[position + count - 1].strip("> \t\xa0")
        if not line:
            return 0
        joined = f"{joined} {line}" if joined else line
        if line.endswith((":", "：")):
            return count if _is_attribution(joined) else 0
    return 0


def _is_attribution(joined: str) -> bool:
    lowered = joined.lower()
    said = any(word in lowered for word in quote_words().attribution)
    dated = re.search(r"\d{1,4}[./\s年-]", joined) is not None
    return said and (dated or _MAILBOX.search(joined) is not None)


def _is_followed_by_quote(lines: list[str], start: int) -> bool:
    following = [line for line in lines[start:start + 4] if line.strip()]
    return bool(following) and following[0].lstrip().startswith((">", "|"))
