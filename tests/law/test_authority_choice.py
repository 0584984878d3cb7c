"""Which authority is chosen for which home and seat: a table, each row with its source.

The sources are the entries of the law data: `states.yaml` (which authorities a state has),
`authorities.yaml` (which Land an authority is for, whom it supervises) and the `complaint:` block
of the regime (Article 77 GDPR: habitual residence, place of work or place of the infringement).
"""

from __future__ import annotations

from datetime import date

import pytest

from dsar.core.authority import Chosen, choose_authority
from dsar.core.controller import Controller
from dsar.core.subject import Place
from dsar.law.load import Laws, load_laws

HOME = "eu-gdpr complaint.authority_rule: habitual residence (Art 77)"
SEAT = "eu-gdpr complaint.authority_rule: place of infringement (Art 77)"
LAND = "states.yaml DE note: Land authority of the data subject; authorities.yaml places"
NAMED = "complaint.authority of the regime"
LEAD = "lead_authority of the registry"

PAIRS: tuple[tuple[str, str, str, str, str | None, str], ...] = (
    # home, seat, regime, kind, authority, source
    ("AT", "DE", "eu-gdpr", "private", "at-dsb", HOME),
    ("BE", "US", "eu-gdpr", "private", "be-gba", HOME),
    ("BG", "US", "eu-gdpr", "private", "bg-cpdp", HOME),
    ("HR", "IE", "eu-gdpr", "private", "hr-azop", HOME),
    ("CY", "US", "eu-gdpr", "private", "cy-dp", HOME),
    ("CZ", "CZ", "eu-gdpr", "private", "cz-uoou", HOME),
    ("DK", "DK", "eu-gdpr", "private", "dk-datatilsynet", HOME),
    ("EE", "US", "eu-gdpr", "private", "ee-aki", HOME),
    ("FI", "US", "eu-gdpr", "private", "fi-tsv", HOME),
    ("FR", "US", "eu-gdpr", "private", "fr-cnil", HOME),
    ("GR", "US", "eu-gdpr", "private", "gr-hdpa", HOME),
    ("HU", "US", "eu-gdpr", "private", "hu-naih", HOME),
    ("IE", "IE", "eu-gdpr", "private", "ie-dpc", HOME),
    ("IT", "US", "eu-gdpr", "private", "it-garante", HOME),
    ("LV", "US", "eu-gdpr", "private", "lv-dvi", HOME),
    ("LT", "LT", "eu-gdpr", "private", "lt-vdai", HOME),
    ("LU", "LU", "eu-gdpr", "private", "lu-cnpd", HOME),
    ("MT", "MT", "eu-gdpr", "private", "mt-idpc", HOME),
    ("NL", "US", "eu-gdpr", "private", "nl-ap", HOME),
    ("PL", "US", "eu-gdpr", "private", "pl-uodo", HOME),
    ("PT", "US", "eu-gdpr", "private", "pt-cnpd", HOME),
    ("RO", "US", "eu-gdpr", "private", "ro-anspdcp", HOME),
    ("SK", "US", "eu-gdpr", "private", "sk-uoou", HOME),
    ("SI", "US", "eu-gdpr", "private", "si-ip", HOME),
    ("ES-MD", "US", "eu-gdpr", "private", "es-aepd", HOME),
    ("SE", "US", "eu-gdpr", "private", "se-imy", HOME),
    ("IS", "US", "eu-gdpr", "private", "is-personuvernd", HOME),
    ("LI", "US", "eu-gdpr", "private", "li-dss", HOME),
    ("NO", "US", "no-gdpr", "private", "no-datatilsynet", NAMED),
    ("DE-BE", "US", "eu-gdpr", "private", "de-berlbdi", LAND),
    ("DE-BY", "US", "eu-gdpr", "private", "de-baylda", LAND),
    ("DE-BW", "FR", "eu-gdpr", "private", "de-bawueldb", LAND),
    ("DE-BB", "US", "eu-gdpr", "private", "de-bralda", LAND),
    ("DE-HB", "US", "eu-gdpr", "private", "de-brelfdi", LAND),
    ("DE-HE", "US", "eu-gdpr", "private", "de-hessbdi", LAND),
    ("DE-HH", "US", "eu-gdpr", "private", "de-hmbbfdi", LAND),
    ("DE-MV", "US", "eu-gdpr", "private", "de-mvldi", LAND),
    ("DE-NI", "US", "eu-gdpr", "private", "de-ndslfd", LAND),
    ("DE-NW", "DE", "eu-gdpr", "private", "de-nrwldi", LAND),
    ("DE-RP", "US", "eu-gdpr", "private", "de-rlpbdi", LAND),
    ("DE-SL", "US", "eu-gdpr", "private", "de-saarudz", LAND),
    ("DE-SN", "US", "eu-gdpr", "private", "de-saechsdsb", LAND),
    ("DE-ST", "US", "eu-gdpr", "private", "de-salbd", LAND),
    ("DE-SH", "US", "eu-gdpr", "private", "de-shuld", LAND),
    ("DE-TH", "US", "eu-gdpr", "private", "de-tlfdi", LAND),
    ("DE", "US", "eu-gdpr", "private", None, "states.yaml DE: one authority a Land"),
    ("CH", "FR", "eu-gdpr", "private", "fr-cnil", SEAT),
    ("GB", "IE", "eu-gdpr", "private", "ie-dpc", SEAT),
    ("CH", "DE", "eu-gdpr", "private", None, "states.yaml DE: the Land of the seat is not known"),
    ("CH", "DE", "eu-gdpr", "lead:de-berlbdi", "de-berlbdi", LEAD),
    ("CH", "US", "eu-gdpr", "private", None, "neither home nor seat under the law"),
    ("DE-BY", "FR", "eu-led", "public:fr-cnil", "fr-cnil", LEAD),
    ("DE-BE", "DE", "eu-led", "public:de-bfdi", "de-bfdi", LEAD),
    ("FR", "NL", "eu-led", "public", "nl-ap", "eu-led complaint.authority_rule: national (Art 52)"),
    ("DE-BE", "EU", "eu-europol", "public", "eu-edps", NAMED),
    ("GB-ENG", "US", "uk-gdpr", "private", "gb-ico", NAMED),
    ("CH-ZH", "US", "ch-fadp", "private", "ch-fdpic", NAMED),
    ("US-CA", "US", "us-ca-ccpa", "private", "us-ca-cppa", NAMED),
    ("US-VA", "US", "us-va-vcdpa", "private", "us-va-ag", NAMED),
    ("US-IL", "US", "us-il-bipa", "private", None, "us-il-bipa: courts"),
    ("CA-QC", "US", "ca-qc-law25", "private", "ca-qc-cai", NAMED),
    ("CA-ON", "US", "ca-pipeda", "private", "ca-opc", NAMED),
    ("AU", "US", "au-privacy-act", "private", "au-oaic", NAMED),
    ("NZ", "US", "nz-privacy-act", "private", "nz-opc", NAMED),
    ("JE", "US", "je-dpjl", "private", "je-joic", NAMED),
    ("HK", "US", "hk-pdpo", "private", "hk-pcpd", NAMED),
    ("ZA", "US", "za-popia", "private", "za-ir", NAMED),
    ("BR", "US", "br-lgpd", "private", "br-anpd", NAMED),
)


