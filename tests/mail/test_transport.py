"""The contract of Transport, against a real Postfix and against wires that break."""

from __future__ import annotations

import email
import socket
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import policy
from pathlib import Path

import pytest
from servers.cutproxy import Cut, CutProxy
from servers.maillab import CATCHALL, MailLab

from dsar.core.message import Address
from dsar.errors import LoginRefused, MailServerUnreachable
from dsar.mail import NotAttempted, OutcomeUnknown, Rejected
from dsar.mail.account import Account, Auth, Endpoint, Security
from dsar.mail.compose import compose, new_message_id
from dsar.mail.secret import Command, Secret, read_secret
from dsar.mail.smtp import SmtpTransport
from dsar.mail.wire import Unsendable

Maker = Callable[..., SmtpTransport]


@pytest.fixture
def open_smtp(lab: MailLab, user: str) -> Iterator[Maker]:
    """Makes transports to a port of the lab; the open ports need no login."""
    made: list[SmtpTransport] = []

    def make(port: int, security: Security = Security.NONE, **changes: object) -> SmtpTransport:
        secret = changes.pop("secret", Secret(lab.password))
        timeout = changes.pop("timeout_s", 10)
        auth = Auth.NONE if security is Security.NONE else Auth.PASSWORD
        smtp = Endpoint(host=lab.host, port=port, security=security, username=user)
        settings = {"ca_file": lab.ca_file, "auth": auth} | changes
        account = Account(name="main", address=user, smtp=smtp, **settings)  # type: ignore[arg-type]
        made.append(SmtpTransport(account, secret, timeout_s=timeout))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for transport in made:
        transport.close()


def letter(user: str, to: str, *, body: str = "Hello.\n", message_id: str | None = None) -> bytes:
    return compose(
        "Request for access",
        body,
        sender=Address(name="Alex Example", addr=user),
        recipient=Address(name="", addr=to),
        message_id=message_id or new_message_id(user),
        date=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
    )


def copies(lab: MailLab, user: str, message_id: str) -> int:
    return sum(message_id.encode() in raw for raw in lab.delivered(user))


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_letter_arrives_byte_for_byte_over_tls_with_a_login(
    lab: MailLab, user: str, open_smtp: Maker, security: Security
) -> None:
    port = lab.ports.submission if security is Security.STARTTLS else lab.ports.smtps
    body = ".\n..\n.dots stay\n\nGood day.\n" + "long " * 60 + "\n"
    raw = letter(user, user, body=body)
    reply = open_smtp(port, security).send(raw, sender=user, recipients=[user])
    assert reply.startswith("250 ")
    lab.wait_for(user, 1)
    [arrived] = lab.delivered(user)
    assert arrived.replace(b"\r\n", b"\n").endswith(raw.replace(b"\r\n", b"\n"))


def test_the_name_of_this_machine_is_not_told(lab: MailLab, user: str, open_smtp: Maker) -> None:
    transport = open_smtp(lab.ports.submission, Security.STARTTLS)
    transport.send(letter(user, user), sender=user, recipients=[user])
    lab.wait_for(user, 1)
    trace = str(email.message_from_bytes(lab.delivered(user)[0]).get_all("Received")[-1])
    assert trace.startswith("from [127.0.0.1] ")
    assert socket.gethostname() not in trace


def test_many_letters_share_one_connection(
    lab: MailLab, user: str, open_smtp: Maker, cut_proxy: Callable[..., CutProxy]
) -> None:
    proxy = cut_proxy(lab.ports.plain)
    transport = open_smtp(proxy.port)
    for _ in range(5):
        transport.send(letter(user, user), sender=user, recipients=[user])
    lab.wait_for(user, 5)
    assert proxy.connections == 1


