"""The words of a law stand in its letters, and no words of another (letters/terms.yaml)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from letter_samples import FOLDERS

from dsar import yamlfile
from dsar.core.letter import Rendered, Stage
from dsar.core.regime import Regime
from dsar.letters.catalogue import letter_types
from dsar.letters.lint import begin_with
from dsar.letters.sample import sample_letter
from dsar.letters.words import languages, render

TERMS: dict[str, Any] = yamlfile.read(FOLDERS[0] / "terms.yaml").value
KNOWN = set(languages(FOLDERS))
WRITTEN = [code for code in TERMS if code.partition("-")[0] in KNOWN]
CONFUSED = ("objection", "withdraw-consent")
"""Rights whose everyday names are mixed up with each other and with the complaint."""

SHARED_GROUPS = {
    "access": ("rights", "right_of_access"), "erasure": ("rights", "right_to_erasure"),
    "rectification": ("rights", "right_to_rectification"),
    "restriction": ("rights", "right_to_restriction"),
    "portability": ("rights", "right_to_data_portability"),
    "objection": ("rights", "right_to_object"),
    "withdraw-consent": ("consent", "withdrawal_of_consent"),
}


def letter_of(laws: dict[str, Regime], code: str, right: str, stage: Stage = Stage.REQUEST
              ) -> Rendered:
    """One letter to an invented company, in the language and under the law of an entry."""
    law = laws[TERMS[code]["law"]]
    return render(sample_letter(law, right, stage, code.partition("-")[0]), FOLDERS)


def every_text(laws: dict[str, Regime], code: str) -> Iterator[tuple[str, str]]:
    """All letters of an entry, with a name for each; without what is told of the company."""
    for kind in letter_types([laws[TERMS[code]["law"]]], FOLDERS):
        if code.partition("-")[0] in kind.languages:
            found = letter_of(laws, code, kind.right, kind.stage)
            yield f"{kind.right} {kind.stage}", f"{found.subject}\n{found.body}"


def missing(text: str, entry: dict[str, Any]) -> bool:
    """Whether no stem of the entry begins a word of the text."""
    return not begin_with(text, entry["stems"])


@pytest.mark.parametrize("code", WRITTEN)
def test_the_subject_names_the_right_as_the_law_does(laws: dict[str, Regime], code: str) -> None:
    wrong = [right for right, entry in TERMS[code]["rights"].items()
             if missing(letter_of(laws, code, right).subject, entry)]
    assert not wrong


@pytest.mark.parametrize("code", WRITTEN)
def test_the_access_request_lists_in_the_words_of_the_law(laws: dict[str, Regime], code: str
                                                          ) -> None:
    body = letter_of(laws, code, "access").body
    assert not [word for word, entry in TERMS[code]["words"].items() if missing(body, entry)]


@pytest.mark.parametrize("code", WRITTEN)
def test_a_complaint_is_called_as_the_law_calls_it(laws: dict[str, Regime], code: str) -> None:
    assert not missing(letter_of(laws, code, "access", Stage.COMPLAINT).subject,
                       TERMS[code]["complaint"])


@pytest.mark.parametrize("code", WRITTEN)
def test_objection_withdrawal_and_complaint_are_three_words(laws: dict[str, Regime], code: str
                                                            ) -> None:
    rights = {right: entry["stems"] for right, entry in TERMS[code]["rights"].items()
              if right in CONFUSED}
    stems = {**rights, "complaint": TERMS[code]["complaint"]["stems"]}
    subjects = {right: letter_of(laws, code, right).subject for right in rights}
    subjects["complaint"] = letter_of(laws, code, "access", Stage.COMPLAINT).subject
    for of, subject in subjects.items():
        others = [stem for other, found in stems.items() if other != of for stem in found]
        assert not begin_with(subject, others), of


@pytest.mark.parametrize("code", WRITTEN)
def test_no_letter_uses_a_word_of_another_law_remedy_or_party(laws: dict[str, Regime], code: str
                                                              ) -> None:
    never = TERMS[code]["never"]
    texts = dict(every_text(laws, code))
    assert len(texts) > 15
    wrong = [f"{name}: {word}" for name, text in texts.items() for word in begin_with(text, never)]
    assert not wrong


def test_every_language_with_letters_has_its_terms() -> None:
    assert set(TERMS) >= KNOWN


@pytest.mark.parametrize("code", WRITTEN)
def test_every_term_has_a_source(code: str) -> None:
    header = (FOLDERS[0] / "terms.yaml").read_text(encoding="utf-8").partition("\nen:")[0]
    entry = TERMS[code]
    for found in (*entry["rights"].values(), *entry["words"].values(), entry["complaint"]):
        assert found["official"]
        assert found["source"]
        for source in found["source"]:
            assert re.search(rf"\b{source.partition('_')[0]}\b", header), source


@pytest.mark.skipif(not os.environ.get("DSAR_SHARED"), reason="DSAR_SHARED names no folder")
@pytest.mark.parametrize("code", [c for c in TERMS if "-" not in c])
def test_the_official_terms_are_those_of_the_legal_facts_base(code: str) -> None:
    path = Path(os.environ["DSAR_SHARED"]) / "law" / "terms.yaml"
    known = yamlfile.read(path).value["languages"][code]["terms"]
    flat = {name: text for group in known.values() for name, text in group.items()}
    entry = TERMS[code]
    for right, found in entry["rights"].items():
        assert found["official"] == known[SHARED_GROUPS[right][0]][SHARED_GROUPS[right][1]]
    for word, found in entry["words"].items():
        assert found["official"] == flat[word]
    assert entry["complaint"]["official"] == flat["lodge_a_complaint"]
