"""What `dsar law due` is asked with, and what it answers: options and JSON Lines to and fro."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from dsar.core.deadline import Deadlines, Facts, Moment, deadlines
from dsar.core.subject import Place
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.core.regime import Regime
    from dsar.law.load import Laws

EXAMPLE = '{"regime": "eu-gdpr", "received": "2026-11-22", "right": "access"}'
DATES = ("due", "strict_due", "charitable_due", "extended_due", "extension_notice_due", "ack_due")


def regime_of(laws: Laws, regime_id: str) -> Regime:
    """The law of this id. Raises UsageProblem with the nearest ids, FileProblems."""
    try:
        return laws.regimes[regime_id]
    except KeyError:
        from difflib import get_close_matches

        near = [i for i in laws.regimes if regime_id and regime_id in i]
        near = near or get_close_matches(regime_id, laws.regimes, n=3)
        hint = f"Did you mean {', '.join(near[:3])}?" if near else "`dsar law list` shows them."
        raise UsageProblem(f"There is no law {regime_id!r}.", hint=hint) from None


def answer(laws: Laws, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the dates for one entry in the shape of the JSON Lines; raises UsageProblem.

    asked: `regime`, `received`, and where known `jurisdiction` (`country`, `subdivision`),
    `right`, `events` (`type`, `date`, `justified`, `until`) and `flags`.
    """
    regime = regime_of(laws, _text(asked, "regime"))
    found = deadlines(regime, facts_of(asked), laws.calendars)
    named = {"id": asked["id"]} if isinstance(asked.get("id"), str) else {}
    return named | due_item(found)


def due_item(found: Deadlines) -> dict[str, Any]:
    """The dates as JSON: ISO 8601, null where a date does not apply."""
    dates = {name: _iso(getattr(found, name)) for name in DATES}
    return {
        "in_force": found.in_force, **dates, "steps": list(found.steps),
        "cites": list(found.cites), "in_force_from": _iso(found.in_force_from),
        "answer_by": _iso(found.answer_by), "complain_after": _iso(found.complain_after),
        "calendar": found.calendar, "unverified": list(found.unverified),
        "advisory": found.advisory, "waits_for": list(found.waits_for),
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def facts_of(asked: Mapping[str, Any]) -> Facts:
    """The facts of one entry; raises UsageProblem for what cannot be read."""
    received, at = received_of(_text(asked, "received"))
    place = _place(asked.get("jurisdiction"))
    flags = asked.get("flags") or {}
    events = asked.get("events") or []
    if not isinstance(flags, Mapping) or not isinstance(events, list):
        raise UsageProblem("`flags` must be an object and `events` a list.")
    return Facts(
        right=str(asked.get("right") or "access"), received=received, received_at=at,
        country=place[0], subdivision=place[1], moments=tuple(map(_moment, events)),
        flags={str(name): value is True for name, value in flags.items()},
    )


def received_of(text: str) -> tuple[date, datetime | None]:
    """A date, or a date-time with its offset at the recipient: the local date counts."""
    try:
        if len(text) == 10:
            return date.fromisoformat(text), None
        at = datetime.fromisoformat(text)
        return at.date(), at
    except ValueError:
        raise UsageProblem(f"{text!r} is no date such as 2026-11-22, nor a date-time such as "
                           "2026-11-22T09:30:00+01:00.") from None


def place_of(text: str) -> Place:
    """`CC` or `CC-SUB`; raises UsageProblem."""
    try:
        return Place.parse(text)
    except ValueError as error:
        raise UsageProblem(f"{error}.") from None


def event_of(text: str) -> dict[str, Any]:
    """`KIND=DATE`, `KIND=DATE..UNTIL`, or with `!` at the end for one without good reason."""
    kind, _, rest = text.partition("=")
    unjustified = rest.endswith("!")
    day, _, until = rest.removesuffix("!").partition("..")
    if not kind or not day:
        raise UsageProblem(f"{text!r} is no event such as id_requested=2026-11-22.")
    event: dict[str, Any] = {"type": kind, "date": day, "justified": not unjustified}
    return event | ({"until": until} if until else {})


def _text(asked: Mapping[str, Any], key: str) -> str:
    found = asked.get(key)
    if not isinstance(found, str) or not found:
        raise UsageProblem(f"{key!r} is missing.", hint=f"For example: {EXAMPLE}")
    return found


def _place(found: Any) -> tuple[str | None, str | None]:
    if found is None:
        return None, None
    if isinstance(found, str):
        place = place_of(found)
        return place.country, place.subdivision
    if not isinstance(found, Mapping):
        raise UsageProblem("`jurisdiction` must be an object with `country`.")
    country, subdivision = found.get("country"), found.get("subdivision")
    return (str(country).upper() if country else None,
            str(subdivision).upper() if subdivision else None)


def _moment(event: Any) -> Moment:
    if not isinstance(event, Mapping):
        raise UsageProblem("an event must be an object with `type` and `date`.")
    until = event.get("until")
    reasons = [event.get(key, True) for key in ("justified", "reasoned", "reasons")]
    return Moment(
        type=_text(event, "type"), on=received_of(_text(event, "date"))[0],
        justified=False not in reasons, until=received_of(str(until))[0] if until else None,
    )
