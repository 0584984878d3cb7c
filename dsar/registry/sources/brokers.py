"""What the state registries have in common: a registered data broker under a state's law."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dsar.core.controller import Contact, Controller
from dsar.registry.sources import Reading
from dsar.registry.sources.cells import line_of, slug_of

_DBA = re.compile(r"\s+(?:d/?b/?a|doing business as|dba as|aka|a/k/a|f/?k/?a)\s+", re.IGNORECASE)


@dataclass
class Slugs:
    """Slugs given out while one table is read: the second of a name gets a number."""

    taken: set[str] = field(default_factory=set)

    def of(self, name: str) -> str:
        """Return a new slug for a name; "" where no letter of it can stand in one."""
        found = slug_of(name, self.taken)
        self.taken.add(found)
        return found


def broker(
    reading: Reading, slugs: Slugs, place: int, *, name: str, state: str, laws: tuple[str, ...],
    dba: str = "", web: str = "", country: str | None = None, contacts: tuple[Contact, ...] = (),
    status: str = "active", categories: tuple[str, ...] = ("data-broker",),
) -> Controller | None:
    """Return the controller for one row, or None where the row was refused."""
    entity, *others = _DBA.split(line_of(name))
    slug = slugs.of(entity) if entity else ""
    if not slug:
        reading.refuse(place, name, "has no name")
        return None
    aliases = [line_of(a) for a in (*others, *re.split(r"[;\n]|, (?!Inc|LLC|L\.|Ltd)", dba))]
    return Controller(
        slug=slug, name=entity, legal_entity=entity, categories=categories, country=country,
        aliases=tuple(dict.fromkeys(a for a in aliases if a and a != entity)),
        contacts=contacts, web=web or None, laws=laws, languages=("en",), status=status,
        contactable=bool(contacts), pulled_from=(reading.source,),
        not_contactable_reason=None if contacts else f"{reading.source} names no way to write",
        brokers_registered_in=(state,) if status == "active" else (),
        sources=(("legal_entity", f"{reading.source}:{place}"),),
    )
