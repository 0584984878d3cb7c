"""The person the data are about."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """ISO 3166-1 alpha-2 country with an optional ISO 3166-2 subdivision (without the country)."""

    country: str
    subdivision: str | None = None

    def __str__(self) -> str:
        return f"{self.country}-{self.subdivision}" if self.subdivision else self.country

    @classmethod
    def parse(cls, text: str) -> Place:
        """Return the place written `CC` or `CC-SUB`; raises ValueError for anything else."""
        country, _, subdivision = text.strip().upper().partition("-")
        if len(country) != 2 or not country.isalpha():
            raise ValueError(f"{text!r} is not a country code such as DE or US-CA")
        return cls(country, subdivision or None)


@dataclass(frozen=True)
class Identifier:
    """One thing a company can find a person by.

    kind: a word of the closed list in `controller.IDENTIFIER_KINDS`.
    tell: "any" company that needs it, only those it is `asked` for by, or "never".
    """

    kind: str
    value: str
    tell: str = "any"


@dataclass(frozen=True, kw_only=True)
class DataSubject:
    """A person: what they are called, where they live, what may be told about them."""

    id: str
    name: str
    email: str
    residence: Place
    languages: tuple[str, ...] = ("en",)
    address: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = field(default=())

    def all_identifiers(self) -> tuple[Identifier, ...]:
        """Name, e-mail and postal address with the further identifiers, in the person's order."""
        own = [Identifier("name", self.name), Identifier("email", self.email)]
        if self.address:
            own.append(Identifier("address", ", ".join(self.address)))
        own.append(Identifier("country", self.residence.country))
        given = {i.kind for i in self.identifiers}
        return (*(i for i in own if i.kind not in given or i.kind in ("name", "email")),
                *self.identifiers)
