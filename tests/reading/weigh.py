"""Learns the weights of the second reader from the examples that may be learned from.

    python tests/reading/weigh.py        (needs scikit-learn: pip install -e '.[train]')

Files named *_unseen are only scored, and never learned from. Run it when examples or rules have
changed, and look at what tests/reading says before the new weights are kept.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage
from itertools import accumulate
from pathlib import Path
from typing import Any

from dsar import shipped, yamlfile
from dsar.core.message import Label, Message
from dsar.mail.parse import parse
from dsar.reading.classify import words_of
from dsar.reading.decide import FINAL
from dsar.reading.features import features
from dsar.reading.lexicon import languages
from dsar.reading.opinion import unit_of

EXAMPLES = Path(__file__).parent / "examples"
COURTESIES = Path(__file__).parent / "courtesies.yaml"
SHORT = 160
"""Characters of an example that has no courtesies of its own."""
LABELS = frozenset(map(str, Label))
ENDS = frozenset(map(str, FINAL))
NEVER = ENDS | {str(Label.PARTIAL_FULFILMENT), str(Label.PHISHING_SUSPECT)}
ROUNDS = 2
"""How often examples without a label are given one anew."""
STRENGTH = 60.0
STRENGTH_OF_ENDS = 30.0
"""The inverse of the regularisation, of labels and of ends."""
COLUMNS = ("name", "language", "kind", "labels", "neutral", "due", "subject", "body")
"""Of the files of strangers' letters that tell everything."""
Features = frozenset[str]
LEAST = {True: 3, False: 2}
"""In how many examples a class or concept, and a word, must occur."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """One invented letter; labels: the main one first, none where only no end was said.

    neutral: labels that are neither right nor wrong. plain: said outright. due: the date it makes
    due, "none", or "" where that is not known.
    """

    name: str
    language: str
    labels: tuple[str, ...]
    subject: str = ""
    body: str
    neutral: tuple[str, ...] = ()
    plain: bool = True
    due: str = ""


def examples_of(path: Path) -> Iterator[Example]:
    """All examples of a file; the oldest have no columns but tell language and labels by value."""
    for number, row in enumerate(yamlfile.read(path).value["examples"]):
        texts = [str(cell) for cell in row]
        if len(texts) == len(COLUMNS):
            named = dict(zip(COLUMNS, texts, strict=True))
            yield Example(
                name=named["name"], language=named["language"], labels=_split(named["labels"]),
                neutral=_split(named["neutral"]), plain=named["kind"] == "P", due=named["due"],
                subject=named["subject"], body=named["body"])
            continue
        language = next((t for t in texts if t in languages()), path.stem)
        labels = next((t for t in texts if t and set(t.split("+")) <= LABELS), "")
        words = [t for t in texts if t not in (language, labels)]
        subject = words[-2] if len(words) > 1 and len(row) > 3 else ""
        yield Example(name=f"{path.stem}-{number}", language=language, labels=_split(labels),
                      subject=subject, body=words[-1])


def _split(labels: str) -> tuple[str, ...]:
    return tuple(labels.split("+")) if labels else ()


def wrapped(examples: Sequence[Example]) -> Iterator[Example]:
    """Short examples once more, with the courtesies that stand around an answer."""
    words = yamlfile.read(COURTESIES).value["languages"]
    for number, example in enumerate(examples):
        openings, closings = words[example.language]
        if len(example.body) < SHORT and example.labels != ("unrelated",):
            opening, closing = openings[number % 3], closings[number // 3 % 3]
            yield replace(example, body=f"{opening} {example.body} {closing}")


def learned_files() -> list[Path]:
    """The files that may be learned from."""
    return sorted(p for p in EXAMPLES.glob("*.yaml") if not p.stem.endswith("_unseen"))


def digest_of(paths: list[Path]) -> str:
    """One digest of all examples learned from."""
    return hashlib.sha256(b"".join(p.read_bytes() for p in paths)).hexdigest()


def received(subject: str, body: str) -> Message:
    """The letter as it comes in: quoted parts are split off by the parser."""
    mail = EmailMessage()
    mail["From"], mail["To"] = "privacy@acme.example", "jo@example.net"
    mail["Message-ID"], mail["Date"] = "<x@acme.example>", "Tue, 10 Mar 2026 10:00:00 +0000"
    mail["Subject"] = subject
    mail.set_content(body, cte="8bit")
    return parse(mail.as_bytes(), trusted_authserv=())


def features_of(example: Example) -> frozenset[str]:
    """What the second reader would see of an example."""
    message = received(example.subject or "Re: request", example.body)
    words = words_of(message, fallback=example.language)
    return frozenset(features(words.tagged, words.hits, words.language))


def main() -> None:
    """Learn, and write dsar/reading/weights.txt."""
    paths = learned_files()
    bare = [e for path in paths for e in examples_of(path)]
    examples = [(features_of(e), e) for e in (*bare, *wrapped(bare))]
    model = learn(examples, len(bare))
    _write(model, digest_of([*paths, COURTESIES]))
    print(f"{len(examples)} examples, {len(model.names)} features")


@dataclass(frozen=True)
class Model:
    """names: of the features. rows: per feature one weight a label. bias: per label.

    The last column is not of a label, but of an end.
    """

    names: list[str]
    labels: list[str]
    rows: list[list[float]]
    bias: list[float]

    def scores(self, found: Features) -> list[float]:
        """Per label, and for an end."""
        known = [row for name, row in zip(self.names, self.rows, strict=True) if name in found]
        unit = unit_of(len(known))
        return [b + unit * sum(row[i] for row in known) for i, b in enumerate(self.bias)]


def learn(examples: Sequence[tuple[Features, Example]], bare: int) -> Model:
    """Labels, where there are any; and what is an end, from all examples.

    bare: how many of them, from the first, count when it is asked what occurs often enough.

    An example of which it is only known that it is no end bears the likeliest label that is none.
    """
    labelled = [(found, e.labels[0]) for found, e in examples
                if e.labels and e.labels[0] != "unclear"]
    nameless = [found for found, e in examples if not e.labels]
    ends = [bool(ENDS.intersection(e.labels)) for _, e in examples]
    counts = Counter(name for found, _ in examples[:bare] for name in found)
    names = sorted(n for n, c in counts.items() if c >= LEAST[n[:2] in ("c:", "b:", "h:")])
    place = {name: i for i, name in enumerate(names)}
    end = _fitted([found for found, _ in examples], ends, place, STRENGTH_OF_ENDS)
    model = _joined(_fitted(*zip(*labelled, strict=True), place, STRENGTH), end, names)
    for _ in range(ROUNDS):
        guessed = [(found, _likeliest(model, found)) for found in nameless]
        told = _fitted(*zip(*labelled, *guessed, strict=True), place, STRENGTH)
        model = _joined(told, end, names)
    return model


def _fitted(
    found: Sequence[Features], wanted: Sequence[str | bool], place: dict[str, int], strength: float
) -> Any:
    """Logistic regression over the features in `place`."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    known = [[place[name] for name in one if name in place] for one in found]
    values = [unit_of(len(one)) for one in known for _ in one]
    starts = [0, *accumulate(len(one) for one in known)]
    table = csr_matrix((values, [i for one in known for i in one], starts),
                       shape=(len(known), len(place)))
    weight = "balanced" if isinstance(wanted[0], str) else None
    return LogisticRegression(C=strength, max_iter=1000, class_weight=weight).fit(table, wanted)


