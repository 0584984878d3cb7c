"""No number from 1 to 4 can be computed from a public report, by sums within or across tables."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from report_samples import AFTER, LATEST, bounced, checked, opened, outcome, proved, replied

from dsar.core.result import Result
from dsar.core.statistics import Share
from dsar.core.suppress import merged
from dsar.core.table import Cell, Count, Hidden, Table, public
from dsar.core.tables import BINS, tables
from dsar.report.published import published
from dsar.report.statistics import report, text

Name = tuple[str, str, int, str]
Sum = dict[Name, int]

COURSES: dict[str, tuple[tuple[tuple[str, int], ...], tuple[str, ...]]] = {
    "complete": ((("fulfilled_access", 9),), ("checked",)),
    "incomplete": ((("fulfilled_access", 12),), ("lacking",)),
    "unchecked": ((("fulfilled_access", 24),), ()),
    "none held": ((("no_data_held", 33),), ()),
    "refused": ((("refusal", 60),), ()),
    "asked": ((("identity_request", 2), ("fulfilled_access", 40)), ("proved",)),
    "only asked": ((("identity_request", 2),), ()),
    "silent": ((), ()),
    "acknowledged": ((("acknowledgement", 1),), ()),
    "bounced": ((), ("bounced",)),
    "portal": ((("redirect_to_portal", 1),), ()),
    "in time": ((("refusal", 5),), ("running",)),
}


def case(number: int, course: str, seat: str, category: str) -> Result:
    replies, more = COURSES[course]
    events = opened(number)
    for label, day in replies:
        events += replied(number, label, day)
    extra = {"checked": checked(), "lacking": checked(missing=["source"]),
             "proved": proved("id-copy"), "bounced": bounced(number)}
    today = LATEST if "running" in more else AFTER
    return outcome([*events, *(extra[name] for name in more if name in extra)], today=today,
                   seat=seat, categories=(category,))


def made(groups: Sequence[tuple[str, str, str, int]]) -> list[Result]:
    return [case(index * 1000 + number, course, seat, category)
            for index, (course, seat, category, count) in enumerate(groups)
            for number in range(count)]


def parts(cell: Cell) -> dict[str, int]:
    """The numbers in a cell."""
    if isinstance(cell, Share):
        return {"k": cell.k, "n": cell.n}
    return {"n": cell.n} if isinstance(cell, Count) else {}


def numbers(found: Sequence[Table]) -> dict[Name, int]:
    return {(t.id, str(row[0]), column, part): value
            for t in found if t.id in ("T1", "T1a", "T2", "T4a", "T5", "T5a", "T8", "T9", "T11")
            for row in t.rows for column, cell in enumerate(row) if column
            for part, value in parts(cell).items()}


ARRIVED = ("delivered", "bounced, then delivered", "sends to a web form",
           "names another controller")


def equations(true: dict[Name, int]) -> list[Sum]:
    """What everybody knows who has read the definitions: sums that are nothing."""
    def total(id_: str, column: int = 1, part: str = "k", *, but: tuple[str, ...] = (),
              only: tuple[str, ...] = ()) -> Sum:
        return {n: 1 for n in true if n[0] == id_ and n[2:] == (column, part)
                and n[1] not in but and (not only or n[1] in only)}

    def row(start: str, part: str = "k") -> Sum:
        return {n: -1 for n in true if n[0] == "T1" and n[1].startswith(start) and n[3] == part}

    silent = ("no answer in substance",)
    d = row("acknowledged", "n")
    in_time = ("in time", "in time by a lawful extension")
    data = ("complete", "incomplete", "data, not checked")
    asked = tuple(n[1] for n in true if n[0] == "T5" and n[1].startswith("demanded"))
    nobody = ("none, and data given", "none, and no data given")
    found = [
        total("T2") | d, total("T5") | d, total("T2", but=silent) | row("substantive (of del"),
        total("T2", only=("complete",)) | row("complete"),
        total("T5", but=("no answer",)) | row("answered (of del"),
        total("T1a") | row("substantive in time", "n"),
        total("T1a", only=in_time) | row("substantive in time"),
        total("T11", only=ARRIVED) | d, total("T9", 1, "n") | d,
        total("T9", 2) | row("substantive (of del"), total("T9", 3) | row("substantive in time"),
        total("T9", 3, "n") | row("substantive in time", "n"),
        total("T5a", 2) | row("answered (of del"), total("T4a") | row("substantive (of del"),
        row("delivered") | dict.fromkeys(d, 1),
        total("T8", 1, "n") | d, total("T8", 2) | row("substantive (of del"),
        total("T8", 3) | row("substantive in time"),
        total("T8", 3, "n") | row("substantive in time", "n"),
        total("T5", only=asked) | _minus(total("T5a", 3)),
        total("T5", only=nobody) | total("T5a", 3) | row("answered (of del"),
        total("T5", only=nobody[:1]) | _minus(total("T2", only=data)),
    ]
    for id_ in ("T1a", "T2", "T4a", "T5", "T11"):
        labels = [n for n in true if n[0] == id_ and n[3] == "n"]
        found += [{labels[0]: 1, other: -1} for other in labels[1:]]
        found += [total(id_) | {labels[0]: -1}] if labels else []
    ends = list(d)
    found += [{n: 1, ends[0]: -1} for n in true if ends and n[0] == "T1" and n[3] == "n"
              and "(of delivered)" in n[1] and n != ends[0]]
    for n in true:
        if n[0] in ("T5a", "T8", "T9") and n[2:] == (2, "n"):
            found.append({n: 1, (n[0], n[1], 1, "n"): -1})
        if n[0] == "T5a" and n[2:] == (3, "n"):
            found.append({n: 1, (n[0], n[1], 2, "k"): -1})
        if n[0] == "T5a" and n[2:] == (1, "n"):
            found.append({n: 1, ("T9", *n[1:]): -1})
    return [e for e in found if len(e) > 1 and sum(true[n] * f for n, f in e.items()) == 0]


def _minus(found: Sum) -> Sum:
    return {n: -f for n, f in found.items()}


def groups_nobody_prints(true: dict[Name, int], shown: dict[Name, int]) -> dict[Name, Sum]:
    """Further groups of people: those outside a category or still in time, and hidden ones."""
    def column(id_: str, number: int, part: str) -> Sum:
        return {n: 1 for n in true if n[0] == id_ and n[2:] == (number, part)}

    found: dict[Name, Sum] = {}
    for name in (n for n in true if n[0] == "T8"):
        found["outside", *name[1:]] = column("T9", *name[2:]) | {name: -1}
    for id_ in ("T1a", "T2", "T5", "T9", "T11"):
        rows = {n: 1 for n in true if n[0] == id_ and n not in shown
                and n[2:] == ((1, "n") if id_ == "T9" else (1, "k"))}
        found["together", id_, 1, "k"] = rows
    for name in (n for n in true if n[0] == "T5a" and n[2:] == (2, "k")):
        found["answered, not in substance", *name[1:]] = {name: 1, ("T9", *name[1:]): -1}
    over = next((n for n in true if n[0] == "T1a" and n[3] == "n"), None)
    delivered = next((n for n in true if n[0] == "T2" and n[3] == "n"), None)
    if over and delivered:
        found["still in time", "", 1, "k"] = {delivered: 1, over: -1}
    return {name: parts_ for name, parts_ in found.items() if parts_}


def solved(true: dict[Name, int], shown: dict[Name, int]) -> dict[Name, Fraction]:
    """Every hidden number that the shown ones and the equations leave no choice for."""
    rows = []
    further = groups_nobody_prints(true, shown)
    for equation in [*equations(true), *(s | {n: -1} for n, s in further.items())]:
        right = -sum(f * shown[n] for n, f in equation.items() if n in shown)
        rows.append(({n: Fraction(f) for n, f in equation.items() if n not in shown},
                     Fraction(right)))
    done: list[tuple[Name, dict[Name, Fraction], Fraction]] = []
    for left, right in rows:
        for pivot, other, value in done:
            if factor := left.pop(pivot, None):
                left, right = _less(left, other, factor), right - factor * value
        left = {n: f for n, f in left.items() if f}
        if not left:
            continue
        pivot, factor = next(iter(left.items()))
        left, right = {n: f / factor for n, f in left.items() if n != pivot}, right / factor
        done = [(p, *_replaced(o, v, pivot, left, right)) for p, o, v in done]
        done.append((pivot, left, right))
    return {pivot: value for pivot, left, value in done if not left}


def _less(left: dict[Name, Fraction], other: dict[Name, Fraction], factor: Fraction
          ) -> dict[Name, Fraction]:
    found = {n: left.get(n, Fraction()) - factor * other.get(n, Fraction())
             for n in left | other}
    return {n: f for n, f in found.items() if f}


def _replaced(other: dict[Name, Fraction], value: Fraction, pivot: Name,
              left: dict[Name, Fraction], right: Fraction
              ) -> tuple[dict[Name, Fraction], Fraction]:
    factor = other.get(pivot)
    if not factor:
        return other, value
    rest = {n: f for n, f in other.items() if n != pivot}
    return _less(rest, left, factor), value - factor * right


groups = st.lists(st.tuples(st.sampled_from(sorted(COURSES)), st.sampled_from(["DE", "FR", "US"]),
                            st.sampled_from(["data-broker", "adtech", "retail"]),
                            st.integers(1, 14)), min_size=1, max_size=12)


@given(groups)
@example([("complete", "DE", "adtech", 12), ("incomplete", "DE", "adtech", 3),
          ("refused", "FR", "adtech", 7), ("silent", "FR", "data-broker", 6)])
@example([("silent", "DE", "adtech", 50), ("bounced", "DE", "adtech", 3),
          ("complete", "US", "adtech", 30)])
@example([("complete", "DE", "adtech", 30), ("refused", "FR", "data-broker", 3)])
@example([("acknowledged", "DE", "data-broker", 1), ("acknowledged", "FR", "data-broker", 1),
          ("acknowledged", "FR", "data-broker", 4), ("acknowledged", "US", "data-broker", 4),
          ("complete", "FR", "data-broker", 1), ("complete", "FR", "data-broker", 6),
          ("only asked", "DE", "data-broker", 5), ("only asked", "FR", "data-broker", 7)])
@example([("only asked", "DE", "retail", 4), ("only asked", "DE", "adtech", 7),
          ("portal", "DE", "data-broker", 13)])
@example([("complete", "FR", "adtech", 1), ("unchecked", "FR", "retail", 6),
          ("none held", "US", "retail", 7), ("in time", "DE", "adtech", 7),
          ("refused", "DE", "adtech", 8), ("refused", "FR", "adtech", 6),
          ("unchecked", "US", "retail", 8)])
@example([("complete", "DE", "adtech", 7), ("incomplete", "FR", "adtech", 12),
          ("in time", "DE", "adtech", 13), ("portal", "FR", "adtech", 2)])
@example([("asked", "DE", "retail", 6), ("acknowledged", "FR", "adtech", 30),
          ("incomplete", "DE", "retail", 16), ("refused", "DE", "data-broker", 4)])
@settings(deadline=None, max_examples=120)
def test_no_small_number_can_be_computed_from_a_public_report(
    found: list[tuple[str, str, str, int]]
) -> None:
    results = made(found)
    true, covered = numbers(tables(results)), numbers(tables(results, hide_small=True))
    shown = {n: v for n, v in covered.items() if n[0] != "T4a" and true.get(n) == v}
    assert not [v for v in shown.values() if 0 < v < 5]
    small = {n: v for n, v in solved(true, shown).items() if 0 < v < 5 and n not in shown}
    assert small == {}


def test_the_attack_of_these_tests_finds_what_naive_hiding_gives_away() -> None:
    results = made([("complete", "DE", "a", 20), ("incomplete", "DE", "a", 3),
                    ("silent", "FR", "a", 9)])
    true = numbers(tables(results))
    naive = {n: v for n, v in true.items() if not 0 < v < 5}
    assert any(0 < v < 5 for v in solved(true, naive).values())


def test_a_public_report_of_many_still_says_something() -> None:
    results = made([("complete", "DE", "adtech", 60), ("incomplete", "DE", "data-broker", 40),
                    ("refused", "FR", "adtech", 20), ("silent", "FR", "data-broker", 55),
                    ("none held", "US", "adtech", 3), ("silent", "US", "adtech", 17)])
    shown = {t.id: t for t in tables(results, hide_small=True)}
    visible = sum(not isinstance(row[1], Hidden) for t in shown.values() for row in t.rows)
    assert visible > sum(len(t.rows) for t in shown.values()) / 2
    assert not {"T7a", "T9a", "T13a", "T14a"} & set(shown)


@pytest.mark.parametrize(("counts", "hidden"), [
    ((3, 6, 40), (0, 1)), ((0, 0, 30, 9), ()), ((1, 1, 1, 1, 60), (0, 1, 2, 3, 4)),
    ((20, 30), ()),
])
def test_the_hidden_rows_together_are_five_or_more(
    counts: tuple[int, ...], hidden: tuple[int, ...]
) -> None:
    rows = tuple((str(n), Share(k, sum(counts))) for n, k in enumerate(counts))
    table = public(Table(id="X", title="", about="", columns=("a", "b"), parts=True, rows=rows))
    assert tuple(n for n, r in enumerate(table.rows) if isinstance(r[1], Hidden)) == hidden


@given(st.lists(st.integers(0, 200), max_size=60))
def test_public_bars_have_five_answers_each(days: list[int]) -> None:
    bins = merged(days, BINS)
    counts = [sum(a <= d and (b is None or d <= b) for d in days) for a, b in bins]
    assert all(c >= 5 for c in counts)
    assert sum(counts) == (len(days) if bins else 0)
    assert bins or len(days) < 5


def test_published_shares_are_what_their_words_say() -> None:
    for item in published():
        if item.k is not None and item.n is not None:
            assert item.share == pytest.approx(item.k / item.n, abs=0.006)
            assert f"{item.k:,}" in item.value
            assert f"{item.n:,}" in item.value
        elif item.share:
            as_written = {f"{part * 100:.{d}f}" for part in (item.share, 1 - item.share)
                          for d in (0, 1, 2)}
            assert any(number in item.value for number in as_written), item


def test_studies_stand_beside_ones_own_numbers_with_how_they_were_looked_up() -> None:
    results = made([("complete", "DE", "adtech", 6), ("silent", "DE", "adtech", 4)])
    shown = report(results, results[0].case.facts.on)
    studies = shown.table("P1")
    assert studies is not None
    row = next(r for r in studies.rows if r[0] == "answered within one month")
    assert row[1] == Share(6, 10)
    assert "second hand" in str(row[4])
    impostors = shown.table("T6")
    assert impostors is not None
    assert impostors.rows[0][1] == "15 of 55 organisations (27 %)"
    assert "dsar never asks in another person's name" in " ".join("\n".join(text(shown)).split())
