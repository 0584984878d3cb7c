"""The show: days of the demo, what the person types on each, and the real output of it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shlex
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from dsar.demo.companies import Cast
from dsar.demo.replies import Mail, answers, chatter, read_letter
from dsar.demo.servers import MailServers
from dsar.errors import DsarError
from dsar.home import write_private

SHORT_DIGEST = 10
WIDTH = 78
OUTCOMES = {"fulfilled_access": "answered", "no_data_held": "nothing-held"}
"""Labels after which Alex closes the case, with the outcome; the others stay open."""
INIT = """\
dsar init --no-input --name "{name}" --email {email} \\
    --residence DE-BE --language en --language de --language fr \\
    --address "Musterweg 1" --address "10115 Berlin" \\
    --imap 127.0.0.1:{imap} --imap-security none \\
    --smtp 127.0.0.1:{smtp} --smtp-security none \\
    --password-file "$DSAR_HOME/password" --reply-tags --no-limits \\
    --companies "{companies}\""""


class Command(Protocol):
    """The command line: runs the words after `dsar` on a day, returns the exit status."""

    def __call__(self, arguments: Sequence[str], today: date) -> int:
        """Print to stdout and stderr as always."""


class DemoFailed(DsarError):
    """A command of the demo did not end as it should: a mistake in dsar."""

    hint = "This is a mistake in dsar; please report it. Nothing left this machine."


