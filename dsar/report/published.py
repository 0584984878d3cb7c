"""Published results beside one's own, and what only the literature knows (table T6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dsar import shipped
from dsar.core.table import Cell, Table
from dsar.yamlfile import Reader, read

HOW = {
    "text": "read in the study's own text", "abstract": "abstract or the authors' own page",
    "press": "press or second hand, not checked",
}

MEASURES: Mapping[str, tuple[str, str]] = {
    "answered-in-time": ("T1", "answered in time"),
    "finished-in-time": ("T1", "substantive in time"),
    "complete": ("T2", "complete"), "incomplete": ("T2", "incomplete"),
    "no-answer": ("T2", "no answer in substance"),
    "no-proof-data-given": ("T5", "none, and data given"),
    "still-held": ("T10", "still held data"), "shared": ("T12", "shared the answer"),
}
"""Measure of a study → the table, and how the row begins, that counts the same here."""


@dataclass(frozen=True)
class Published:
    """One published figure; `share` is a fraction, None where the study gives a range."""

    study: str
    cite: str
    how: str
    measure: str
    words: str
    value: str
    share: float | None
    k: int | None
    n: int | None


def published() -> tuple[Published, ...]:
    """The figures that ship with dsar; raises FileProblems where that file is wrong."""
    document = read(shipped.data("report/published.yaml"))
    top = Reader.of(document, document.value, "published.yaml")
    top.one_of("schema", {"dsar.published/1"}, default="")
    top.day("compiled")
    found = tuple(item for study in top.mappings("studies") for item in _of_study(study))
    top.finish()
    document.raise_problems()
    return found


def _of_study(study: Reader) -> Iterator[Published]:
    name, cite = study.text("id", required=True), study.text("cite", required=True)
    how = study.one_of("how", HOW, default="press")
    for result in study.mappings("results"):
        share = result.text("share")
        yield Published(name, cite, how, result.text("measure", required=True),
                        result.text("words", required=True), result.text("value", required=True),
                        float(share) if share else None, result.number("k"), result.number("n"))
        result.finish()
    study.finish()


def impostors(found: tuple[Published, ...]) -> Table:
    """T6: how companies withstand somebody who is not the person. dsar never tries it."""
    rows = tuple((p.words, p.value, p.cite, HOW[p.how]) for p in found if p.measure == "impostor")
    return Table(id="T6", title="Impostors (from studies only)", rows=rows,
                 about="Published results. dsar never asks in another person's name, so no case "
                       "here is counted.",
                 columns=("what companies did", "published", "study", "how it was looked up"))


def beside(found: tuple[Published, ...], tables: tuple[Table, ...]) -> Table:
    """Published results beside the same figure here, where it is counted."""
    rows = tuple((p.words, _here(p.measure, tables), p.value, p.cite, HOW[p.how])
                 for p in found if p.measure != "impostor")
    return Table(id="P1", title="Published results beside these", rows=rows,
                 about="Studies differ in whom they asked, how, and what they called an answer; "
                       "the numbers are a scale, not a ranking.",
                 columns=("figure", "here", "published", "study", "how it was looked up"))


def _here(measure: str, tables: tuple[Table, ...]) -> Cell:
    id_, label = MEASURES.get(measure, ("", ""))
    rows = (row for table in tables if table.id == id_ for row in table.rows)
    return next((row[-1 if id_ == "T12" else 1] for row in rows
                 if str(row[0]).startswith(label)), None)
