"""YAML with line numbers: all problems at once, unknown and duplicate keys refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from dsar.errors import FileProblems, Problem

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 40
LISTED = 40
"""Up to so many words a message names all that are allowed."""
MAX_COMPOSED_DEPTH = 200
_DEEP_PREFIX = re.compile(rf"^[ \t?:-]{{{MAX_COMPOSED_DEPTH},}}", re.MULTILINE)
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+")
_CONSTANTS: dict[str, bool | None] = {
    "true": True, "false": False, "null": None, "~": None, "": None,
}


class Mapping(dict[str, Any]):
    """A mapping that knows its line (1-based) and the line of each of its keys."""

    line: int
    lines: dict[str, int]


class Sequence(list[Any]):
    """A list that knows its line and the line of each of its items."""

    line: int
    lines: list[int]


@dataclass
class Document:
    """A file as read: plain values, with the problems found so far."""

    path: str
    value: Any
    problems: list[Problem] = field(default_factory=list)

    def add(self, line: int, message: str, *, hint: str = "", slug: str = "") -> None:
        """Note a problem at `line`."""
        self.problems.append(Problem(self.path, line, message, hint, slug))

    def raise_problems(self) -> None:
        """Raise FileProblems when there are any."""
        if self.problems:
            raise FileProblems(sorted(self.problems))


def read(path: Path, *, name: str | None = None) -> Document:
    """Read one YAML document; raises FileProblems for a file that is no YAML at all.

    Only `true`, `false`, `null`, whole and decimal numbers are special: `no`, `on` and dates
    stay strings (YAML 1.2 core schema without its octal and hexadecimal forms).
    """
    shown = name or str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FileProblems([Problem(shown, 1, f"cannot be read: {error.strerror}")]) from error
    return parse(raw, name=shown)


def parse(raw: bytes, *, name: str) -> Document:
    """Like `read`, for bytes already in memory."""
    if len(raw) > MAX_BYTES:
        raise FileProblems([Problem(name, 1, f"is larger than {MAX_BYTES} bytes")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        problem = Problem(name, line, "is not UTF-8", "Save the file as UTF-8.")
        raise FileProblems([problem]) from None
    document = Document(name, None)
    try:
        _refuse_depth(text, name)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise FileProblems([Problem(name, line, f"is not YAML: {error.problem}")]) from None
    except yaml.YAMLError as error:
        reason = str(error).splitlines()[0]
        raise FileProblems([Problem(name, 1, f"is not YAML: {reason}")]) from None
    except RecursionError:
        raise FileProblems([Problem(name, 1, "is nested too deeply")]) from None
    document.value = _build(node, _Build(document), 0) if node is not None else None
    return document


def _refuse_depth(text: str, name: str) -> None:
    """Raise FileProblems for nesting at which the C composer, which recurses, would crash.

    The C parser below it does not recurse, so its events are safe to count. A level costs a
    bracket or a column at the beginning of a line: most texts are cleared without parsing.
    """
    brackets = text.count("[") + text.count("{")
    if brackets < MAX_COMPOSED_DEPTH and not _DEEP_PREFIX.search(text):
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_COMPOSED_DEPTH:
                mark = event.start_mark
                line = mark.line + 1 if mark else 1
                raise FileProblems([Problem(name, line, "is nested too deeply")])
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Loader(yaml.CSafeLoader):
    """The C parser: about six times as fast as the one in Python."""


@dataclass
class _Build:
    """What building one document has to remember; a node met twice is an alias."""

    document: Document
    met: set[int] = field(default_factory=set)


def _build(node: yaml.Node, build: _Build, depth: int) -> Any:
    line = node.start_mark.line + 1
    document = build.document
    if depth > MAX_DEPTH:
        document.add(line, f"is nested deeper than {MAX_DEPTH} levels")
        return None
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if id(node) in build.met:
        document.add(line, "is used again by an alias (*name)", hint="Write the value out.")
        return None
    build.met.add(id(node))
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(node, build, depth)
    items = Sequence(_build(item, build, depth + 1) for item in node.value)
    items.line = line
    items.lines = [item.start_mark.line + 1 for item in node.value]
    return items


def _build_mapping(node: yaml.MappingNode, build: _Build, depth: int) -> Mapping:
    result, document = Mapping(), build.document
    result.line, result.lines = node.start_mark.line + 1, {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
        if key is None:
            document.add(line, "a key must be a word")
        elif key in result:
            first = result.lines[key]
            document.add(line, f"{key!r} stands here a second time (first in line {first})")
        else:
            result[key] = _build(value_node, build, depth + 1)
            result.lines[key] = line
    return result


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if getattr(node, "style", None) in ("'", '"', "|", ">"):
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) < 19 else text
    return float(text) if _FLOAT.fullmatch(text) else text


@dataclass
class Reader:
    """Reads the keys of one mapping, notes what is wrong, and goes on."""

    document: Document
    value: Mapping
    where: str
    used: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, document: Document, value: Any, where: str, *, line: int = 1) -> Reader:
        """Return a reader; a value that is no mapping is noted and read as empty."""
        if not isinstance(value, Mapping):
            document.add(line, f"{where} must be a mapping of keys and values")
            value = empty()
            value.line = line
        return cls(document, value, where)

    def line(self, key: str) -> int:
        """The line of a key, or of the mapping where the key is missing."""
        return self.value.lines.get(key, self.value.line)

    def problem(self, key: str, message: str, *, hint: str = "") -> None:
        """Note a problem at a key."""
        self.document.add(self.line(key), f"{self.where}: {message}", hint=hint)

    def raw(self, key: str) -> Any:
        """The value as it stands, or None."""
        self.used.add(key)
        return self.value.get(key)

    def text(self, key: str, *, required: bool = False, default: str = "") -> str:
        """A string; numbers are taken as they are written."""
        found = self.raw(key)
        if found is None:
            if required:
                self.problem(key, f"{key!r} is missing")
            return default
        if isinstance(found, bool | Mapping | Sequence):
            self.problem(key, f"{key!r} must be text")
            return default
        return str(found)

    def optional(self, key: str) -> str | None:
        """A string, or None where the key is missing or null."""
        return self.text(key) if self.raw(key) is not None else None

    def flag(self, key: str, *, default: bool = False) -> bool:
        """`true` or `false`."""
        found = self.raw(key)
        if found is None:
            return default
        if not isinstance(found, bool):
            self.problem(key, f"{key!r} must be true or false")
            return default
        return found

    def number(self, key: str, *, default: int | None = None) -> int | None:
        """A whole number, or the default."""
        found = self.raw(key)
        if found is None:
            return default
        if isinstance(found, bool) or not isinstance(found, int):
            self.problem(key, f"{key!r} must be a whole number")
            return default
        return found

    def one_of(self, key: str, allowed: Collection[str], *, default: str) -> str:
        """One word of a closed list."""
        found = self.text(key, default=default)
        if found not in allowed:
            self.problem(key, f"{key!r} is {found!r}, which is none of {_listed(found, allowed)}")
            return default
        return found

    def day(self, key: str) -> date | None:
        """A date written YYYY-MM-DD."""
        found = self.optional(key)
        if found is None:
            return None
        try:
            return date.fromisoformat(found)
        except ValueError:
            self.problem(key, f"{key!r} is {found!r}, not a date such as 2026-11-22")
            return None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; one string counts as a list of one."""
        found = self.raw(key)
        if found is None:
            return ()
        if isinstance(found, str):
            return (found,)
        if not isinstance(found, Sequence) or any(isinstance(i, Mapping | Sequence) for i in found):
            self.problem(key, f"{key!r} must be a list of texts")
            return ()
        return tuple(str(i) for i in found)

    def mapping(self, key: str) -> Reader:
        """A mapping below this key; missing counts as empty."""
        found = self.raw(key)
        if found is None:
            found = empty()
            found.line = self.line(key)
        return Reader.of(self.document, found, f"{self.where}: {key}", line=self.line(key))

    def mappings(self, key: str) -> Iterator[Reader]:
        """Each mapping of a list below this key."""
        found = self.raw(key)
        if found is None:
            return
        if not isinstance(found, Sequence):
            self.problem(key, f"{key!r} must be a list")
            return
        for number, item in enumerate(found):
            where = f"{self.where}: {key}[{number + 1}]"
            yield Reader.of(self.document, item, where, line=found.lines[number])

    def finish(self) -> None:
        """Note every key that nothing asked for."""
        for key in self.value:
            if key not in self.used:
                near = _nearest(key, self.used)
                hint = f"Did you mean {near!r}?" if near else ""
                self.problem(key, f"unknown key {key!r}", hint=hint)


def _nearest(key: str, known: Collection[str]) -> str | None:
    from difflib import get_close_matches

    found = get_close_matches(key, known, n=1)
    return found[0] if found else None


def _listed(found: str, allowed: Collection[str]) -> str:
    """The words allowed; of a long list those that are most like `found`."""
    words = sorted(allowed)
    if len(words) <= LISTED:
        return ", ".join(words)
    from difflib import get_close_matches

    near = get_close_matches(found, words, n=3, cutoff=0.4)
    return f"{len(words)} known words" + (f" (near: {', '.join(near)})" if near else "")


def empty() -> Mapping:
    """A mapping without keys, for a file that is there but empty."""
    result = Mapping()
    result.line, result.lines = 1, {}
    return result


def plain(value: Any) -> Any:
    """Return mappings and lists without their lines, as `dump` takes them."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def dump(value: Any) -> str:
    """Return `value` as YAML that `read` reads back, keys in the order given."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.1 would read as something other than text."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never write anchors: `read` refuses them."""
        return True
