"""`dsar campaign mandate issue | sign | revoke | withdraw`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path

import click

from dsar.campaign.mandates import HOW_SIGNED, Office, Signing, default_expiry, mandate_words
from dsar.campaign.roster import load_member, load_members
from dsar.cli.app import App, pass_app
from dsar.cli.campaigning import Room, refuse_closed
from dsar.cli.options import Day, global_options
from dsar.core.member import Member
from dsar.errors import DoneInPart, DsarError, StorageFailed, UsageProblem
from dsar.home import make_private_folder, write_private

SHOWN = 20
"""Files that cannot be used are shown so many."""
_CODE = re.compile(r"m-[0-9a-z]{8}")


@click.group()
@global_options
def mandate() -> None:
    """Mandates: issue them, record what was signed, take them back."""


@mandate.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("codes", nargs=-1, metavar="[MEMBER]...")
@click.option("-o", "--output", required=True, metavar="FOLDER",
              type=click.Path(file_okay=False, path_type=Path), help="Where the papers go.")
@click.option("--format", "form", type=click.Choice(("pdf", "docx")), default="pdf",
              show_default=True, help="What the papers are.")
@click.option("--expires-on", type=Day(), metavar="DATE",
              help="When the mandates end; else in a year, or at the purge date.")
@click.option("--answers-to", type=click.Choice(("member", "holder")), default="member",
              show_default=True, help="Who gets answers that contain the member's data.")
@click.option("--again", is_flag=True, help="Also for members who have one.")
@global_options
@pass_app
def issue(
    app: App, *, campaign_id: str, codes: tuple[str, ...], output: Path, form: str,
    expires_on: date | None, answers_to: str, again: bool,
) -> None:
    """Write a mandate for each member to sign, named by the member's code."""
    make_private_folder(output.absolute())
    written, failed, languages = 0, list[str](), set[str]()
    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        refuse_closed(room.campaign)
        office, ends = room.office(), expires_on or default_expiry(app.today, room.campaign)
        if ends <= app.today:
            raise UsageProblem(f"--expires-on {ends} is not in the future.")
        for member in _members(room, codes):
            if member.left or (member.issued and not again):
                continue
            try:
                languages.add(_issue_one(member, office, output, form, ends, answers_to))
                written += 1
            except StorageFailed:
                raise
            except DsarError as error:
                failed.append(f"{member.code}: {error}")
    app.say(f"{written} mandates in {output}.")
    for line in (*_doubts(app, languages), *failed):
        app.say(f"  {line}")
    app.next(f"dsar campaign mandate sign {campaign_id} FOLDER --how pen --signed-on DATE")
    if failed:
        raise DoneInPart(f"{len(failed)} mandates could not be written.")


def _doubts(app: App, languages: set[str]) -> list[str]:
    """What nobody has verified about the papers in these languages."""
    from dsar.letters.words import paper_doubts

    return [f"{language}: unverified: {doubt}" for language in sorted(languages)
            for doubt in paper_doubts("mandate", language, app.template_folders)]


def _issue_one(member: Member, office: Office, folder: Path, form: str, ends: date,
               answers_to: str) -> str:
    """Write the paper of one member and record it; returns its language."""
    from dsar.campaign.mandates import issue as record_issue
    from dsar.letters.papers import paper_docx, paper_pdf

    words = mandate_words(member, office, expires_on=ends, answers_to=answers_to)
    make = paper_pdf if form == "pdf" else paper_docx
    document = make(words, office.today)
    record_issue(member, office, document, language=words.language, expires_on=ends,
                 answers_to=answers_to)
    write_private(folder.absolute() / f"mandate-{member.code}.{form}", document)
    return words.language


def _members(room: Room, codes: Sequence[str]) -> list[Member]:
    if codes:
        return [load_member(room.store, room.campaign, code) for code in codes]
    return list(load_members(room.store, room.campaign))


@mandate.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("source", type=click.Path(exists=True, path_type=Path), metavar="FILE")
@click.option("--member", "code", metavar="MEMBER",
              help="Whose it is; else the code is read from the file's name.")
@click.option("--how", required=True, type=click.Choice(HOW_SIGNED),
              help="How it was signed.")
@click.option("--signed-on", required=True, type=Day(), metavar="DATE", help="When.")
@click.option("--expires-on", type=Day(), metavar="DATE",
              help="When it ends, if earlier than issued.")
