"""What a campaign plans for a member is what the same person, filing alone, would send."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsar.campaign.keys import load_keyring, make_keys
from dsar.campaign.planning import Held, plan_member
from dsar.campaign.roster import Enrolment, load_campaign, load_members, subject_of
from dsar.campaign.rows import Row
from dsar.cli.app import App
from dsar.cli.campaigning import Room, campaign_folder, entropy
from dsar.cli.options import Selector, Settings
from dsar.cli.planning import Wish, first_due, make_plan
from dsar.core.campaign_events import CampaignStarted, TargetsChosen, campaign_stream
from dsar.core.house import House
from dsar.core.place import place_of_action
from dsar.core.plan import Plan, PlannedLetter
from dsar.core.subject import DataSubject, Identifier, Place
from dsar.store.memory import MemoryStore

TODAY = date(2026, 11, 24)
AWKWARD = """schema: dsar.companies/1
companies:
"""
ODD = (
    ("one-mailbox-a", "DE", "[eu-gdpr]", "privacy@shared.example", "2026-11-01", "[de, en]", ""),
    ("one-mailbox-b", "AT", "[eu-gdpr]", "privacy@shared.example", "2026-11-01", "[de]", ""),
    ("one-group-a", "FR", "[eu-gdpr]", "dpo@ga.example", "2026-11-01", "[fr]", "group: g1"),
    ("one-group-b", "FR", "[eu-gdpr]", "dpo@gb.example", "2026-11-01", "[en]", "group: g1"),
    ("stale", "DE", "[eu-gdpr]", "privacy@stale.example", "2019-01-01", "[en]", ""),
    ("polish", "PL", "[eu-gdpr]", "privacy@pl.example", "2026-11-01", "[pl]", ""),
    ("british", "GB", "[uk-gdpr]", "privacy@british.example", "2026-11-01", "[en]", ""),
    ("swiss", "CH", "[ch-fadp]", "privacy@swiss.example", "2026-11-01", "[de, fr]", ""),
    ("californian", "US-CA", "[us-ca-ccpa]", "privacy@cal.example", "2026-11-01", "[en]", ""),
)
RIGHTS = ("access", "objection", "rectification", "opt-out", "portability")
LANGUAGES = ("de", "en", "fr", "es", "pl", "sv", "hu")
PLACES = ("DE", "DE-BE", "AT", "FR", "GB", "CH", "US-CA", "US-TX", "BR", "HU", "PL", "SE")


def overlay() -> str:
    return AWKWARD + "".join(f"""
  {slug}:
    name: Company {slug}
    country: {country}
    categories: [data-broker]
    contacts: [{{kind: email, value: {value}, source: invented, checked: {checked}}}]
    laws: {laws}
    languages: {languages}
    reply_domains: [{value.rpartition('@')[2]}]
    checked: 2026-11
    {more}
