"""Letters a second: text beside bare Jinja2, DOCX beside python-docx, PDF beside typst.

Each peer does the same work from the same words. Bare Jinja2: the same layers of templates, in a
plain environment without the sandbox; the same facts, the same joining of lines, equal output.
python-docx: a new document with the same paragraphs and styles. typst: the same source with one
reused compiler. Rounds alternate, the median counts.

    python bench/bench_letters.py [letters] [rounds]
"""

from __future__ import annotations

import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

import typst
from docx import Document
from jinja2 import Environment, StrictUndefined

from dsar import shipped
from dsar.core.letter import Letter, Rendered, Stage
from dsar.law.load import load_laws
from dsar.letters import pdf, words
from dsar.letters.document import as_docx, paragraphs_of
from dsar.letters.languages import facts_of_language
from dsar.letters.sample import sample_letter
from dsar.letters.view import facts_of, view_of

FOLDERS = (shipped.templates() / "letters",)
Work = Callable[[Letter, Rendered], object]


def main(letters: int = 300, rounds: int = 5) -> None:
    """Print each figure with its peer and the ratio of speeds (above 1: we are faster)."""
    regime = load_laws().regimes["eu-gdpr"]
    sample = sample_letter(regime, "access", Stage.REQUEST, "de")
    made = [replace(sample, reference=f"DSAR-{n:04d}-0000") for n in range(letters)]
    rendered = [words.render(letter, FOLDERS) for letter in made]
    pairs = list(zip(made, rendered, strict=True))
    bare, plain_docx, plain_typst = _bare_jinja2(sample), _python_docx, _typst()
    compare("text", lambda le, re: words.render(le, FOLDERS), bare, pairs, rounds)
    compare("docx", lambda le, re: as_docx(re, le), plain_docx, pairs[:60], rounds)
    compare("pdf", lambda le, re: pdf.as_pdf(re, le), plain_typst, pairs[:60], rounds)


def compare(
    name: str, ours: Work, peer: Work, pairs: Sequence[tuple[Letter, Rendered]], rounds: int
) -> None:
    """Run both in turn and print the medians."""
    taken: dict[str, list[float]] = {"ours": [], "peer": []}
    for _ in range(rounds):
        for who, work in (("ours", ours), ("peer", peer)):
            pairs = [(replace(le, written_on=_next_day(le.written_on)), re) for le, re in pairs]
            start = time.perf_counter()
            for letter, rendered in pairs:
                work(letter, rendered)
            taken[who].append((time.perf_counter() - start) / len(pairs))
    ours_s, peer_s = (statistics.median(taken[who]) for who in ("ours", "peer"))
    print(f"{name:<5} ours {1 / ours_s:8.0f}/s ({ours_s * 1000:6.3f} ms)   "
          f"peer {1 / peer_s:8.0f}/s ({peer_s * 1000:6.3f} ms)   x{peer_s / ours_s:.2f}")


def _next_day(day: date) -> date:
    """Another date each time, so that no cache of typst answers."""
    return date.fromordinal(day.toordinal() + 1)


def _bare_jinja2(sample: Letter) -> Work:
    environment = Environment(
        loader=words._Layers(FOLDERS), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, cache_size=-1, auto_reload=False)
    # the peer has no class of its own for our layers: the method is replaced on the instance
    environment.join_path = lambda template, parent: parent.partition(">")[2]  # type: ignore
    environment.globals.update({"say": words._say, "next": "next"})
    language = facts_of_language(sample, FOLDERS)

    def work(letter: Letter, rendered: Rendered) -> str:
        layers = words.layers_of(letter, FOLDERS)
        context = {"letter": view_of(letter, language, FOLDERS),
                   "facts": MappingProxyType(facts_of(letter, language)),
                   "cite": words._Citing(letter, False), "aside": words._Citing(letter, True)}
        return words.tidy(environment.get_template(">".join(layers)).render(context))

    return work


def _python_docx(letter: Letter, rendered: Rendered) -> bytes:
    document = Document()
    for name in ("Sender", "Recipient", "Closing"):
        document.styles.add_style(name, 1)
    document.core_properties.title = rendered.subject
    styles = {"Heading1": "Heading 1", "ListNumber": "List Number", "BodyText": "Body Text",
              "Date": "Body Text", "Signature": "Body Text"}
    for paragraph in paragraphs_of(rendered, letter):
        style = styles.get(paragraph.style, paragraph.style)
        document.add_paragraph("\n".join(paragraph.lines), style=style)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _typst() -> Work:
    folder = shipped.templates() / "documents"
    compiler = typst.Compiler(input=folder / "letter.typ", root=folder, ignore_system_fonts=True)

    def work(letter: Letter, rendered: Rendered) -> Any:
        data = pdf._data([(rendered, letter)], title=rendered.subject, cover=False)
        day = letter.written_on
        return compiler.compile(format="pdf", pdf_standards="a-2b",
                                timestamp=datetime(day.year, day.month, day.day, tzinfo=UTC),
                                sys_inputs={"letter": json.dumps(data)})

    return work


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
