"""Signing in with a device code, through msal itself, at a sign-in service on this machine."""

from __future__ import annotations

import stat
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from servers.maillab import MailLab
from servers.webservers import SignIn

from dsar import yamlfile
from dsar.errors import LoginRefused, MailServerUnreachable
from dsar.mail.account import (
    Account,
    Auth,
    Endpoint,
    Security,
    account_entry,
    read_account,
)
from dsar.mail.imap import ImapMailbox
from dsar.mail.login import Renewing
from dsar.mail.microsoft import MicrosoftLogin
from dsar.mail.secret import Keyring, Microsoft, SecretUnavailable, read_secret
from dsar.mail.smtp import SmtpTransport

pytest.importorskip("msal")
Service = Callable[..., SignIn]


@pytest.fixture
def service(lab: MailLab, user: str) -> Iterator[Service]:
    made: list[SignIn] = []

    def make(**changed: object) -> SignIn:
        settings = {"token": lambda: lab.token(user), "user": user} | changed
        made.append(SignIn(chain=lab.root / "ca/server.pem", key=lab.root / "ca/server.key",
                           **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()


def source_at(place: SignIn, lab: MailLab, folder: Path) -> Microsoft:
    return Microsoft(client_id=place.client_id, cache=folder / "secrets" / "main.tokens",
                     authority=place.authority, ca_file=lab.ca_file)


def signed_in(source: Microsoft) -> Microsoft:
    login = MicrosoftLogin(source)
    login.finish(login.start())
    return source


def account_of(lab: MailLab, user: str, source: Microsoft) -> Account:
    ends = {"smtp": Endpoint(host="localhost", port=lab.ports.submission, username=user,
                             security=Security.STARTTLS),
            "imap": Endpoint(host="localhost", port=lab.ports.imaps, username=user)}
    return Account(name="main", address=user, auth=Auth.XOAUTH2, secret=source,
                   ca_file=lab.ca_file, **ends)  # type: ignore[arg-type]


def renewing(source: Microsoft) -> Renewing:
    return Renewing(lambda: read_secret(source), lambda: read_secret(source, renew=True))


def test_a_code_is_shown_then_tokens_log_in_to_smtp_and_imap(
    lab: MailLab, user: str, service: Service, tmp_path: Path
) -> None:
    place = service()
    source = source_at(place, lab, tmp_path)
    login = MicrosoftLogin(source)
    code = login.start()
    assert (code.code, code.url) == ("ABCD-1234", "https://microsoft.example/device")
    assert login.finish(code) == user
    account = account_of(lab, user, source)
    SmtpTransport(account, renewing(source)).check()
    ImapMailbox(account, renewing(source)).check()
    assert place.grants.count("refresh_token") == 0
    assert stat.S_IMODE(source.cache.stat().st_mode) == 0o600  # type: ignore[union-attr]


def test_nobody_is_asked_before_the_sign_in_begins(
    lab: MailLab, service: Service, tmp_path: Path
) -> None:
    place = service()
    login = MicrosoftLogin(source_at(place, lab, tmp_path))
    with pytest.raises(SecretUnavailable, match="signed in"):
        login.token()
    assert place.requests == []


def test_only_the_sign_in_service_itself_is_asked(
    lab: MailLab, service: Service, tmp_path: Path
) -> None:
    place = service()
    signed_in(source_at(place, lab, tmp_path))
    assert {each.partition("/")[0] for each in place.requests} == {"GET localhost",
                                                                   "POST localhost"}


def test_a_token_that_has_run_out_is_renewed_in_silence(
    lab: MailLab, user: str, service: Service, tmp_path: Path
) -> None:
    place = service(expires_in=1)
    source = signed_in(source_at(place, lab, tmp_path))
    account = account_of(lab, user, source)
    SmtpTransport(account, renewing(source)).check()
    assert place.grants[-1] == "refresh_token"


def test_a_token_a_server_refuses_is_renewed_once_in_the_middle_of_a_run(
    lab: MailLab, user: str, service: Service, tmp_path: Path
) -> None:
    tokens = iter([lab.token(user, expires_in=-60), lab.token(user)])
    place = service(token=lambda: next(tokens))
    source = signed_in(source_at(place, lab, tmp_path))
    account = account_of(lab, user, source)
    SmtpTransport(account, renewing(source)).check()
    ImapMailbox(account, renewing(source)).check()
    assert place.grants.count("refresh_token") == 1


def test_a_server_that_refuses_every_token_is_asked_twice_and_no_more(
    lab: MailLab, user: str, service: Service, tmp_path: Path
) -> None:
    place = service(token=lambda: lab.token(user, expires_in=-60))
    source = signed_in(source_at(place, lab, tmp_path))
    with pytest.raises(LoginRefused):
        SmtpTransport(account_of(lab, user, source), renewing(source)).check()
    assert place.grants.count("refresh_token") <= 1


@pytest.mark.parametrize(("changed", "says"), [
    ({"device_error": "unauthorized_client"}, "gives no code"),
    ({"poll_error": "authorization_declined"}, "did not succeed"),
    ({"poll_error": "expired_token"}, "did not succeed"),
])
def test_a_sign_in_that_fails_says_why_and_keeps_nothing(
    lab: MailLab, service: Service, tmp_path: Path, changed: dict[str, str], says: str
) -> None:
    source = source_at(service(**changed), lab, tmp_path)
    with pytest.raises(LoginRefused, match=says):
        signed_in(source)
    assert not source.cache.exists()  # type: ignore[union-attr]


def test_a_sign_in_that_was_ended_elsewhere_names_the_way_out(
    lab: MailLab, service: Service, tmp_path: Path
) -> None:
    place = service(expires_in=1)
    source = signed_in(source_at(place, lab, tmp_path))
    place.refresh_error = "invalid_grant"
    with pytest.raises(SecretUnavailable) as caught:
        read_secret(source)
    assert "account login" in caught.value.hint
    place.refresh_error = "temporarily_unavailable"
    with pytest.raises(MailServerUnreachable):
        read_secret(source)


def test_a_service_with_an_unknown_certificate_or_none_at_all_is_unreachable(
    lab: MailLab, service: Service, tmp_path: Path
) -> None:
    source = source_at(service(), lab, tmp_path)
    for wrong in (replace(source, ca_file=None),
                  replace(source, authority="https://localhost:9/common")):
        with pytest.raises(MailServerUnreachable):
            MicrosoftLogin(wrong).start()


def test_tokens_in_a_file_that_others_can_read_are_refused(
    lab: MailLab, service: Service, tmp_path: Path
) -> None:
    source = signed_in(source_at(service(), lab, tmp_path))
    source.cache.chmod(0o644)  # type: ignore[union-attr]
    with pytest.raises(SecretUnavailable, match="read by others"):
        read_secret(source)


def test_no_token_shows_in_anything_a_failing_sign_in_leaves(
    lab: MailLab, user: str, service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(0)
    place = service(token=lambda: lab.token(user, expires_in=-60))
    source = signed_in(source_at(place, lab, tmp_path))
    login = MicrosoftLogin(source)
    told = repr(login.start())
    with pytest.raises(LoginRefused) as caught:
        SmtpTransport(account_of(lab, user, source), renewing(source)).check()
    told += "".join(traceback.format_exception(caught.value)) + repr(source)
    place.poll_error = "expired_token"
    with pytest.raises(LoginRefused) as caught:
        login.finish(login.start())
    told += "".join(traceback.format_exception(caught.value)) + "".join(capfd.readouterr())
    told += caplog.text
    for secret in (*place.given, "REFRESH-TOKEN-SECRET", "DEVICE-CODE-SECRET"):
        assert secret not in told


def test_an_account_with_a_sign_in_comes_back_from_the_entry_it_is_written_as() -> None:
    for cache in (Path("/srv/x.tokens"), Keyring("dsar", "a@example.org")):
        account = Account(name="main", address="a@example.org", auth=Auth.XOAUTH2,
                          secret=Microsoft(client_id="c", cache=cache))
        written = yamlfile.dump(dict(account_entry(account))).encode()
        document = yamlfile.parse(written, name="config.yaml")
        assert read_account(yamlfile.Reader.of(document, document.value, "account")) == account


def test_the_library_is_not_loaded_before_somebody_signs_in() -> None:
    program = ("import sys, dsar.mail.account, dsar.mail.secret, dsar.mail.microsoft as m; "
               "from pathlib import Path; from dsar.mail.secret import Microsoft; "
               "m.MicrosoftLogin(Microsoft(client_id='x', cache=Path('/nowhere'))); "
               "sys.exit('msal' in sys.modules or 'requests' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