@click.option("--answers-to", type=click.Choice(("member", "holder")),
              help="Who gets answers that contain the member's data; else as issued.")
@click.option("--right", "rights", multiple=True, metavar="RIGHT",
              help="Only these rights, if fewer than issued.")
@click.option("--only", "only", metavar="SLUG,...",
              help="Only these companies, if fewer than issued.")
@global_options
@pass_app
def sign(
    app: App, *, campaign_id: str, source: Path, code: str | None, how: str, signed_on: date,
    expires_on: date | None, answers_to: str | None, rights: tuple[str, ...], only: str | None,
) -> None:
    """Record a signed mandate, or a folder of them; each file name holds the member's code.

    A file that cannot be used is named and stops nothing else.
    """
    from dsar.campaign.mandates import sign as record_signed

    files = sorted(p for p in source.iterdir() if p.is_file()) if source.is_dir() else [source]
    done, failed = 0, list[str]()
    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        refuse_closed(room.campaign)
        office, papers = room.office(), _papers(room)
        for file in files:
            try:
                member = load_member(store, room.campaign, code or _code_in(file))
                _refuse_of_another(papers, member, file)
                record_signed(member, office, Signing(
                    document=file.read_bytes(), how=how, signed_on=signed_on,
                    expires_on=expires_on, answers_to=answers_to or "", rights=rights,
                    controllers=tuple(filter(None, (only or "").split(",")))))
                done += 1
            except StorageFailed:
                raise
            except (DsarError, OSError) as error:
                failed.append(f"{file}: {error}")
    app.say(f"{done} mandates recorded.")
    for line in failed[:SHOWN]:
        app.say(f"  {line}")
    if len(failed) > SHOWN:
        app.say(f"  and {len(failed) - SHOWN} more")
    if done:
        app.next(f"dsar campaign send {campaign_id} -n")
    if failed:
        raise DoneInPart(f"{len(failed)} files could not be used.")


def _papers(room: Room) -> dict[str, str]:
    """Digest → the member for whom that paper was issued, or who signed it."""
    found: dict[str, str] = {}
    for member in load_members(room.store, room.campaign):
        known = (*member.signed, *((member.issued.digest,) if member.issued else ()))
        found.update(dict.fromkeys(known, member.code))
    return found


def _refuse_of_another(papers: dict[str, str], member: Member, file: Path) -> None:
    """A company would otherwise get the paper of somebody who did not write to it."""
    digest = sha256(file.read_bytes()).hexdigest()
    if papers.setdefault(digest, member.code) != member.code:
        raise UsageProblem(f"is the paper of {papers[digest]}, not of {member.code}.")


def _code_in(file: Path) -> str:
    found = _CODE.search(file.name.lower())
    if found is None:
        raise UsageProblem("no member's code in the file's name.", hint="Give --member CODE.")
    return found.group()


@mandate.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("code", metavar="MEMBER")
@click.option("--reason", default="", metavar="TEXT", help="Why, kept in the ledger.")
@global_options
@pass_app
def revoke(app: App, *, campaign_id: str, code: str, reason: str) -> None:
    """Take a mandate back: what waits is withdrawn at once."""
    from dsar.campaign.mandates import revoke as take_back

    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        member = load_member(store, room.campaign, code)
        _, stopped, out = take_back(member, room.office(), because=reason)
    app.say(f"{stopped} letters withdrawn; {len(out)} are out already.")
    app.next(f"dsar campaign mandate withdraw {campaign_id} {code} -o FOLDER" if out
             else f"dsar campaign progress {campaign_id}")


@mandate.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("code", metavar="MEMBER")
@click.option("-o", "--output", required=True, metavar="FOLDER",
              type=click.Path(file_okay=False, path_type=Path), help="Where the drafts go.")
@global_options
@pass_app
def withdraw(app: App, *, campaign_id: str, code: str, output: Path) -> None:
    """Draft the letters that withdraw the requests of a member; nothing is sent."""
    from dsar.cli.campaign_drafts import withdrawal_drafts

    with app.reading() as store:
        room = Room.of(app, store, campaign_id)
        member = load_member(store, room.campaign, code)
        drafts = withdrawal_drafts(room, member)
    make_private_folder(output.absolute())
    for name, content in drafts:
        write_private(output.absolute() / name, content)
    app.say(f"{len(drafts)} drafts in {output}.")
    app.next(f"dsar campaign progress {campaign_id}")


COMMANDS = {"mandate": mandate}
