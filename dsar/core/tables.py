"""The tables of a report, from results: outcomes, waiting times, identity, contacts, disclosure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import mean, median

from dsar.core.comparisons import grid, inconsistent, kind, rounds, verified
from dsar.core.funnel import Funnel, campaign
from dsar.core.result import Result, Timing, alike
from dsar.core.statistics import Share, Wait, kaplan_meier, last_day_seen, median_wait, step_at
from dsar.core.suppress import merged, of_single_companies, rounded, suppressed
from dsar.core.table import Cell, Count, Estimate, Table

DAYS = (1, 3, 7, 10, 14, 21, 30, 31, 45, 60, 90, 120, 180, 365)
"""Days at which the curve is read; 30, 31, 45 and 90 are around statutory periods."""

BINS = ((0, 1), (2, 7), (8, 14), (15, 21), (22, 31), (32, 45), (46, 61), (62, 92), (93, None))
"""First and last day of the bars of the histogram."""

UNKNOWN = "not known"
"""The country of a company that the registry does not place."""

Test = Callable[[Result], bool]


def tables(results: Sequence[Result], *, hide_small: bool = False, own_words: bool = True,
           people: Funnel | None = None) -> tuple[Table, ...]:
    """Return every table that has rows, in the order of their ids.

    hide_small: cells below five are hidden with what would give them away, and rows for single
    companies left out. own_words: show what the person wrote about a proof of identity; else
    that there was one. people: how far the people of a campaign got, for T12.
    """
    ended = [w.days for w in waits(results) if w.ended]
    bins = merged(ended, BINS) if hide_small else BINS
    found = [funnel(results), timeliness(results), answers(results), rounds(results),
             waiting(results, days=_ends(bins) if hide_small else DAYS), days(results, bins=bins),
             identity(results, own_words=own_words and not hide_small),
             proof_by_country(results), elements(results), grid(results),
             by(results, "T8", "By category", lambda r: r.categories),
             by(results, "T9", "By country of the company", lambda r: (r.seat or UNKNOWN,)),
             complaints(results), verified(results), contacts(results), campaign(people),
             told(results), told_whom(results), *inconsistent(results)]
    if hide_small:
        found = suppressed([rounded(t) if t.id == "T4" else t for t in of_single_companies(found)])
    return tuple(table for table in found if table.rows)


def _ends(bins: Sequence[tuple[int, int | None]]) -> tuple[int, ...]:
    return tuple(last for _, last in bins if last is not None)


def funnel(results: Sequence[Result]) -> Table:
    """How far the requests got: each row of the row it depends on."""
    cases = alike(results)
    delivered = [(r, n) for r, n in cases if r.delivered]
    over = [(r, n) for r, n in delivered if r.time_is_over]
    sent = [(r, n) for r, n in cases if r.sent]
    rows = (
        ("sent (of all cases)", _share(cases, lambda r: r.sent)),
        ("delivered (of sent)", _share(sent, lambda r: r.delivered)),
        ("acknowledged (of delivered)", _share(delivered, lambda r: r.acknowledged)),
        ("answered (of delivered)", _share(delivered, lambda r: r.answered)),
        ("substantive (of delivered)", _share(delivered, lambda r: bool(r.answer))),
        ("complete (of delivered)", _share(delivered, lambda r: r.complete is True)),
        ("answered in time (of those whose time is over)",
         _share(over, lambda r: r.answered_in_time)),
        ("substantive in time (of those whose time is over)", _share(over, _finished)),
    )
    return Table(id="T1", title="Outcome of the requests", about="All cases selected.",
                 columns=("step", "requests"), rows=rows if results else (), nested=True)


def _finished(result: Result) -> bool:
    return result.timing in (Timing.IN_TIME, Timing.EXTENDED)


def timeliness(results: Sequence[Result]) -> Table:
    """In time, late, never: the parts of the requests whose time is over."""
    over = [r for r in results if r.delivered and r.time_is_over]
    by_timing = Counter(r.timing for r in over)
    order = (Timing.IN_TIME, Timing.EXTENDED, Timing.DISPUTED, Timing.LATE, Timing.NONE,
             Timing.UNREAD, Timing.UNDATED)
    return Table(id="T1a", title="In time, late, never", parts=True, blocks=(2, 5),
                 about="Delivered requests whose time is over.", columns=("outcome", "requests"),
                 rows=tuple((str(t), Share(by_timing[t], len(over))) for t in order if over))


def answers(results: Sequence[Result]) -> Table:
    """What came back: satisfactory, incomplete, none."""
    delivered = [r for r in results if r.delivered]
    kinds = Counter(map(kind, delivered))
    order = ("complete", "incomplete", "data, not checked", "nothing held", "refused",
             "no answer in substance")
    return Table(id="T2", title="Complete, incomplete, none", parts=True,
                 blocks=(5, 1), inner=(3, 2, 1),
                 about="Delivered requests, whether or not their time is over.",
                 columns=("answer", "requests"),
                 rows=tuple((k, Share(kinds[k], len(delivered))) for k in order if delivered))


def elements(results: Sequence[Result]) -> Table:
    """Which demands the answers meet, of those a person checked."""
    met: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for result in results:
        checked = result.case.checked
        if checked:
            met.update(checked.present)
            asked.update((*checked.present, *checked.missing))
    return Table(id="T7", title="Demands met", about="Answers that a person checked.",
                 columns=("demand", "answers that meet it"),
                 rows=tuple((d, Share(met[d], n)) for d, n in sorted(asked.items())))


def waits(results: Iterable[Result]) -> list[Wait]:
    """The waits of what was delivered; open cases are censored."""
    return [r.wait for r in results if r.wait is not None]


def waiting(results: Sequence[Result], *, days: Sequence[int] = DAYS) -> Table:
    """The curve read at fixed days, as far as anything was seen."""
    steps = kaplan_meier(waits(results))
    rows: list[tuple[Cell, ...]] = []
    for day in days:
        step = step_at(steps, day)
        if step is None or day > last_day_seen(steps):
            continue
        ended = sum(s.ended for s in steps if s.day <= day)
        risk = next(s.at_risk for s in steps if s.day >= day)
        read = Estimate(1 - step.waiting, 1 - step.high, 1 - step.low, ended, risk)
        rows.append((str(day), read))
    return Table(id="T4", title="Answered by day (Kaplan-Meier)", rows=tuple(rows),
                 about="Delivered requests with a known day; open ones count as long as they "
                       "were seen.",
                 columns=("within so many days", "share with a substantive answer"))


def days(results: Sequence[Result], *, bins: Sequence[tuple[int, int | None]] = BINS) -> Table:
    """How many answers took how long; the same numbers as the histogram."""
    ended = [w.days for w in waits(results) if w.ended]
    rows = tuple((_bin(first, last), Share(_within(ended, first, last), len(ended)))
                 for first, last in bins if ended)
    steps = kaplan_meier(waits(results))
    middle = median_wait(steps)
    about = "Substantive answers with a known day."
    if len(ended) >= 10:
        about += (f" Mean {mean(ended):.1f} days, median {median(ended):g} days among them; with "
                  f"the open cases the median is {'not reached' if middle is None else middle}.")
    return Table(id="T4a", title="Days to the answer", about=about, columns=("days", "answers"),
                 rows=rows, parts=True)


def _within(values: Iterable[int], first: int, last: int | None) -> int:
    return sum(first <= v and (last is None or v <= last) for v in values)


def _bin(first: int, last: int | None) -> str:
    return f"{first} and more" if last is None else f"{first}\N{EN DASH}{last}"


def identity(results: Sequence[Result], *, own_words: bool = True) -> Table:
    """Which proof of identity was demanded, as far as the person said what they gave."""
    delivered = [r for r in results if r.delivered]
    found = Counter(_proof(r, own_words=own_words) for r in delivered)
    first, last = _NONE_DEMANDED, ("demanded, kind not recorded", "no answer")
    order = (*first, *sorted(set(found) - {*first, *last}), *last)
    kinds = len(order) - 1
    return Table(id="T5", title="Proof of identity demanded", parts=True,
                 blocks=(kinds, 1), inner=(len(first), kinds - len(first), 1),
                 about="Delivered requests; a kind is what was recorded as given.",
                 columns=("demand", "requests"),
                 rows=tuple((k, Share(found[k], len(delivered))) for k in order if delivered))


_NONE_DEMANDED = ("none, and data given", "none, and no data given")


def _proof(result: Result, *, own_words: bool) -> str:
    if result.identity == "asked":
        return "demanded, kind not recorded"
    if result.identity:
        return result.identity if own_words else "demanded and given"
    if not result.answered:
        return "no answer"
    return _NONE_DEMANDED[0 if result.answer in ("data", "partly") else 1]


def by(results: Sequence[Result], id_: str, title: str,
       groups: Callable[[Result], tuple[str, ...]]) -> Table:
    """Answers and timeliness by group; a result counts in each of its groups."""
    grouped: defaultdict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.delivered:
            for name in groups(result):
                grouped[name].append(result)
    rows = tuple((name, Count(len(own)), _share(alike(own), lambda r: bool(r.answer)),
                  _share(alike(r for r in own if r.time_is_over), _finished))
                 for name, own in sorted(grouped.items()))
    more = " A company counts in each of its categories." if id_ == "T8" else ""
    return Table(id=id_, title=title, about=f"Delivered requests.{more}", parts=id_ != "T8",
                 rows=rows, columns=("group", "delivered", "substantive (of delivered)",
                                     "substantive in time (of those whose time is over)"))


def proof_by_country(results: Iterable[Result]) -> Table:
    """How often proof of identity was demanded, of the requests that had any answer."""
    delivered: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    demanded: Counter[str] = Counter()
    for result in results:
        if result.delivered:
            seat = result.seat or UNKNOWN
            delivered[seat] += 1
            answered[seat] += result.answered
            demanded[seat] += result.answered and bool(result.identity)
    rows = tuple((seat, Count(n), Share(answered[seat], n), Share(demanded[seat], answered[seat]))
                 for seat, n in sorted(delivered.items()))
    return Table(id="T5a", title="Proof of identity by country of the company", rows=rows,
                 parts=True, about="Delivered requests.",
                 columns=("country", "delivered", "answered (of delivered)",
                          "proof of identity demanded (of answered)"))


def complaints(results: Sequence[Result]) -> Table:
    """Complaints by authority."""
    found = Counter(r.case.complaint.authority for r in results if r.case.complaint)
    return Table(id="T9a", title="Complaints lodged", about="All cases selected.", parts=True,
                 columns=("authority", "complaints"),
                 rows=tuple((name, Count(n)) for name, n in sorted(found.items())))


def contacts(results: Sequence[Result]) -> Table:
    """Whether the addresses work."""
    tried = [r for r in results if r.health != "not sent"]
    found = Counter(r.health for r in tried)
    arrived = ("delivered", "bounced, then delivered", "sends to a web form",
               "names another controller")
    order = sorted(found, key=lambda k: (k not in arrived, -found[k], k))
    first = sum(k in arrived for k in order)
    return Table(id="T11", title="Contacts", parts=True, columns=("what happened", "requests"),
                 about="Cases of which a letter left or should have left.",
                 blocks=(first, len(order) - first),
                 rows=tuple((k, Share(found[k], len(tried))) for k in order))


def told(results: Sequence[Result]) -> Table:
    """Kinds of identifiers told, without their values: to how many companies, of how many people.

    Letters that may have left count as told.
    """
    companies: defaultdict[str, set[str]] = defaultdict(set)
    people: defaultdict[str, set[str]] = defaultdict(set)
    for result in results:
        for word in result.told:
            companies[word].add(result.case.controller)
            people[word].add(result.case.subject_id)
    return Table(id="T13", title="What was told", columns=("identifier", "companies", "people"),
                 about="Kinds of identifiers in letters that left or may have left.",
                 rows=tuple((k, Count(len(companies[k])), Count(len(people[k])))
                            for k in sorted(companies, key=lambda k: (-len(companies[k]), k))))


def told_whom(results: Sequence[Result]) -> Table:
    """The same by company; kinds only, never values."""
    kinds: defaultdict[str, dict[str, None]] = defaultdict(dict)
    people: defaultdict[str, set[str]] = defaultdict(set)
    names = {}
    for result in results:
        if result.told:
            facts = result.case.facts
            names[facts.controller] = facts.controller_name
            kinds[facts.controller].update(dict.fromkeys(result.told))
            people[facts.controller].add(facts.subject_id)
    return Table(id="T13a", title="What was told to whom", about="Kinds only, no values.",
                 columns=("company", "told", "people"),
                 rows=tuple((names[s], ", ".join(kinds[s]), Count(len(people[s])))
                            for s in sorted(kinds, key=lambda s: names[s].casefold())))


def _share(counted: Sequence[tuple[Result, int]], test: Test) -> Share:
    return Share(sum(n for one, n in counted if test(one)), sum(n for _, n in counted))
