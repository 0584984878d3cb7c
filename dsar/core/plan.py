"""What to send next, and why not the rest: pure decisions over the registry and the cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from dsar.core.case import Case
from dsar.core.contact import contact_problem, mailbox_key
from dsar.core.controller import Contact, Controller
from dsar.core.disclose import disclosures, missing_identifiers
from dsar.core.letter import Disclosure, Stage
from dsar.core.regime import Regime
from dsar.core.subject import DataSubject
from dsar.core.tombstone import Tombstones

MACHINE_MAIL = frozenset({"auto_reply", "bounce_permanent", "bounce_temporary"})
"""Labels of messages that nobody wrote; they hold no approved letter back."""

COOL_DOWN_MONTHS = {"access": 6, "erasure": 12}
"""Months after a case closed before the same request is planned again (tool policy)."""


@dataclass(frozen=True, kw_only=True)
class PlannedLetter:
    """One letter to be written.

    covers: slugs of group members it speaks to as well. case: the case it continues: a
    follow-up, or where an earlier letter never arrived (bounced, refused) and the contact has
    changed since. facts: what a follow-up quotes. in_reply_to, references: Message-IDs of the
    thread (RFC 5322, section 3.6.4). follows: the id of an earlier case that this one checks.
    """

    controller: Controller
    contact: Contact
    right: str
    regime: Regime
    language: str
    disclosures: tuple[Disclosure, ...]
    because: str = ""
    covers: tuple[str, ...] = ()
    case: Case | None = None
    stage: Stage = Stage.REQUEST
    facts: Mapping[str, object] = field(default_factory=dict)
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    follows: str | None = None


@dataclass(frozen=True, kw_only=True)
class Skip:
    """A company without a letter: the rail or reason, in words, and what to do about it."""

    controller: Controller
    rail: str
    why: str
    way_out: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The whole plan; `queued` are letters approved earlier that wait to be sent."""

    letters: tuple[PlannedLetter, ...] = ()
    skipped: tuple[Skip, ...] = ()
    queued: tuple[Case, ...] = ()

    @property
    def count(self) -> int:
        """How many letters would go out: the number to confirm."""
        return len(self.letters) + len(self.queued)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the user asked for.

    law: only this regime. named: companies named one by one; a public body gets a letter only
    then. language: BCP 47, or None for the controller's. again: the reason
    for overriding the `duplicate` rail. regimes_for: what applies, strongest first, as
    (regime, reason); injected so that this module knows no law's name.
    """

    right: str
    subject: DataSubject
    today: date
    languages: Callable[[Regime], Sequence[str]]
    regimes_for: Callable[[Controller], Sequence[tuple[Regime, str]]]
    law: str | None = None
    named: frozenset[str] = frozenset()
    language: str | None = None
    channel: str = "email"
    accept_unverified: bool = False
    again: str | None = None
    excluded: Mapping[str, str] = field(default_factory=dict)
    tombstones: Tombstones = field(default_factory=Tombstones)


def plan_requests(controllers: Iterable[Controller], cases: Iterable[Case], choice: Choice) -> Plan:
    """Return one letter or one reason for every controller, in their order.

    A company whose approved letter still waits counts as queued, never as a new letter.
    """
    mine = [c for c in cases if c.facts.subject_id == choice.subject.id
            and c.facts.right == choice.right]
    taken = _Taken.of(mine, choice)
    letters: list[PlannedLetter] = []
    skipped: list[Skip] = []
    queued: list[Case] = []
    for controller in controllers:
        waiting = taken.waiting(controller)
        if waiting is not None:
            held = _held_in_queue(waiting, controller, choice)
            if held is not None:
                skipped.append(held)
            elif waiting not in queued:
                queued.append(waiting)
            continue
        found = _decide(controller, choice, taken)
        match found:
            case PlannedLetter():
                taken.add(found, len(letters))
                letters.append(found)
            case Skip():
                skipped.append(found)
            case int():
                head = letters[found]
                letters[found] = replace(head, covers=(*head.covers, controller.slug))
    return Plan(letters=tuple(letters), skipped=tuple(skipped), queued=tuple(queued))


@dataclass
class _Taken:
    """Whom a request already went to, by slug, group and mailbox."""

    cases: dict[str, Case] = field(default_factory=dict)
    planned: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, cases: Sequence[Case], choice: Choice) -> _Taken:
        """Cases that hold a new request back: open ones, and closed ones in their cool-down."""
        taken = cls()
        for case in cases:
            if case.closed and ((not case.attempts and not case.letters) or _months_since(
                    case.closed.on, choice.today) >= COOL_DOWN_MONTHS.get(choice.right, 6)):
                continue
            for key in _case_keys(case):
                taken.cases[key] = case
        return taken

    def holding(self, controller: Controller, contact: Contact | None) -> list[Case]:
        """Every case that speaks against a new letter; those in doubt come first."""
        found = {self.cases[k].id: self.cases[k] for k in _keys(controller, contact)
                 if k in self.cases}
        return sorted(found.values(), key=lambda case: case.in_doubt is None)

    def waiting(self, controller: Controller) -> Case | None:
        """The case of this very company whose approved letter was never attempted."""
        case = self.cases.get(f"slug:{controller.slug}")
        if case and case.approved and not case.in_doubt and not case.closed and (
                case.approved.channel == "email"):
            return case
        return None

    def add(self, letter: PlannedLetter, number: int) -> None:
        for key in _keys(letter.controller, letter.contact):
            self.planned.setdefault(key, number)

    def planned_with(self, controller: Controller, contact: Contact) -> int | None:
        keys = _keys(controller, contact)
        return next((self.planned[k] for k in keys if k in self.planned), None)


def _keys(controller: Controller, contact: Contact | None) -> list[str]:
    keys = [f"slug:{controller.slug}"]
    if controller.group:
        keys.append(f"group:{controller.group}")
    if contact is not None and "@" in contact.value:
        keys.append(f"mail:{mailbox_key(contact.value)}")
    return keys


def _case_keys(case: Case) -> list[str]:
    facts = case.facts
    keys = [f"slug:{facts.controller}"]
    if facts.group:
        keys.append(f"group:{facts.group}")
    addresses = {facts.recipient, *(a.recipient for a in case.approvals)}
    return keys + [f"mail:{mailbox_key(a)}" for a in addresses if a and "@" in a]


def _months_since(day: date, today: date) -> int:
    months = (today.year - day.year) * 12 + today.month - day.month
    return months - (1 if today.day < day.day else 0)


def _decide(controller: Controller, choice: Choice, taken: _Taken) -> PlannedLetter | Skip | int:
    """Return the letter, the reason against it, or the number of the letter that covers it."""
    held = _held_back(controller, choice)
    if held is not None:
        return held
    regime = _regime(controller, choice)
    if isinstance(regime, Skip):
        return regime
    law, because = regime
    contact = _contact(controller, choice)
    holding = taken.holding(controller, contact if isinstance(contact, Contact) else None)
    against = [case for case in holding if isinstance(contact, Skip)
               or not _never_arrived(case, controller, contact, law)]
    if against and (against[0].in_doubt or not choice.again):
        return _duplicate(controller, against[0])
    forgotten = _forgotten(controller, contact, choice)
    if forgotten is not None and not holding and not choice.again:
        return forgotten
    if isinstance(contact, Skip):
        return contact
    together = taken.planned_with(controller, contact)
    if together is not None:
        return together
    lacking = _lacking(controller, choice)
    if lacking is not None:
        return lacking
    return PlannedLetter(
        controller=controller, contact=contact, right=choice.right, regime=law,
        language=letter_language(controller, law, choice), because=because,
        case=holding[0] if holding and not against else None,
        disclosures=disclosures(choice.subject, controller, choice.right),
    )


def _lacking(controller: Controller, choice: Choice) -> Skip | None:
    missing = missing_identifiers(choice.subject, controller, choice.right)
    if not missing:
        return None
    kinds = ", ".join(" or ".join(kinds) for kinds in missing)
    return Skip(controller=controller, rail="least-data", why=f"needs {kinds}",
                way_out=f"dsar person edit {choice.subject.id}")


def _held_back(controller: Controller, choice: Choice) -> Skip | None:
    show = f"dsar registry show {controller.slug}"
    if controller.slug in choice.excluded:
        return Skip(controller=controller, rail="excluded", way_out=show,
                    why=choice.excluded[controller.slug] or "excluded by you")
    if not controller.contactable or controller.status == "defunct":
        reason = controller.not_contactable_reason or f"company is {controller.status}"
        return Skip(controller=controller, rail="contact", why=reason, way_out=show)
    if controller.public_body and controller.slug not in choice.named:
        return Skip(controller=controller, rail="named", why="public body: only when named",
                    way_out=f"dsar send {controller.slug}")
    return None


def _regime(controller: Controller, choice: Choice) -> tuple[Regime, str] | Skip:
    fitting = [(law, why) for law, why in choice.regimes_for(controller)
               if choice.right in law.rights and choice.law in (None, law.id)]
    if fitting:
        return fitting[0]
    wanted = choice.law or "no law that applies to you"
    grants = "does not apply here" if choice.law else f"grants {choice.right} here"
    return Skip(controller=controller, rail="law", why=f"{wanted} {grants}",
                way_out=f"dsar law applies {controller.slug}")


def _contact(controller: Controller, choice: Choice) -> Contact | Skip:
    """The first contact on this channel that nothing speaks against, else why there is none."""
    show = f"dsar registry show {controller.slug}"
    first_problem = ""
    for contact in _on_channel(controller, choice):
        problem = contact_problem(contact, choice.today,
                                  accept_unverified=choice.accept_unverified)
        if problem is None:
            return contact
        first_problem = first_problem or problem
    if first_problem:
        return Skip(controller=controller, rail="contact", why=first_problem, way_out=show)
    for channel, words in (("webform", "web form only"), ("post", "post only")):
        if choice.channel == "email" and controller.contact(channel):
            return Skip(controller=controller, rail="contact", why=words,
                        way_out=f"dsar send {controller.slug} --channel {channel}")
    return Skip(controller=controller, rail="contact", why=f"no {choice.channel} contact known",
                way_out=show)


def _on_channel(controller: Controller, choice: Choice) -> Sequence[Contact]:
    if choice.channel == "email":
        return controller.emails(choice.right)
    return [c for c in controller.contacts if c.kind == choice.channel and c.status != "dead"
            and c.right in (None, choice.right)]


def changed_since_approval(case: Case, controller: Controller, today: date) -> str:
    """Why an approved letter is no longer what one would send today, or an empty string.

    It is then held and shown, never changed silently.
    """
    approved = case.approved
    if approved is None or approved.channel != "email":
        return ""
    if approved.stage is not Stage.REQUEST and _is_answered_since(case):
        return "a message has come since it was approved"
    if approved.stage is Stage.COMPLAINT:
        return ""
    return recipient_problem(case, controller, approved.recipient, today)


def _is_answered_since(case: Case) -> bool:
    """Whether a message that nobody's machine sent by itself came after the approval."""
    return any(not (r.reading and set(r.reading.labels) <= MACHINE_MAIL)
               for r in case.replies[case.replies_at_approval:])