@dataclass(kw_only=True)
class Show:
    """One run of the demo. show: prints a line. pause: called before each command.

    due: mail that has not arrived yet. arrived: mail in the mailbox, by SHA-256.
    """

    cast: Cast
    servers: MailServers
    folder: Path
    command: Command
    show: Callable[[str], None]
    pause: Callable[[], None]
    day: int = 0
    due: list[Mail] = field(default_factory=list)
    arrived: dict[str, Mail] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The date the clock of the demo shows."""
        return self.cast.on(self.day)

    def types(self, typed: str) -> None:
        """Show a command as typed, run it, show its output. Raises DemoFailed, SystemExit.

        What is shown is what is run: `typed` is split as a shell would.
        """
        self.show("")
        self.pause()
        self.show(f"$ {typed}")
        with contextlib.redirect_stderr(sys.stdout):
            self._run(_split(typed, self.folder))

    def asks(self, typed: str) -> list[dict[str, Any]]:
        """The items of a `--json` answer, shown to nobody."""
        answer = io.StringIO()
        with contextlib.redirect_stdout(answer):
            self._run([*_split(typed, self.folder), "--json"])
        items: list[dict[str, Any]] = json.loads(answer.getvalue())["items"]
        return items

    def _run(self, arguments: Sequence[str]) -> None:
        status = self.command(arguments, self.today)
        if status == 130:
            raise SystemExit(130)
        if status != 0:
            raise DemoFailed(f"`dsar {arguments[0]}` ended with status {status}.")

    def goes_on_to(self, day: int) -> None:
        """Let the days pass: everything that is due by then arrives in the mailbox."""
        self.day = day
        now = [mail for mail in self.due if mail.at.date() <= self.today]
        self.due = [mail for mail in self.due if mail not in now]
        for mail in sorted(now, key=lambda m: m.at):
            self.servers.deliver(mail.raw, mail.at)
            self.arrived[hashlib.sha256(mail.raw).hexdigest()] = mail

    def says(self, text: str) -> None:
        """Tell what no command tells."""
        self.show("")
        for line in textwrap.wrap(text, WIDTH):
            self.show(line)

    def heading(self, text: str) -> None:
        """Begin a day."""
        title = f"Day {self.day}, {self.today:%A %-d %B %Y}: {text}"
        self.show("")
        self.show("=" * WIDTH)
        self.show(title)
        self.show("=" * WIDTH)

    def case_of(self, company: str) -> str:
        """The case of a company. Raises DemoFailed."""
        for item in self.asks("dsar status"):
            if item["company"] == company:
                return str(item["case"])
        raise DemoFailed(f"There is no case of {company}.")


def _split(typed: str, folder: Path) -> list[str]:
    """The words after `dsar`, as a shell with this DSAR_HOME would split the line."""
    line = typed.replace("\\\n", " ").replace("$DSAR_HOME", str(folder))
    return shlex.split(line)[1:]


def perform(show: Show) -> None:
    """Run the whole cycle. Raises DemoFailed, and SystemExit where the person stops it."""
    _welcome(show)
    _first_day(show)
    _third_day(show)
    _after_a_month(show)
    _after_two_months(show)


def _welcome(show: Show) -> None:
    text = (
        f"{show.cast.name} wants to know what {len(show.cast.companies)} companies hold about "
        f"them. Person and companies are invented. An SMTP and an IMAP server run on this "
        f"machine while the demo lasts; no connection goes beyond it, and your own set-up is "
        f"left alone. Every command is run for real, on the day shown, with DSAR_HOME set to "
        f"a folder of its own and DSAR_TODAY to that day."
    )
    show.says(text)


def keep_mail(show: Show) -> None:
    """Put the mail that arrived beside the ledger, one file a message, in the order of arrival."""
    for number, mail in enumerate(sorted(show.arrived.values(), key=lambda m: m.at), start=1):
        name = f"{number:02}-{mail.company or 'private'}.eml"
        write_private(show.folder / "mail" / name, mail.raw)


def _first_day(show: Show) -> None:
    cast = show.cast
    write_private(show.folder / "companies.local.yaml", cast.overlay().encode())
    write_private(show.folder / "password", show.servers.password.encode())
    show.heading("the requests go out")
    show.types(INIT.format(
        name=cast.name, email=cast.email, imap=show.servers.imap_port,
        smtp=show.servers.smtp_port, companies=_listed([c.slug for c in cast.companies])))
    show.types("dsar person edit me --identifier birth-date=1990-05-17")
    writable = sum(bool(company.mail) for company in cast.companies)
    show.types(f"dsar send --all --confirm {writable}")
    show.due = [*_answers(show), *chatter(cast)]
    show.types("dsar status")


def _listed(slugs: Sequence[str]) -> str:
    """Slugs over several lines; inside the quotes a shell takes the line ends as they are."""
    rows = [", ".join(slugs[i:i + 4]) for i in range(0, len(slugs), 4)]
    return ",\n     ".join(rows)


def _answers(show: Show) -> Iterator[Mail]:
    for posted in show.servers.posted:
        company = show.cast.at(posted.recipient)
        if company is not None:
            yield from answers(show.cast, company, read_letter(posted.raw, posted.recipient))


def _third_day(show: Show) -> None:
    show.goes_on_to(3)
    show.heading("the first answers")
    show.types("dsar poll")
    show.types("dsar inbox list")
    _read_replies(show)
    show.types("dsar status")
    granite = show.case_of("granite")
    show.says("Granite wants a copy of an ID card. Alex does not send one: a mail that confirms "
              "the postal address proves enough, and that is what Alex records.")
    show.types(f"dsar case set {granite} id-provided --how 'address confirmed by mail'")


def _after_a_month(show: Show) -> None:
    show.goes_on_to(31)
    show.heading("the month is over")
    show.types("dsar poll")
    show.types("dsar inbox list")
    for digest in _suspicious(show):
        show.types(f"dsar inbox show {digest}")
    _read_replies(show)
    show.types("dsar status")
    show.types(f"dsar case show {show.case_of('stillwater')} --explain")
    show.types("dsar deadlines")
    _close_answered(show)


def _after_two_months(show: Show) -> None:
    show.goes_on_to(60)
    show.heading("two months on")
    show.types("dsar poll")
    _read_replies(show)
    show.types("dsar status")
    show.types(f"dsar case show {show.case_of('lumen')} --explain")
    show.types("dsar deadlines")


def _suspicious(show: Show) -> list[str]:
    return [item["message"][:SHORT_DIGEST] for item in show.asks("dsar inbox list")
            if item["kind"] == "assign"]


def _read_replies(show: Show) -> None:
    """Alex reads what waits and says what each message is."""
    for item in show.asks("dsar inbox list"):
        mail = show.arrived[item["message"]]
        short = item["message"][:SHORT_DIGEST]
        if not mail.label:
            show.types(f"dsar inbox ignore {short}")
            continue
        case = item["case"] or show.case_of(mail.company)
        until = f" \\\n    --until {mail.until}" if mail.until else ""
        show.types(f"dsar inbox assign -q {short} {case} --label {mail.label}{until}")


def _close_answered(show: Show) -> None:
    """Cases with a whole answer are closed; the refusal and the partial answer stay open."""
    last = {mail.company: mail.label for mail in sorted(show.arrived.values(), key=lambda m: m.at)
            if mail.label}
    for item in show.asks("dsar status --status answered"):
        outcome = OUTCOMES.get(last[item["company"]])
        if outcome:
            show.types(f"dsar case close -q {item['case']} --outcome {outcome}")
