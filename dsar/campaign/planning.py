"""Who of the members gets which letters, and why not the rest: counted first, written in waves.

Each member is planned by the same function as a person who files alone, so that no rail differs;
on top come the rail `mandate` and what earlier waves have written.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from dsar.campaign.keys import Keyring
from dsar.campaign.roster import subject_of
from dsar.core.campaign import Campaign
from dsar.core.case import Case
from dsar.core.controller import Controller
from dsar.core.erasing import DELETING
from dsar.core.member import Member, mandate_problem
from dsar.core.plan import Choice, PlannedLetter, Skip, plan_requests
from dsar.core.subject import DataSubject
from dsar.core.taken import keys

Taken = Mapping[str, Collection[tuple[str, str]]]
"""Member code → (right, company key) of every case the campaign has opened for the member.

A company key is `slug:…`, `group:…` or `mail:…` as the rail `duplicate` knows it.
"""


@dataclass(frozen=True, kw_only=True)
class Planner:
    """What planning needs. choice: subject and right → what `plan_requests` takes.

    access: member code → the member's requests for access, asked before an erasure is planned.
    """

    campaign: Campaign
    keys: Keyring
    companies: Sequence[Controller]
    choice: Callable[[DataSubject, str], Choice]
    taken: Taken
    today: date
    by_mandate: bool = True
    access: Callable[[str], Sequence[Case]] = lambda code: ()


@dataclass(frozen=True, kw_only=True)
class Held:
    """No letter for this member and company: the rail, in words, and what to do about it."""

    code: str
    company: str
    right: str
    rail: str
    why: str
    way_out: str = ""


def plan_member(
    member: Member, planner: Planner, *, only: Collection[tuple[str, str]] | None = None
) -> Iterator[PlannedLetter | Held]:
    """Yield one letter or one reason per company and right.

    only: (company, right) pairs to plan; None for all targets.
    """
    subject: DataSubject | None = None
    for right in planner.campaign.started.rights:
        wanted = [c for c in planner.companies if only is None or (c.slug, right) in only]
        open_to: list[Controller] = []
        for company in wanted:
            held = _held(member, company, right, planner)
            if held:
                yield held
            else:
                open_to.append(company)
        if not open_to:
            continue
        subject = subject or subject_of(member, planner.keys)
        earlier = planner.access(member.code) if right in DELETING else ()
        plan = plan_requests(open_to, earlier, planner.choice(subject, right))
        for letter in plan.letters:
            yield _unless_taken(member, letter, planner) or letter
        for skip in plan.skipped:
            yield _as_held(member.code, right, skip)


def _held(member: Member, company: Controller, right: str, planner: Planner) -> Held | None:
    """What can be said without opening who the member is."""
    started = planner.campaign.started
    if ("slug:" + company.slug) in _keys_taken(member.code, right, planner):
        return Held(code=member.code, company=company.slug, right=right, rail="duplicate",
                    why="an earlier wave has written", way_out="dsar campaign progress "
                    + planner.campaign.id)
    if member.left is not None:
        return Held(code=member.code, company=company.slug, right=right, rail="member",
                    why="the member left the campaign")
    if not planner.by_mandate:
        return None
    why = mandate_problem(member, controller=company.slug, right=right, on=planner.today)
    if not why:
        return None
    return Held(code=member.code, company=company.slug, right=right, rail="mandate", why=why,
                way_out=f"dsar campaign mandate issue {started.campaign_id}")


def _unless_taken(member: Member, letter: PlannedLetter, planner: Planner) -> Held | None:
    """The same group or mailbox has a letter of this member already."""
    taken = _keys_taken(member.code, letter.right, planner)
    if not any(key in taken for key in keys(letter.controller, letter.contact)):
        return None
    return Held(code=member.code, company=letter.controller.slug, right=letter.right,
                rail="duplicate", why="its group or mailbox has a letter of this member already")


def _keys_taken(code: str, right: str, planner: Planner) -> frozenset[str]:
    return frozenset(key for known, key in planner.taken.get(code, ()) if known == right)


def _as_held(code: str, right: str, skip: Skip) -> Held:
    return Held(code=code, company=skip.controller.slug, right=right, rail=skip.rail,
                why=skip.why, way_out=skip.way_out)


@dataclass
class Outlook:
    """The whole plan of a campaign in numbers, and compactly who gets a letter from whom.

    pairs: member, company and right as numbers into the three lists, three by three.
    """

    members: list[str] = field(default_factory=list)
    companies: list[str] = field(default_factory=list)
    rights: list[str] = field(default_factory=list)
    pairs: array[int] = field(default_factory=lambda: array("I"))
    per_company: Counter[str] = field(default_factory=Counter)
    held: Counter[tuple[str, str]] = field(default_factory=Counter)
    without_letter: int = 0

    @property
    def letters(self) -> int:
        """How many letters there are to write."""
        return len(self.pairs) // 3


def survey(members: Iterable[Member], planner: Planner) -> Outlook:
    """Plan every member and count; holds numbers, no letters: 12 bytes for each."""
    seen = Outlook(companies=[c.slug for c in planner.companies],
                   rights=list(planner.campaign.started.rights))
    numbers = {slug: n for n, slug in enumerate(seen.companies)}
    for place, member in enumerate(members):
        seen.members.append(member.code)
        before = seen.letters
        for found in plan_member(member, planner):
            if isinstance(found, Held):
                seen.held[found.rail, found.why] += 1
            else:
                slug = found.controller.slug
                seen.pairs.extend((place, numbers[slug], seen.rights.index(found.right)))
                seen.per_company[slug] += 1
        seen.without_letter += seen.letters == before
    return seen


def choose_wave(outlook: Outlook, size: int) -> dict[str, set[tuple[str, str]]]:
    """Choose up to `size` letters: nobody has a second one before everybody has a first.

    Returns member code → (company, right) pairs. The same outlook gives the same wave. Members
    begin at different companies: a first wave of 50 then shows how 50 members fare at all
    companies, not how one member fares.
    """
    letters = [tuple(outlook.pairs[n:n + 3]) for n in range(0, len(outlook.pairs), 3)]
    width = max(1, len(outlook.companies))
    letters.sort(key=lambda p: (p[0], (p[1] - p[0]) % width, p[2]))
    had, order = Counter[int](), list[tuple[int, int]]()
    for place, (member, _, _) in enumerate(letters):
        order.append((had[member], place))
        had[member] += 1
    chosen: dict[str, set[tuple[str, str]]] = {}
    for _, place in sorted(order)[:size]:
        member, company, right = letters[place]
        chosen.setdefault(outlook.members[member], set()).add(
            (outlook.companies[company], outlook.rights[right]))
    return chosen
