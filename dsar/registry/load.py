"""Reads companies.yaml, and the user's overlay over it, into a Registry."""

from __future__ import annotations

import gc
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dsar.core.controller import Controller
from dsar.errors import FileProblems, Problem, UnknownCompany
from dsar.registry.cache import Entries, key_of, packed
from dsar.registry.cache import load as load_cached
from dsar.registry.cache import save as save_cached
from dsar.registry.entry import Entry, controller_of, overlaid

SEARCHED = ("name", "legal_entity", "brands", "aliases", "web", "reply_domains")


class Registry:
    """The companies, by slug and in order; a Controller is made when it is asked for."""

    def __init__(self, base: Mapping[str, Entry], edits: Mapping[str, Entry] | None = None) -> None:
        self._base, self._edits = base, edits or {}
        self._made: dict[str, Controller] = {}

    def __len__(self) -> int:
        return len(self.slugs())

    def __contains__(self, slug: object) -> bool:
        return slug in self._base or slug in self._edits

    def __iter__(self) -> Iterator[Controller]:
        return (self.get(slug) for slug in self.slugs())

    def get(self, slug: str) -> Controller:
        """Return one company; raises UnknownCompany, which names similar slugs."""
        found = self._made.get(slug)
        if found is None:
            found = self._made[slug] = controller_of(slug, self.entry(slug))
        return found

    def slugs(self) -> tuple[str, ...]:
        """Every slug: the registry in its order, then what the user added."""
        return (*self._base, *(s for s in self._edits if s not in self._base))

    def entry(self, slug: str) -> Entry:
        """The entry as it would stand in a file; raises UnknownCompany."""
        if slug not in self:
            raise _unknown(slug, self.slugs())
        base, edits = self._base.get(slug), self._edits.get(slug)
        if base is None or edits is None:
            return base if base is not None else self._edits[slug]
        return overlaid(base, edits)

    def successor_of(self, slug: str) -> Controller:
        """Follow `successor` to its end; a circle ends where it closes. Raises UnknownCompany."""
        found, seen = self.get(slug), {slug}
        while found.successor and found.successor in self and found.successor not in seen:
            seen.add(found.successor)
            found = self.get(found.successor)
        return found

    def group_of(self, controller: Controller) -> tuple[Controller, ...]:
        """Every company that one letter to this one serves, itself included."""
        if controller.group is None:
            return (controller,)
        return tuple(c for c in self if c.group == controller.group)

    def search(self, text: str) -> list[Controller]:
        """Return the companies whose names or addresses hold every word, the best first."""
        words = folded(text).split()
        if not words:
            return []
        found = [(rank, slug) for slug in self._possible(words)
                 if (rank := _rank(slug, self.entry(slug), words)) is not None]
        return [self.get(slug) for _, slug in sorted(found)]

    def _possible(self, words: list[str]) -> Iterator[str]:
        """Slugs whose undecoded line may hold the words; the rest is not decoded at all."""
        plain = [w for w in words if w.isascii() and '"' not in w and "\\" not in w]
        raw = self._base.raw() if isinstance(self._base, Entries) else ()
        ruled_out = {
            slug for slug, line in raw
            if line.isascii() and not _holds(f"{slug} {line.decode().lower()}", plain)
        }
        return (slug for slug in self.slugs() if slug not in ruled_out or slug in self._edits)


def load_registry(
    path: Path, overlay: Path | None = None, *, cache_folder: Path | None = None
) -> Registry:
    """Read the registry and the user's edits over it.

    overlay: may be missing. cache_folder: for the faster form; may be missing or read-only.
    Raises FileProblems with every problem of both files.
    """
    problems: list[Problem] = []
    base = _entries(path, cache_folder, problems, partial=False)
    edits = None
    if overlay is not None and overlay.exists():
        edits = _entries(overlay, cache_folder, problems, partial=True)
        problems += _nameless(overlay, base, edits)
    if problems:
        raise FileProblems(sorted(problems))
    return Registry(base, edits)


def _entries(
    path: Path, cache: Path | None, problems: list[Problem], *, partial: bool
) -> Entries:
    try:
        raw = path.read_bytes()
    except OSError as error:
        problems.append(Problem(str(path), 1, f"cannot be read: {error.strerror}"))
        return packed({})
    key = key_of(raw, kind="overlay" if partial else "registry")
    kept = load_cached(cache, key) if cache is not None else None
    if kept is not None:
        return kept
    try:
        entries = parsed(raw, name=str(path), partial=partial)
    except FileProblems as error:
        problems += error.problems
        return packed({})
    if cache is not None:
        save_cached(cache, key, entries)
    return entries


def parsed(raw: bytes, *, name: str, partial: bool = False) -> Entries:
    """Read and check the bytes of a registry file; raises FileProblems with all problems."""
    from dsar.registry.validate import entries_in
    from dsar.yamlfile import parse

    with without_gc():  # halves the time: a parse makes no garbage in circles
        document = parse(raw, name=name)
        entries = entries_in(document, partial=partial)
        document.raise_problems()
        return packed(entries)


@contextmanager
def without_gc() -> Iterator[None]:
    """Keep the cycle collector from walking a growing tree again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _nameless(path: Path, base: Entries, edits: Entries) -> list[Problem]:
    """An entry of the overlay that changes nothing known must be a whole one."""
    return [
        Problem(str(path), 1, f"{slug}: is not in the registry, and has no name",
                "Mend the slug, or give the new company a name.", slug)
        for slug in edits if slug not in base and "name" not in edits[slug]
    ]


def _unknown(slug: str, known: tuple[str, ...]) -> UnknownCompany:
    from difflib import get_close_matches

    near = get_close_matches(slug[:80], known, n=3)
    hint = f"Did you mean {', '.join(near)}?" if near else None
    return UnknownCompany(f"No company has the slug {slug[:80]!r}.", hint=hint)


def folded(text: str) -> str:
    """Return text as it is compared: no case, no accents, no compatibility forms."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


def _rank(slug: str, entry: Entry, words: list[str]) -> int | None:
    """0 for the whole name, 1 for its beginning, 2 for a word in a name, 3 for anything else."""
    name, whole = folded(str(entry["name"])), " ".join(words)
    if whole in (slug, name):
        return 0
    if name.startswith(whole) or slug.startswith(whole):
        return 1
    if _holds(f"{slug} {name}", words):
        return 2
    return 3 if _holds(_searched_text(slug, entry), words) else None


def _searched_text(slug: str, entry: Entry) -> str:
    found = [slug]
    for key in SEARCHED:
        value = entry.get(key, "")
        found += map(str, value) if isinstance(value, list) else [str(value)]
    found += [str(c["value"]) for c in entry.get("contacts", ()) if c["kind"] != "post"]
    return folded(" ".join(found))


def _holds(text: str, words: list[str]) -> bool:
    return all(word in text for word in words)