def recipient_problem(case: Case, controller: Controller, address: str, today: date) -> str:
    """Why the rail `contact` holds another letter to an address of the case, or ""."""
    if not controller.contactable or controller.status == "defunct":
        return "the company cannot be written to any more"
    if controller.excluded is not None:
        return "the company is excluded by you"
    same = [c for c in controller.emails(case.facts.right)
            if mailbox_key(c.value) == mailbox_key(address)]
    if not same:
        return "the registry has another address now"
    overridden = any(o.rail == "contact" for o in case.overrides)
    return contact_problem(same[0], today, accept_unverified=overridden) or ""


def _held_in_queue(case: Case, controller: Controller, choice: Choice) -> Skip | None:
    """Why the approved letter of a case stays where it is, or None."""
    rail, why = "contact", changed_since_approval(case, controller, choice.today)
    if controller.slug in choice.excluded:
        rail, why = "excluded", choice.excluded[controller.slug] or "excluded by you"
    if not why:
        return None
    return Skip(controller=controller, rail=rail, why=f"approved letter held: {why}",
                way_out=f"dsar queue cancel {case.id}")


def _never_arrived(case: Case, controller: Controller, contact: Contact, law: Regime) -> bool:
    """Whether the open case of this company got no letter through, and there is a new address.

    A form that is prepared may have been filed; another law means another case.
    """
    if case.closed or case.in_doubt or case.request or case.approved:
        return False
    if case.facts.controller != controller.slug or case.facts.regime != law.id:
        return False
    tried = {mailbox_key(a.recipient) for a in case.approvals}
    return bool(tried) and mailbox_key(contact.value) not in tried


