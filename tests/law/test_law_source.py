"""Every period of the law data against the facts base it was made from, computed apart."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import holidays
import pytest
from slowwalk import slow_due

from dsar.core.deadline import Facts, deadlines
from dsar.law.load import Laws
from dsar.yamlfile import read

PLACES = {"member-state-of-action": ("DE", "BE", "holidays:DE-BE"),
          "holidays:GB-ENG|SCT|NIR": ("GB", "SCT", "holidays:GB-SCT"),
          "holidays:CH-<canton>": ("CH", "ZH", "holidays:CH-ZH"),
          "holidays:AU-<state>": ("AU", "NSW", "holidays:AU-NSW")}


def is_off(calendar: str) -> Callable[[date], bool]:
    """Days off by the installed package itself, not by the snapshot."""
    kind, _, place = calendar.partition(":")
    country, _, subdivision = place.partition("-")
    weekend = {6} if kind == "sun-holidays" else {5, 6}
    if calendar == "none":
        return lambda _: False
    known = holidays.country_holidays(country, subdiv=subdivision or None,
                                      years=range(2024, 2032))
    return lambda day: day.weekday() in weekend or day in known


def blocks(shared: Path) -> list[tuple[str, str, dict[str, Any]]]:
    found = read(shared / "law" / "regimes.yaml").value["regimes"]
    return [(r["id"], name, block) for r in found for name, block in r["deadlines"].items()
            if isinstance(block, dict) and "unit" in block]


def test_every_block_of_the_facts_base_gives_the_same_dates(laws: Laws, shared: Path) -> None:
    days = [date(2027, 6, 1) + timedelta(days=n) for n in random.Random(3).sample(range(700), 25)]
    compared = 0
    for regime_id, name, block in blocks(shared):
        stated = block.get("holiday_calendar", "none")
        country, subdivision, calendar = PLACES.get(stated, ("US", None, stated))
        if block["value"] is None or block.get("successor") or not known(calendar):
            continue
        for received in days:
            compared += 1
            expected = slow_due(
                received, length=block["value"], unit=block["unit"], first_day="excluded",
                rolls=block["last_day_roll"] != "none", is_off=is_off(calendar))
            right = default_right(laws, regime_id) if name == "default" else name
            found = deadlines(laws.regimes[regime_id], Facts(
                right=right, received=received, country=country, subdivision=subdivision,
            ), laws.calendars)
            if found.in_force:
                assert found.due == expected, (regime_id, name, received)
                if block.get("roll_confidence") == "unverified":
                    assert found.strict_due == slow_due(
                        received, length=block["value"], unit=block["unit"],
                        first_day="excluded", rolls=False, is_off=is_off(calendar))
    assert compared > 2000


def known(calendar: str) -> bool:
    return calendar in ("none", "weekend-only") or calendar.startswith(("holidays:",
                                                                        "sun-holidays:"))


def default_right(laws: Laws, regime_id: str) -> str:
    """A right the default block is about."""
    regime = laws.regimes[regime_id]
    return next((r for r in regime.rights if r not in regime.periods), "something-else")


def test_all_laws_and_authorities_of_the_facts_base_are_there(laws: Laws, shared: Path) -> None:
    stated = read(shared / "law" / "regimes.yaml").value
    assert sorted(laws.regimes) == sorted(r["id"] for r in stated["regimes"])
    assert len(laws.regimes) == 82
    people = read(shared / "law" / "authorities.yaml").value["authorities"]
    assert sorted(laws.authorities) == sorted(a["id"] for a in people)
    assert len(laws.authorities) == 116
    assert sorted(laws.states) == sorted(stated["eea_states"])


def test_no_confidence_was_raised_on_the_way(laws: Laws, shared: Path) -> None:
    for record in read(shared / "law" / "regimes.yaml").value["regimes"]:
        regime = laws.regimes[record["id"]]
        assert regime.confidence == record["confidence"]
        for name, block in record["deadlines"].items():
            if isinstance(block, dict) and "unit" in block:
                assert regime.periods[name].confidence == block["confidence"]
                stated = block.get("roll_confidence", block["confidence"])
                assert regime.periods[name].roll_confidence in (stated, "unverified")
        assert set(record.get("unverified_points", [])) <= set(regime.unverified)


@pytest.mark.parametrize("day", [date(2026, 6, 15), date(2026, 11, 9), date(2026, 11, 4)])
def test_one_off_days_are_in_the_snapshot(laws: Laws, day: date) -> None:
    place = {6: "GB-SCT", 9: "AR", 4: "ZA"}[day.day if day.month == 11 else day.month]
    assert not laws.calendars.is_working_day(f"holidays:{place}", day)