def _joined(told: Any, end: Any, names: list[str]) -> Model:
    rows = [[*row, last] for row, last in zip(told.coef_.T.tolist(), end.coef_[0].tolist(),
                                              strict=True)]
    return Model(names, list(map(str, told.classes_)), rows,
                 [*told.intercept_.tolist(), *end.intercept_.tolist()])


def _likeliest(model: Model, found: Features) -> str:
    scores = dict(zip(model.labels, model.scores(found)[:-1], strict=True))
    return max(scores.keys() - NEVER, key=lambda label: scores[label])


def _write(model: Model, digest: str) -> None:
    scale = max(abs(w) for row in model.rows for w in row) / 127
    head = ["# Learned by tests/reading/weigh.py; made anew, not edited.",
            f"labels: {' '.join(model.labels)}", f"scale: {scale:.6g}",
            f"bias: {' '.join(f'{b:.4f}' for b in model.bias)}", f"examples: {digest}"]
    rows = [(name, bytes(128 + round(w / scale) for w in row))
            for name, row in zip(model.names, model.rows, strict=True)]
    blocks: dict[str, list[str]] = {}
    for name, row in rows:
        if set(row) != {128}:
            prefix = name.partition(":")[0]
            of = prefix if prefix in languages() else "any"
            blocks.setdefault(of, []).append(f"{name}\t{row.hex()}")
    parts = ["\n".join(head), *("\n".join([of, *lines]) for of, lines in sorted(blocks.items()))]
    shipped.data("reading/weights.txt").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