""" for slug, country, laws, value, checked, languages, more in ODD)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    folder.chmod(0o700)
    (folder / "companies.local.yaml").write_text(overlay())
    return folder


def app_for(home: Path) -> App:
    return App(Settings(home=str(home)), {"DSAR_TODAY": TODAY.isoformat()})


@pytest.fixture(scope="module")
def app(home: Path) -> App:
    found = app_for(home)
    make_keys(campaign_folder(found, "spring"), "word", b"k" * 32)
    assert {odd[0] for odd in ODD} <= {c.slug for c in found.registry}
    return found


@st.composite
def people(draw: st.DrawFn) -> DataSubject:
    identifiers = draw(st.lists(st.tuples(
        st.sampled_from(("phone", "username", "customer-number", "former-name")),
        st.sampled_from(("x1", "x2", "+49 30 555"))), max_size=3, unique=True))
    return DataSubject(
        id="alex", name=draw(st.sampled_from(("Alex Muster", "Łucja Żak"))),
        email="alex@example.org", residence=Place.parse(draw(st.sampled_from(PLACES))),
        languages=tuple(draw(st.lists(st.sampled_from(LANGUAGES), min_size=1, max_size=3,
                                      unique=True))),
        address=draw(st.sampled_from(((), ("Weg 1", "10115 Berlin")))),
        identifiers=tuple(Identifier(kind, value) for kind, value in identifiers))


def as_member(app: App, person: DataSubject, slugs: Iterable[str], right: str
              ) -> tuple[list[PlannedLetter], list[Held], DataSubject]:
    """Enrolled by a row of a table, sealed, opened again, planned."""
    keys = load_keyring(campaign_folder(app, "spring"))
    store = MemoryStore(now=lambda: datetime(2026, 11, 24, tzinfo=UTC), author="test")
    store.append(campaign_stream("spring"), [CampaignStarted(
        on=TODAY, campaign_id="spring", name="Spring", organisation="G", contact="c@g.example",
        mode="kit", rights=(right,), purge_on=date(2027, 11, 1), consent_version="1",
        consent_digest="c" * 64, sending_key=keys.public, content_key=keys.public),
        TargetsChosen(on=TODAY, controllers=tuple(slugs))], after=0)
    enrolment = Enrolment(store=store, campaign=load_campaign(store, "spring"), keys=keys,
                          today=TODAY, entropy=entropy)
    list(enrolment.add([Row(
        line=2, name=person.name, email=person.email, residence=person.residence,
        languages=person.languages, address=person.address, identifiers=person.identifiers)]))
    room = Room.of(app, store, "spring")
    (member,) = load_members(store, room.campaign)
    found = list(plan_member(member, room.planner({})))
    return ([f for f in found if isinstance(f, PlannedLetter)],
            [f for f in found if isinstance(f, Held)], subject_of(member, keys))


def alone(home: Path, person: DataSubject, slugs: tuple[str, ...], right: str, shared: App
          ) -> tuple[App, Plan]:
    app = app_for(home)
    app.__dict__.update(subject=person, registry=shared.registry, laws=shared.laws)
    return app, make_plan(app, Selector(slugs=slugs), Wish(right=right), (), House())


def essence(letter: PlannedLetter, person: DataSubject) -> tuple[object, ...]:
    """All that a letter, its case and its due date rest on."""
    acts = place_of_action(letter.controller.country, letter.regime, person.residence)
    return (letter.controller.slug, letter.contact, letter.right, letter.regime.id,
            letter.language, letter.disclosures, letter.because, letter.covers, letter.stage,
            acts.place, acts.controller_outside)


_SEEN: set[str] = set()


@settings(max_examples=120, deadline=None, suppress_health_check=[
    HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), person=people(), right=st.sampled_from(RIGHTS))
def test_a_member_gets_the_plan_of_a_person_with_the_same_facts(
    app: App, home: Path, data: st.DataObject, person: DataSubject, right: str
) -> None:
    names = [c.slug for c in app.registry]
    odd = [each[0] for each in ODD]
    slugs = tuple(data.draw(st.lists(st.one_of(st.sampled_from(odd), st.sampled_from(names)),
                                     min_size=1, max_size=9, unique=True)))
    letters, held, member = as_member(app, person, slugs, right)
    single, plan = alone(home, person, slugs, right, app)
    assert [essence(one, member) for one in letters] == [
        essence(one, person) for one in plan.letters]
    assert {(h.company, h.rail, h.why) for h in held} == {
        (s.controller.slug, s.rail, s.why) for s in plan.skipped}
    whole = replace(plan, letters=tuple(letters))
    single.__dict__["subject"] = member
    assert first_due(single, whole) == first_due(app_with(single, person), plan)
    _SEEN.update(letter.regime.id for letter in letters)
    _SEEN.update(f"held {each.rail}" for each in held)


def app_with(app: App, person: DataSubject) -> App:
    app.__dict__["subject"] = person
    return app


def test_the_comparison_has_seen_several_laws_and_rails() -> None:
    assert {"eu-gdpr", "uk-gdpr"} <= _SEEN
    assert len([word for word in _SEEN if word.startswith("held ")]) >= 3


