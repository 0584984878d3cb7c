"""Tables that set cases beside each other: rounds, companies, erasures checked, members."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from dsar.core.result import Result, alike
from dsar.core.statistics import Share
from dsar.core.table import Cell, Count, Table

FULL, PARTIAL, NONE, UNCHECKED = "full", "partial", "none", "not checked"
"""States of a demand at one company."""

Key = tuple[str, str, str]


def kind(result: Result) -> str:
    """What came back, in the words of table T2."""
    if not result.answer:
        return "no answer in substance"
    if result.answer in ("nothing held", "refused"):
        return result.answer
    if result.complete is None:
        return "data, not checked"
    return "complete" if result.complete else "incomplete"


def round_numbers(results: Iterable[Result]) -> dict[str, int]:
    """Return case id → which request of this person to this company for this right it is.

    Only of those asked more than once; the first is 1. What was never sent is no round.
    """
    return {r.case.id: number for own in _repeated(results).values()
            for number, r in enumerate(own, start=1)}


def _repeated(results: Iterable[Result]) -> dict[Key, list[Result]]:
    """The results of each key that has several. Most have one, and no list is made for it."""
    first: defaultdict[tuple[str, str], dict[str, Result]] = defaultdict(dict)
    more: defaultdict[tuple[str, tuple[str, str]], list[Result]] = defaultdict(list)
    for result in results:
        if result.sent:
            person, asked = result.case.subject_id, (result.case.controller, result.case.right)
            one = first[asked].setdefault(person, result)
            if one is not result:
                more[person, asked].append(result)
    return {(person, *asked): sorted([first[asked][person], *own], key=_begun)
            for (person, asked), own in more.items()}


def _begun(result: Result) -> tuple[date, str]:
    return result.case.facts.on, result.case.id


def rounds(results: Iterable[Result]) -> Table:
    """T3: the same companies, asked again; those with fewer rounds than most are left out."""
    asked = _repeated(results)
    sizes = Counter(map(len, asked.values()))
    count = max(sizes, key=lambda size: (sizes[size], size), default=0)
    same = [own for own in asked.values() if len(own) >= count]
    rows = tuple(_round(number + 1, [own[number] for own in same]) for number in range(count))
    return Table(
        id="T3", title="Rounds over time, same companies", rows=rows,
        about=f"Requests of one person to one company for one right, made {count or 'several'} "
              "times or more; each row has the same companies.",
        columns=("round", "begun", "not delivered, or no answer in substance",
                 "fulfilled, as far as checked", "incomplete", "nothing held", "refused"))


def _round(number: int, found: Sequence[Result]) -> tuple[Cell, ...]:
    kinds, n = Counter(map(kind, found)), len(found)
    months = sorted(f"{r.case.facts.on:%Y-%m}" for r in found)
    begun = months[0] if months[0] == months[-1] else f"{months[0]} to {months[-1]}"
    fulfilled = kinds["complete"] + kinds["data, not checked"]
    counts = (kinds["no answer in substance"], fulfilled, kinds["incomplete"],
              kinds["nothing held"], kinds["refused"])
    return (str(number), begun, *(Share(k, n) for k in counts))


def grid(results: Iterable[Result]) -> Table:
    """T7a: company by demand. Partial: met by some of the answers that were checked."""
    names: dict[str, str] = {}
    answers: Counter[str] = Counter()
    met: Counter[tuple[str, str]] = Counter()
    missed: Counter[tuple[str, str]] = Counter()
    demands: dict[str, None] = {}
    for result in results:
        checked, company = result.case.checked, result.case.facts.controller
        if checked and (checked.present or checked.missing):
            names[company] = result.case.facts.controller_name
            answers[company] += 1
            demands.update(dict.fromkeys((*checked.present, *checked.missing)))
            met.update((company, d) for d in checked.present)
            missed.update((company, d) for d in checked.missing)
    rows: list[tuple[Cell, ...]] = [
        (names[c], Count(answers[c]), *(_state(met[c, d], missed[c, d]) for d in demands))
        for c in sorted(names, key=lambda c: names[c].casefold())]
    return Table(id="T7a", title="Company by demand", rows=tuple(rows),
                 about="Answers that a person checked; partial: some of them meet the demand.",
                 columns=("company", "answers checked", *demands))


def _state(met: int, missed: int) -> str:
    if not met and not missed:
        return UNCHECKED
    if met and missed:
        return PARTIAL
    return FULL if met else NONE


def verified(results: Sequence[Result]) -> Table:
    """T10: what an access request after a confirmed erasure brought to light."""
    later = [r for r in results if r.case.follows and r.delivered and r.case.right == "access"]
    followed = {r.case.follows for r in later}
    others = {r.case.id for r in results if r.case.right == "access"} & followed if later else ()
    later = [r for r in later if r.case.follows not in others]
    found = Counter(map(_after_erasure, later))
    order = ("nothing held any more", "still held data", "refused to say",
             "no answer, the time is over", "no answer yet")
    return Table(id="T10", title="Erasure verified later", parts=True,
                 about="Access requests made after a confirmed erasure to see whether it was done, "
                       "as far as they were delivered.", columns=("what came to light", "erasures"),
                 rows=tuple((k, Share(found[k], len(later))) for k in order if later))


def _after_erasure(result: Result) -> str:
    if result.answer:
        return {"nothing held": "nothing held any more", "erased": "nothing held any more",
                "refused": "refused to say"}.get(result.answer, "still held data")
    return "no answer, the time is over" if result.time_is_over else "no answer yet"


@dataclass
class _Week:
    """What several people had from one company for requests it got in one week."""

    name: str
    people: set[str] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)
    asked: Counter[bool] = field(default_factory=Counter)
    extended: Counter[bool] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    days: list[int] = field(default_factory=list)

    def add(self, result: Result, count: int) -> None:
        """Add so many that ran alike."""
        if result.answer or result.time_is_over:
            self.kinds[result.answer or "no answer"] += count
        if result.answered:
            self.asked[bool(result.identity)] += count
            found = result.standing.deadlines
            self.extended[bool(found and found.extended_due)] += count
        if result.case.checked:
            self.met.update(result.case.checked.present * count)
            self.missed.update(result.case.checked.missing * count)
        if result.wait and result.wait.ended:
            self.days.append(result.wait.days)

    @property
    def unequal_demands(self) -> list[str]:
        return sorted(set(self.met) & set(self.missed))

    @property
    def differs(self) -> tuple[bool, bool, bool, bool]:
        """In the answer, in proof of identity, in demands met, in an extension."""
        return (len(self.kinds) > 1, len(self.asked) > 1, bool(self.unequal_demands),
                len(self.extended) > 1)


ASPECTS = ("the answer", "whether proof of identity is demanded", "which demands are met",
           "whether more time is taken")


def _weeks(results: Iterable[Result]) -> dict[tuple[str, ...], _Week]:
    asked: defaultdict[tuple[str, str, str, int, int], list[Result]] = defaultdict(list)
    known: dict[int, tuple[str, str, int, int] | None] = {}
    for result in results:
        same = id(result.counted)
        if same not in known:
            known[same] = _asked_in(result)
        if (request := known[same]) is not None:
            asked[result.case.controller, *request].append(result)
    weeks = ((key, own, {r.case.subject_id for r in own}) for key, own in asked.items())
    return {(*key[:3], f"{key[3]}-W{key[4]:02}"): _week(own, people)
            for key, own, people in weeks if len(people) > 1}


def _asked_in(result: Result) -> tuple[str, str, int, int] | None:
    """Right, law, year and week of a request that arrived; alike for all of the same course."""
    case = result.case
    if not result.delivered or (request := case.request) is None:
        return None
    year, week, _ = (case.receipt.on if case.receipt else request.on).isocalendar()
    return case.right, case.regime, year, week


def _week(results: Sequence[Result], people: set[str]) -> _Week:
    found = _Week(results[0].case.facts.controller_name, people)
    for one, count in alike(results):
        found.add(one, count)
    return found


def inconsistent(results: Iterable[Result]) -> tuple[Table, Table]:
    """T14 and T14a: same company, right, law and week, different people, different answers.

    The first counts the weeks and names nobody; the second has a row for each that differs.
    """
    weeks = _weeks(results)
    tests: tuple[tuple[str, Callable[[_Week], bool]], ...] = (
        ("in any of these", lambda w: any(w.differs)),
        *((f"in {aspect}", _differing(number)) for number, aspect in enumerate(ASPECTS)))
    summary = tuple((name, Share(sum(map(test, weeks.values())), len(weeks)))
                    for name, test in tests if weeks)
    about = ("Weeks in which one company got the same request under the same law from at least "
             "two people.")
    rows = tuple(_differences(key, week) for key, week in sorted(
        weeks.items(), key=lambda pair: (pair[1].name.casefold(), pair[0])) if any(week.differs))
    return (
        Table(id="T14", title="Unequal answers to equal requests", about=about, rows=summary,
              nested=True, columns=("people are treated differently", "company-weeks")),
        Table(id="T14a", title="Unequal answers by company", rows=rows,
              about="The weeks of T14 that differ, as far as answers are in.",
              columns=("company", "week", "right", "people", "answers",
                       "proof of identity demanded (of answered)",
                       "demands met for some only", "more time taken (of answered)", "days")))


def _differing(number: int) -> Callable[[_Week], bool]:
    return lambda week: week.differs[number]


def _differences(key: tuple[str, ...], week: _Week) -> tuple[Cell, ...]:
    answers = ", ".join(f"{name} {n}" for name, n in week.kinds.most_common())
    unequal = ", ".join(f"{d} ({week.met[d]} of {week.met[d] + week.missed[d]})"
                        for d in week.unequal_demands)
    first, last = min(week.days, default=None), max(week.days, default=None)
    return (week.name, key[3], key[1], Count(len(week.people)), answers,
            Share(week.asked[True], week.asked.total()), unequal,
            Share(week.extended[True], week.extended.total()),
            "" if first is None else f"{first}\N{EN DASH}{last}")
