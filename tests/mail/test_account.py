"""Accounts, secrets and the table of providers."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

import pytest

from dsar import yamlfile
from dsar.core.pacing import OFF, Limits
from dsar.errors import FileProblems
from dsar.mail.account import Account, Auth, Endpoint, Security, account_entry, read_account
from dsar.mail.providers import all_providers, provider, provider_for
from dsar.mail.secret import (
    Command,
    Keyring,
    Prompt,
    Secret,
    SecretFile,
    SecretSource,
    SecretUnavailable,
    SystemdCredential,
    read_secret,
)

PASSWORD = "correct horse; battery"


def account_from(text: str) -> Account:
    document = yamlfile.parse(text.encode(), name="config.yaml")
    account = read_account(yamlfile.Reader.of(document, document.value, "account"))
    document.raise_problems()
    return account


def refused(text: str) -> str:
    with pytest.raises(FileProblems) as caught:
        account_from(text)
    return str(caught.value)


def test_a_short_entry_gets_the_safe_defaults() -> None:
    account = account_from("address: alex@example.org\nsmtp: {host: smtp.example.org}\n")
    assert account.smtp == Endpoint(host="smtp.example.org", port=465, username="alex@example.org")
    assert account.smtp.security is Security.TLS
    assert account.limits == Limits()
    assert account.secret == Prompt()


@pytest.mark.parametrize("host", ["smtp.example.org", "10.0.0.5", "localhost.example.org"])
def test_an_open_connection_to_another_machine_is_refused(host: str) -> None:
    text = f"address: a@example.org\nsmtp: {{host: {host}, security: none}}\n"
    assert "config.yaml:2: " in refused(text)
    assert "this machine" in refused(text)
    with pytest.raises(ValueError):
        Endpoint(host=host, port=25, security=Security.NONE)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_an_open_connection_to_this_machine_is_allowed(host: str) -> None:
    assert Endpoint(host=host, port=25, security=Security.NONE).security is Security.NONE


def test_limits_can_be_off_for_this_machine_only() -> None:
    local = "address: a@example.org\nlimits: off\nsmtp: {host: 127.0.0.1, security: none}\n"
    assert account_from(local).limits == OFF
    assert "this machine" in refused(local.replace("127.0.0.1, security: none", "smtp.example.org"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("address: nobody\n", "no e-mail address"),
        ("adress: a@example.org\n", "Did you mean|unknown key"),
        ("address: a@example.org\nsecret: {file: x, prompt: true}\n", "exactly one"),
        ("address: a@example.org\nsecret: {password: oops}\n", "unknown key"),
        ("address: a@example.org\nsmtp: {host: h, port: 99999}\n", "65535"),
        ("address: a@example.org\nlimits: {per_day: -1}\n", "negative"),
    ],
)
def test_wrong_entries_name_their_line(text: str, says: str) -> None:
    shown = refused(text)
    assert shown.startswith("config.yaml:")
    assert any(each in shown for each in says.split("|"))


@pytest.mark.parametrize(
    "secret",
    [Command(("pass", "show", "mail")), Keyring("dsar", "alex@example.org"), Prompt(),
     SecretFile(Path("/secrets/mail")), SystemdCredential("mail")],
)  # fmt: skip
def test_an_account_comes_back_from_the_entry_it_is_written_as(secret: SecretSource) -> None:
    account = Account(
        name="work",
        address="alex@example.org",
        display_name="Alex Example",
        smtp=Endpoint(host="smtp.example.org", port=587, security=Security.STARTTLS, username="a"),
        imap=Endpoint(host="imap.example.org", port=993, username="alex@example.org"),
        auth=Auth.OAUTHBEARER,
        secret=secret,
        reply_tags=True,
        mailboxes=("Unbekannt",),
        limits=Limits(first_day=5, per_day=50, per_minute=3, jitter_s=7),
        ca_file=Path("/etc/own.pem"),
    )
    assert account_from(yamlfile.dump(dict(account_entry(account)))) == account


def test_a_secret_shows_itself_in_no_way() -> None:
    secret = Secret(PASSWORD)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>40}", f"{[secret]!r}"]
    assert not any(PASSWORD in each for each in shown)
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.hidden_in(f"535 {PASSWORD} is wrong") == "535 (hidden) is wrong"


def test_a_command_gives_the_first_line_of_its_output_and_no_shell_is_used() -> None:
    program = "import sys; print(sys.argv[1]); print('notes')"
    source = Command((sys.executable, "-c", program, f"$(id) {PASSWORD}"))
    assert read_secret(source).reveal() == f"$(id) {PASSWORD}"


@pytest.mark.parametrize("argv", [(), ("/nowhere/pass",), (sys.executable, "-c", "exit(3)")])
def test_a_command_that_fails_says_so_without_its_arguments(argv: tuple[str, ...]) -> None:
    with pytest.raises(SecretUnavailable) as caught:
        read_secret(Command((*argv, PASSWORD) if argv else ()))
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_password_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    file.chmod(mode)
    with pytest.raises(SecretUnavailable, match="read by others"):
        read_secret(SecretFile(file))
    file.chmod(0o600)
    assert read_secret(SecretFile(file)).reveal() == PASSWORD


def test_links_pipes_and_folders_are_no_password_files(tmp_path: Path) -> None:
    (tmp_path / "real").write_text(PASSWORD)
    (tmp_path / "real").chmod(0o600)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("link", "pipe", ".", "missing"):
        with pytest.raises(SecretUnavailable):
            read_secret(SecretFile(tmp_path / name))


def test_a_systemd_credential_is_read_from_its_folder_only(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text(PASSWORD)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert read_secret(SystemdCredential("mail"), environ=environ).reveal() == PASSWORD
    for name, where in (("../x", environ), ("other", environ), ("mail", {})):
        with pytest.raises(SecretUnavailable):
            read_secret(SystemdCredential(name), environ=where)


def test_a_prompt_without_anybody_to_ask_is_an_error_with_a_way_out() -> None:
    assert read_secret(Prompt(), ask=lambda: PASSWORD).reveal() == PASSWORD
    with pytest.raises(SecretUnavailable) as caught:
        read_secret(Prompt())
    assert "keyring" in caught.value.hint


@pytest.mark.parametrize("typed", ["", "two\nlines", "nul\0"])
def test_a_password_that_cannot_be_one_is_refused(typed: str) -> None:
    with pytest.raises(SecretUnavailable):
        read_secret(Prompt(), ask=lambda: typed)


def test_the_keyring_is_asked_by_service_and_address() -> None:
    keyring = pytest.importorskip("keyring")
    from keyring.backend import KeyringBackend

    class Held(KeyringBackend):  # type: ignore[misc]
        priority = 1

        def get_password(self, service: str, username: str) -> str | None:
            return PASSWORD if (service, username) == ("dsar", "alex@example.org") else None

        def set_password(self, service: str, username: str, password: str) -> None:
            raise AssertionError("nothing is written")

    before = keyring.get_keyring()
    keyring.set_keyring(Held())
    try:
        assert read_secret(Keyring("dsar", "alex@example.org")).reveal() == PASSWORD
        with pytest.raises(SecretUnavailable, match="no entry"):
            read_secret(Keyring("dsar", "sam@example.org"))
    finally:
        keyring.set_keyring(before)


def test_every_provider_reads_cleanly_and_names_its_sources() -> None:
    found = all_providers()
    assert len(found) == 65
    assert all(each.sources and each.confidence for each in found)
    domains = [domain for each in found for domain in each.domains]
    assert len(domains) == len(set(domains))
    assert all(not each.supported or each.limits.per_day for each in found)


def test_a_provider_is_known_by_the_domain_and_gives_ready_servers() -> None:
    icloud = provider_for("Alex@iCloud.com")
    assert icloud is not None
    assert icloud.imap == Endpoint(host="imap.mail.me.com", port=993, username="Alex")
    assert icloud.smtp is not None
    assert (icloud.smtp.username, icloud.smtp.security) == ("Alex@iCloud.com", Security.STARTTLS)


def test_a_host_made_from_the_domain_is_filled_in() -> None:
    inbox = provider_for("alex@inbox.lt")
    assert inbox is not None
    assert inbox.smtp is not None
    assert inbox.smtp.host == "mail.inbox.lt"


def test_an_unknown_or_look_alike_domain_has_no_provider() -> None:
    assert provider_for("alex@example.org") is None
    assert provider_for("alex@mygmail.com") is None
    assert provider_for("alex") is None
    generic = provider("generic")
    assert generic is not None
    assert (generic.limits.first_day, generic.smtp) == (10, None)


def test_plus_tags_are_relied_on_only_where_they_are_known_to_work() -> None:
    known = {each.id: each.reply_tags for each in all_providers()}
    assert known["gmail"]
    assert not known["gmx-net"]
    assert not known["outlook-consumer"]
