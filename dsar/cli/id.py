"""`dsar id`: papers and photos, prepared for one case after a demand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.errors import RefusedByRail

if TYPE_CHECKING:
    from dsar.core.case import Case


@click.group(name="id")
@global_options
def id() -> None:
    """Papers and photos: prepared for one case, only after a demand."""


@id.command()
@click.argument("picture", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--case", "case_id", required=True, metavar="CASE", help="The case that needs it.")
@click.option("--crop", metavar="L,T,R,B", help="Keep only this box, in per cent.")
@click.option("--black", multiple=True, metavar="L,T,R,B",
              help="Black this box out, in per cent; repeat it.")
@click.option("--face-photo", is_flag=True,
              help="A face photo for a face-search engine, instead of a paper.")
@click.option("-o", "--output", required=True, metavar="FILE",
              type=click.Path(dir_okay=False, path_type=Path), help="The new picture (JPEG).")
@global_options
@pass_app
def prepare(app: App, picture: Path, *, case_id: str, crop: str | None, black: tuple[str, ...],
            face_photo: bool, output: Path) -> None:
    """Prepare a picture for one company: nothing is sent.

    The new file consists of pixels alone: cropped, blacked out, scaled, without metadata, with a
    watermark that names the company, the purpose and the date. A paper is prepared only when the
    company asked for proof of identity in this case; a face photo only for a company that
    searches by face.
    """
    from dsar.core.case import NoteAdded
    from dsar.home import write_private
    from dsar.papers import Preparation, parse_box, prepare, watermark

    with app.writing() as store:
        case = store.case(case_id)
        _refuse_without_demand(app, case, face_photo=face_photo)
        purpose = "face search only, delete after use" if face_photo else "identity check only"
        wanted = Preparation(
            mark=watermark(case.facts.controller_name, purpose, app.today),
            crop=parse_box(crop) if crop else None, black=tuple(map(parse_box, black)),
            max_side=800 if face_photo else 1200)
        write_private(output, prepare(picture.read_bytes(), wanted))
        what = "face photo" if face_photo else "paper"
        store.append(case_id, [NoteAdded(on=app.today, text=f"{what} prepared ({purpose})")],
                     after=case.version)
    app.say(f"Wrote {output}. Look at it before you give it to anyone.")
    app.next(f"dsar case set {case_id} id-provided --how TEXT, once it is sent")


def _refuse_without_demand(app: App, case: Case, *, face_photo: bool) -> None:
    """The rail `identity`: no paper without a demand, no face without a face search."""
    if face_photo:
        slug = case.facts.controller
        known = app.registry.get(slug) if slug in app.registry else None
        wanted = known and "face-photo" in known.identifiers_on_demand
        if not wanted:
            raise RefusedByRail("identity", f"{case.facts.controller_name} needs no face photo.")
        return
    labels = {label for r in case.replies if r.reading for label in r.reading.labels}
    if "identity_request" not in labels:
        raise RefusedByRail(
            "identity", f"Nobody asked for proof of identity in case {case.id}.",
            hint="Never offer a paper; a reply from your own address proves enough at first.")
