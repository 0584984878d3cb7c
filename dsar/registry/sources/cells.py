"""Reading one cell or key of a public list: tidied, judged, and noted where it was mended."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from dsar.core.contact import last_day
from dsar.core.controller import Contact
from dsar.registry.mailboxes import addresses_in, is_person_like, tidied, url_problem, urls_in
from dsar.registry.sources import Reading

MAX_NAME = 300
MAX_CELL = 4000
_NOTHING = frozenset({"", "-", "--", "n/a", "na", "no", "none", "null", "nil", "not applicable"})
_BARE_DOMAIN = re.compile(r"(?:[\w-]+\.)+[a-z]{2,24}(?:/\S*)?", re.IGNORECASE)
_ZERO_STATES = frozenset({"CT", "MA", "ME", "NH", "NJ", "RI", "VT", "PR"})
"""Where ZIP codes begin with 0, which spreadsheets drop (USPS Publication 65)."""

COUNTRIES = {
    "argentina": "AR", "australia": "AU", "austria": "AT", "belgien": "BE", "belgique": "BE",
    "belgium": "BE", "belgië": "BE", "brazil": "BR", "bulgaria": "BG", "canada": "CA",
    "china": "CN", "croatia": "HR", "cyprus": "CY", "czech republic": "CZ", "czechia": "CZ",
    "danmark": "DK", "denmark": "DK", "deutschland": "DE", "dänemark": "DK", "england": "GB",
    "españa": "ES", "estland": "EE", "estonia": "EE", "finland": "FI", "france": "FR",
    "frankreich": "FR", "germany": "DE", "gibraltar": "GI", "great britain": "GB", "greece": "GR",
    "griechenland": "GR", "hong kong": "HK", "hungary": "HU", "iceland": "IS", "india": "IN",
    "ireland": "IE", "irland": "IE", "israel": "IL", "italia": "IT", "italien": "IT",
    "italy": "IT", "japan": "JP", "kanada": "CA", "latvia": "LV", "liechtenstein": "LI",
    "lithuania": "LT", "luxembourg": "LU", "luxemburg": "LU", "malta": "MT", "mexico": "MX",
    "nederland": "NL", "netherlands": "NL", "new zealand": "NZ", "niederlande": "NL",
    "norge": "NO", "northern ireland": "GB", "norway": "NO", "norwegen": "NO", "poland": "PL",
    "polen": "PL", "polska": "PL", "portugal": "PT", "romania": "RO", "russia": "RU",
    "schottland": "GB", "schweden": "SE", "schweiz": "CH", "scotland": "GB", "singapore": "SG",
    "singapur": "SG", "slovakia": "SK", "slovenia": "SI", "south korea": "KR", "spain": "ES",
    "spanien": "ES", "suisse": "CH", "sverige": "SE", "sweden": "SE", "switzerland": "CH",
    "the netherlands": "NL", "tschechien": "CZ", "turkey": "TR", "uk": "GB", "ukraine": "UA",
    "united arab emirates": "AE", "united kingdom": "GB", "united states": "US",
    "united states of america": "US", "us": "US", "usa": "US", "vereinigte staaten": "US",
    "vereinigtes königreich": "GB", "wales": "GB", "zypern": "CY", "österreich": "AT",
}
"""Country names as the lists write them → ISO 3166-1."""


def line_of(value: object, limit: int = MAX_NAME) -> str:
    """Return a value as one line of plain text, "" for what says nothing."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    text = "".join(" " if c.isspace() else c for c in str(value)[: limit * 4])
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    text = " ".join(text.split())[:limit].strip()
    return "" if text.casefold() in _NOTHING else text


def lines_of(value: object) -> str:
    """Return a postal address: lines kept, everything else as in `line_of`."""
    if not isinstance(value, str):
        return ""
    lines = (line_of(part) for part in value[:MAX_CELL].splitlines())
    return "\n".join(line for line in lines if line)


