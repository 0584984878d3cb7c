"""Reads companies.yaml, and the user's overlay over it, into a Registry."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dsar.core.controller import Controller
from dsar.errors import FileProblems, Problem, UnknownCompany
from dsar.registry.cache import Entries, folded, key_of, packed, searched_text
from dsar.registry.cache import load as load_cached
from dsar.registry.cache import save as save_cached
from dsar.registry.entry import Entry, controller_of, entry_of, overlaid


class Registry:
    """The companies, by slug and in order; a Controller is made when it is asked for."""

    def __init__(self, base: Entries, edits: Entries | None = None) -> None:
        self._base, self._edits = base, edits if edits is not None else packed({})
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
        if slug not in self._edits:
            return self._base[slug]
        edits = self._edits[slug]
        return overlaid(self._base[slug], edits) if slug in self._base else edits

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
        found = [(rank, slug) for slug, searched in self._searched()
                 if (rank := _rank(slug, searched, words)) is not None]
        return [self.get(slug) for _, slug in sorted(found)]

    def _searched(self) -> Iterator[tuple[str, str]]:
        """Slug and searched text of every company, as the user's edits leave it."""
        for slug, text in self._base.searched():
            if slug not in self._edits:
                yield slug, text.decode()
        for slug, text in self._edits.searched():
            both = slug in self._base
            yield slug, searched_text(slug, self.entry(slug)) if both else text.decode()


def load_registry(
    path: Path, overlay: Path | None = None, *, pulled: Path | None = None,
    cache_folder: Path | None = None,
) -> Registry:
    """Read the registry and the user's edits over it.

    overlay: may be missing. pulled: the folder of pulled lists, to be merged in (left out: only
    what was compiled by hand). cache_folder: for the faster form; may be missing or read-only.
    Raises FileProblems with every problem of both files, StorageFailed for a damaged pull.
    """
    problems: list[Problem] = []
    base = _entries(path, cache_folder, problems, partial=False)
    if pulled is not None and not problems:
        base = _with_pulled(path, base, pulled, cache_folder)
    edits = None
    if overlay is not None and overlay.exists():
        edits = _entries(overlay, cache_folder, problems, partial=True)
        problems += _nameless(overlay, base, edits)
    if problems:
        raise FileProblems(sorted(problems))
    return Registry(base, edits)


def _with_pulled(path: Path, base: Entries, pulled: Path, cache: Path | None) -> Entries:
    """The registry with the pulled lists merged in; the cache is keyed by all of their bytes."""
    from dsar.registry.pulled import files

    contents = [(found, found.read_bytes()) for found in files(pulled)]
    if not contents:
        return base
    key = key_of(b"\0".join([path.read_bytes(), *(raw for _, raw in contents)]), kind="merged")
    kept = load_cached(cache, key) if cache is not None else None
    if kept is not None:
        return kept
    with without_gc():
        merged = _merged(base, contents)
    if cache is not None:
        save_cached(cache, key, merged)
    return merged


def _merged(base: Entries, contents: list[tuple[Path, bytes]]) -> Entries:
    """An entry that the lists leave as it is stays word for word as it is in the file."""
    from dsar.registry.merge import Merged, finished
    from dsar.registry.pulled import controllers, from_bytes

    before = {slug: controller_of(slug, base[slug]) for slug in base}
    merged = Merged()
    merged.start(before.values())
    for found, raw in contents:
        pull = from_bytes(found, raw)
        merged.take(pull.source, controllers(pull))
    return packed({
        slug: base[slug] if controller is before.get(slug) else {
            **{key: base[slug][key] for key in ("checked",) if slug in base and key in base[slug]},
            **entry_of(controller)}
        for slug, controller in finished(merged).items()
    })


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
        for slug, searched in edits.searched()
        if slug not in base and searched.partition(b"|")[0].strip() == slug.encode()
    ]


def _unknown(slug: str, known: tuple[str, ...]) -> UnknownCompany:
    from difflib import get_close_matches

    near = get_close_matches(slug[:80], known, n=3)
    hint = f"Did you mean {', '.join(near)}?" if near else None
    return UnknownCompany(f"No company has the slug {slug[:80]!r}.", hint=hint)


def _rank(slug: str, searched: str, words: list[str]) -> int | None:
    """0 for the whole name, 1 for its beginning, 2 for a word in a name, 3 for anything else."""
    if not _holds(searched, words):
        return None
    whole, names = " ".join(words), searched.partition("|")[0]
    name = names.removeprefix(slug).strip()
    if whole in (slug, name):
        return 0
    if name.startswith(whole) or slug.startswith(whole):
        return 1
    return 2 if _holds(names, words) else 3


def _holds(text: str, words: list[str]) -> bool:
    return all(word in text for word in words)
