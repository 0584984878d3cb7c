"""`dsar init` as a new user meets it, in a terminal: four kinds of provider, wrong at every turn.

No provider is contacted: --imap, --smtp and --username, which everybody may give, point the
known providers to the lab; what is known of them (login, steps, limits) still holds.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator

import pytest
from command import Dsar
from servers.maillab import MailLab
from servers.webservers import NameServer, SignIn
from terminal import Terminal

Sits = Callable[..., Terminal]
NAME, MAIL, HOME = "Your name", "Your e-mail address", "Where you live"
PASSWORD, SERVERS, CLIENT = "not shown", "Servers (", "Client id"


@pytest.fixture
def sits(dsar: Dsar, lab: MailLab, user: str) -> Iterator[Sits]:
    """Starts `dsar init` in a terminal; with `servers` it is pointed to the lab."""
    made: list[Terminal] = []

    def start(*more: str, servers: bool = True) -> Terminal:
        ends = ["--imap", f"localhost:{lab.ports.imaps}", "--smtp", f"localhost:{lab.ports.smtps}"]
        argv = dsar.argv("init", "--username", user, "--ca-file", str(lab.ca_file),
                         *(ends if servers else []), *more)
        made.append(Terminal(argv, dsar.environment, str(dsar.home.parent)))
        return made[-1]

    yield start
    for each in made:
        each.close()


def nothing_was_saved(dsar: Dsar) -> bool:
    """Whether no file with an account, a person or a secret is there."""
    return not [p for p in dsar.home.rglob("*") if p.is_file() and "cache" not in p.parts]


def too_wide(screen: str) -> list[str]:
    """Lines beyond 80 columns, except for those with a path of this test in them."""
    return [line for line in screen.splitlines() if len(line) > 80 and "/tmp/" not in line]


def answers_about_me(at: Terminal, mail: str) -> None:
    at.answers(NAME, "Alex Example")
    at.answers(MAIL, mail)
    at.answers(HOME, "DE-BE")


@pytest.mark.parametrize(("mail", "provider", "asks", "step", "limits"), [
    ("alex@gmail.com", "gmail", "App password for alex@gmail.com", "2-Step", "per_day: 150"),
    ("alex@gmx.de", "gmx-net", "Password or app password for alex@gmx.de", "enable POP3/IMAP",
     "per_day: 40"),
])
def test_a_known_provider_takes_four_answers_after_wrong_ones_to_each(
    dsar: Dsar, lab: MailLab, sits: Sits, mail: str, provider: str, asks: str, step: str,
    limits: str,
) -> None:
    at = sits()
    at.answers(NAME, "   ")
    at.waits_for("Nothing was typed")
    at.answers(NAME, "alex@example.org")
    at.waits_for("That is a mail address")
    at.answers(NAME, "Alex Example")
    at.answers(MAIL, "alex at home")
    at.waits_for("is no mail address")
    at.answers(MAIL, mail)
    at.answers(HOME, "Atlantis")
    at.waits_for("is no country")
    at.answers(HOME, "US")
    at.waits_for("depends on the state")
    at.answers(HOME, "Germany")
    at.waits_for("Before the first use")
    at.waits_for(step)
    at.waits_for(asks)
    at.answers(PASSWORD, "")
    at.waits_for("Nothing was typed")
    at.answers(PASSWORD, "owl-in-the-dark-77")
    at.waits_for("failed")
    at.waits_for("app password")
    at.answers(PASSWORD, lab.password)
    at.waits_for("Set up")
    at.waits_for("letters in de, en")
    at.waits_for("Next: dsar send --all -n")
    assert at.ends() == 0
    assert "owl-in-the-dark" not in at.screen
    assert lab.password not in at.screen
    assert too_wide(at.screen) == []
    secret = dsar.home / "secrets" / "main"
    assert secret.read_text() == lab.password
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    written = (dsar.home / "config.yaml").read_text()
    assert f"provider: {provider}" in written
    assert limits in written
    assert lab.password not in written
    assert "residence: DE" in (dsar.home / "people.yaml").read_text()
    dsar("account", "test")


def test_three_wrong_passwords_end_it_save_nothing_and_give_back_what_was_typed(
    dsar: Dsar, sits: Sits
) -> None:
    at = sits()
    answers_about_me(at, "alex@gmail.com")
    for _ in range(3):
        at.answers(PASSWORD, "owl-in-the-dark-77")
        at.waits_for("failed")
    at.waits_for("Nothing was saved")
    at.waits_for("--name 'Alex Example' --email alex@gmail.com --residence DE-BE")
    assert at.ends() == 4
    assert "owl-in-the-dark" not in at.screen
    assert nothing_was_saved(dsar)


@pytest.mark.parametrize("stop", [NAME, MAIL, HOME, PASSWORD])
def test_ctrl_c_at_any_question_saves_nothing(dsar: Dsar, sits: Sits, stop: str) -> None:
    at = sits()
    for question, text in ((NAME, "Alex Example"), (MAIL, "alex@gmx.de"), (HOME, "DE")):
        if question == stop:
            break
        at.answers(question, text)
    at.interrupts(stop)
    assert at.ends() == 130
    assert "Stopped." in at.screen
    assert ("--name 'Alex Example'" in at.screen) == (stop != NAME)
    assert nothing_was_saved(dsar)


@pytest.mark.parametrize("mail", ["alex@tuta.com", "alex@hey.com"])
def test_a_provider_without_imap_is_named_at_once(dsar: Dsar, sits: Sits, mail: str) -> None:
    at = sits()
    at.answers(NAME, "Alex Example")
    at.answers(MAIL, mail)
    at.waits_for("offers neither IMAP nor SMTP")
    at.interrupts(MAIL)
    assert at.ends() == 130
    assert nothing_was_saved(dsar)


@pytest.mark.parametrize("source", [
    ("--password-command", "/nowhere/pass show mail"), ("--password-file", "/nowhere/password"),
    ("--credential", "mail"),
])
def test_a_password_that_cannot_be_read_is_said_before_any_question(
    dsar: Dsar, sits: Sits, source: tuple[str, str]
) -> None:
    at = sits(*source)
    assert at.ends() == 4
    assert NAME not in at.screen
    assert nothing_was_saved(dsar)


def test_a_second_set_up_overwrites_nothing(dsar: Dsar, lab: MailLab, sits: Sits) -> None:
    at = sits()
    answers_about_me(at, "alex@gmx.de")
    at.answers(PASSWORD, lab.password)
    assert at.ends() == 0
    before = (dsar.home / "config.yaml").read_bytes()
    again = sits()
    assert again.ends() == 2
    assert "not overwritten" in again.screen
    assert (dsar.home / "config.yaml").read_bytes() == before


def test_outlook_signs_in_with_a_code_in_a_browser(
    dsar: Dsar, lab: MailLab, user: str, sits: Sits
) -> None:
    pytest.importorskip("msal")
    service = SignIn(chain=lab.root / "ca/server.pem", key=lab.root / "ca/server.key",
                     token=lambda: lab.token(user), user=user)
    try:
        at = sits("--microsoft-authority", service.authority)
        answers_about_me(at, "alex@outlook.com")
        at.waits_for("takes no passwords")
        at.answers(CLIENT, "12345")
        at.waits_for("no client id")
        at.answers(CLIENT, "00000000-2222-3333-4444-555555555555")
        at.waits_for("gives no code")
        at.answers(CLIENT, service.client_id)
        at.waits_for("Open https://microsoft.example/device")
        at.waits_for("ABCD-1234")
        at.waits_for("Set up")
        assert at.ends() == 0
        shown = at.screen + "".join(p.read_text() for p in dsar.home.rglob("*.yaml"))
        assert not [s for s in (*service.given, "REFRESH-TOKEN-SECRET", "DEVICE-CODE-SECRET")
                    if s in shown]
        tokens = dsar.home / "secrets" / "main.tokens"
        assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
        assert "auth: xoauth2" in (dsar.home / "config.yaml").read_text()
        dsar("account", "test")
        dsar("account", "login")
        service.refresh_error = service.poll_error = "invalid_grant"
        failed = dsar("account", "login", "--debug", status=None)
        told = failed.out + failed.err
        assert "Traceback" in told
        assert not [s for s in (*service.given, "REFRESH-TOKEN-SECRET", "DEVICE-CODE-SECRET")
                    if s in told]
        dsar("account", "test")
    finally:
        service.close()


def test_ctrl_c_while_the_code_is_typed_leaves_no_token(
    dsar: Dsar, lab: MailLab, user: str, sits: Sits
) -> None:
    pytest.importorskip("msal")
    service = SignIn(chain=lab.root / "ca/server.pem", key=lab.root / "ca/server.key",
                     token=lambda: lab.token(user), user=user, waits=1000)
    try:
        at = sits("--microsoft-authority", service.authority)
        answers_about_me(at, "alex@outlook.com")
        at.answers(CLIENT, service.client_id)
        at.waits_for("Ctrl-C stops.")
        at.presses_ctrl_c()
        assert at.ends() == 130
        assert nothing_was_saved(dsar)
    finally:
        service.close()


def test_an_unknown_domain_is_looked_up_only_after_the_word_and_shown_first(
    dsar: Dsar, lab: MailLab, sits: Sits
) -> None:
    names = NameServer({
        ("_imaps._tcp.alex.example", "SRV"): [f"0 1 {lab.ports.imaps} localhost."],
        ("_submissions._tcp.alex.example", "SRV"): [f"0 1 {lab.ports.smtps} localhost."]})
    try:
        at = sits("--dns", f"127.0.0.1:{names.port}", servers=False)
        answers_about_me(at, "me@alex.example")
        at.waits_for("not in our table")
        at.waits_for(SERVERS)
        assert names.asked == []
        at.answers("", "look")
        at.waits_for("Found in the SRV records of alex.example")
        at.waits_for("outside alex.example")
        at.answers(PASSWORD, "")
        at.answers(SERVERS, f"localhost:99999 localhost:{lab.ports.smtps}")
        at.waits_for("65535")
        at.answers(SERVERS, "look")
        at.answers(PASSWORD, "owl-in-the-dark-77")
        at.waits_for("may want an app password")
        at.answers(PASSWORD, lab.password)
        at.waits_for("Set up")
        assert at.ends() == 0
        assert too_wide(at.screen) == []
        assert "per_day: 40" in (dsar.home / "config.yaml").read_text()
    finally:
        names.close()


def test_servers_typed_by_hand_ask_nobody(dsar: Dsar, lab: MailLab, sits: Sits) -> None:
    names = NameServer({})
    try:
        at = sits("--dns", f"127.0.0.1:{names.port}", servers=False)
        answers_about_me(at, "me@alex.example")
        at.answers(SERVERS, f"localhost:{lab.ports.imaps} localhost:{lab.ports.smtps} more")
        at.waits_for("more than two")
        at.answers(SERVERS, f"localhost:{lab.ports.imaps} localhost:{lab.ports.smtps}")
        at.answers(PASSWORD, lab.password)
        assert at.ends() == 0
        assert names.asked == []
    finally:
        names.close()


def test_offline_says_so_before_any_question(dsar: Dsar, sits: Sits) -> None:
    at = sits("--offline", servers=False)
    assert at.ends() == 7
    assert NAME not in at.screen
    assert nothing_was_saved(dsar)