def list_of(value: object) -> list[str]:
    """Return the texts of a list; anything else counts as empty."""
    if not isinstance(value, list):
        return []
    return [line for item in value[:500] if (line := line_of(item))]


def country_of(value: object) -> str | None:
    """Return the ISO code for a country's name, or None; "CA" may be California, so it is none."""
    return COUNTRIES.get(line_of(value).casefold().strip(" .,"))


def country_code(value: object) -> str | None:
    """Return a cell that holds an ISO code of a country we know, or None."""
    text = line_of(value).upper()
    return text if text in COUNTRIES.values() else None


def stated_contact(
    reading: Reading, kind: str, value: str, record: str, *, stated: str = "", note: str = ""
) -> Contact:
    """Return a contact as this list states it; never verified, for nobody checked it for us."""
    when = stated or reading.stated
    return Contact(
        kind=kind, value=value, source=f"{reading.source}:{record}", verified=False,
        checked=last_day(when), checked_as=when if last_day(when) else "", note=note,
    )


def email_contacts(
    reading: Reading, place: int, name: str, cell: object, record: str, *, stated: str = ""
) -> tuple[Contact, ...]:
    """Read a cell that should hold one address; the role address where it holds several."""
    if not isinstance(cell, str) or not line_of(cell, MAX_CELL):
        return ()
    found = addresses_in(cell)
    if not found:
        reading.mend(place, name, f"no readable address in {line_of(cell, 60)!r}: left out")
        return ()
    best = next((a for a in found if not is_person_like(a)), found[0])
    if len(found) > 1:
        reading.mend(place, name, f"{len(found)} addresses in one cell: kept one, noted the rest")
    elif best != cell.strip():
        reading.mend(place, name, f"address written {cell.strip()[:60]!r}: read as {best}")
    others = ", ".join(a for a in found if a != best)
    note = f"also stated: {others}" if others else ""
    return (stated_contact(reading, "email", best, record, stated=stated, note=note),)


def url_of(reading: Reading, place: int, name: str, cell: object) -> str:
    """Read a cell that should hold one web address; "" where there is none."""
    text = tidied(cell[:MAX_CELL]) if isinstance(cell, str) else ""
    if not line_of(text, MAX_CELL):
        return ""
    urls = [u for u in urls_in(text) if url_problem(u) is None] or _bare(text)
    if not urls:
        reading.mend(place, name, f"no readable web address in {line_of(text, 60)!r}: left out")
        return ""
    if len(urls) > 1:
        reading.mend(place, name, f"{len(urls)} web addresses in one cell: kept {urls[0]}")
    elif urls[0] != text:
        reading.mend(place, name, f"web address written {line_of(text, 60)!r}: read as {urls[0]}")
    return urls[0]


def _bare(text: str) -> list[str]:
    """A domain without scheme, or with a mistyped one."""
    rest = re.sub(r"^\w{2,6}:/{0,3}", "", text)
    found = [f"https://{m}" for m in _BARE_DOMAIN.findall(rest) if "@" not in text]
    return [u for u in found if url_problem(u) is None]


def zip_code(reading: Reading, place: int, name: str, cell: object, state: str) -> str:
    """Return a ZIP code, with the zero a spreadsheet dropped put back where the state shows it."""
    text = line_of(cell, 20)
    if re.fullmatch(r"[0-9]{4}(-[0-9]{4})?", text) and state.upper() in _ZERO_STATES:
        reading.mend(place, name, f"ZIP code {text}: read as 0{text}")
        return f"0{text}"
    return text


def slug_of(name: str, taken: Iterable[str] | None = None) -> str:
    """Return a slug for a name, with a number where it is taken; "" where nothing is left."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore")
    slug = re.sub(r"[^a-z0-9]+", "-", plain.decode().casefold()).strip("-")[:60].strip("-")
    if not slug or taken is None:
        return slug
    known, number = set(taken), 2
    found = slug
    while found in known:
        found, number = f"{slug}-{number}", number + 1
    return found
