"""`dsar letter` as it is typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import Dsar
from docx import Document

TODAY = "2026-11-24"
CASE = """- id: X01
  token: DSAR-43KQ-3MS6
  data_subject: {name: Alex Example, mailbox: alex@example.org}
  message_ids: ["<1@example.org>"]
  outgoing_subject: "Access request [DSAR-43KQ-3MS6]"
  company: {slug: brightlist, name: BrightList Ltd, email: privacy@brightlist.example,
            aliases: [], domains: [brightlist.example]}
  right: access
  regime: eu-gdpr
  language: en
  sent: 2026-02-11
  due: 2026-03-11
  due_max: 2026-05-11
"""


@pytest.fixture
def with_case(dsar: Dsar, tmp_path: Path) -> Dsar:
    """A home with one request sent long ago."""
    dsar("person", "add", "alex-example", "--name", "Alex Example", "--email", "alex@example.org",
         "--residence", "DE-BE", "--address", "Musterweg 1", "--address", "10115 Berlin")
    (tmp_path / "case.yaml").write_text(CASE)
    dsar("case", "import", str(tmp_path / "case.yaml"), today="2026-06-20")
    return dsar


def test_types_lists_law_right_stage_and_languages(dsar: Dsar) -> None:
    items = dsar("letter", "types", "--law", "eu-gdpr", "--json").json["items"]
    access = next(i for i in items if i["right"] == "access" and i["stage"] == "request")
    assert {"de", "en", "fr"} <= set(access["languages"])


def test_types_marks_the_languages_nobody_but_the_author_has_read(dsar: Dsar) -> None:
    items = dsar("letter", "types", "--law", "eu-gdpr", "--json").json["items"]
    assert all({"ga", "mt", "is"} <= set(i["unreviewed"]) <= set(i["languages"])
               for i in items if "ga" in i["languages"])
    shown = dsar("letter", "types", "--law", "eu-gdpr").out
    assert {"ga*", "mt*", "is*", "en"} <= set(shown.split())
    assert shown.splitlines()[-1].startswith("* read by nobody but its author")
    assert max(map(len, shown.splitlines())) <= 80


def test_preview_shows_the_letter_and_sends_nothing(alex: Dsar) -> None:
    shown = alex("letter", "preview", "clearview-ai", today=TODAY)
    assert shown.out.startswith("Access request under Article 15 GDPR [DSAR-0000-0000]\n")
    assert "country of residence Germany" in " ".join(shown.out.split())
    assert alex("status", "--json").json["items"] == []


def test_preview_explains_what_was_chosen_and_what_is_told(alex: Dsar) -> None:
    said = alex("letter", "preview", "clearview-ai", "--explain", today=TODAY).err
    assert "Law: eu-gdpr" in said
    assert "Tells email: is where the answer goes" in said
    assert "face-photo" not in said


def test_preview_writes_a_document_only_to_a_file(alex: Dsar, tmp_path: Path) -> None:
    assert alex("letter", "preview", "clearview-ai", "--format", "docx", status=2).out == ""
    target = tmp_path / "letter.docx"
    alex("letter", "preview", "clearview-ai", "--format", "docx", "-o", str(target))
    assert target.read_bytes().startswith(b"PK")
    assert target.stat().st_mode & 0o777 == 0o600


def test_preview_as_mail_is_a_message(alex: Dsar) -> None:
    shown = alex("letter", "preview", "clearview-ai", "--format", "eml", today=TODAY).out
    assert "Subject: Access request under Article 15 GDPR [DSAR-0000-0000]" in shown
    assert "To: legal-requests@clearview.ai" in shown


def test_a_reminder_needs_a_request_that_was_sent(alex: Dsar) -> None:
    said = alex("letter", "preview", "clearview-ai", "--stage", "reminder", status=2).err
    assert "nothing to follow up" in said


def test_an_unknown_language_is_named(alex: Dsar) -> None:
    said = alex("letter", "preview", "clearview-ai", "--lang", "xx", status=6).err
    assert "no citation form in 'xx'" in said


def test_export_leaves_out_companies_without_a_case_and_says_so(alex: Dsar, tmp_path: Path
                                                                ) -> None:
    said = alex("letter", "export", "clearview-ai", "-o", str(tmp_path / "out"), status=3).err
    assert "clearview-ai: has no open case" in said
    assert list((tmp_path / "out").iterdir()) == []


def test_lint_finds_a_threat_in_the_users_own_template(alex: Dsar) -> None:
    assert "nothing wrong" in alex("letter", "lint", "--law", "eu-gdpr").err
    found = list(alex.home.rglob("people.yaml"))
    mine = found[0].parent / "templates" / "letters" / "en"
    mine.mkdir(parents=True)
    (mine / "access.txt.j2").write_text(
        "{% extends next %}{% block purpose %}I will claim damages!{% endblock %}")
    said = alex("letter", "lint", "--law", "eu-gdpr", status=6).err
    assert "sounds like a threat: damages" in said
    assert "is loud: !" in said


def test_a_reminder_quotes_the_case(with_case: Dsar) -> None:
    shown = with_case("letter", "preview", "brightlist", "--law", "eu-gdpr", "--stage", "reminder",
                      today="2026-06-20").out
    text = " ".join(shown.split())
    assert "[DSAR-43KQ-3MS6]" in text
    assert "On 11 February 2026 I sent you a request for access" in text
    assert "The period for your answer ended on 11 March 2026" in text
    assert "by 4 July 2026" in text


def test_a_reminder_in_time_says_nothing_of_a_lapse(with_case: Dsar) -> None:
    shown = with_case("letter", "preview", "brightlist", "--law", "eu-gdpr", "--stage", "reminder",
                      today="2026-03-11").out
    assert "ended" not in shown


def test_a_complaint_needs_an_authority_and_goes_to_it(with_case: Dsar, tmp_path: Path) -> None:
    base = ("letter", "preview", "brightlist", "--law", "eu-gdpr", "--stage", "complaint")
    unknown = with_case(*base, "--authority", "xx-none", status=2, today="2026-06-20").err
    assert "--authority" in unknown
    shown = with_case(*base, "--authority", "de-berlbdi", "--lang", "de", today="2026-06-20").out
    assert re.match("Beschwerde (über|gegen) BrightList Ltd: ", shown)
    assert "11. Februar 2026" in shown
    target = tmp_path / "complaint.docx"
    with_case(*base, "--format", "docx", "-o", str(target), today="2026-06-20")
    recipient = Document(str(target)).paragraphs[1].text
    assert "Berliner Beauftragte" in recipient


def test_export_of_an_open_case_carries_its_reference(with_case: Dsar, tmp_path: Path) -> None:
    with_case("letter", "export", "brightlist", "--law", "eu-gdpr", "-o", str(tmp_path / "out"),
              "--format", "text", today="2026-06-20")
    kept = tmp_path / "out" / "DSAR-43KQ-3MS6-brightlist.txt"
    assert "[DSAR-43KQ-3MS6]" in kept.read_text()


def test_a_letter_may_ask_for_source_and_recipients_alone(alex: Dsar) -> None:
    text = alex("letter", "preview", "clearview-ai", "--lang", "en", "--demand", "source",
                  "--demand", "recipients").out
    assert "1. the recipients" in text
    assert "2. where the data come from" in text
    assert "3." not in text
    failed = alex("letter", "preview", "clearview-ai", "--demand", "nonsense", status=2)
    assert "lists no nonsense" in failed.err


def test_a_letter_opens_in_a_mail_program(alex: Dsar) -> None:
    link = alex("letter", "preview", "clearview-ai", "--lang", "de", "--format", "mailto").out
    assert link.startswith("mailto:legal-requests@clearview.ai?subject=Antrag")
    assert "%0D%0A" in link
    assert "\n" not in link.strip()
