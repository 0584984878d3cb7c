"""What a failed login probably means, from what is known of the provider."""

from __future__ import annotations

import pytest

from dsar.errors import DsarError, LoginRefused, MailServerUnreachable
from dsar.mail.account import Account, Auth
from dsar.mail.advice import advice
from dsar.mail.providers import all_providers
from dsar.mail.secret import SecretUnavailable

NO = LoginRefused("535 no.")
GONE = MailServerUnreachable("mail.example.org", 993, "refused")


def told(address: str, imap: DsarError | None, smtp: DsarError | None, **more: object) -> str:
    account = Account(name="main", address=address, **more)  # type: ignore[arg-type]
    return " ".join(advice(account, {"IMAP": imap, "SMTP": smtp}))


@pytest.mark.parametrize(("address", "says"), [
    ("alex@gmail.com", "wants an app password made for dsar"),
    ("alex@gmail.com", "turn on 2-Step Verification"),
    ("alex@yahoo.com", "wants an app password made for dsar"),
    ("alex@outlook.com", "takes no password from a mail program any more"),
    ("alex@gmx.de", "your own password or an app password"),
    ("alex@proton.me", "the password that the Bridge shows"),
    ("alex@alex.example", "not in our table"),
])
def test_a_refused_login_names_the_cause_for_this_provider(address: str, says: str) -> None:
    assert says in told(address, NO, NO)


def test_a_domain_of_ones_own_is_advised_like_the_provider_behind_it() -> None:
    assert "takes no password" in told("me@alex.example", NO, NO, provider="microsoft-365")


@pytest.mark.parametrize(("imap", "smtp", "says"), [
    (NO, None, "works for sending: IMAP is probably not switched on"),
    (None, NO, "works for reading: SMTP is probably not switched on"),
])
def test_a_login_that_works_for_one_of_the_two_is_no_wrong_password(
    imap: DsarError | None, smtp: DsarError | None, says: str
) -> None:
    assert told("alex@gmx.de", imap, smtp).index(says) < 60


def test_a_bridge_that_does_not_run_is_named() -> None:
    assert "must be running" in told("alex@proton.me", GONE, GONE)


def test_a_token_that_is_refused_is_no_matter_of_app_passwords() -> None:
    assert "app password made" not in told("alex@gmail.com", NO, NO, auth=Auth.XOAUTH2)


def test_nothing_is_advised_where_all_works_or_no_password_was_to_be_had() -> None:
    assert told("alex@gmail.com", None, None) == ""
    assert told("alex@gmail.com", SecretUnavailable("none"), SecretUnavailable("none")) == ""


def test_every_provider_with_a_login_has_something_to_say() -> None:
    silent = [each.id for each in all_providers() if each.domains and each.supported
              and not told(f"alex@{each.domains[0]}", NO, NO)]
    assert silent == []
