"""Errors as people and scripts see them: three short lines or one JSON object, and a status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from dsar.errors import DsarError


def show_failure(error: BaseException, arguments: Sequence[str]) -> int:
    """Print `error` to stderr and return the exit status; re-raises only with --debug."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt | click.Abort | EOFError):
        click.echo("\nStopped. Run the command again to go on; nothing is done twice.", err=True)
        return 130
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if "--debug" in arguments:
        raise error
    if isinstance(error, click.ClickException):
        return _show(error.format_message(), _usage_hint(error), 2, None, arguments)
    if isinstance(error, DsarError):
        return _show(str(error), error.hint, error.exit_status, error.rail, arguments)
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    hint = "This is a mistake in dsar. `--debug` shows where; please report it without names."
    return _show(f"Unexpected {type(error).__name__}.", hint, 1, None, arguments)


def _usage_hint(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"`{context.command_path} --help` shows the options." if context else ""


def _show(
    message: str, hint: str, status: int, rail: str | None, arguments: Sequence[str]
) -> int:
    if "--json" in arguments:
        import json

        shown = {"schema": "dsar.error/1", "code": status, "rail": rail, "message": message,
                 "hint": hint}
        click.echo(json.dumps(shown, ensure_ascii=False), err=True)
        return status
    label = f"Held by the rail `{rail}`: " if rail else "Error: "
    plain = "--no-color" in arguments or os.environ.get("NO_COLOR")
    click.echo(click.style(label, fg="red", bold=True) + message, err=True,
               color=False if plain else None)
    if hint:
        click.echo(hint, err=True)
    return status