def test_a_company_address_is_reached_with_its_original_spelling(
    lab: MailLab, user: str, open_smtp: Maker
) -> None:
    message_id = new_message_id(user)
    raw = letter(user, "privacy+eu@acme.example", message_id=message_id)
    before = len(lab.delivered(CATCHALL))
    open_smtp(lab.ports.plain).send(raw, sender=user, recipients=["privacy+eu@acme.example"])
    lab.wait_for(CATCHALL, before + 1)
    [arrived] = [each for each in lab.delivered(CATCHALL) if message_id.encode() in each]
    assert b"X-Original-To: privacy+eu@acme.example" in arrived


@pytest.mark.parametrize(
    ("port", "recipient", "code", "temporary"),
    [
        ("mx", "nobody@example.test", 550, False),
        ("mx", "privacy@policy.test", 550, False),
        ("mx", "privacy@delay.test", 450, True),
        ("hard", "privacy@acme.example", 500, False),
        ("soft", "privacy@acme.example", 450, True),
    ],
)
def test_a_refused_recipient_is_rejected_with_code_and_words(
    lab: MailLab, user: str, open_smtp: Maker, port: str, recipient: str, code: int, temporary: bool
) -> None:
    transport = open_smtp(getattr(lab.ports, port))
    with pytest.raises(Rejected) as caught:
        transport.send(letter(user, recipient), sender=user, recipients=[recipient])
    assert (caught.value.code, caught.value.temporary) == (code, temporary)
    assert caught.value.reply


def test_a_refusal_does_not_spoil_the_next_letter(
    lab: MailLab, user: str, open_smtp: Maker
) -> None:
    transport = open_smtp(lab.ports.mx)
    with pytest.raises(Rejected):
        transport.send(letter(user, "x@full.test"), sender=user, recipients=["x@full.test"])
    transport.send(letter(user, user), sender=user, recipients=[user])
    lab.wait_for(user, 1)


def test_if_one_of_two_recipients_is_refused_nobody_gets_the_letter(
    lab: MailLab, user: str, open_smtp: Maker
) -> None:
    transport, first = open_smtp(lab.ports.mx), new_message_id(user)
    with pytest.raises(Rejected):
        transport.send(
            letter(user, user, message_id=first), sender=user, recipients=[user, "x@full.test"]
        )
    transport.send(letter(user, user), sender=user, recipients=[user])
    lab.wait_for(user, 1)
    assert copies(lab, user, first) == 0


def test_a_greylisting_server_says_later(lab: MailLab, user: str, open_smtp: Maker) -> None:
    with pytest.raises(Rejected) as caught:
        open_smtp(lab.ports.grey).send(letter(user, user), sender=user, recipients=[user])
    assert caught.value.temporary


def test_a_rate_limit_is_a_temporary_refusal(lab: MailLab, user: str, open_smtp: Maker) -> None:
    transport = open_smtp(lab.ports.rate)

    def send(count: int) -> None:
        for _ in range(count):
            transport.send(letter(user, user), sender=user, recipients=[user])

    with pytest.raises(Rejected) as caught:
        send(9)
    assert caught.value.code == 450


def test_a_letter_too_large_is_refused_before_a_byte_of_it_is_sent(
    lab: MailLab, user: str, open_smtp: Maker, cut_proxy: Callable[..., CutProxy]
) -> None:
    transport = open_smtp(cut_proxy(lab.ports.small, Cut(when=b"MAIL FROM")).port)
    raw = letter(user, user, body="words and words\n" * 25_000)
    with pytest.raises(Rejected) as caught:
        transport.send(raw, sender=user, recipients=[user])
    assert caught.value.code == 552


def test_a_wrong_password_is_a_refused_login(lab: MailLab, open_smtp: Maker) -> None:
    transport = open_smtp(lab.ports.smtps, Security.TLS, secret=Secret("wrong-9f3a"))
    with pytest.raises(LoginRefused) as caught:
        transport.check()
    assert "535" in str(caught.value)


