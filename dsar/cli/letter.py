"""`dsar letter`: which letters there are, and how one reads before it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App, pass_app
from dsar.cli.lettering import Wanted, draft, law_named, open_case
from dsar.cli.options import Selector, global_options, selectors
from dsar.core.disclose import missing_identifiers
from dsar.core.letter import Letter, Rendered, Stage
from dsar.errors import DoneInPart, DsarError, FileProblems, Problem, UsageProblem

if TYPE_CHECKING:
    from dsar.core.regime import Regime

FORMATS = ("text", "eml", "docx", "pdf", "mailto")
STAGES = tuple(map(str, Stage))
COLUMNS = ("law", "right", "stage", "languages", "unreviewed")


@click.group()
@global_options
def letter() -> None:
    """Letters: which there are, how one reads, and documents to print."""


def _letter_options(command: click.decorators.FC) -> click.decorators.FC:
    for option in (
        click.option("--stage", type=click.Choice(STAGES), default="request", show_default=True,
                     help="Where in a case the letter stands."),
        click.option("--lang", "language", metavar="XX", help="Write in this language."),
    ):
        command = option(command)
    return command


@letter.command()
@click.option("--law", metavar="ID", help="Only under this law.")
@global_options
@pass_app
def types(app: App, *, law: str | None) -> None:
    """List the letters there are: law, languages, rights and stages.

    A language marked * has been read by nobody but its author.
    """
    from dsar.cli.lettertypes import lines_of, unreviewed
    from dsar.letters.catalogue import letter_types
    from dsar.letters.languages import reviewed_languages

    laws = [law_named(app, law)] if law else app.laws.regimes.values()
    found = list(letter_types(laws, app.template_folders))
    reviewed = reviewed_languages(app.template_folders)
    items = [{"law": t.regime.id, "right": t.right, "stage": str(t.stage),
              "languages": list(t.languages),
              "unreviewed": unreviewed(t.languages, reviewed)} for t in found]
    if app.settings.json:
        app.emit("letters", items, {"total": len(items)})
    elif app.settings.plain:
        app.emit_rows(COLUMNS, items)
    else:
        for line in lines_of(found, reviewed):
            click.echo(line)


@letter.command()
@click.argument("company", metavar="COMPANY")
@click.option("--right", default="access", show_default=True, metavar="R", help="Which right.")
@click.option("--law", metavar="ID", help="Under this law instead of the strongest that applies.")
@_letter_options
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True,
              help="How the letter is written.")
@click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write to this file instead of the screen.")
@click.option("--detail", "details", multiple=True, metavar="TEXT",
              help="What is wrong, or your reason: for rectification, restriction, objection.")
@click.option("--dodge", metavar="KIND",
              help="What a follow-up answers, instead of the latest reading of a reply.")
@click.option("--authority", metavar="ID", help="To whom a complaint goes.")
@click.option("--demand", "demands", multiple=True, metavar="ID",
              help="Ask for this only, such as source and recipients; repeat it.")
@click.option("--explain", is_flag=True,
              help="Say which law, language and identifiers were chosen, and why.")
@global_options
@pass_app
def preview(
    app: App, *, company: str, right: str, law: str | None, language: str | None, stage: str,
    form: str, output: Path | None, details: tuple[str, ...], dodge: str | None,
    authority: str | None, demands: tuple[str, ...], explain: bool,
) -> None:
    """Show one letter as it would be sent; nothing is sent or recorded.

    A letter to a company without an open case carries the reference DSAR-0000-0000.
    """
    wanted = Wanted(right=right, law=law, language=language, stage=Stage(stage), details=details,
                    dodge=dodge, authority=authority, demands=demands)
    controller = app.registry.get(company)
    drafted, because = draft(app, controller, wanted)
    if explain:
        _explain(app, drafted, because)
    content = _written(app, drafted, form)
    if output:
        from dsar.home import write_private

        write_private(output, content)
        app.say(f"Wrote {output}.")
    elif form in ("docx", "pdf"):
        raise UsageProblem(f"A {form} document needs a file.", hint="Give -o FILE.")
    else:
        click.echo(content.decode(), nl=False)


@letter.command()
@selectors
@_letter_options
@click.option("--format", "form", type=click.Choice(FORMATS), default="docx", show_default=True,
              help="How the letters are written.")
@click.option("--together", is_flag=True,
              help="With pdf: one file for printing, behind a list of the letters.")
@click.option("-o", "folder", type=click.Path(file_okay=False, path_type=Path), required=True,
              metavar="DIR", help="The folder to write to.")
@global_options
@pass_app
def export(
    app: App, *, wanted: Selector, language: str | None, stage: str, form: str, together: bool,
    folder: Path,
) -> None:
    """Write letters of open cases to files, to print or to keep.

    Only companies with an open case get one: without a case no reference would lead an answer
    back. The letter carries the reference of the case.
    """
    from dsar.home import make_private_folder, write_private

    if together and form != "pdf":
        raise UsageProblem("--together makes one PDF.", hint="Give --format pdf as well.")
    make_private_folder(folder)
    asked = Wanted(right=wanted.right or "access", law=wanted.law, language=language,
                   stage=Stage(stage))
    drafted, failed = _drafts_of_open_cases(app, wanted, asked)
    if together and drafted:
        write_private(folder / "letters.pdf", _together(app, drafted))
        click.echo(str(folder / "letters.pdf"))
    for one in () if together else drafted:
        ending = "txt" if form == "text" else form
        path = folder / f"{one.reference}-{one.controller.slug}.{ending}"
        write_private(path, _written(app, one, form))
        click.echo(str(path))
    if failed:
        raise DoneInPart("\n".join(failed))


def _drafts_of_open_cases(
    app: App, wanted: Selector, asked: Wanted
) -> tuple[list[Letter], list[str]]:
    """A letter for each company with an open case, and why the others have none."""
    drafted, failed = [], []
    for controller in app.controllers(wanted, app.registry):
        try:
            if open_case(app, controller, asked.right) is None:
                raise UsageProblem("has no open case.", hint="dsar send opens one.")
            drafted.append(draft(app, controller, asked)[0])
        except DsarError as error:
            failed.append(f"{controller.slug}: {error}")
    return drafted, failed


def _together(app: App, drafted: list[Letter]) -> bytes:
    from dsar.letters.pdf import as_one_pdf
    from dsar.letters.words import render

    words = [(render(one, app.template_folders), one) for one in drafted]
    return as_one_pdf(words, f"{len(drafted)} letters, {app.today.isoformat()}")


@letter.command()
@click.option("--law", metavar="ID", help="Only under this law.")
@click.option("--lang", "language", metavar="XX", help="Only in this language.")
@global_options
@pass_app
def lint(app: App, *, law: str | None, language: str | None) -> None:
    """Render every letter with invented facts and list what is wrong with the words.

    Finds missing phrases, gaps, threats, loud words and letters longer than a page, in your own
    templates as in ours.
    """
    found: list[Problem] = []
    count = 0
    laws = [law_named(app, law)] if law else list(app.laws.regimes.values())
    for number, problems in _linted(app, laws, language):
        count, found = number, [*found, *problems]
    if app.settings.json:
        app.emit("lint", [{"path": p.path, "problem": p.message} for p in found],
                 {"letters": count, "problems": len(found)})
    if found:
        raise FileProblems(found, hint="Mend the templates named and run the command again.")
    if not app.settings.json:
        app.say(f"{count} letters, nothing wrong.")


def _linted(
    app: App, laws: list[Regime], language: str | None
) -> Iterator[tuple[int, list[Problem]]]:
    from dsar.letters.catalogue import letter_types
    from dsar.letters.lint import lint as lint_letter
    from dsar.letters.sample import sample_letter
    from dsar.letters.words import render

    number = 0
    for kind in letter_types(laws, app.template_folders):
        for code in (c for c in kind.languages if language in (None, c)):
            number += 1
            sample = sample_letter(kind.regime, kind.right, kind.stage, code)
            path = f"{code}/{kind.right} ({kind.stage}, {kind.regime.id})"
            try:
                said = lint_letter(render(sample, app.template_folders), sample,
                                   app.template_folders)
            except DsarError as error:
                said = (str(error),)
            yield number, [Problem(path, 1, text) for text in said]


def _written(app: App, drafted: Letter, form: str) -> bytes:
    from dsar.letters.document import as_docx, as_text
    from dsar.letters.words import render

    words = render(drafted, app.template_folders)
    match form:
        case "docx":
            return as_docx(words, drafted)
        case "pdf":
            from dsar.letters.pdf import as_pdf

            return as_pdf(words, drafted)
        case "mailto":
            return mailto(drafted, words).encode()
        case "eml":
            from dsar.cli.sending import composed
            from dsar.drafting import Headers

            recipient = next((c.value for c in drafted.controller.emails(drafted.right.right)), "")
            return composed(words, drafted, Headers(
                sender=app.subject.email, display_name=app.subject.name, recipient=recipient,
                reply_to=None, message_id="<preview@example.invalid>", dated=app.now()))
        case _:
            return as_text(words).encode()


def mailto(drafted: Letter, words: Rendered) -> str:
    """A mailto: address that opens the letter in the user's mail program (RFC 6068)."""
    from urllib.parse import quote

    recipient = next((c.value for c in drafted.controller.emails(drafted.right.right)), "")
    body = words.body.replace("\n", "\r\n")
    return (f"mailto:{quote(recipient, safe='@')}?subject={quote(words.subject, safe='')}"
            f"&body={quote(body, safe='')}\n")


def _explain(app: App, drafted: Letter, because: str) -> None:
    """What was chosen and why, to stderr."""
    app.say(f"Law: {drafted.regime.id} ({because}), {drafted.regime.confidence}")
    app.say(f"Language: {drafted.language}")
    for told in drafted.disclosures:
        app.say(f"Tells {told.identifier.kind}: {told.reason}")
    for kinds in missing_identifiers(app.subject, drafted.controller, drafted.right.right):
        app.say(f"Lacks {' or '.join(kinds)}: dsar person edit {app.subject.id}")