def _duplicate(controller: Controller, case: Case) -> Skip:
    if case.in_doubt:
        return Skip(controller=controller, rail="in-doubt", why=f"case {case.id} is in doubt",
                    way_out=f"dsar poll; dsar case set {case.id} sent|unsent")
    state = "was closed not long ago" if case.closed else "is open"
    return Skip(controller=controller, rail="duplicate", why=f"case {case.id} {state}",
                way_out=f"dsar case show {case.id}")


def _forgotten(controller: Controller, contact: Contact | Skip, choice: Choice) -> Skip | None:
    """Hold back where a request that was forgotten since is in its cool-down."""
    companies = _keys(controller, contact if isinstance(contact, Contact) else None)
    day = choice.tombstones.since(person_keys(choice.subject.id, choice.subject.email),
                                  choice.right, companies)
    months = COOL_DOWN_MONTHS.get(choice.right, 6)
    if day is None or _months_since(day, choice.today) >= months:
        return None
    return Skip(controller=controller, rail="duplicate",
                why=f"a request of {day}, forgotten since, is in its cool-down",
                way_out=f"dsar send {controller.slug} --again --reason TEXT")


def person_keys(person_id: str, *addresses: str | None) -> frozenset[str]:
    """What a tombstone knows a person by: the id, and the mailboxes they write from."""
    return frozenset({person_id, *(mailbox_key(a) for a in addresses if a)})


def company_keys(case: Case) -> frozenset[str]:
    """What the rail `duplicate` knows the recipient of a case by: slug, group, mailboxes."""
    return frozenset(_case_keys(case))


def letter_language(controller: Controller, regime: Regime, choice: Choice) -> str:
    """The user's choice; else what both speak; else the controller's; else English.

    Only languages there are letters in under this law (`choice.languages`) come into question.
    """
    if choice.language:
        return choice.language
    there = choice.languages(regime)
    theirs = [code for code in controller.languages if code in there]
    both = [code for code in choice.subject.languages if code in theirs]
    return (both or theirs or ["en"])[0]
