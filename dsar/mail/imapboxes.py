"""LIST and EXAMINE by the standard library alone (RFC 9051, 6.3.3 and 6.3.9).

IMAPClient is asked only where an answer, or a name, is of a less common form.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from imaplib import IMAP4

from dsar.mail.imaplogin import Connection

_LISTED = re.compile(
    rb"\(([^()\"]*)\) (?:\"(?:[^\"\\]|\\.)*\"|NIL) (?:\"((?:[^\"\\]|\\.)*)\"|([^\s\"\\{()]+))")
_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")
_PLAIN = re.compile(r"[ !#-%'-\[\]-~]+")
# The names under which providers keep them; IMAPClient knows where to look for each.
_COMMON = {b"\\junk": ("junk", "spam"),
           b"\\sent": ("sent", "sent items", "sent messages")}


@dataclass(frozen=True)
class Listed:
    """One mailbox: its attributes in lower case, such as `\\noselect`, and its name."""

    flags: frozenset[bytes]
    name: str


def all_mailboxes(connection: Connection) -> list[Listed]:
    """Every mailbox of the account. Raises what imaplib raises."""
    answer, data = connection.imap.list()
    if answer != "OK":
        raise IMAP4.error(f"list failed: {_text(data[0])}")
    found = [_listed(line) for line in data if line not in (None, b"")]
    if None not in found:
        return [each for each in found if each is not None]
    return [Listed(frozenset(map(bytes.lower, flags)), str(name))
            for flags, _, name in connection.client.list_folders()]


def special(connection: Connection, use: bytes, among: list[Listed]) -> str | None:
    """The mailbox of a use (RFC 6154), else one with a common name; None for none.

    use: such as `\\Junk`.
    """
    wanted = use.lower()
    flagged = next((each.name for each in among if wanted in each.flags), None)
    if flagged is not None:
        return flagged
    if not any(each.name.lower().endswith(_COMMON[wanted]) for each in among):
        return None
    found = connection.client.find_special_folder(use)
    return None if found is None else str(found)


def with_validity(connection: Connection, validity: int) -> list[str]:
    """The mailboxes that have this UIDVALIDITY; one that cannot be asked is passed over."""
    found: list[str] = []
    for each in all_mailboxes(connection):
        if each.flags & {b"\\noselect", b"\\nonexistent"}:
            continue
        try:
            told = connection.client.folder_status(each.name, ["UIDVALIDITY"])
        except IMAP4.abort:
            raise
        except IMAP4.error:
            continue
        found += [each.name] if told.get(b"UIDVALIDITY") == validity else []
    return found


def examine(connection: Connection, mailbox: str) -> tuple[int, int | None]:
    """Open read-only; UIDVALIDITY and UIDNEXT, None where the server does not say."""
    if not _PLAIN.fullmatch(mailbox):
        facts = connection.client.select_folder(mailbox, readonly=True)
        following = facts.get(b"UIDNEXT")
        return int(facts.get(b"UIDVALIDITY", 0)), None if following is None else int(following)
    imap = connection.imap
    answer, data = imap.select(f'"{mailbox}"', readonly=True)
    if answer != "OK":
        raise IMAP4.error(f"select failed: {_text(data[0])}")
    return _number(imap, "UIDVALIDITY") or 0, _number(imap, "UIDNEXT")


def _number(imap: IMAP4, code: str) -> int | None:
    found = imap.response(code)[1][-1]
    return int(found) if isinstance(found, bytes) and found.isdigit() else None


def _listed(line: object) -> Listed | None:
    """One answer; None where it holds a literal or a name that cannot be read here."""
    found = _LISTED.fullmatch(line) if isinstance(line, bytes) else None
    if found is None:
        return None
    quoted = found.group(2)
    name = found.group(3) if quoted is None else re.sub(rb"\\(.)", rb"\1", quoted)
    try:
        decoded = _SHIFTED.sub(_unshifted, name.decode("ascii"))
    except ValueError:  # also what base64 and UTF-16 raise
        return None
    return Listed(frozenset(found.group(1).lower().split()), decoded)


def _unshifted(part: re.Match[str]) -> str:
    """Modified UTF-7 (RFC 3501, section 5.1.3)."""
    text = part.group(1).replace(",", "/")
    return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-16-be") if text else "&"


def _text(data: object) -> str:
    return data.decode("ascii", "replace") if isinstance(data, bytes) else str(data)
