"""What to send next, and why not the rest: pure decisions over the registry and the cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from dsar.core.case import Case
from dsar.core.contact import contact_problem, mailbox_key
from dsar.core.controller import Contact, Controller
from dsar.core.disclose import disclosures, missing_identifiers
from dsar.core.erasing import DELETING, AccessCases, access_first
from dsar.core.letter import Disclosure, Stage
from dsar.core.platform import PLATFORM, is_reached
from dsar.core.queued import changed_since_approval
from dsar.core.regime import Regime
from dsar.core.subject import DataSubject
from dsar.core.taken import COOL_DOWN_MONTHS, Taken, keys, months_since, person_keys
from dsar.core.tombstone import Tombstones


@dataclass(frozen=True, kw_only=True)
class PlannedLetter:
    """One letter to be written.

    covers: slugs of group members it speaks to as well. case: the case it continues: a
    follow-up, or where an earlier letter never arrived (bounced, refused) and the contact has
    changed since. facts: what a follow-up quotes. in_reply_to, references: Message-IDs of the
    thread (RFC 5322, section 3.6.4). follows: the id of an earlier case that this one checks.
    overridden: rails that held this letter back and that the user overrides.
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
    overridden: tuple[str, ...] = ()


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
    for overriding the `duplicate` rail; anyway: the same for `erasure`, where companies in use
    have to be named one by one. in_use: what companies in use are known by (`in_use_keys`) →
    why no erasure goes there. regimes_for: what applies, strongest first, as
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
    anyway: str | None = None
    excluded: Mapping[str, str] = field(default_factory=dict)
    in_use: Mapping[str, str] = field(default_factory=dict)
    tombstones: Tombstones = field(default_factory=Tombstones)


def plan_requests(controllers: Iterable[Controller], cases: Iterable[Case], choice: Choice) -> Plan:
    """Return one letter or one reason for every controller, in their order.

    A company whose approved letter still waits counts as queued, never as a new letter.
    """
    mine = [c for c in cases if c.facts.subject_id == choice.subject.id]
    access = AccessCases.of(mine if choice.right in DELETING else ())
    taken = Taken.of([c for c in mine if c.facts.right == choice.right], choice.right,
                     choice.today)
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
        found = _decide(controller, choice, taken, access)
        match found:
            case PlannedLetter():
                taken.add(controller, found.contact, len(letters))
                letters.append(found)
            case Skip():
                skipped.append(found)
            case int():
                head = letters[found]
                letters[found] = replace(head, covers=(*head.covers, controller.slug))
    return Plan(letters=tuple(letters), skipped=tuple(skipped), queued=tuple(queued))


def _decide(
    controller: Controller, choice: Choice, taken: Taken, access: AccessCases
) -> PlannedLetter | Skip | int:
    """Return the letter, the reason against it, or the number of the letter that covers it."""
    held = _held_back(controller, choice)
    if held is not None:
        return held
    regime = _regime(controller, choice)
    if isinstance(regime, Skip):
        return regime
    law, because = regime
    contact = _contact(controller, choice, law)
    holding = taken.holding(controller, contact if isinstance(contact, Contact) else None)
    against = [case for case in holding if isinstance(contact, Skip)
               or not _never_arrived(case, controller, contact, law)]
    twice = _twice(controller, contact, choice, holding, against)
    if twice is not None and (not choice.again or twice.rail != "duplicate"):
        return twice
    if isinstance(contact, Skip):
        return contact
    gone = _erasing(controller, contact, choice, access)
    if gone is not None and not _may_erase(controller, contact, choice):
        return gone
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
        disclosures=_told(controller, choice),
        overridden=_overridden(contact, choice, twice, gone),
    )


def _twice(
    controller: Controller, contact: Contact | Skip, choice: Choice, holding: Sequence[Case],
    against: Sequence[Case],
) -> Skip | None:
    """What the rails `in-doubt` and `duplicate` say."""
    if against:
        return _duplicate(controller, against[0])
    return None if holding else _forgotten(controller, contact, choice)