@pytest.fixture(scope="module")
def laws() -> Laws:
    return load_laws()


def choose(laws: Laws, home: str, seat: str, regime: str, kind: str = "private") -> Chosen:
    body, _, lead = kind.partition(":")
    company = Controller(slug="acme", name="Acme", country=seat, public_body=body == "public",
                         lead_authority=lead or None)
    return choose_authority(laws.regimes[regime], Place.parse(home), company, laws.authorities,
                            laws.states)


@pytest.mark.parametrize(("home", "seat", "regime", "kind", "authority", "source"), PAIRS,
                         ids=lambda v: str(v)[:16])
def test_the_authority_follows_from_home_and_seat(
    laws: Laws, home: str, seat: str, regime: str, kind: str, authority: str | None, source: str
) -> None:
    found = choose(laws, home, seat, regime, kind)
    assert found.authority == authority, f"{found} {source}"
    assert found.because


def test_the_table_has_forty_pairs_and_every_state() -> None:
    assert len(PAIRS) >= 40
    homes = {home.partition("-")[0] for home, *_ in PAIRS}
    assert homes >= set(load_laws().states)


def test_every_land_has_one_authority_for_companies_and_one_for_public_bodies(
    laws: Laws
) -> None:
    lands = ("BW", "BY", "BE", "BB", "HB", "HH", "HE", "MV", "NI", "NW", "RP", "SL", "SN", "ST",
             "SH", "TH")
    for body in ("private", "public"):
        for land in lands:
            there = [a.id for a in laws.authorities.values() if f"DE-{land}" in a.places
                     and (not a.bodies or body in a.bodies)]
            assert len(there) == 1, (land, body)


def test_where_nobody_can_tell_the_candidates_are_named(laws: Laws) -> None:
    assert len(choose(laws, "DE", "US", "eu-gdpr").others) == 16
    assert "de-bfdi" not in choose(laws, "DE", "US", "eu-gdpr").others
    assert choose(laws, "AT", "IE", "eu-gdpr").others == ("ie-dpc",)


def test_every_authority_that_is_chosen_exists(laws: Laws) -> None:
    for state in laws.states.values():
        assert set(state.authorities) <= set(laws.authorities)
    for regime in laws.regimes.values():
        assert regime.complaint.authority is None or (
            regime.complaint.authority in laws.authorities)


def test_the_step_before_the_complaint_is_data(laws: Laws) -> None:
    steps = {law: r.complaint.first.step for law, r in laws.regimes.items() if r.complaint.first}
    assert steps["uk-gdpr"] == steps["au-privacy-act"] == "complaint"
    assert steps["us-va-vcdpa"] == "appeal"
    assert "eu-gdpr" not in steps
    for law, step in steps.items():
        if step == "appeal":
            assert "appeal" in laws.regimes[law].periods, law
    first = laws.regimes["uk-gdpr"].complaint.first
    assert first is not None
    assert first.since == date(2026, 6, 19)


def test_every_authority_of_the_european_laws_has_a_complaint_in_a_language_it_takes(
    laws: Laws
) -> None:
    """The languages of law data and those of the letters are the same words (BCP 47)."""
    from dsar import shipped
    from dsar.core.letter import Stage
    from dsar.letters.catalogue import languages_of

    folders = (shipped.templates() / "letters",)
    there = set(languages_of(laws.regimes["eu-gdpr"], "access", Stage.COMPLAINT, folders))
    for authority_id in {a for state in laws.states.values() for a in state.authorities}:
        found = laws.authorities[authority_id]
        assert there & {*found.languages, found.complaint_language}, authority_id
    assert laws.authorities["no-datatilsynet"].complaint_language == "nb"
    assert "en" in laws.authorities["eu-edps"].languages
