"""`dsar campaign`: how a group files for its members."""

from __future__ import annotations

import importlib

import click

from dsar.cli.options import global_options

COMMANDS = {
    "init": ("campaign_start", "Begin a campaign: its terms and its keys."),
    "list": ("campaign_start", "List the campaigns."),
    "change": ("campaign_start", "Agree on another pace, purge date, account or contact."),
    "targets": ("campaign_start", "Choose the companies the campaign writes to."),
    "add-members": ("campaign_members", "Add members from a CSV file."),
    "members": ("campaign_members", "List members by code: consent, mandate, kit."),
    "consent": ("campaign_members", "Record whether a member lets the group read answers."),
    "leave": ("campaign_members", "Record that a member leaves; nothing further goes out."),
    "mandate": ("campaign_mandate", "Mandates: issue, sign, revoke."),
    "kit": ("campaign_kit", "Write each member's letters for the member to send."),
    "import": ("campaign_import", "File the answers that members bring back."),
    "send": ("campaign_send", "Plan, and write the next wave of letters."),
    "approve": ("campaign_send", "Let a wave go out: over 100 letters, by a second person."),
    "withdraw": ("campaign_send", "Take back what of a wave has not gone out."),
    "pause": ("campaign_send", "Let nothing go out until `resume`."),
    "resume": ("campaign_send", "Go on after a pause."),
    "announce": ("campaign_announce", "Tell the controllers in advance of the letters."),
    "work": ("campaign_work", "Run one worker: write and send what is released."),
    "remind": ("campaign_remind", "Write reminders where the answer is late, as a wave."),
    "confirm": ("campaign_confirm", "Let members say what their answers are, on sheets."),
    "progress": ("campaign_progress", "Show how far the campaign is, by company."),
    "report": ("campaign_progress", "Report what came of it, as tables T1 to T14."),
    "export": ("campaign_export", "Hand a member their letters and answers; needs the keeper."),
    "pack": ("campaign_join", "Write what a second machine needs into one encrypted file."),
    "join": ("campaign_join", "Set this machine up from such a file."),
    "assign": ("campaign_assign", "Say whose a sealed message is; needs the keeper."),
    "forget": ("campaign_close", "Delete what there is of one member for good."),
    "close": ("campaign_close", "End the campaign; with --purge delete the members' data."),
}


class CampaignGroup(click.Group):
    """Imports the module of a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"dsar.cli.{COMMANDS[cmd_name][0]}")
        found: click.Command = module.COMMANDS[cmd_name]
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=CampaignGroup)
@global_options
def campaign() -> None:
    """File for the members of a group, each in control of their own.

    By default each member sends (`kit`); with signed mandates the group sends (`send`).
    """