def _erasing(
    controller: Controller, contact: Contact, choice: Choice, access: AccessCases
) -> Skip | None:
    """What the rail `erasure` says. A filing that was made already is not held back any more."""
    if choice.right not in DELETING or choice.channel == PLATFORM:
        return None
    known = keys(controller, contact)
    using = next((choice.in_use[key] for key in known if key in choice.in_use), None)
    if using is not None:
        return Skip(controller=controller, rail="erasure", why=using, way_out=(
            f"dsar send {controller.slug} --right {choice.right} --anyway --reason TEXT"))
    if not any("access" in law.rights for law, _ in choice.regimes_for(controller)):
        return None
    people = person_keys(choice.subject.id, choice.subject.email)
    if choice.tombstones.since(people, "access", known) is not None:
        return None
    first = access_first(controller, known, access)
    return first and Skip(controller=controller, rail="erasure", why=first[0], way_out=first[1])


def _may_erase(controller: Controller, contact: Contact, choice: Choice) -> bool:
    """Whether the user overrides the rail: where the company is in use, it has to be named."""
    using = any(key in choice.in_use for key in keys(controller, contact))
    return bool(choice.anyway) and (not using or controller.slug in choice.named)


def _overridden(
    contact: Contact, choice: Choice, twice: Skip | None, gone: Skip | None
) -> tuple[str, ...]:
    """The rails that hold this letter and that the user overrides."""
    found = [skip.rail for skip in (twice, gone) if skip is not None]
    if choice.channel != PLATFORM and contact_problem(contact, choice.today) is not None:
        found.append("contact")
    return tuple(found)


def _told(controller: Controller, choice: Choice) -> tuple[Disclosure, ...]:
    """What the letter tells; what was entered at an official place, only the person knows."""
    if choice.channel == PLATFORM:
        return ()
    return disclosures(choice.subject, controller, choice.right)


def _lacking(controller: Controller, choice: Choice) -> Skip | None:
    if choice.channel == PLATFORM:
        return None
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
    if choice.channel == PLATFORM:
        return None
    if not controller.contactable or controller.status == "defunct":
        reason = controller.not_contactable_reason or f"company is {controller.status}"
        return Skip(controller=controller, rail="contact", why=reason, way_out=show)
    if controller.public_body and controller.slug not in choice.named:
        return Skip(controller=controller, rail="named", why="public body: only when named",
                    way_out=f"dsar send {controller.slug}")
    return None


def _regime(controller: Controller, choice: Choice) -> tuple[Regime, str] | Skip:
    fitting = [(law, why) for law, why in choice.regimes_for(controller)
               if choice.right in law.rights and choice.law in (None, law.id)
               and (choice.channel != PLATFORM or is_reached(controller, law))]
    if fitting:
        return fitting[0]
    if choice.channel == PLATFORM:
        return Skip(controller=controller, rail="law", way_out=f"dsar send {controller.slug}",
                    why="no official place reaches it")
    wanted = choice.law or "no law that applies to you"
    grants = "does not apply here" if choice.law else f"grants {choice.right} here"
    return Skip(controller=controller, rail="law", why=f"{wanted} {grants}",
                way_out=f"dsar law applies {controller.slug}")


def _contact(controller: Controller, choice: Choice, law: Regime) -> Contact | Skip:
    """The first contact on this channel that nothing speaks against, else why there is none."""
    if choice.channel == PLATFORM and law.platform is not None:
        return Contact(kind=PLATFORM, value=law.platform.name, source=law.platform.source)
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
    if not case.attempts and not case.letters and case.approvals:
        return True  # approved once, and taken back before anything left
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
    companies = keys(controller, contact if isinstance(contact, Contact) else None)
    day = choice.tombstones.since(person_keys(choice.subject.id, choice.subject.email),
                                  choice.right, companies)
    months = COOL_DOWN_MONTHS.get(choice.right, 6)
    if day is None or months_since(day, choice.today) >= months:
        return None
    return Skip(controller=controller, rail="duplicate",
                why=f"a request of {day}, forgotten since, is in its cool-down",
                way_out=f"dsar send {controller.slug} --again --reason TEXT")


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