def test_no_password_shows_in_anything_a_failed_login_leaves(
    lab: MailLab, open_smtp: Maker, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    caplog.set_level(0)
    password = "hidden-in-plain-sight-7c1"
    transport = open_smtp(lab.ports.submission, Security.STARTTLS, secret=Secret(password))
    with pytest.raises(LoginRefused) as caught:
        transport.check()
    told = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(vars(transport))
    told += "".join(capfd.readouterr())
    encoded = __import__("base64").b64encode(password.encode()).decode()
    assert password not in told
    assert encoded not in told


def test_an_unknown_certificate_is_never_trusted(
    lab: MailLab, user: str, open_smtp: Maker
) -> None:
    for port, security in (("smtps", Security.TLS), ("submission", Security.STARTTLS)):
        transport = open_smtp(getattr(lab.ports, port), security, ca_file=None)
        with pytest.raises(MailServerUnreachable, match="certificate"):
            transport.send(letter(user, user), sender=user, recipients=[user])


def test_without_starttls_no_password_leaves(lab: MailLab, open_smtp: Maker) -> None:
    with pytest.raises(MailServerUnreachable, match="STARTTLS"):
        open_smtp(lab.ports.sink, Security.STARTTLS).check()


@pytest.mark.parametrize("auth", [Auth.XOAUTH2, Auth.OAUTHBEARER])
def test_a_token_logs_in_and_a_stale_one_is_refused(
    lab: MailLab, user: str, open_smtp: Maker, auth: Auth
) -> None:
    good, stale = Secret(lab.token(user)), Secret(lab.token(user, expires_in=-60))
    open_smtp(lab.ports.submission, Security.STARTTLS, auth=auth, secret=good).check()
    with pytest.raises(LoginRefused) as caught:
        open_smtp(lab.ports.submission, Security.STARTTLS, auth=auth, secret=stale).check()
    assert stale.reveal() not in str(caught.value)


def test_a_token_command_is_run_for_each_login_anew(
    lab: MailLab, user: str, open_smtp: Maker, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(lab.token(user))
    source = Command(("cat", str(tmp_path / "token")))
    transport = open_smtp(
        lab.ports.submission, Security.STARTTLS, auth=Auth.XOAUTH2,
        secret=lambda: read_secret(source),
    )  # fmt: skip
    transport.check()
    (tmp_path / "token").write_text(lab.token(user, expires_in=-60))
    with pytest.raises(LoginRefused):
        transport.check()


def test_a_closed_port_is_an_unreachable_server(user: str, open_smtp: Maker) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        transport = open_smtp(unused.getsockname()[1])
        with pytest.raises(MailServerUnreachable):
            transport.send(letter(user, user), sender=user, recipients=[user])


def test_a_server_that_never_speaks_is_given_up(user: str, open_smtp: Maker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        transport = open_smtp(silent.getsockname()[1], timeout_s=0.3)
        with pytest.raises(MailServerUnreachable, match="in time"):
            transport.check()


def test_a_connection_dropped_at_the_recipient_means_not_sent(
    lab: MailLab, user: str, open_smtp: Maker
) -> None:
    with pytest.raises(NotAttempted):
        open_smtp(lab.ports.drop).send(letter(user, "a@b.example"), sender=user,
                                       recipients=["a@b.example"])  # fmt: skip


def test_a_connection_dropped_after_the_final_dot_leaves_the_letter_in_doubt(
    lab: MailLab, user: str, open_smtp: Maker
) -> None:
    with pytest.raises(OutcomeUnknown):
        open_smtp(lab.ports.dropdata).send(letter(user, "a@b.example"), sender=user,
                                           recipients=["a@b.example"])  # fmt: skip


def test_a_letter_accepted_without_a_word_reaching_us_is_in_doubt_and_arrives_once(
    lab: MailLab, user: str, open_smtp: Maker, cut_proxy: Callable[..., CutProxy]
) -> None:
    proxy = cut_proxy(lab.ports.plain, Cut(when=b"\r\n.\r\n", pass_on=True))
    transport, message_id = open_smtp(proxy.port), new_message_id(user)
    with pytest.raises(OutcomeUnknown):
        transport.send(letter(user, user, message_id=message_id), sender=user, recipients=[user])
    transport.send(letter(user, user), sender=user, recipients=[user])
    lab.wait_for(user, 2)
    assert copies(lab, user, message_id) == 1


def test_a_server_gone_in_the_middle_of_the_letter_leaves_it_in_doubt(
    lab: MailLab, user: str, open_smtp: Maker, cut_proxy: Callable[..., CutProxy]
) -> None:
    proxy = cut_proxy(lab.ports.plain, Cut(when=b"the middle"))
    body = "a line before\n" * 20_000 + "the middle\n" + "a line after\n" * 20_000
    with pytest.raises(OutcomeUnknown):
        open_smtp(proxy.port).send(letter(user, user, body=body), sender=user, recipients=[user])


@pytest.mark.parametrize("moment", [b"MAIL FROM", b"DATA"])
def test_a_connection_cut_before_the_letter_means_not_sent(
    lab: MailLab, user: str, open_smtp: Maker, cut_proxy: Callable[..., CutProxy], moment: bytes
) -> None:
    proxy = cut_proxy(lab.ports.plain, Cut(when=moment))
    transport = open_smtp(proxy.port)
    with pytest.raises(NotAttempted):
        transport.send(letter(user, user), sender=user, recipients=[user])
    transport.send(letter(user, user), sender=user, recipients=[user])
    lab.wait_for(user, 1)


def test_an_idle_connection_that_broke_is_made_anew_and_the_letter_arrives_once(
    lab: MailLab, user: str, open_smtp: Maker, cut_proxy: Callable[..., CutProxy]
) -> None:
    proxy = cut_proxy(lab.ports.plain)
    transport, message_id = open_smtp(proxy.port), new_message_id(user)
    transport.send(letter(user, user), sender=user, recipients=[user])
    proxy.drop_all()
    transport.send(letter(user, user, message_id=message_id), sender=user, recipients=[user])
    lab.wait_for(user, 2)
    assert copies(lab, user, message_id) == 1
    assert proxy.connections == 2


def test_a_server_gone_for_good_while_idle_is_unreachable_not_in_doubt(
    lab: MailLab, user: str, open_smtp: Maker, cut_proxy: Callable[..., CutProxy]
) -> None:
    proxy = cut_proxy(lab.ports.plain)
    transport = open_smtp(proxy.port)
    transport.send(letter(user, user), sender=user, recipients=[user])
    proxy.close()
    with pytest.raises(MailServerUnreachable):
        transport.send(letter(user, user), sender=user, recipients=[user])


@pytest.mark.parametrize(
    "address",
    ["a@b.example>\r\nRCPT TO:<c@d.example", "a b@c.example", "a@b.example\n", "nobody", ""],
)
def test_an_address_cannot_carry_a_command(
    lab: MailLab, user: str, open_smtp: Maker, address: str
) -> None:
    transport = open_smtp(lab.ports.sink)
    with pytest.raises(Unsendable):
        transport.send(letter(user, user), sender=user, recipients=[address])


def test_a_letter_with_lone_line_feeds_is_not_sent(
    lab: MailLab, user: str, open_smtp: Maker
) -> None:
    raw = letter(user, user) + b"\n.\nMAIL FROM:<x@y.example>\r\n"
    with pytest.raises(Unsendable):
        open_smtp(lab.ports.sink).send(raw, sender=user, recipients=[user])


def test_an_address_beyond_ascii_goes_out_where_the_server_takes_it(
    lab: MailLab, user: str, open_smtp: Maker
) -> None:
    raw = letter(user, "datenschutz@bücher.example")
    before = len(lab.delivered(CATCHALL))
    transport = open_smtp(lab.ports.plain)
    transport.send(raw, sender=user, recipients=["datenschutz@bücher.example"])
    lab.wait_for(CATCHALL, before + 1)
    parsed = email.message_from_bytes(raw, policy=policy.default)
    assert parsed["To"] == "datenschutz@xn--bcher-kva.example"
    with pytest.raises(Rejected, match="SMTPUTF8"):
        open_smtp(lab.ports.sink).send(raw, sender=user, recipients=["schön@acme.example"])
