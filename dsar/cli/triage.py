"""`dsar inbox triage`: one screen per message, one key per decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App
from dsar.cli.filing import archived, file_under, ignore_message, is_unreadable, take_out
from dsar.core.message import Label
from dsar.errors import NeedsConfirmation

if TYPE_CHECKING:
    from dsar.core.message import Message
    from dsar.store import Store

LABELS = tuple(str(label) for label in Label)
EXCERPT_LINES = 12


def go_through(app: App, store: Store, items: Sequence[dict[str, Any]]) -> int:
    """Show each item and act on one key; returns how many were decided.

    Raises NeedsConfirmation where nobody can be asked.
    """
    if not app.can_ask:
        raise NeedsConfirmation("Triage needs a terminal.",
                                hint="dsar inbox list, assign and ignore work without one.")
    decided = 0
    for number, item in enumerate(items, start=1):
        message = archived(app, item["message"])
        if is_unreadable(message):
            continue  # nobody here can say what it is
        click.clear()
        for line in screen(store, item, message, f"{number} of {len(items)}"):
            click.echo(line)
        key = click.getchar()
        if key in ("q", "\x03", "\x04"):
            break
        decided += _act(app, store, item, key)
    return decided


def screen(store: Store, item: dict[str, Any], message: Message, place: str) -> Iterator[str]:
    """The lines for one message: sender and verdict, the sentence, candidates, its words, keys."""
    from dsar.report.terminal import cut, printable

    sender = f"{message.sender.name} <{message.sender.addr}>" if message.sender else "unknown"
    yield cut(f"[{place}] {sender.strip()}", 80)
    yield cut(f"  provider: {message.authentic}   arrived {item['on']}   {item['subject']}", 80)
    yield cut(f"  reads as {', '.join(item['labels'])}: {item['why']}", 80)
    for number, case_id in enumerate(_choices(item), start=1):
        case = store.case(case_id)
        mark = "filed in" if case_id == item["case"] else "could be"
        yield cut(f"  {number}  {mark} {case_id}  {case.facts.controller_name}, "
                  f"{case.facts.right}, sent {case.facts.on}", 80)
    for part in message.parts[:5]:
        yield cut(f"  attached: {part.name} ({part.declared_type}, {part.size} bytes)", 80)
    yield ""
    for line in [ln for ln in message.own_text.splitlines() if ln.strip()][:EXCERPT_LINES]:
        yield cut(f"  {printable(line)}", 80)
    yield ""
    known = "y right  " if item["case"] else ""
    yield f"{known}1-3 this case  l label  i no case  s skip  q stop"


def _choices(item: dict[str, Any]) -> list[str]:
    cases = [item["case"]] if item["case"] else []
    return [*cases, *(c for c in item["candidates"] if c not in cases)][:3]


def _act(app: App, store: Store, item: dict[str, Any], key: str) -> int:
    """Do what the key says; 0 for skip and for keys that mean nothing."""
    choices = _choices(item)
    if key == "y" and item["case"]:
        file_under(app, store, item["case"], item["message"], labels=tuple(item["labels"]))
    elif key.isdigit() and 1 <= int(key) <= len(choices):
        file_under(app, store, choices[int(key) - 1], item["message"],
                   labels=tuple(item["labels"]))
    elif key == "l" and choices:
        label = click.prompt("Label", type=click.Choice(LABELS), default=item["labels"][0],
                             show_choices=False, err=True)
        file_under(app, store, choices[0], item["message"], labels=(str(label),))
    elif key == "i" and item["case"]:
        take_out(app, store, item["case"], item["message"], "answers no case")
        if item["message"] in store.house().waiting:
            ignore_message(app, store, item["message"])
    elif key == "i":
        ignore_message(app, store, item["message"])
    else:
        return 0
    return 1


def examples(app: App, store: Store) -> str:
    """The replies whose machine reading a person corrected, redacted, as YAML."""
    from dsar import yamlfile
    from dsar.core.redact import Redactor

    found = []
    for case in store.cases():
        if case.facts.campaign is not None:
            continue  # a member's answer was let to be read, not to be handed on
        redactor = Redactor.for_examples(app.config.people, [case.facts.controller_name])
        for reply in case.replies:
            if reply.confirmed is None or reply.machine is None:
                continue
            if reply.confirmed.labels == reply.machine.labels:
                continue
            text = redactor.text(archived(app, reply.received.digest).own_text)
            found.append({"language": reply.machine.language or "und",
                          "read_as": "+".join(reply.machine.labels),
                          "is": "+".join(reply.confirmed.labels),
                          "text": text})
    return yamlfile.dump({"examples": found})
