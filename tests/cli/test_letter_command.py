"""`dsar letter` as it is typed."""

from __future__ import annotations

from pathlib import Path

from command import Dsar

TODAY = "2026-11-24"


def test_types_lists_law_right_stage_and_languages(dsar: Dsar) -> None:
    items = dsar("letter", "types", "--law", "eu-gdpr", "--json").json["items"]
    access = next(i for i in items if i["right"] == "access" and i["stage"] == "request")
    assert {"de", "en", "fr"} <= set(access["languages"])


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
