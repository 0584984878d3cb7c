"""Facts of a letter → its words, by sandboxed Jinja2 templates in layers.

A letter is a stack of templates, the most special first: the right, then demands, phrases and
the frame of the stage; of each kind first `only/<regime>/<language>`, then the language of the
country (`de-CH`), then the language, in the user's folder before ours. Each one extends the
`next`, so that a layer holds only the phrases in which it differs.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateError, TemplateNotFound
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_context

from dsar.core.letter import Letter, Rendered, Stage
from dsar.core.regime import Regime
from dsar.errors import LetterIncomplete
from dsar.letters.languages import facts_of_language, language_facts, variant
from dsar.letters.view import Known, LetterView, Period, fact_in_words, facts_of, view_of

FILTERS = ("first", "join", "last", "length", "trim")
_BAR = ">"
_SPACES = re.compile(r"[ \t]+")
_ITEM = re.compile(r"\d+\. ")
_FAULTS = (TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError,
           ValueError)


def render(letter: Letter, templates: Sequence[Path]) -> Rendered:
    """Return subject and body of a letter; paragraphs are single lines with blank lines between.

    templates: folders with one folder a language, the user's first. Raises LetterIncomplete with
    template and line where a fact or phrase is missing or a template does what it may not.
    """
    folders = tuple(templates)
    return _rendered(letter, layers_of(letter, folders), folders)


def render_annex(letter: Letter, sheet: str, templates: Sequence[Path]) -> Rendered:
    """Return a sheet that goes with a letter, in its language; raises like `render`.

    sheet: a frame without words such as "annex-timeline"; the words are in `annexes`.
    """
    folders = tuple(templates)
    layers = _stack(letter.regime, (letter.right.right, "annexes", "demands", "phrases"),
                    sheet, letter.language, folders)
    return _rendered(letter, layers, folders)


def _rendered(letter: Letter, layers: Sequence[str], folders: tuple[Path, ...]) -> Rendered:
    language = facts_of_language(letter, folders)
    context = {"letter": view_of(letter, language, folders),
               "facts": MappingProxyType(facts_of(letter, language)),
               "cite": _Citing(letter, False), "aside": _Citing(letter, True)}
    try:
        text = _environment(folders).get_template(_BAR.join(layers)).render(context)
    except _FAULTS as fault:
        raise LetterIncomplete(f"{_place(fault, folders)}: {_said(fault)}") from fault
    subject, _, body = tidy(text).partition("\n\n")
    dated = language.in_words(letter.written_on)
    return Rendered(subject.replace("\n", " "), body, letter.language, dated)


def languages(templates: Sequence[Path]) -> tuple[str, ...]:
    """Return the languages that have letters of their own, such as ("de", "en", "fr")."""
    found = {p.parent.name for folder in templates
             for p in folder.glob("*/phrases.txt.j2") if "-" not in p.parent.name}
    return tuple(sorted(found))


def layers_of(letter: Letter, folders: tuple[Path, ...]) -> tuple[str, ...]:
    """Return the templates that make up this letter, the most special first."""
    return layers_for(letter.regime, letter.right.right, letter.stage, letter.language, folders)


def layers_for(
    regime: Regime, right: str, stage: Stage, language: str, folders: tuple[Path, ...]
) -> tuple[str, ...]:
    """Like `layers_of`. Raises LetterIncomplete where there is no such letter."""
    kinds = (right, "dodges") if stage is Stage.FOLLOW_UP else (right,)
    return _stack(regime, (*kinds, "demands", "phrases"), stage, language, folders)


def _stack(
    regime: Regime, kinds: Sequence[str], frame: str, language: str, folders: tuple[Path, ...]
) -> tuple[str, ...]:
    """Templates of each of `kinds`, then the one frame. kinds: the first is the right."""
    if language not in regime.cite_forms:
        raise LetterIncomplete(f"{regime.id} has no citation form in {language!r}.",
                               hint="Choose a language of the law with --lang.")
    shelves = (f"only/{regime.id}/{language}", variant(regime, language), language)
    found: list[str] = []
    for kind in kinds:
        layers = _existing(folders, shelves, kind)
        if not layers:
            raise LetterIncomplete(f"letters/{language}/{kind}.txt.j2 does not exist: there is no "
                                   f"{kinds[0]} letter in {language!r} for {regime.id}.")
        found += layers
    frames = _existing(folders, (*shelves, ""), frame)
    if not frames:
        raise LetterIncomplete(f"letters/{language}/{frame}.txt.j2 does not exist: there is "
                               f"no {frame} letter in {language!r}.")
    return (*found, frames[0])


@lru_cache(maxsize=4096)
def _existing(folders: tuple[Path, ...], shelves: tuple[str, ...], kind: str) -> tuple[str, ...]:
    """Names of the files that exist, as `number of folder:path`."""
    paths = [f"{shelf}/{kind}.txt.j2".lstrip("/") for shelf in dict.fromkeys(shelves)]
    return tuple(f"{number}:{path}" for path in paths for number, folder in enumerate(folders)
                 if (folder / path).is_file())


@dataclass(frozen=True)
class _Citing:
    """`cite(x)` and `aside(x)`: the only way a section gets into a letter.

    x: "right" for the right of the letter, else a right or a named section of its law.
    """

    letter: Letter
    in_brackets: bool

    def __call__(self, what: str) -> str:
        """A citation; in brackets after a space, nothing where the law has no such section."""
        regime, language = self.letter.regime, self.letter.language
        found = self._section(what)
        if self.in_brackets:
            return f" ({regime.cite(found, language)})" if found else ""
        if not found:
            raise LookupError(f"{regime.id} has no section {what!r}")
        return regime.cite(found, language)

    def _section(self, what: str) -> str | None:
        regime, right = self.letter.regime, self.letter.right
        if what == "right":
            return right.section
        if what == "answer":
            return answer_section(regime, right.right)
        rule = regime.rights.get(what)
        return rule.section if rule else regime.sections.get(what)


def answer_section(regime: Regime, right: str) -> str | None:
    """Where the law says when to answer this right; a right with a period of its own has its own.

    None where the data do not say, so that no other right's section is cited for it.
    """
    own = regime.periods.get(right)
    if own is not None:
        return own.section or None
    return regime.sections.get("answer")


@pass_context
def _say(context: Context, *words: str) -> str:
    """A phrase by its name, `say("closing")` or `say("demand", id)`, without outer space."""
    name = "_".join(words).replace("-", "_")
    blocks = context.blocks.get(name)
    if not blocks:
        raise LookupError(f"the phrase {name!r} is missing")
    return "".join(blocks[0](context)).strip(" \t\n")


_SEEN: dict[type, frozenset[str]] = {
    kind: frozenset(f.name for f in fields(kind)) for kind in (LetterView, Known, Period)
}
_LOOP = frozenset({"first", "index", "last"})


class _Sandbox(ImmutableSandboxedEnvironment):
    """Reads the fields of a letter, calls what dsar hands it, and nothing else."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call(self, context: Context, obj: object, *args: object, **named: object) -> object:
        if obj is _say:
            return _say(context, *map(str, args))
        if type(obj) is _Citing:
            return obj(*map(str, args))
        raise SecurityError(f"{obj!r} cannot be called from a letter")

    def getattr(self, obj: object, attribute: str) -> object:
        if attribute in _SEEN.get(type(obj), ()):
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        return isinstance(obj, LoopContext) and attr in _LOOP

    def call_binop(
        self, context: Context, operator: str, left: object, right: object
    ) -> object:
        raise TypeError(f"{operator!r} is not for letters")

    def join_path(self, template: str, parent: str) -> str:
        """`next` is the rest of the stack; no other file can be reached from a template."""
        rest = parent.partition(_BAR)[2]
        if template != "next" or not rest:
            raise TemplateNotFound(template)
        return rest


