"""The files of the law: whole, readable, refused with their lines where they are wrong."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from dsar import shipped
from dsar.core.deadline import Facts, deadlines
from dsar.core.regime import Regime, Right
from dsar.errors import FileProblems
from dsar.law.load import Laws, load_laws

GUIDE = Path(__file__).parents[2] / "docs" / "adding-a-law.md"
IDS = sorted(load_laws().regimes)


def example() -> str:
    """The law that docs/adding-a-law.md shows whole."""
    found = re.search(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the law data that a test may change."""
    return Path(shutil.copytree(shipped.law(), tmp_path / "law",
                                ignore=shutil.ignore_patterns("*.py", "__pycache__")))


def problems(folder: Path, text: str) -> list[str]:
    (folder / "regimes" / "xx-example.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(FileProblems) as caught:
        load_laws(folder).check()
    return [str(p).removeprefix(str(folder / "regimes") + "/") for p in caught.value.problems]


def test_everything_that_ships_is_right(laws: Laws) -> None:
    laws.check()
    assert (len(laws.regimes), len(laws.authorities), len(laws.states)) == (82, 116, 30)


def test_a_law_is_added_by_one_file(folder: Path) -> None:
    (folder / "regimes" / "xx-example.yaml").write_text(example(), encoding="utf-8")
    laws = load_laws(folder)
    laws.check()
    law = laws.regimes["xx-example"]
    assert len(laws.regimes) == 83
    assert law.cite("answer") == "section 7(1) of the Example Data Act"
    found = deadlines(law, Facts(right="access", received=date(2026, 6, 1)), laws.calendars)
    assert found.due == date(2026, 6, 29)
    early = deadlines(law, Facts(right="access", received=date(2026, 2, 28)), laws.calendars)
    assert (early.in_force, early.due, early.in_force_from) == (False, None, date(2026, 3, 1))


def test_an_unknown_key_is_named_with_its_line_and_the_likely_word(folder: Path) -> None:
    found = problems(folder, example().replace("    length: 20", "    lenght: 20"))
    assert any(p.startswith("xx-example.yaml:22: ") and "unknown key 'lenght'" in p for p in found)


@pytest.mark.parametrize(("old", "new", "words"), [
    ("id: xx-example", "id: yy-example", "'id' must be 'xx-example'"),
    ("unit: business_days", "unit: fortnights", "'unit' is 'fortnights'"),
    ("length: 20", "length: soon", "'length' must be a whole number"),
    ("valid_from: 2026-03-01", "valid_from: March", "not a date such as"),
    ("sources: [the Official Gazette of Example, 1 March 2026]", "", "never written from memory"),
    ("confidence: unverified\nsources", "confidence: sure\nsources", "'confidence' is 'sure'"),
    ('section: "5"', 'section: "other:5"', "needs a form for 'other'"),
    ("strength: medium", "strength: iron", "'strength' is 'iron'"),
    ('article: {en: "section', 'article: {de: "section', "needs a form for 'en'"),
    ("schema: 1", "schema: 2", "'schema' must be 1"),
])
def test_a_mistake_is_named(folder: Path, old: str, new: str, words: str) -> None:
    text = example().replace("    confidence: unverified\nsources", "    confidence: unverified\n"
                             "sources")
    found = problems(folder, text.replace(old, new, 1))
    assert any(words in p for p in found), found
    assert all(re.match(r"xx-example\.yaml:\d+: ", p) for p in found)


def test_an_extension_from_the_start_in_another_unit_is_refused(folder: Path) -> None:
    text = example() + "extensions:\n- {length: 2, unit: months, counted_from: original}\n"
    assert any("count it from `expiry`" in p for p in problems(folder, text))


def test_all_mistakes_are_named_at_once(folder: Path) -> None:
    text = example().replace("length: 20", "length: soon").replace("medium", "iron")
    assert len(problems(folder, text)) >= 2


def test_a_complaint_to_an_unknown_authority_is_refused(folder: Path) -> None:
    text = example() + "complaint: {authority: xx-nobody}\n"
    assert any("no authority is called 'xx-nobody'" in p for p in problems(folder, text))


def test_a_law_is_read_only_when_it_is_asked_for(folder: Path) -> None:
    (folder / "regimes" / "xx-broken.yaml").write_text("a: [", encoding="utf-8")
    laws = load_laws(folder)
    assert "xx-broken" in laws.regimes
    assert laws.regimes["eu-gdpr"].name
    with pytest.raises(FileProblems):
        laws.regimes["xx-broken"]


@pytest.mark.parametrize("outside", ["../authorities", "nothing", ""])
def test_an_unknown_law_is_a_key_error(laws: Laws, outside: str) -> None:
    with pytest.raises(KeyError):
        laws.regimes[outside]


@pytest.mark.parametrize("regime_id", IDS)
def test_a_law_says_where_it_comes_from_and_how_it_is_cited(laws: Laws, regime_id: str) -> None:
    law = laws.regimes[regime_id]
    assert law.sources
    assert law.statute
    assert "default" in law.periods
    for rule in law.rights.values():
        cited = law.cite(rule.section)
        assert cited.strip() == cited != ""
        assert "{" not in cited
        assert not rule.section.startswith(("Art", "s ", "section Art"))
    for name in law.sections:
        assert "{" not in law.cite(name)


@pytest.mark.parametrize("regime_id", IDS)
def test_a_roll_that_is_not_verified_does_not_move_the_strict_date(
    laws: Laws, regime_id: str
) -> None:
    for rule in laws.regimes[regime_id].periods.values():
        if rule.confidence == "verified" and rule.roll_confidence == "unverified":
            assert not rule.strict.rolls


@pytest.mark.parametrize("regime_id", IDS)
def test_only_what_a_law_gives_is_demanded(laws: Laws, regime_id: str) -> None:
    law = laws.regimes[regime_id]
    for name, rule in law.rights.items():
        assert bool(rule.demands) == (name in (Right.ACCESS, Right.ERASURE) and rule.granted)
    if "recipient-notification" not in law.rights and "erasure" in law.rights:
        assert "inform-recipients" not in law.rights["erasure"].demands


def cited(law: Regime, section: str) -> list[str]:
    return [law.cite(section, language) for language in ("en", "de", "fr")]


def test_sections_are_written_as_each_language_writes_them(laws: Laws) -> None:
    eu, uk, ch = (laws.regimes[i] for i in ("eu-gdpr", "uk-gdpr", "ch-fadp"))
    assert cited(eu, "15") == ["Article 15 GDPR", "Art. 15 DSGVO", "article 15 du RGPD"]
    assert cited(eu, "answer") == ["Article 12(3) GDPR", "Art. 12 Abs. 3 DSGVO",
                                   "article 12, paragraphe 3, du RGPD"]
    assert eu.cite("15(1)(c)", "el") == "άρθρο 15 παρ. 1 στοιχ. γ) ΓΚΠΔ"
    assert eu.cite("15(1)(c)", "bg") == "чл. 15, пар. 1, буква „в“ от ОРЗД"
    assert uk.cite("complaint") == "section 165 of the Data Protection Act 2018"
    assert cited(ch, "answer")[1:] == ["Art. 18 DSV", "art. 18 OPDo"]
    assert laws.regimes["us-nh-nhpa"].cite("507-H:4") == "RSA 507-H:4"
    assert laws.regimes["us-ca-ccpa"].cite("1798.105") == "Cal. Civ. Code § 1798.105"
    assert eu.cite("15", "xx") == "Article 15 GDPR"


def test_the_number_of_a_law_is_known_to_letters_or_there_is_none(laws: Laws) -> None:
    eu = laws.regimes["eu-gdpr"].answer_period("access")
    assert eu is not None
    assert (eu.length, eu.unit) == (1, "months")
    assert laws.regimes["ch-fadp"].answer_period("erasure") is None
    drop = laws.regimes["us-ca-delete-act"]
    assert [drop.answer_period("erasure", on=date(y, 1, 1)).length for y in (2026, 2027)] == [
        90, 60]
