"""Approved letters → sent letters, recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from dsar.core.breaker import Trip
from dsar.core.case import Case, LetterRefused, LetterSent, SendAbandoned, SendAttempted
from dsar.core.house import STREAM, SendingPaused
from dsar.core.letter import Outgoing
from dsar.errors import ConcurrentAppend, LoginRefused, MailServerUnreachable, RefusedByRail
from dsar.mail import NotAttempted, OutcomeUnknown, Rejected, Transport
from dsar.store import Store

TRIES = 5
Outcome = LetterSent | LetterRefused | SendAbandoned | SendAttempted
"""What became of an attempt; the attempt itself where nobody can tell."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One letter with its recorded outcome."""

    letter: Outgoing
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class Post:
    """What sending needs from the outside.

    file_sent: puts a copy into the Sent mailbox; its failure never undoes a sending.
    copies_to: further envelope recipients, such as oneself. check: says after each outcome
    whether the rail `breaker` pauses the account.
    """

    store: Store
    transport: Transport
    now: Callable[[], datetime]
    today: date
    file_sent: Callable[[Outgoing], None]
    copies_to: Callable[[Outgoing], tuple[str, ...]]
    check: Callable[[Delivery], Trip | None]


Tried = tuple[Outcome, Exception | None, SendAttempted]
"""What became of an attempt, the error that ends the run, and the attempt itself."""


def deliver(letters: Iterable[Outgoing], post: Post) -> Iterator[Delivery]:
    """Send each letter at most once, yielding it with its outcome once that is recorded.

    The attempt is in the ledger before the server hears of the letter. If we die in between,
    the case is in doubt, and no later run sends the letter again on its own. `letters` may be
    an iterator that waits until the next letter may go. LoginRefused and
    MailServerUnreachable end the run; the letter at hand is then recorded as not sent. A trip of
    the breaker is recorded and ends the run with RefusedByRail; the rest stays approved.
    """
    for letter in letters:
        begun = begin(letter, post)
        if begun is None:
            continue
        delivery, error = settle(letter, attempt(letter, begun, post), post)
        yield delivery
        if error is not None:
            raise error


def begin(letter: Outgoing, post: Post) -> SendAttempted | None:
    """Record the attempt; None where the letter may not go any more.

    While it waited its turn it may have been cancelled, closed, or sent by someone else.
    """
    case = post.store.case(letter.case_id)
    if not _is_still_approved(case, letter):
        return None
    begun = SendAttempted(on=post.today, at=post.now(), message_id=letter.message_id,
                          recipient=letter.recipient, account=letter.account)
    post.store.append(letter.case_id, [begun], after=case.version)
    return begun


def conclude(
    letter: Outgoing, begun: SendAttempted, post: Post, *, after: int
) -> tuple[Delivery, Exception | None]:
    """Make an attempt that is recorded, and record what became of it; the error that ends the run.

    after: how many events the case has with the attempt.
    """
    return settle(letter, attempt(letter, begun, post), post, after=after)


def settle(
    letter: Outgoing, tried: Tried, post: Post, *, after: int | None = None
) -> tuple[Delivery, Exception | None]:
    """Record what became of an attempt; returns the error that ends the run, if any."""
    outcome, error, begun = tried
    if outcome is not begun:
        version = post.store.case(letter.case_id).version if after is None else after
        _record(outcome, letter, post.store, version)
    if isinstance(outcome, LetterSent):
        post.file_sent(letter)
    delivery = Delivery(letter=letter, outcome=outcome)
    trip = post.check(delivery)
    if trip is not None:
        pause(post.store, letter.account, trip, today=post.today)
        error = error or paused(letter.account, trip.because, trip.until)
    return delivery, error


def _record(outcome: Outcome, letter: Outgoing, store: Store, version: int) -> None:
    """Record what became of a letter, though somebody writes to its case at the same time.

    A poll may have found our own copy first, and settled that the letter went out.
    """
    for last in range(TRIES, -1, -1):
        try:
            return store.append(letter.case_id, [outcome], after=version)
        except ConcurrentAppend:
            case = store.case(letter.case_id)
            if not last:
                raise
            if letter.message_id in {sent.message_id for sent in case.letters}:
                return None
            version = case.version
    return None


def _is_still_approved(case: Case, letter: Outgoing) -> bool:
    """Whether these very bytes still wait, and nothing of the case is in doubt."""
    approved = case.approved
    return (approved is not None and approved.message_id == letter.message_id
            and case.in_doubt is None and case.closed is None)


def pause(store: Store, account: str, trip: Trip, *, today: date) -> None:
    """Record that sending from an account rests; others may be writing to the house meanwhile."""
    event = SendingPaused(on=today, account=account, because=trip.because, until=trip.until)
    for last in range(TRIES, -1, -1):
        try:
            store.append(STREAM, [event], after=store.house().version)
        except ConcurrentAppend:
            if not last:
                raise
        else:
            return


def paused(account: str, because: str, until: datetime | None) -> RefusedByRail:
    """The error of an account that rests."""
    when = f" until {until.astimezone():%Y-%m-%d %H:%M}" if until else ""
    return RefusedByRail(
        "breaker", f"Sending from {account} is paused{when}: {because}.",
        hint=f"Look at `dsar status`; when it is mended: dsar account resume {account}")


def refuse_while_paused(store: Store, account: str, now: datetime) -> None:
    """Raise RefusedByRail while the breaker holds the account."""
    found = store.house().paused.get(account)
    if found is not None and (found.until is None or now < found.until):
        raise paused(account, found.because, found.until)


def attempt(letter: Outgoing, begun: SendAttempted, post: Post) -> Tried:
    """Hand the letter to the server; touches no ledger, so that threads may call it."""
    outcome, error = _tried(letter, begun, post)
    return outcome, error, begun


def _tried(letter: Outgoing, begun: SendAttempted, post: Post
           ) -> tuple[Outcome, Exception | None]:
    recipients = (letter.recipient, *post.copies_to(letter))
    try:
        reply = post.transport.send(letter.message, sender=letter.sender, recipients=recipients)
    except Rejected as refusal:
        return LetterRefused(on=post.today, message_id=letter.message_id, code=refusal.code,
                             reply=refusal.reply, temporary=refusal.temporary), None
    except (NotAttempted, LoginRefused, MailServerUnreachable) as failure:
        fatal = None if isinstance(failure, NotAttempted) else failure
        return SendAbandoned(on=post.today, message_id=letter.message_id,
                             because=type(failure).__name__), fatal
    except OutcomeUnknown:
        return begun, None
    return LetterSent(on=post.today, message_id=letter.message_id, stage=letter.stage,
                      recipient=letter.recipient, server_reply=reply), None
