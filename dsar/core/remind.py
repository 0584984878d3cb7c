"""Which follow-up a case calls for now, and why; or why none may go, and from which day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from dsar.core.case import Case, ExtensionNotified, LetterSent, Reply
from dsar.core.deadline import Deadlines
from dsar.core.followup import DODGES, NO_EVENT, TIMES, facts_of_case, labels_of
from dsar.core.letter import Stage
from dsar.core.message import Authentic, Label
from dsar.core.needs import waits_to_be_read
from dsar.core.status import ASKS, NO_ANSWER_TO, answered_since

MOST = 2
"""Follow-ups in one case (tool policy); then comes the authority, or nothing."""

SILENCE = "silence"
BY_MAIL = ("email", "kit")
"""How a request went out that has a thread to go on in; `kit`: from a member's own mailbox."""
DONE = frozenset({Label.FULFILLED_ACCESS, Label.FULFILLED_ERASURE, Label.NO_DATA_HELD})
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the person says about the answer.

    dodge: a module of the follow-up letter. missing: ids of demands. asked_for: what the
    company wants to see, in the language of the letter.
    """

    dodge: str = ""
    missing: tuple[str, ...] = ()
    asked_for: str = ""


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """The letter that fits: `dodge` names its module, `facts` is what it quotes."""

    stage: Stage
    dodge: str
    because: str
    number: int
    reply_by: date
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_last(self) -> bool:
        """Whether no further one follows, so that the letter may name the authority."""
        return self.number == MOST


@dataclass(frozen=True, kw_only=True)
class NotNow:
    """Why no follow-up goes: the rail or reason, in words, and from which day one may."""

    rail: str
    why: str
    from_day: date | None = None
    way_out: str = ""


NOBODY_SAID = Told()


def follow_up(
    case: Case, deadlines: Deadlines | None, today: date, told: Told = NOBODY_SAID
) -> FollowUp | NotNow:
    """Return the one follow-up that what happened calls for on `today`, or why there is none.

    Silence is written about only once even the latest defensible due date is past. What a
    reply says counts only when a person has confirmed the reading.
    """
    held = _held(case, deadlines, today)
    if held is not None:
        return held
    found = _dodge(case, deadlines, today, told)
    if isinstance(found, NotNow):
        return found
    lacking = _lacking(case, found, told)
    if lacking is not None:
        return lacking
    return _written(case, deadlines, today, found, told)


def follow_ups(case: Case) -> tuple[LetterSent, ...]:
    """The reminders and follow-ups that went out and did not bounce for good."""
    return tuple(s for s in case.letters if s.stage in (Stage.REMINDER, Stage.FOLLOW_UP)
                 and s.message_id not in case.bounced)


def time_given(case: Case, deadlines: Deadlines | None) -> date | None:
    """The day until which the latest follow-up asked for the answer, or None."""
    sent = follow_ups(case)
    return _reply_by(sent[-1].on, len(sent), deadlines) if sent else None


def written_for(case: Case, written_on: date) -> date:
    """Until when a follow-up that was written on a day may still go out.

    It asks for an answer by a date: half of the time it gives has to be left when it goes.
    """
    number = len(follow_ups(case)) + 1
    return written_on + TIMES[min(number, MOST) - 1] / 2


def thread(case: Case) -> tuple[str | None, tuple[str, ...]]:
    """Return In-Reply-To and References for the next letter (RFC 5322, section 3.6.4).

    The last message of the company counts, else our own latest letter; automatic mail and
    doubtful senders do not.
    """
    ours = [(s.on, 0, s.message_id) for s in case.letters
            if s.stage is not Stage.COMPLAINT and s.message_id not in case.bounced]
    theirs = [(r.received.on, 1, r.received.message_id) for r in _substantive(case)
              if r.received.message_id]
    acknowledged = [(r.received.on, 1, r.received.message_id) for r in case.replies
                    if _is_acknowledgement(r) and r.received.message_id]
    all_ids = [mid for _, _, mid in sorted([*ours, *theirs, *acknowledged]) if mid]
    answers = [mid for _, _, mid in sorted([*theirs, *acknowledged]) if mid]
    latest = answers[-1] if answers else (all_ids[-1] if all_ids else None)
    return latest, tuple(dict.fromkeys(all_ids))


def unread(case: Case) -> bool:
    """Whether a reply waits for a person to say what it is."""
    return any(map(waits_to_be_read, case.replies))


def _held(case: Case, deadlines: Deadlines | None, today: date) -> NotNow | None:
    """What stands against any follow-up, whatever happened."""
    show = f"dsar case show {case.id}"
    if case.closed:
        return NotNow(rail="closed", why="the case is closed",
                      way_out=f"dsar case reopen {case.id}")
    if case.in_doubt:
        return NotNow(rail="in-doubt", why="a letter may or may not have been sent",
                      way_out=f"dsar poll; dsar case set {case.id} sent|unsent")
    if case.request is None:
        return NotNow(rail="unsent", why="no request has reached the company", way_out=show)
    if case.request.channel not in BY_MAIL:
        return NotNow(rail="channel", why=f"the request went by {case.request.channel}",
                      way_out=f"dsar letter preview {case.facts.controller} --stage reminder")
    if unread(case):
        return NotNow(rail="unread", why="a reply waits to be read", way_out=show)
    return _too_many_or_too_soon(case, deadlines, today)


def _too_many_or_too_soon(
    case: Case, deadlines: Deadlines | None, today: date
) -> NotNow | None:
    sent = follow_ups(case)
    if len(sent) >= MOST:
        return NotNow(rail="twice", why=f"{MOST} follow-ups went out already",
                      way_out=f"dsar complain {case.id}")
    until = time_given(case, deadlines)
    if until is None or today > until or _is_newer(case, sent[-1]):
        return None
    return NotNow(rail="early", why=f"the last letter gives time until {until}",
                  from_day=until + _ONE_DAY, way_out=f"dsar case show {case.id}")


def _is_newer(case: Case, sent: LetterSent) -> bool:
    """Whether the company wrote since: something new to answer need not wait."""
    return any(r.received.on > sent.on for r in _substantive(case))


def _substantive(case: Case) -> list[Reply]:
    """Replies in the company's own words that a person confirmed, the earliest first."""
    found = [r for r in case.replies if r.confirmed and r.received.authentic != Authentic.FAIL
             and not NO_EVENT & set(labels_of(r)) and not _is_acknowledgement(r)]
    return sorted(found, key=lambda r: r.received.on)


