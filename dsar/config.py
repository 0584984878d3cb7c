"""config.yaml and people.yaml → Config; every problem with its line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsar import yamlfile
from dsar.core.subject import DataSubject, Identifier, Place
from dsar.errors import NotSetUp
from dsar.home import write_private

HEADER = "# Written by dsar; edit it as you like. `dsar doctor` checks it.\n"


@dataclass(frozen=True, kw_only=True)
class AccountSettings:
    """One entry of `accounts:` as it stands, for mail/account.py to read; `line` is where."""

    name: str
    reader: yamlfile.Reader


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the user set.

    store: a URL such as `tinydb:` (empty path: the home's ledger folder).
    archive: where the raw mail lies: `folder` of the home, or `store`, the ledger's database.
    passphrase: where the passphrase of an encrypted home comes from, for the command line to read.
    chosen: slugs of the companies to write to; empty means the whole registry.
    """

    document: yamlfile.Document
    accounts: tuple[AccountSettings, ...] = ()
    store: str = "tinydb:"
    archive: str = "folder"
    chosen: tuple[str, ...] = ()
    people: tuple[DataSubject, ...] = ()
    passphrase: yamlfile.Reader | None = None

    def person(self, wanted: str | None) -> DataSubject:
        """The person with this id, or the only one. Raises NotSetUp."""
        if not self.people:
            raise NotSetUp("No person is set up yet.")
        if wanted is None:
            return self.people[0]
        for person in self.people:
            if person.id == wanted:
                return person
        known = ", ".join(p.id for p in self.people)
        raise NotSetUp(f"No person {wanted!r}.", hint=f"Known: {known}. `dsar person list`")


def load_config(config: Path, people: Path) -> Config:
    """Read both files; missing files count as empty. Raises FileProblems."""
    persons = read_people(people) if people.exists() else ()
    if not config.exists():
        return Config(document=yamlfile.Document(str(config), None), people=persons)
    document = yamlfile.read(config)
    top = yamlfile.Reader.of(document, document.value or yamlfile.empty(), "config.yaml")
    found = Config(
        document=document,
        store=top.text("store", default="tinydb:"),
        archive=top.one_of("archive", ("folder", "store"), default="folder"),
        chosen=top.texts("companies"),
        accounts=tuple(AccountSettings(name=a.text("name", required=True), reader=a)
                       for a in top.mappings("accounts")),
        people=persons,
        passphrase=top.mapping("passphrase") if top.raw("passphrase") is not None else None,
    )
    if found.archive == "store" and not found.store.startswith(("postgresql:", "postgres:")):
        top.problem("archive", "'store' needs `store: postgresql://…`: only a database can hold "
                    "the mail")
    top.finish()
    _refuse_twice(document, [(a.name, a.reader.value.line) for a in found.accounts], "account")
    document.raise_problems()
    return found


def read_people(path: Path) -> tuple[DataSubject, ...]:
    """Read people.yaml. Raises FileProblems."""
    document = yamlfile.read(path)
    top = yamlfile.Reader.of(document, document.value or yamlfile.empty(), "people.yaml")
    readers = list(top.mappings("people"))
    people = tuple(_person(reader) for reader in readers)
    top.finish()
    lines = [reader.value.line for reader in readers]
    _refuse_twice(document, zip([p.id for p in people], lines, strict=True), "person")
    document.raise_problems()
    return people


def _person(reader: yamlfile.Reader) -> DataSubject:
    residence = _place(reader, reader.text("residence", required=True))
    email = reader.text("email", required=True)
    if email and ("@" not in email or any(c.isspace() for c in email)):
        reader.problem("email", f"{email!r} is no mail address")
    identifiers = tuple(_identifier(i) for i in reader.mappings("identifiers"))
    person = DataSubject(
        id=reader.text("id", required=True), name=reader.text("name", required=True),
        email=email, residence=residence, languages=reader.texts("languages") or ("en",),
        address=reader.texts("address"), identifiers=identifiers,
    )
    reader.finish()
    return person


def _place(reader: yamlfile.Reader, text: str) -> Place:
    try:
        return Place.parse(text)
    except ValueError as error:
        if text:
            reader.problem("residence", str(error))
        return Place("XX")


def _identifier(reader: yamlfile.Reader) -> Identifier:
    from dsar.core.controller import IDENTIFIER_KINDS

    kind = reader.one_of("kind", IDENTIFIER_KINDS, default="other")
    tell = reader.one_of("tell", ("any", "asked", "never"), default="any")
    found = Identifier(kind, reader.text("value", required=True), tell)
    reader.finish()
    return found


def _refuse_twice(
    document: yamlfile.Document, named: Iterable[tuple[str, int]], what: str
) -> None:
    first: dict[str, int] = {}
    for name, line in named:
        if name in first:
            document.add(line, f"{what} {name!r} stands here a second time (line {first[name]})")
        first.setdefault(name, line)


def person_as_data(person: DataSubject) -> dict[str, Any]:
    """The entry of people.yaml for a person, without what is empty."""
    entry: dict[str, Any] = {
        "id": person.id, "name": person.name, "email": person.email,
        "residence": str(person.residence), "languages": list(person.languages),
    }
    if person.address:
        entry["address"] = list(person.address)
    if person.identifiers:
        entry["identifiers"] = [
            {"kind": i.kind, "value": i.value} | ({} if i.tell == "any" else {"tell": i.tell})
            for i in person.identifiers
        ]
    return entry


def write_people(path: Path, people: Iterable[DataSubject]) -> None:
    """Write people.yaml whole. Raises StorageFailed."""
    text = HEADER + yamlfile.dump({"people": [person_as_data(p) for p in people]})
    write_private(path, text.encode())


def write_config(
    path: Path, *, store: str, chosen: Iterable[str], accounts: Iterable[dict[str, Any]]
) -> None:
    """Write config.yaml; what else stands in it stays. Raises StorageFailed."""
    old = yamlfile.plain(yamlfile.read(path).value) if path.exists() else None
    content: dict[str, Any] = {key: value for key, value in (old or {}).items()
                               if key not in ("store", "accounts", "companies")}
    if store != "tinydb:":
        content["store"] = store
    content["accounts"] = list(accounts)
    if listed := list(chosen):
        content["companies"] = listed
    write_private(path, (HEADER + yamlfile.dump(content)).encode())
