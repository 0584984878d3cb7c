"""What the issue on sending asks for, with the real command and real servers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from command import ALEX, Dsar, lab_options, plain_account
from servers.maillab import MailLab

HEAD = "schema: dsar.companies/1\ncompanies:\n"
ENTRY = """  {slug}:
    name: Company {slug}
    country: DE
    categories: [data-broker]
    contacts:
      - {{kind: {kind}, value: "{value}", source: invented, checked: {checked}{more}}}
    laws: [eu-gdpr]
    languages: [en]
    checked: 2026-11
"""


def entry(slug: str, value: str, *, kind: str = "email", checked: str = "2026-11-01",
          more: str = "") -> str:
    return ENTRY.format(slug=slug, kind=kind, value=value, checked=checked, more=more)


def fifteen() -> str:
    """Nine with an address of their own, three that share one, two held, one web form."""
    return HEAD + "".join((
        *(entry(f"c{n}", f"dpo@c{n}.example") for n in range(9)),
        *(entry(f"s{n}", "privacy@parent.example") for n in range(3)),
        entry("stale", "dpo@stale.example", checked="2024-01-01"),
        entry("doubtful", "dpo@doubtful.example", more=", status: suspect"),
        entry("form", "https://form.example/privacy", kind="webform")))


def test_fifteen_entries_give_ten_letters_and_reasons_and_the_real_run_the_same(
    lab: MailLab, user: str, tmp_path: Path
) -> None:
    dsar = Dsar(tmp_path / "home")
    dsar("person", "add", "alex", "--email", user, *ALEX)
    plain_account(dsar.home, user, lab.ports.plain)
    (dsar.home / "companies.local.yaml").write_text(fifteen())
    slugs = [*(f"c{n}" for n in range(9)), "s0", "s1", "s2", "stale", "doubtful", "form"]
    dry = dsar("send", *slugs, "-n", "--json").lines
    letters = [line for line in dry if "to" in line]
    assert len(letters) == 10
    assert [line["covers"] for line in letters if line["company"] == "s0"] == [["s1", "s2"]]
    assert {line["company"]: line["why"] for line in dry if "skipped" in line} == {
        "stale": "address last checked 2024-01-01", "doubtful": "address doubtful",
        "form": "web form only"}
    screen = dsar("send", *slugs, "-n").out
    assert "Held back (3):" in screen
    assert "10 letters, 12 companies." in screen

    done = dsar("send", *slugs, "--confirm", "10", "--json").lines
    assert Counter(line["outcome"] for line in done) == {"sent": 10}
    assert [line["to"] for line in done] == [line["to"] for line in letters]


def test_a_wrong_password_stops_at_once_and_nothing_is_in_doubt(
    lab: MailLab, user: str, tmp_path: Path
) -> None:
    dsar = Dsar(tmp_path / "home")
    dsar("init", "--no-input", "--email", user, *ALEX, *lab_options(lab, tmp_path))
    (tmp_path / "password").write_text("wrong")
    (dsar.home / "companies.local.yaml").write_text(fifteen())
    refused = dsar("send", "c0", "c1", "c2", "--confirm", "3", "--json", status=4)
    assert "wrong" not in (refused.out + refused.err).replace("password is wrong", "")
    items = dsar("status", "--json").json["items"]
    assert {i["status"] for i in items} == {"unsent"}
    tried = [e["kind"] for i in items
             for e in dsar("case", "show", i["case"], "--json").json["items"][0]["events"]]
    assert tried.count("SendAttempted") == tried.count("SendAbandoned") == 1
    (tmp_path / "password").write_text(lab.password)
    sent = dsar("send", "c0", "c1", "c2", "--confirm", "3", "--json").lines
    assert [line["outcome"] for line in sent] == ["sent"] * 3


def test_several_connections_send_each_letter_once(
    lab: MailLab, user: str, tmp_path: Path
) -> None:
    dsar = Dsar(tmp_path / "home")
    dsar("person", "add", "alex", "--email", user, *ALEX)
    plain_account(dsar.home, user, lab.ports.plain)
    config = dsar.home / "config.yaml"
    config.write_text(config.read_text().replace(
        "limits: off", "limits: {first_day: 500, per_day: 500, per_minute: 6000, jitter_s: 0, "
                       "per_domain_s: 0, connections: 4}"))
    names = [f"w{n:02}" for n in range(24)]
    (dsar.home / "companies.local.yaml").write_text(
        HEAD + "".join(entry(name, f"dpo@{name}.example") for name in names))
    done = dsar("send", *names, "--confirm", "24", "--json").lines
    assert Counter(line["outcome"] for line in done) == {"sent": 24}
    assert len({line["to"] for line in done}) == 24
    assert dsar("send", *names, "-n", "--json").lines[0]["skipped"] == "duplicate"
