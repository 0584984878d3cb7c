"""What hostile data and hostile templates cannot do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from letter_samples import FOLDERS, MakeLetter

from dsar.core.letter import Disclosure
from dsar.core.subject import Identifier
from dsar.errors import LetterIncomplete
from dsar.letters.document import as_text
from dsar.letters.view import clean
from dsar.letters.words import render

ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ letter.__class__.__init__.__globals__ }}",
    "{{ cite.__globals__ }}",
    "{{ say.__code__ }}",
    "{{ letter.date.format(1) }}",
    "{{ '{0.__class__}'.format(letter) }}",
    "{{ '%s' % letter }}",
    "{{ 'a' * 1000000000 }}",
    "{{ 9 ** 999999 }}",
    "{{ range(10) }}",
    "{{ lipsum }}",
    "{{ cycler }}",
    "{{ self.salutation() }}",
    "{{ letter.disclosures.append(1) }}",
    "{{ letter.demands.count('copy') }}",
    "{{ facts.update({}) }}",
    "{{ letter | attr('__class__') }}",
    "{{ letter.subject.identifiers }}",
    "{{ 'a' | center(1000000000) }}",
    "{% include 'request' %}",
    "{% include '../../../etc/passwd' %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% from 'en/phrases.txt.j2' import x %}",
    "{{ say('salutation_that_is_not_there') }}",
    "{{ cite('no-such-section') }}",
    "{% set letter.name = 'Mallory' %}",
    "{% set x = namespace(a=1) %}",
    "{% do letter.x %}",
    "{{ debug() }}",
    "{% block a %}{{ say('purpose') }}{% endblock %}{% for x in letter %}{% endfor %}",
    "{{ say('purpose') }}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_a_template_reaches_nothing_beyond_the_letter(make_letter: MakeLetter, tmp_path: Path,
                                                      source: str) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "access.txt.j2").write_text(
        "{% extends next %}{% block purpose %}" + source + "{% endblock %}", encoding="utf-8")
    with pytest.raises(LetterIncomplete, match=r"letters"):
        render(make_letter(), (tmp_path, *FOLDERS))


@pytest.mark.parametrize("name", [
    "{{ 7 * 7 }}", "{% include 'x' %}", "{# hidden #}", "{{ letter.reference }}", "${7*7}", "%s%n",
])
def test_template_syntax_in_a_name_stays_text(make_letter: MakeLetter, name: str) -> None:
    letter = make_letter()
    hostile = replace(letter, subject=replace(letter.subject, name=name))
    assert name in render(hostile, FOLDERS).body


@pytest.mark.parametrize("name", [
    "Alex\nBcc: victim@example.net", "Alex\r\n\r\n1. delete everything", "Alex\x00\x07 Example",
    "Alex\u202eelpmaxE", "Alex\u2066Example\u2069", "Alex\u2028Example", "Alex\x85Example",
    "Alex\ufeffExample", "Alex\tExample",
])
def test_a_name_stays_in_its_line(make_letter: MakeLetter, name: str) -> None:
    letter = make_letter()
    hostile = replace(letter, subject=replace(letter.subject, name=name))
    plain = render(letter, FOLDERS)
    rendered = render(hostile, FOLDERS)
    assert rendered.body.count("\n") == plain.body.count("\n")
    assert len(rendered.body.splitlines()) == len(plain.body.splitlines())
    assert not any(c in rendered.body for c in "\r\x00\x07\u202e\u2066\u2069\u2028\x85\ufeff\t")


def test_a_name_of_ten_thousand_characters_is_refused(make_letter: MakeLetter) -> None:
    letter = make_letter()
    with pytest.raises(LetterIncomplete, match="10000 characters"):
        render(replace(letter, subject=replace(letter.subject, name="A" * 10_000)), FOLDERS)


@pytest.mark.parametrize("name", ["", "   ", "\u202e\u200b", "\x00"])
def test_an_empty_name_is_refused(make_letter: MakeLetter, name: str) -> None:
    letter = make_letter()
    with pytest.raises(LetterIncomplete, match="empty"):
        render(replace(letter, subject=replace(letter.subject, name=name)), FOLDERS)


def test_names_of_all_scripts_are_kept(make_letter: MakeLetter) -> None:
    letter = make_letter()
    for name in ("Ελένη Παράδειγμα", "Łucja Przykład", "Ганна Приклад", "علی\u200cرضا", "例 花子"):
        assert name in render(replace(letter, subject=replace(letter.subject, name=name)),
                              FOLDERS).body


def test_a_template_sees_no_identifier_that_is_not_told(make_letter: MakeLetter) -> None:
    letter = make_letter()
    secret = Identifier("national-id", "ID-SECRET-1")
    known = replace(letter.subject, identifiers=(secret,))
    assert "ID-SECRET-1" not in as_text(render(replace(letter, subject=known), FOLDERS))


def test_a_told_identifier_is_cleaned_like_every_value(make_letter: MakeLetter) -> None:
    told = Disclosure(identifier=Identifier("username", "alex\nexample {{ 1 }}"), reason="test")
    body = render(make_letter(disclosures=(told,)), FOLDERS).body
    assert "user name alex example {{ 1 }}." in body


@settings(max_examples=200)
@given(st.text(min_size=1, max_size=200))
def test_a_cleaned_value_is_one_line_and_cleaning_again_changes_nothing(value: str) -> None:
    try:
        cleaned = clean(value, "the value")
    except LetterIncomplete:
        return
    assert len(cleaned.splitlines()) == 1
    assert clean(cleaned, "the value") == cleaned
