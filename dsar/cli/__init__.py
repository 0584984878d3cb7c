"""The command `dsar`: a root group that imports a command only when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click

from dsar import __version__
from dsar.cli.options import global_options

SECTIONS: dict[str, dict[str, str]] = {
    "Start": {
        "demo": "Watch the full cycle with invented companies: no network, no real data.",
        "init": "Set up a person, a mailbox and a first list.",
        "doctor": "Check everything, one line each with the fix.",
        "account": "Mail accounts: add, list, test, login, limits.",
        "person": "People the letters are for: add, list, show, edit.",
    },
    "Registry and law": {
        "registry": "Companies: whom to write to, and from where we know it.",
        "law": "Laws: what applies, and what is due when.",
    },
    "Letters and sending": {
        "letter": "Letters: types, preview, export.",
        "plan": "Write the plan to a file, to review and send later.",
        "send": "Send the requests that have not been sent yet.",
        "queue": "Letters that are approved and wait: list, cancel.",
    },
    "Follow-up": {
        "run": "The one timer command: poll, settle doubts, send what is approved.",
        "poll": "Fetch new mail and file the replies.",
        "inbox": "Replies that wait for you: list, show, assign, ignore, read.",
        "status": "Show where everything stands.",
        "deadlines": "Show what is due when (text, json, ics).",
        "case": "One case: show, note, set, check, evidence, close, import.",
        "remind": "Send the follow-up letter for what actually happened.",
        "complain": "Write the complaint to the supervisory authority; --send sends it.",
        "verify-erasure": "Ask again, months after an erasure, what is still held.",
    },
    "Papers": {
        "id": "Papers and photos: prepared for one case, only after a demand.",
    },
    "Reports": {
        "report": "What came of the requests: text, md, html, csv or json.",
    },
    "Campaigns": {
        "campaign": "File for the members of a group: members, mandates, waves, progress.",
    },
    "House": {
        "backup": "Write everything into one encrypted file.",
        "export": "Give a person everything that is kept about them.",
        "forget": "Remove a person, a company or old cases for good.",
        "passphrase": "Encrypt ledger and mail at rest: set, change, remove.",
        "restore": "Bring a backup back into an empty home.",
        "store": "The ledger's place: copy, migrate, check, rebuild.",
        "schedule": "Have `dsar run` called every hour: show, install.",
        "version": "Show the version of dsar and of its data.",
    },
}
COMMANDS = {name: text for section in SECTIONS.values() for name, text in section.items()}
ELSEWHERE = {"run": "timer"}
"""Commands whose module has another name: `dsar.cli.run` is the function below."""


class LazyGroup(click.Group):
    """Knows names and short helps; imports the module of a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the sections."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"dsar.cli.{ELSEWHERE.get(cmd_name, name)}")
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by section without importing any of them."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Like click, with the nearest name for a mistyped one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, invoke_without_command=True,
             context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@global_options
@click.version_option(__version__, "--version", prog_name="dsar")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Make scrapers and data brokers answer: requests sent, replies filed, due dates known."""
    if ctx.invoked_subcommand is None:
        from dsar.cli.welcome import welcome

        ctx.invoke(welcome)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with the documented exit status."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; errors are shown, never raised."""
    from dsar.cli.failure import show_failure

    try:
        result: Any = cli.main(args=list(arguments), prog_name="dsar", standalone_mode=False)
    except BaseException as error:
        return show_failure(error, arguments)
    return result if isinstance(result, int) else 0
