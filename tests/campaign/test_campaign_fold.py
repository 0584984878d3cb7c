"""What the events of a campaign add up to: who may release what, and what may go out when."""

from __future__ import annotations

from datetime import date

import pytest
from campaignfold import DAY, approved, campaign, proposed
from hypothesis import given
from hypothesis import strategies as st

from dsar.core.campaign import Campaign, Wave, four_eyes_problem, same_name
from dsar.core.campaign_events import (
    CampaignChanged,
    CampaignClosed,
    CampaignEvent,
    CampaignPaused,
    CampaignResumed,
    WaveWithdrawn,
)

PAUSE = CampaignPaused(on=DAY, because="wave 1 is out")
RESUME = CampaignResumed(on=DAY, by="Ann")


def wave_of(found: Campaign, number: int) -> Wave:
    return found.waves[number]


@pytest.mark.parametrize("same", [
    "Ann Smith", " ann  smith ", "ANN\tSMITH", "Ann\u00a0Smith", "\uff21nn Smith",
    "An\u200bn Smith", "Ann Smith\u200f", "ann smi\u00adth"])
def test_a_name_written_otherwise_is_no_second_person(same: str) -> None:
    found = campaign(proposed(1, letters=101, by="Ann Smith"))
    assert "another person" in four_eyes_problem(wave_of(found, 1), found, same)


@pytest.mark.parametrize("nobody", ["", "   ", "\u200b", "\n"])
def test_nobody_is_no_second_person(nobody: str) -> None:
    found = campaign(proposed(1, letters=3))
    assert four_eyes_problem(wave_of(found, 1), found, nobody)


def test_a_second_person_may_release_a_large_wave_and_the_same_a_small_one() -> None:
    large, small = campaign(proposed(1, letters=101)), campaign(proposed(1, letters=100))
    assert four_eyes_problem(wave_of(large, 1), large, "Bea") == ""
    assert four_eyes_problem(wave_of(small, 1), small, "Ann") == ""


def test_many_small_waves_are_no_way_round_a_second_person() -> None:
    found = campaign(proposed(1, 60), approved(1, by="Ann"), PAUSE, RESUME, proposed(2, 60))
    assert "after 60" in four_eyes_problem(wave_of(found, 2), found, "Ann")
    assert four_eyes_problem(wave_of(found, 2), found, "Bea") == ""


BACK = WaveWithdrawn(on=DAY, wave=1, because="", by="Ann")


def test_what_a_second_person_released_or_nobody_released_does_not_count() -> None:
    seen = campaign(proposed(1, 60), approved(1, by="Bea"), proposed(2, 60))
    taken_back = campaign(proposed(1, 60), BACK, proposed(2, 60))
    for found in (seen, taken_back):
        assert four_eyes_problem(wave_of(found, 2), found, "Ann") == ""


def test_a_wave_taken_back_when_it_was_half_out_is_no_way_round_a_second_person() -> None:
    found = campaign(proposed(1, 60), approved(1, by="Ann"), BACK, proposed(2, 60))
    assert "after 60" in four_eyes_problem(wave_of(found, 2), found, "Ann")


def test_a_wave_is_released_once_and_not_after_it_was_withdrawn() -> None:
    done = campaign(proposed(1), approved(1))
    gone = campaign(proposed(1), WaveWithdrawn(on=DAY, wave=1, because="", by="Ann"))
    assert "already" in four_eyes_problem(wave_of(done, 1), done, "Bea")
    assert "withdrawn" in four_eyes_problem(wave_of(gone, 1), gone, "Bea")


def test_an_approval_of_other_letters_releases_nothing() -> None:
    found = campaign(proposed(1, digest="d"), approved(1, digest="e"))
    assert found.released == ()
    assert found.open_wave is not None


def test_an_approval_of_no_wave_releases_nothing() -> None:
    assert campaign(approved(7)).released == ()


def test_only_the_first_wave_goes_until_a_person_has_looked_at_it() -> None:
    both = (proposed(1), approved(1), proposed(2), approved(2))
    assert campaign(*both).released == (1,)
    assert campaign(*both, PAUSE).released == ()
    assert campaign(*both, PAUSE, RESUME).released == (1, 2)


def test_a_pause_of_ones_own_before_the_first_wave_is_out_is_no_look_at_it() -> None:
    own = CampaignPaused(on=DAY, because="lunch", by="Ann")
    found = campaign(proposed(1), approved(1), own, RESUME, proposed(2), approved(2))
    assert not found.reviewed
    assert found.released == (1,)


def test_a_resumption_without_a_pause_is_no_look_either() -> None:
    assert not campaign(proposed(1), approved(1), RESUME).reviewed


def test_a_closed_campaign_lets_nothing_out() -> None:
    found = campaign(proposed(1), approved(1), CampaignClosed(on=DAY))
    assert found.released == ()


def test_a_withdrawn_wave_does_not_go_and_its_number_is_not_used_again() -> None:
    found = campaign(proposed(1), approved(1), WaveWithdrawn(on=DAY, wave=1, because="", by="A"))
    assert found.released == ()
    assert found.next_wave == 2


def test_the_day_of_the_purge_only_comes_nearer() -> None:
    later = CampaignChanged(on=DAY, because="", purge_on=date(2028, 1, 1))
    nearer = CampaignChanged(on=DAY, because="", purge_on=date(2026, 8, 1))
    assert campaign(later).started.purge_on == date(2027, 1, 1)
    assert campaign(nearer, later).started.purge_on == date(2026, 8, 1)


def test_a_change_leaves_what_it_does_not_name() -> None:
    found = campaign(CampaignChanged(on=DAY, because="agreed", per_controller_per_day=200))
    assert found.started.per_controller_per_day == 200
    assert found.started.spread
    assert found.started.contact == "c@rights.example"


EVENTS: st.SearchStrategy[CampaignEvent] = st.one_of(
    st.builds(proposed, st.integers(1, 4), st.integers(1, 200), st.sampled_from(["Ann", "ann "])),
    st.builds(approved, st.integers(1, 4), st.sampled_from(["Ann", "Bea"]),
              st.sampled_from(["d", "other"])),
    st.builds(lambda n: WaveWithdrawn(on=DAY, wave=n, because="", by="A"), st.integers(1, 4)),
    st.just(PAUSE), st.just(RESUME), st.just(CampaignPaused(on=DAY, because="", by="Ann")))


@given(st.lists(EVENTS, max_size=14))
def test_whatever_happens_only_approved_waves_go_and_the_second_only_after_a_look(
    events: list[CampaignEvent],
) -> None:
    found = campaign(*events)
    for number in found.released:
        wave = found.waves[number]
        assert wave.approved is not None
        assert wave.approved.digest == wave.proposed.digest
        assert wave.withdrawn is None
    if not found.reviewed:
        assert len(found.released) <= 1
    if found.paused:
        assert found.released == ()


@given(st.text(max_size=12))
def test_a_name_compares_with_itself_however_it_is_spaced(name: str) -> None:
    assert same_name(name) == same_name(f"  {name.upper() if name.isascii() else name}\t")
    assert same_name(same_name(name)) == same_name(name)
