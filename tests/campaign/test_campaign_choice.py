"""Waves as properties: each letter in one, of the size asked, members first; and the pace."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from board_samples import NOON, OFFICE, terms, waiting
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dsar.campaign.board import Claimed, Later, ScanningBoard
from dsar.campaign.planning import Outlook, choose_wave
from dsar.core.case import LetterSent
from dsar.core.fairness import Pace
from dsar.core.letter import Stage
from dsar.store.memory import MemoryStore

Letter = tuple[int, int, int]


@st.composite
def letters_of_a_plan(draw: st.DrawFn) -> list[Letter]:
    """Member, company and right of each letter, as `survey` lists them: some are held."""
    members, companies = draw(st.integers(1, 12)), draw(st.integers(1, 6))
    rights = draw(st.integers(1, 2))
    every = [(m, c, r) for m in range(members) for r in range(rights) for c in range(companies)]
    kept = draw(st.lists(st.booleans(), min_size=len(every), max_size=len(every)))
    return [letter for letter, keep in zip(every, kept, strict=True) if keep]


def outlook(letters: list[Letter]) -> Outlook:
    return Outlook(members=[f"m-{n}" for n in range(12)], companies=[f"c{n}" for n in range(6)],
                   rights=["access", "objection"],
                   pairs=array("I", [number for letter in letters for number in letter]))


def flat(chosen: dict[str, set[tuple[str, str]]]) -> set[Letter]:
    rights = ["access", "objection"]
    return {(int(code[2:]), int(company[1:]), rights.index(right))
            for code, pairs in chosen.items() for company, right in pairs}


def waves(letters: list[Letter], sizes: list[int]) -> Iterator[set[Letter]]:
    """Wave after wave, each planned over what those before have left."""
    left = list(letters)
    for size in [*sizes, len(letters)]:
        if not left:
            return
        wave = flat(choose_wave(outlook(left), size))
        assert len(wave) == min(size, len(left))
        left = [letter for letter in left if letter not in wave]
        yield wave
    assert not left


@given(letters_of_a_plan(), st.lists(st.integers(1, 40), max_size=5))
def test_each_letter_is_in_exactly_one_wave_of_the_size_asked(
    letters: list[Letter], sizes: list[int]
) -> None:
    seen = Counter(letter for wave in waves(letters, sizes) for letter in wave)
    assert seen == Counter(letters)


@given(letters_of_a_plan(), st.integers(1, 80))
@example([(0, 1, 0), (0, 1, 1), (1, 0, 0)], 2)
def test_nobody_has_a_second_letter_before_everybody_has_a_first(
    letters: list[Letter], size: int
) -> None:
    wave = flat(choose_wave(outlook(letters), size))
    got, all_of = Counter(m for m, _, _ in wave), Counter(m for m, _, _ in letters)
    most = max(got.values(), default=0)
    assert all(got[m] >= min(most - 1, count) for m, count in all_of.items())


@given(st.integers(1, 40), st.integers(1, 10), st.integers(1, 400))
def test_a_wave_is_spread_over_the_companies_where_nothing_is_held(
    members: int, companies: int, size: int
) -> None:
    every = [(m, c, 0) for m in range(members) for c in range(companies)]
    seen = Outlook(members=[f"m-{n}" for n in range(members)], rights=["access"],
                   companies=[f"c{n}" for n in range(companies)],
                   pairs=array("I", [n for letter in every for n in letter]))
    wave = flat(choose_wave(seen, size))
    counted = Counter(c for _, c, _ in wave)
    rounds = -(-min(size, len(every)) // members)
    assert max(counted.values()) - min(counted[c] for c in range(companies)) <= rounds


@given(letters_of_a_plan(), st.integers(1, 80))
def test_the_same_plan_gives_the_same_wave(letters: list[Letter], size: int) -> None:
    assert choose_wave(outlook(letters), size) == choose_wave(outlook(list(letters)), size)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(("acme", "bolt", "shared-a", "shared-b")), min_size=1,
                max_size=14),
       st.integers(1, 4), st.booleans(), st.lists(st.integers(0, 400), max_size=14))
def test_no_company_gets_more_letters_in_24_hours_than_agreed_whichever_wave_they_are_of(
    companies: list[str], per_day: int, spread: bool, waits: list[int]
) -> None:
    clock = [NOON]
    store = MemoryStore(now=lambda: clock[0], author="jo")
    for number, company in enumerate(companies):
        shared = "privacy@shared.example" if company.startswith("shared") else ""
        waiting(store, f"C{number}", company, wave=1 + number % 3, recipient=shared)
    board, pace = ScanningBoard(store), Pace(per_day=per_day, spread=spread)
    went, minutes = dict[str, list[datetime]](), iter(waits)
    for _ in range(20 * len(companies)):
        found = board.claim(terms(pace=pace, waves=(1, 2, 3)), now=clock[0],
                            today=clock[0].date(), jitter=0.0)
        match found:
            case Claimed():
                went.setdefault(found.attempt.recipient, []).append(clock[0])
                store.append(found.case.id, [LetterSent(
                    on=clock[0].date(), message_id=found.attempt.message_id,
                    stage=Stage.REQUEST, recipient=found.attempt.recipient)],
                    after=found.case.version)
                clock[0] += timedelta(minutes=next(minutes, 0))
            case Later(waiting=0):
                break
            case Later():
                assert found.at is not None
                assert found.at > clock[0]
                clock[0] = found.at
    assert sum(map(len, went.values())) == len(companies), "all go out in the end, each once"
    for instants in went.values():
        for begin in instants:
            assert sum(begin <= at < begin + timedelta(hours=24) for at in instants) <= per_day
            assert not spread or (9 <= begin.astimezone(UTC).hour < 17
                                  and OFFICE.is_working_day(begin.date()))