def _is_acknowledgement(reply: Reply) -> bool:
    return set(labels_of(reply)) == {Label.ACKNOWLEDGEMENT}


def _dodge(
    case: Case, deadlines: Deadlines | None, today: date, told: Told
) -> str | NotNow:
    """The module that answers what happened last, `silence` where nothing did."""
    replies = _substantive(case)
    if told.dodge or told.missing:
        wanted = told.dodge or "incomplete"
        if wanted == SILENCE:
            return _silence(case, deadlines, today)
        return wanted if replies else NotNow(
            rail="unread", why="there is no answer to follow up",
            way_out=f"dsar case show {case.id}")
    if not replies:
        return _silence(case, deadlines, today)
    return _answering(case, replies[-1], deadlines, today)


def _answering(
    case: Case, reply: Reply, deadlines: Deadlines | None, today: date
) -> str | NotNow:
    labels = set(labels_of(reply))
    if NO_ANSWER_TO.get(case.facts.right) in labels and not _missing(case):
        return NotNow(rail="missing", why=f"it did something else, you asked for "
                                          f"{case.facts.right}",
                      way_out=f"dsar case check {case.id} --missing ITEM,ITEM")
    if labels & DONE and not _missing(case):
        return NotNow(rail="answered", why="the company has answered",
                      way_out=f"dsar case check {case.id}")
    if _missing(case):
        return "incomplete"
    if Label.EXTENSION_NOTICE in labels:
        return _extension(case, reply, deadlines, today)
    if labels & set(ASKS) and answered_since(case, reply, letters=False):
        return _silence(case, deadlines, today)
    known = next((DODGES[label] for label in labels_of(reply) if label in DODGES), None)
    if known:
        return known
    return NotNow(rail="needs-you", why=ASKS.get(next(iter(labels), Label.UNCLEAR),
                                                 "the reply fits no follow-up"),
                  way_out=f"dsar remind {case.id} --dodge KIND")


