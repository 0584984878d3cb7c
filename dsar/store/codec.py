"""Events to plain JSON values and back, derived from the type hints of the dataclasses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from dsar.core.campaign_events import CampaignEvent, MemberEvent
from dsar.core.case import CaseEvent
from dsar.core.house import HouseEvent

Event = CaseEvent | HouseEvent | CampaignEvent | MemberEvent
Convert = Callable[[Any], Any]
KINDS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


class CodecError(ValueError):
    """An event that cannot be written as JSON, or JSON that is no event."""


class UnknownKind(CodecError):
    """No event has this kind: damage, or written by a newer dsar."""


@dataclass(frozen=True)
class _Form:
    """How one kind is written: per field its name, reader, writer, and default or MISSING.

    reads: name, the type of JSON value that is taken as it is, the reader of any other.
    """

    kind: type[Event]
    reads: tuple[tuple[str, type | None, Convert], ...]
    writes: tuple[tuple[str, Convert], ...]
    defaults: Mapping[str, Any]


def encode(event: Event) -> dict[str, Any]:
    """Return the event as {"kind": name, field: value, …}, every field in its order.

    Dates become `2026-11-22`, instants `2026-11-22T09:30:00+00:00`, tuples lists. Raises
    CodecError for a value that its type hint does not allow: what is written can be read.
    """
    kind = type(event).__name__
    if KINDS.get(kind) is not type(event):
        raise UnknownKind(f"{kind} is no kind of event")
    record: dict[str, Any] = {"kind": kind}
    for name, write in _form(kind).writes:
        try:
            record[name] = write(getattr(event, name))
        except (TypeError, ValueError) as error:
            raise CodecError(f"{kind}.{name}: {error}") from None
    return record


def decode(record: Mapping[str, Any]) -> Event:
    """Return the event that `encode` wrote, perhaps before some of its fields existed.

    A missing field takes its default. Raises UnknownKind, and CodecError for a missing field
    without default, a field the kind does not have, or a value of the wrong type.
    """
    form = _form(_kind(record))
    values: dict[str, Any] = {}
    name = ""
    try:
        for name, plain, read in form.reads:
            value = record[name] if name in record else _default(form, name)
            values[name] = value if type(value) is plain else read(value)
    except (TypeError, ValueError) as error:
        raise CodecError(f"{form.kind.__name__}.{name}: {error}") from None
    if len(record) != len(values) + 1:
        _check_known(form, record)
    # Not through __init__, which sets the fields of a frozen dataclass one by one: 100,000
    # cases load in two thirds of the time. No event has a __post_init__ (a test checks).
    event = object.__new__(form.kind)
    event.__dict__.update(values)
    return event


def _kind(record: Mapping[str, Any]) -> str:
    kind = record.get("kind") if isinstance(record, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise UnknownKind(f"{kind!r} is no kind of event; a newer dsar may have written it")
    return kind


def _default(form: _Form, name: str) -> Any:
    """Return the default of a missing field as JSON, for the reader to read."""
    if name not in form.defaults:
        raise ValueError("the field is missing")
    return form.defaults[name]


def _check_known(form: _Form, record: Mapping[str, Any]) -> None:
    known = {name for name, _, _ in form.reads} | {"kind"}
    unknown = ", ".join(sorted(map(repr, record.keys() - known)))
    if unknown:
        raise CodecError(f"{form.kind.__name__}: unknown field {unknown}")


@cache
def _form(kind: str) -> _Form:
    cls = KINDS[kind]
    hints = get_type_hints(cls)
    writes = {f.name: _writer(hints[f.name]) for f in fields(cls)}
    return _Form(
        cls,
        reads=tuple((n, _plain(hints[n]), _reader(hints[n])) for n in writes),
        writes=tuple(writes.items()),
        defaults={f.name: writes[f.name](f.default) for f in fields(cls)
                  if f.default is not MISSING},
    )


def _plain(hint: Any) -> type | None:
    allowed = [a for a in (get_args(hint) or (hint,)) if a in (str, bool, int)]
    return allowed[0] if allowed and get_origin(hint) is not tuple else None


def _reader(hint: Any) -> Convert:
    """Return the function from a JSON value to a value of type `hint`."""
    if hint in (str, bool, int):
        return _only(hint)
    if hint is float:
        return _number
    if hint is datetime:
        return _read_instant
    if hint is date:
        return date.fromisoformat
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    return _compound(hint, _reader, list, tuple)


def _writer(hint: Any) -> Convert:
    """Return the function from a value of type `hint` to a JSON value."""
    if hint in (bool, int):
        return _only(hint)
    if hint is str:
        return _write_text
    if hint is float:
        return _number
    if hint is datetime:
        return _write_instant
    if hint is date:
        return _write_day
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return lambda value: hint(value).value
    return _compound(hint, _writer, tuple, list)


def _compound(
    hint: Any, part: Callable[[Any], Convert], source: type, target: Callable[..., Any]
) -> Convert:
    """Build the converter of `X | None`, `tuple[X, ...]` or `tuple[X, Y]` from its parts."""
    arguments = get_args(hint)
    if get_origin(hint) in (Union, UnionType) and NoneType in arguments and len(arguments) == 2:
        inner = part(next(a for a in arguments if a is not NoneType))
        return lambda value: None if value is None else inner(value)
    if get_origin(hint) is not tuple:
        raise TypeError(f"no way to write {hint!r} is known")
    if arguments[-1] is Ellipsis:
        item = part(arguments[0])
        return lambda value: target([item(i) for i in _typed(value, source)])
    parts = [part(argument) for argument in arguments]
    return lambda value: target(
        [convert(i) for convert, i in zip(parts, _typed(value, source), strict=True)]
    )


def _typed(value: Any, wanted: type) -> Any:
    if type(value) is not wanted:
        raise TypeError(f"{type(value).__name__} where {wanted.__name__} must stand")
    return value


def _only(wanted: type) -> Convert:
    def check(value: Any) -> Any:
        if type(value) is not wanted:
            raise TypeError(f"{type(value).__name__} where {wanted.__name__} must stand")
        return value

    return check


def _number(value: Any) -> float:
    if type(value) is not float and type(value) is not int:
        raise TypeError(f"{type(value).__name__} where a number must stand")
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("not a finite number")
    return float(value)


def _write_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where str must stand")
    # The header objects of the email package are texts with luggage; the text is what counts.
    return str.__str__(value) if type(value) is str else "".join(value)


def _write_day(value: Any) -> str:
    return cast(date, _typed(value, date)).isoformat()


def _write_instant(value: Any) -> str:
    return _aware(_typed(value, datetime)).astimezone(UTC).isoformat()


def _read_instant(value: Any) -> datetime:
    return _aware(datetime.fromisoformat(value))


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("an instant without time zone")
    return value
