"""The rail `breaker` on a real server: bounces and objections pause an account."""

from __future__ import annotations

from pathlib import Path

from command import ALEX, Dsar, plain_account, write_companies
from servers.maillab import MailLab


def _account(dsar: Dsar, user: str, port: int) -> None:
    dsar("person", "add", "alex", "--email", user, *ALEX)
    plain_account(dsar.home, user, port)


def test_a_storm_of_bounces_stops_after_the_third(lab: MailLab, tmp_path: Path) -> None:
    dsar = Dsar(tmp_path / "home")
    _account(dsar, lab.new_user(), lab.ports.mx)
    names = [f"c{n:02}" for n in range(40)]
    write_companies(dsar.home, {
        n: f"{n}@bounce.test" if i % 2 == 0 and i < 20 else f"dpo@{n}.example"
        for i, n in enumerate(names)})
    done = dsar("send", *names, "--confirm", "40", "--json", status=7)
    outcomes = [line["outcome"] for line in done.lines]
    assert outcomes.count("refused") == 3
    assert len(outcomes) == 5, "the sixth letter was not tried"
    assert '"rail": "breaker"' in done.err
    again = dsar("send", *names, "--confirm", "35", status=7)
    assert "paused" in again.err
    assert dsar("queue", "list", "--json").json["summary"]["total"] == 35

    dsar("account", "resume")
    gone_on = dsar("send", *names, "--confirm", "35", "--json", status=7)
    assert [line["outcome"] for line in gone_on.lines].count("refused") == 3


def test_bounces_that_come_by_mail_pause_as_well(on_lab: Dsar, lab: MailLab, user: str) -> None:
    write_companies(on_lab.home, {f"b{n}": f"b{n}@bounce.test" for n in range(3)})
    on_lab("send", "b0", "b1", "b2", "--confirm", "3", "--json")
    lab.wait_for(user, 3)
    polled = on_lab("poll", "--json")
    assert [line["label"] for line in polled.lines] == ["bounce_permanent"] * 3
    assert "breaker" in polled.err
    write_companies(on_lab.home, {"next": "dpo@next.example"})
    assert "paused" in on_lab("send", "next", "--confirm", "1", status=7).err


def test_talk_of_limits_pauses_for_a_day(lab: MailLab, tmp_path: Path) -> None:
    dsar = Dsar(tmp_path / "home")
    _account(dsar, lab.new_user(), lab.ports.rate)
    names = [f"c{n:02}" for n in range(12)]
    write_companies(dsar.home, {n: f"dpo@{n}.example" for n in names})
    done = dsar("send", *names, "--confirm", "12", "--json", status=7)
    outcomes = [line["outcome"] for line in done.lines]
    assert outcomes[-1] == "deferred"
    assert set(outcomes[:-1]) == {"sent"}
    assert "until" in done.err
    assert dsar("queue", "list", "--json").json["summary"]["total"] == 12 - len(outcomes) + 1