def _extension(
    case: Case, reply: Reply, deadlines: Deadlines | None, today: date
) -> str | NotNow:
    """A late notice or one without reasons is answered once; then the date counts."""
    notices = [e for e in case.clock if isinstance(e, ExtensionNotified)]
    notice = next((n for n in reversed(notices) if n.digest in ("", reply.received.digest)), None)
    sent = follow_ups(case)
    if notice is not None and not (sent and sent[-1].on >= reply.received.on):
        due = deadlines.charitable_due if deadlines else None
        if due is not None and notice.on > due:
            return "extension_late" if _is_late(deadlines, today) else "extension"
        if not notice.reasoned:
            return "extension"
    return _silence(case, deadlines, today)


def _silence(case: Case, deadlines: Deadlines | None, today: date) -> str | NotNow:
    """Silence is one only when the period is past on every defensible reading."""
    explain = f"dsar case show {case.id} --explain"
    after = deadlines.complain_after if deadlines else None
    if deadlines is None or after is None:
        asked = "the clock stands still" if deadlines and deadlines.waits_for else (
            "the law names no date for an answer")
        return NotNow(rail="early", why=asked, way_out=explain)
    if _is_late(deadlines, today):
        return SILENCE
    by = deadlines.answer_by
    latest = "" if by == after else f", at the latest {after}"
    return NotNow(rail="early", why=f"the answer is due {by}{latest}",
                  from_day=after + _ONE_DAY, way_out=explain)


def _is_late(deadlines: Deadlines | None, today: date) -> bool:
    after = deadlines.complain_after if deadlines else None
    return after is not None and today > after


def _missing(case: Case) -> tuple[str, ...]:
    """What the person found missing when going through the latest answer."""
    replies = _substantive(case)
    if case.checked is None or not replies or case.checked.on < replies[-1].received.on:
        return ()
    return case.checked.missing


def _lacking(case: Case, dodge: str, told: Told) -> NotNow | None:
    """Facts of the letter that only the person can give."""
    if dodge == "incomplete" and not (told.missing or _missing(case)):
        return NotNow(rail="missing", why="say what the answer lacks",
                      way_out=f"dsar case check {case.id} --missing ITEM,ITEM")
    if dodge == "identity" and not told.asked_for:
        return NotNow(rail="missing", why="say what the company asks for",
                      way_out=f"dsar remind {case.id} --asked-for 'a copy of my passport'")
    return None


def _written(
    case: Case, deadlines: Deadlines | None, today: date, dodge: str, told: Told
) -> FollowUp:
    number = len(follow_ups(case)) + 1
    reply_by = _reply_by(today, number, deadlines)
    facts = facts_of_case(case, deadlines, today) | {"dodge": dodge, "reply_by": reply_by}
    replies = _substantive(case)
    facts.pop("replied_on", None)
    if replies and dodge != SILENCE:
        facts["replied_on"] = replies[-1].received.on
    if deadlines is not None and deadlines.advisory:
        facts.pop("due_on", None)
    if dodge == "incomplete":
        facts["missing"] = told.missing or _missing(case)
    if told.asked_for:
        facts["asked_for"] = told.asked_for
    stage = Stage.REMINDER if dodge == SILENCE else Stage.FOLLOW_UP
    return FollowUp(stage=stage, dodge=dodge, number=number, reply_by=reply_by, facts=facts,
                    because=_because(case, deadlines, dodge, replies))


def _reply_by(sent_on: date, number: int, deadlines: Deadlines | None) -> date:
    """Never before the period itself ends on its latest reading."""
    short = sent_on + TIMES[min(number, MOST) - 1]
    after = deadlines.complain_after if deadlines else None
    return max(short, after) if after else short


def _because(
    case: Case, deadlines: Deadlines | None, dodge: str, replies: list[Reply]
) -> str:
    if dodge == SILENCE:
        by = deadlines.answer_by if deadlines else None
        return f"no answer, due {by}" if by else "no answer"
    when = f", {replies[-1].received.on}" if replies else ""
    return f"{dodge.replace('_', ' ')}{when}"
