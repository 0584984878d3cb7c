"""Public lists as pulled: read, compared with the last time, kept beside the user's own files."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from dsar.core.controller import Controller
from dsar.errors import StorageFailed, UsageProblem
from dsar.home import write_private
from dsar.registry.entry import Entry, controller_of, entry_of
from dsar.registry.schema import CONTACT_FIELDS, ENTRY_FIELDS, SLUG
from dsar.registry.sources import SOURCES, Reading, Source


@dataclass(frozen=True)
class Pull:
    """One list: what it says, and from where and when. `sha256` is that of the bytes read."""

    source: str
    entries: Mapping[str, Entry]
    sha256: str
    stated: str = ""
    origin: str = ""
    etag: str = ""
    reading: Reading = field(default_factory=lambda: Reading(""))


@dataclass
class Report:
    """What a pull would change, by slug of the list."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    contacts_changed: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not (self.added or self.changed or self.gone)


def source_named(name: str) -> Source:
    """Return a source; raises UsageProblem."""
    if name not in SOURCES:
        raise UsageProblem(f"No source {name!r}.", hint=f"Known: {', '.join(SOURCES)}.")
    return SOURCES[name]


def read_pull(
    source: Source, files: Iterable[bytes], *, stated: str, origin: str, etag: str = ""
) -> Pull:
    """Read the bytes of one list (of several files, one after another) into entries.

    stated: the date or year for which the list says what it says. Raises FileProblems for a
    file that is not of this format at all; single records are mended or refused and noted.
    """
    reading, digest = Reading(source.id, stated), sha256()
    entries: dict[str, Entry] = {}
    read = source.reader()
    for raw in files:
        digest.update(raw)
        for controller in read(raw, reading):
            _keep(controller, entries, reading)
    return Pull(source.id, entries, digest.hexdigest(), stated, origin, etag, reading)


def _keep(controller: Controller, entries: dict[str, Entry], reading: Reading) -> None:
    """The last guard: nothing enters that companies.yaml could not hold."""
    entry = entry_of(controller)
    problem = entry_problem(controller.slug, entry)
    if problem is not None:
        reading.refuse(0, controller.name, problem)
    elif controller.slug in entries and entries[controller.slug] != entry:
        if entry.get("status", "active") == "active":
            reading.mend(0, controller.name, f"a second record {controller.slug}: kept the later")
            entries[controller.slug] = entry
    else:
        entries[controller.slug] = entry


def entry_problem(slug: str, entry: Entry) -> str | None:
    """Return why an entry cannot stand in a registry file, or None."""
    if not SLUG.fullmatch(slug):
        return f"{slug[:40]!r} is no slug"
    for key, value in entry.items():
        if (problem := ENTRY_FIELDS[key].check(value)) is not None:
            return f"{key!r} {problem}"
    for contact in entry.get("contacts", ()):
        for key, value in contact.items():
            if (problem := CONTACT_FIELDS[key].check(value)) is not None:
                return f"contact {key!r} {problem}"
    return None


def compare(old: Pull | None, new: Pull, open_cases: Collection[str] = ()) -> Report:
    """Return what the new pull changes; slugs with open cases come first in each list."""
    before = old.entries if old else {}
    first = frozenset(open_cases)

    def ordered(slugs: Iterable[str]) -> list[str]:
        return sorted(slugs, key=lambda slug: (slug not in first, slug))

    both = [slug for slug in new.entries if slug in before]
    return Report(
        added=ordered(slug for slug in new.entries if slug not in before),
        changed=ordered(slug for slug in both if _undated(new.entries[slug]) != _undated(
            before[slug])),
        gone=ordered(slug for slug in before if slug not in new.entries),
        contacts_changed=ordered(slug for slug in both if _addresses(new.entries[slug])
                                 != _addresses(before[slug])),
    )


def _undated(entry: Entry) -> Any:
    """Without dates: that a list says the same again is no change."""
    contacts = [{k: v for k, v in c.items() if k != "checked"} for c in entry.get("contacts", ())]
    return {**entry, "contacts": contacts}


def _addresses(entry: Entry) -> list[tuple[str, str]]:
    return [(c["kind"], c["value"]) for c in entry.get("contacts", ())]


def save(folder: Path, pull: Pull, pulled_on: date) -> None:
    """Keep a pull in place of the one before. Raises StorageFailed."""
    head = {
        "schema": "dsar.pull/1", "source": pull.source, "sha256": pull.sha256,
        "stated": pull.stated, "origin": pull.origin, "etag": pull.etag,
        "pulled_on": pulled_on.isoformat(), "records": pull.reading.records,
        "mended": len(pull.reading.mended), "refused": len(pull.reading.refused),
    }
    lines = [head, *([slug, entry] for slug, entry in pull.entries.items())]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    write_private(_file(folder, pull.source), text.encode())


def saved(folder: Path, source: str) -> Pull | None:
    """Return the last pull of a source, or None. Raises StorageFailed for a damaged file."""
    path = _file(folder, source)
    if not path.exists():
        return None
    return from_bytes(path, path.read_bytes())


def from_bytes(path: Path, raw: bytes) -> Pull:
    """Return the pull kept in a file. Raises StorageFailed where it is damaged."""
    try:
        first, *rest = raw.splitlines()
        head = json.loads(first)
        entries = dict(json.loads(line) for line in rest)
        return Pull(head["source"], entries, head["sha256"], head["stated"], head["origin"],
                    head["etag"])
    except (ValueError, KeyError, TypeError) as error:
        hint = "Delete the file and pull the list again; nothing else is lost."
        raise StorageFailed(f"{path} is damaged.", hint=hint) from error


def files(folder: Path) -> list[Path]:
    """The files of the pulls there are, in the order in which they are merged."""
    return [path for source in SOURCES if (path := _file(folder, source)).exists()]


def controllers(pull: Pull) -> list[Controller]:
    """The records of a pull as controllers."""
    return [controller_of(slug, entry) for slug, entry in pull.entries.items()]


def _file(folder: Path, source: str) -> Path:
    return folder / f"{source}.jsonl"
