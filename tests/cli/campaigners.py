"""A campaign as its coordinator has it: a table of invented members, papers, answers that come."""

from __future__ import annotations

import csv
import re
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from command import Dsar, lab_options
from inprocess import Here
from servers.maillab import MailLab

from dsar.store import Store, open_store

KEEPER = "--passphrase-command", "echo correct horse battery"
HEADINGS = ("Vor- und Nachname", "E-Mail", "Land", "Anschrift", "Einwilligung", "Lesen erlaubt",
            "Kopie an mich", "Telefon")
MAP = ("name=Vor- und Nachname,email=E-Mail,residence=Land,consent=Einwilligung,"
       "address=Anschrift,analysis=Lesen erlaubt,in_copy=Kopie an mich")
BAD_ROWS = (("Ohne Adresse", "", "DE", "Weg 1", "2026-11-01", "ja", "nein", ""),
            ("Ohne Einwilligung", "ohne@verein.example", "DE", "Weg 2", "", "ja", "nein", ""),
            ("Zweimal Da", "M003@verein.example", "DE", "Weg 3", "ja", "ja", "nein", ""))


def address_of(number: int) -> str:
    return f"m{number:03}@verein.example"


def write_members(path: Path, count: int) -> Path:
    """A table as a German office program writes it: semicolons, a byte order mark, three bad rows.

    Every second member lets the group read the answers.
    """
    rows: list[tuple[str, ...]] = [
        (f"Person {number:03} Muster", address_of(number), ("DE-BE", "AT", "FR")[number % 3],
         f"Musterweg {number}; 10115 Berlin", "2026-11-01", ("ja", "nein")[number % 2],
         ("nein", "ja")[number % 5 == 0], f"+49 30 5550{number:03}")
        for number in range(count)]
    rows[4:4], rows[20:20], rows[41:41] = BAD_ROWS[:1], BAD_ROWS[1:2], BAD_ROWS[2:]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows([HEADINGS, *rows])
    return path


def begin(call: Dsar | Here, folder: Path, lab: MailLab, address: str, *, mode: str,
          members: int, slugs: tuple[str, ...], rights: tuple[str, ...] = ()) -> None:
    """From the empty folder to members added, as the README has it."""
    call("account", "add", address, "--display-name", "Data Rights Group",
         *lab_options(lab, folder))
    (folder / "consent.txt").write_text("Ich bin einverstanden.\n")
    wanted = [word for right in rights for word in ("--right", right)]
    if "erasure" in rights:
        wanted += ["--erase-because", "members know from elsewhere what is held"]
    call("campaign", "init", "spring", "--organisation", "Data Rights Group", "--contact",
         "dsar@rights.example", "--consent", str(folder / "consent.txt"), "--purge-on",
         "2027-12-31", "--mode", mode, "--no-spread", "--per-day", "1000", *wanted, *KEEPER)
    call("campaign", "targets", "spring", *slugs)
    table = write_members(folder / "mitglieder.csv", members)
    call("campaign", "add-members", "spring", str(table), "--map", MAP, "--language", "de",
         "--language", "en", status=3)


@dataclass(frozen=True)
class KitLetter:
    """A link of the page in a kit: what the member's mail program opens."""

    to: str
    drop: str
    subject: str
    body: str


def letters_of(kit: Path) -> list[KitLetter]:
    """The links of a kit's page."""
    with zipfile.ZipFile(kit) as archive:
        page = archive.read("index.html").decode()
    found = []
    for link in re.findall(r'href="(mailto:[^"]+)"', page):
        url = urlsplit(unescape(link))
        fields = parse_qs(url.query.replace("+", "%2B"))
        found.append(KitLetter(unquote(url.path), fields["bcc"][0], fields["subject"][0],
                               fields["body"][0]))
    return found


def mail(sender: str, to: str, subject: str, text: str, **headers: Any) -> EmailMessage:
    """An invented mail; `headers` with _ for -."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = f"<{abs(hash((sender, to, subject, text)))}@{sender.split('@')[-1]}>"
    message["Date"] = format_datetime(headers.pop("date"))
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def words_in(home: Path, *words: str) -> list[str]:
    """The files of a home in which one of these words stands in clear, in any case of letters."""
    wanted = [word.lower().encode() for word in words]
    found = []
    for path in sorted(home.rglob("*")):
        if path.is_file():
            content = path.read_bytes().lower()
            found += [f"{path.relative_to(home)}: {w.decode()}" for w in wanted if w in content]
    return found


def opened_ledger(home: Path) -> Store:
    """The ledger of a home, wherever `store:` says it lies."""
    found = re.search(r"store: (postgresql\S+)", (home / "config.yaml").read_text())
    return open_store(found[1] if found else f"tinydb:{home / 'ledger'}", write=True,
                      now=lambda: datetime(2026, 11, 24, 9, tzinfo=UTC), author="test")
