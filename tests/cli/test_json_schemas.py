"""Everything printed with --json is described by a schema that ships with the package."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from command import Dsar, write_companies
from inprocess import Here, fill, reply

from dsar import cli as command_line
from dsar import shipped
from dsar.cli import cli

FOLDER = shipped.data("schemas")
EXAMPLE = {"regime": "eu-gdpr", "received": "2026-11-22", "right": "access"}
LIST = ("Data broker name:,Data broker primary contact email address:,"
        "Data broker primary website:\nAcme Data LLC,privacy@acme.example,https://acme.example\n")

ANSWERS: dict[str, tuple[str, ...]] = {
    "status": ("status",), "deadlines": ("deadlines",), "case list": ("cases",),
    "case show": ("case", "T02"), "inbox list": ("inbox",), "inbox show": ("message",),
    "person list": ("people",), "person show": ("person",), "doctor": ("doctor",),
    "account list": ("accounts",), "account test": ("account-test",),
    "account limits": ("limits",), "version": ("version",), "queue list": ("queue",),
    "plan": ("plan", "acxiom", "pimeyes"), "law list": ("laws",), "law show": ("laws", "uk-gdpr"),
    "law applies": ("applies", "clearview-ai", "--residence", "DE"),
    "law authority": ("authorities",), "registry list": ("companies",),
    "registry search": ("companies", "face"), "registry show": ("company", "clearview-ai"),
    "registry check": ("problems",), "registry diff": ("differences",),
    "schedule show": ("schedule",), "letter types": ("letters",),
    "report": ("report", "json"),
    "letter lint": ("lint", "--law", "eu-gdpr"), "case check": ("completeness", "T03"),
    "case evidence": ("evidence", "T01", "-o", "evidence.zip"),
    "complain": ("complaint", "T06", "--format", "text", "-o", "complaint"),
}
"""Command → noun of its schema, and the arguments it is tried with here."""

ELSEWHERE = {"case import", "registry pull", "inbox read", "poll", "run", "send", "law due",
             "backup", "restore", "forget person", "forget company", "forget older-than",
             "export", "remind", "verify-erasure",
             "store copy", "store check", "store migrate", "store rebuild",
             "campaign list", "campaign targets", "campaign add-members", "campaign members",
             "campaign import", "campaign send", "campaign remind", "campaign progress",
             "campaign report"}
"""Commands whose answers have tests of their own, below or in their rooms."""

SILENT = {
    "demo", "init", "account add", "account login", "account resume",
    "person add", "person edit", "registry add",
    "registry exclude", "registry verify", "registry import", "registry export", "letter preview",
    "letter export", "queue cancel", "queue show", "registry in-use", "inbox assign",
    "inbox ignore", "case note", "case set",
    "case extend", "case close", "case reopen", "schedule install",
    "passphrase set", "passphrase change", "passphrase remove",
    "inbox unfile", "inbox triage", "inbox export-examples", "id prepare",
    "campaign init", "campaign change", "campaign consent", "campaign leave",
    "campaign mandate issue", "campaign mandate sign", "campaign mandate revoke",
    "campaign mandate withdraw", "campaign kit", "campaign approve", "campaign withdraw",
    "campaign pause", "campaign resume", "campaign announce", "campaign work",
    "campaign close", "campaign export", "campaign forget", "campaign assign", "campaign pack",
    "campaign join", "campaign confirm",
}
"""Commands that change something or write a file, and answer with no data."""

STATUS = {"case", "company", "person", "right", "regime", "status", "sent_on", "due",
          "extended_due", "days_left", "needs_you", "next"}
READ = {"file", "message_id", "case", "candidates", "evidence", "label", "labels", "confidence",
        "sentence", "language", "new_due_on", "suspicious"}
DUE = {"in_force", "due", "strict_due", "charitable_due", "extended_due", "extension_notice_due",
       "ack_due", "steps", "cites"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Here:
    """A home with several cases."""
    found = Here(tmp_path / "home", monkeypatch, capsys)
    fill(found, tmp_path)
    return found


def schema(noun: str) -> Any:
    return json.loads((FOLDER / f"{noun}.json").read_text())


def check(noun: str, value: Any) -> None:
    """Validate with formats checked; the error names the place."""
    jsonschema.validate(value, schema(noun), cls=jsonschema.Draft202012Validator,
                        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def leaves(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, f"{path}{name} ")
        else:
            yield path + name, command


def emitted() -> set[str]:
    """The nouns that the sources of the command line emit as literals."""
    found = set()
    for path in Path(command_line.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and (
                    node.func.attr == "emit") and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
    return found


def test_every_schema_is_a_schema_with_the_id_of_its_file() -> None:
    for path in FOLDER.glob("*.json"):
        found = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(found)
        assert found["$id"] == f"dsar.{path.stem}/1"
        assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_noun_that_is_emitted_has_a_schema_and_none_is_left_over() -> None:
    schemas = {path.stem for path in FOLDER.glob("*.json")}
    assert emitted() <= schemas
    streams = {"error", "send", "remind", "poll", "run", "inbox-read", "due"}
    assert schemas - streams - {noun for noun, *_ in ANSWERS.values()} - emitted() == set()


def test_every_command_answers_with_json_under_a_schema_or_is_known_to_be_silent() -> None:
    known = set(ANSWERS) | ELSEWHERE | SILENT
    new = {path for path, _ in leaves(cli)} - known
    assert not new, "give each a schema and a test of it, or name it as silent"


@pytest.mark.parametrize("command", ANSWERS)
def test_the_json_of_a_command_keeps_its_schema(command: str, here: Here) -> None:
    noun, *arguments = ANSWERS[command]
    if "-o" in arguments:
        arguments[-1] = str(here.home / arguments[-1])
    if command == "inbox show":
        arguments = [here.items("inbox", "list")[0]["message"]]
    if command == "registry diff":
        pull(here)
    shown = here(*command.split(), *arguments, "--json", status=None)
    check(noun, shown.json)
    if command not in ("registry diff", "queue list", "letter lint"):
        assert shown.json["items"], "a test with no items shows nothing"
    if shown.status:
        check("error", json.loads(shown.err))


def test_an_empty_home_answers_with_empty_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = Here(tmp_path / "home", monkeypatch, capsys)
    for command in ("status", "deadlines", "case list", "inbox list", "person list",
                    "account list", "queue list", "registry diff"):
        found = empty(*command.split(), "--json").json
        check(ANSWERS[command][0], found)
        assert found["items"] == []
    made = set(empty.home.iterdir()) if empty.home.exists() else set()
    assert made <= {empty.home / "cache"}, "reading makes nothing but a cache"


def pull(here: Here) -> Any:
    path = here.home / "cppa.csv"
    path.write_text(LIST)
    return here("registry", "pull", "cppa", "--from", str(path), "--as-of", "2026-06", "-y",
                "--json").json


def test_the_json_of_a_pull_keeps_its_schema(here: Here) -> None:
    check("pulls", pull(here))


def test_the_json_of_an_import_keeps_its_schema(here: Here, tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text(
        "id,token,name,slug,company,regime,sent\n"
        "X1,DSAR-43KQ-3MS6,Alex,x1,X One,eu-gdpr,2026-11-01\n"
        "X2,none,Alex,x2,X Two,eu-gdpr,2026-11-01\n")
    shown = here("case", "import", str(tmp_path / "more.csv"), "--json", status=3)
    check("import", shown.json)
    check("error", json.loads(shown.err))
    assert shown.json["summary"]["problems"]


def test_the_json_of_a_backup_and_of_bringing_it_back_keep_their_schemas(
    here: Here, tmp_path: Path
) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse battery staple\n")
    secret.chmod(0o600)
    options = (str(tmp_path / "home.backup"), "--passphrase-file", str(secret), "--json")
    check("backup", here("backup", *options).json)
    back = here("restore", *options, "--home", str(tmp_path / "again"))
    check("restore", back.json)


def test_each_line_of_inbox_read_keeps_its_schema(here: Here, tmp_path: Path) -> None:
    shown = here("inbox", "read", str(tmp_path), "--dry-run", "--json", status=None)
    assert len(shown.lines) >= 4
    for item in shown.lines:
        check("inbox-read", item)
    assert {type(item["case"]) for item in shown.lines} >= {str, type(None)}


def test_each_line_of_a_poll_keeps_its_schema(here: Here) -> None:
    (here.home / "mail" / "new" / "1.host").write_bytes(
        reply(4, "Your request will be answered within two further months, until 2027-02-01."))
    lines = here("poll", "--json").lines
    assert [line["case"] for line in lines] == ["T04"]
    for item in lines:
        check("poll", item)


def test_each_line_of_a_run_keeps_its_schema(here: Here) -> None:
    (here.home / "mail" / "new" / "1.host").write_bytes(reply(4, "We have your request."))
    here("send", "acxiom", "--confirm", "1", status=5)
    lines = here("run", "--json", status=None).lines
    for item in lines:
        check("run", item)
    assert {"label" in item for item in lines} == {True, False}


def test_each_line_of_a_plan_and_of_sending_keeps_its_schema(here: Here) -> None:
    shown = here("send", "--all", "-n", "--json").lines
    for item in shown:
        check("send", item)
    assert {"to" in item for item in shown} == {True, False}
    outcome = here("send", "acxiom", "--confirm", "1", "--json", status=5)
    for item in outcome.lines:
        check("send", item)
    check("error", json.loads(outcome.err))
    waiting = here("send", "acxiom", "-n", "--json").lines
    assert [item.get("queued") for item in waiting] == [True]
    check("send", waiting[0])
    check("plan", here("plan", "acxiom", "--json").json)
    check("queue", here("queue", "list", "--json").json)


def test_each_line_of_a_reminder_keeps_its_schema(here: Here) -> None:
    here("registry", "verify", "c6", "-y")
    shown = here("remind", "--all", "-n", "--json").lines
    assert {"to" in item for item in shown} == {True, False}
    for item in shown:
        check("remind", item)
    outcome = here("remind", "T06", "--confirm", "1", "--json", status=5)
    for item in outcome.lines:
        check("remind", item)
    waiting = here("remind", "T06", "-n", "--json").lines
    assert [item.get("queued") for item in waiting] == [True]
    check("remind", waiting[0])


def test_outcomes_of_a_real_server_keep_their_schema(on_lab: Dsar) -> None:
    write_companies(on_lab.home, {"one": "dpo@one.example", "two": "dpo@two.example"})
    lines = on_lab("send", "one", "two", "--confirm", "2", "--json").lines
    assert [line["outcome"] for line in lines] == ["sent", "sent"]
    for item in lines:
        check("send", item)
    check("status", on_lab("status", "--json").json)
    check("case", on_lab("case", "show", lines[0]["case"], "--json").json)


def test_due_dates_keep_their_schema_one_by_one_and_as_lines(here: Here) -> None:
    check("due", here("law", "due", "--regime", "eu-gdpr", "--received", "2026-11-22",
                      "--json").json)
    given = "\n".join(map(json.dumps, (EXAMPLE, EXAMPLE | {"id": "v1"}, {"regime": "nope"})))
    lines = here("law", "due", "-", given=given, status=3).lines
    for item in lines:
        check("due", item)
    assert set(lines[0]) >= DUE
    assert lines[1]["id"] == "v1"
    assert lines[2]["schema"] == "dsar.error/1"


def test_the_shapes_that_scripts_rely_on_are_required() -> None:
    def required(noun: str) -> set[str]:
        return set(schema(noun)["properties"]["items"]["items"]["required"])

    assert required("applies") == {"regime", "strength", "because"}
    assert required("problems") == {"path", "line", "slug", "problem", "hint"}
    assert required("status") == STATUS | {"why", "company_name"}
    assert set(schema("inbox-read")["required"]) == READ | {"why", "new"}
    assert set(schema("poll")["required"]) == READ | {"why", "new"}
    letter, _queued, skip, _outcome, filed = schema("send")["oneOf"]
    assert set(letter["required"]) == {
        "company", "to", "right", "regime", "lang", "learns", "covers", "because"}
    assert set(skip["required"]) == {"company", "skipped", "why", "next"}
    assert set(filed["required"]) == {"case", "to", "message_id", "outcome"}
    assert all(set(shape["required"]) >= DUE for shape in schema("due")["oneOf"][:2])


def test_a_case_is_described_alike_wherever_it_stands() -> None:
    status = schema("status")["properties"]["items"]["items"]["properties"]
    for noun in ("cases", "deadlines", "case"):
        other = schema(noun)["properties"]["items"]["items"]["properties"]
        assert {key: other[key] for key in status} == status


def test_an_undocumented_field_is_noticed(here: Here) -> None:
    found = here("status", "--json").json
    found["items"][0]["colour"] = "red"
    with pytest.raises(jsonschema.ValidationError, match="colour"):
        check("status", found)


@pytest.mark.parametrize(("arguments", "code"), [
    (("send",), 2), (("status", "--nope"), 2), (("case", "show", "nope"), 2),
    (("send", "acxiom", "--again"), 2), (("person", "show", "nobody"), 6),
    (("send", "acxiom"), 8), (("send", "acxiom", "--confirm", "1", "--offline"), 7),
])
def test_an_error_is_one_object_on_stderr(
    arguments: tuple[str, ...], code: int, here: Here
) -> None:
    shown = here(*arguments, "--json", status=None)
    found = json.loads(shown.err)
    check("error", found)
    assert (found["code"], shown.status) == (code, code)
    assert shown.out == ""
    assert found["message"]