class _Layers(BaseLoader):
    """Loads the first template of a stack named `0:de/access.txt.j2>0:de/demands.txt.j2>…`."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self.folders = folders

    def get_source(self, environment: Environment, template: str
                   ) -> tuple[str, str, Callable[[], bool]]:
        """Return the source, its path and that it has not changed."""
        number, _, path = template.partition(_BAR)[0].partition(":")
        file = self.folders[int(number)] / path
        return file.read_text(encoding="utf-8"), str(file), lambda: True


@lru_cache(maxsize=8)
def _environment(folders: tuple[Path, ...]) -> Environment:
    environment = _Sandbox(
        loader=_Layers(folders), undefined=StrictUndefined, autoescape=False, trim_blocks=True,
        lstrip_blocks=True, cache_size=-1, auto_reload=False,
    )
    environment.globals = {"say": _say, "next": "next"}
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    return environment


def tidy(text: str) -> str:
    """Join the lines of each paragraph; a list item and what follows a backslash start a line.

    Items are only looked for in a paragraph that begins with one: "4. December" begins none.
    """
    paragraphs: list[str] = []
    words, fresh = "", True
    for line in _SPACES.sub(" ", text).split("\n"):
        line = line.strip(" ")
        if not line:
            if words:
                paragraphs.append(words)
            words, fresh = "", True
            continue
        item = _ITEM.match(words) and _ITEM.match(line)
        joint = "" if not words else "\n" if fresh or item else " "
        fresh = line.endswith("\\")
        words += joint + (line[:-1].rstrip(" ") if fresh else line)
    return "\n\n".join([*paragraphs, words] if words else paragraphs)


def _place(fault: BaseException, folders: Sequence[Path]) -> str:
    """Where in which template it happened, as `letters/de/access.txt.j2:12`."""
    if isinstance(fault, TemplateSyntaxError):
        return _shown(fault.filename or fault.name or "", fault.lineno, folders)
    frames = traceback.extract_tb(fault.__traceback__)
    inside = [f for f in frames if f.filename.endswith(".j2")]
    return _shown(inside[-1].filename, inside[-1].lineno or 1, folders) if inside else "letters"


def _shown(filename: str, line: int, folders: Sequence[Path]) -> str:
    for folder in folders:
        if filename.startswith(str(folder)):
            return f"letters/{Path(filename).relative_to(folder)}:{line}"
    return f"{filename}:{line}"


def _said(fault: BaseException) -> str:
    if isinstance(fault, TemplateNotFound):
        return f"{fault.name!r} cannot be reached; a template extends only `next`"
    if isinstance(fault, RecursionError):
        return "phrases call each other without end"
    return str(fault.args[0] if fault.args else type(fault).__name__)




def render_paper(
    kind: str, language: str, facts: Mapping[str, object], templates: Sequence[Path]
) -> Rendered:
    """Return a paper of a campaign: `mandate`, `revocation`, `announcement` or `kit`.

    The template is `<language>/paper-<kind>.txt.j2`; facts: days, numbers, texts and tuples of
    texts, by name. Raises LetterIncomplete with template and line, as `render` does.
    """
    folders = tuple(templates)
    layers = _existing(folders, (language, language.partition("-")[0]), f"paper-{kind}")
    if not layers:
        raise LetterIncomplete(f"letters/{language}/paper-{kind}.txt.j2 does not exist.",
                               hint="dsar letter types shows the languages there are.")
    words = language_facts(language, folders)
    cleaned = {name: fact_in_words(name, value, words) for name, value in facts.items()}
    try:
        text = _environment(folders).get_template(layers[0]).render(
            facts=MappingProxyType(cleaned))
    except _FAULTS as fault:
        raise LetterIncomplete(f"{_place(fault, folders)}: {_said(fault)}") from fault
    headed = text.replace("\n## ", "\n\n## ")  # `{% endif %}` takes the line end behind it
    subject, _, body = tidy(headed).partition("\n\n")
    return Rendered(subject.replace("\n", " "), body, language)


def paper_languages(kind: str, templates: Sequence[Path]) -> frozenset[str]:
    """Return the languages that have this paper of a campaign."""
    return frozenset(p.parent.name for folder in templates
                     for p in folder.glob(f"*/paper-{kind}.txt.j2"))


_DOUBT = re.compile(r"\{#\s*unverified:\s*(.+?)\s*#\}", re.DOTALL)


def paper_doubts(kind: str, language: str, templates: Sequence[Path]) -> tuple[str, ...]:
    """What is unverified about a paper, as its template says: `{# unverified: … #}`."""
    folders = tuple(templates)
    layers = _existing(folders, (language, language.partition("-")[0]), f"paper-{kind}")
    if not layers:
        return ()
    number, _, path = layers[0].partition(":")
    found = (folders[int(number)] / path).read_text("utf-8")
    return tuple(" ".join(each.split()) for each in _DOUBT.findall(found))
