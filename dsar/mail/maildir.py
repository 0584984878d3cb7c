"""Mail that lies in files: a Maildir as a mailbox, and mbox, .eml and folders to read from."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from pathlib import Path

from dsar.errors import UsageProblem
from dsar.mail import Coordinates, Cursor, Envelope, Fetched, MadeAnew, Unfetchable
from dsar.mail.account import Account
from dsar.mail.headers import message_ids, raw_headers

# The clock of a file system ticks coarsely, and a file may come while the folder is being listed:
# what changed this shortly before the newest file is shown again rather than left out.
_OVERLAP_US = 2_000_000
_HEAD_BYTES = 64 * 1024
_PIECE = 1024 * 1024
_MAX_HEAD_BYTES = 1024 * 1024


class MaildirMailbox:
    """Keeps the contract of `Mailbox` for a Maildir with subfolders (Maildir++).

    Nothing is moved from new/ to cur/ and no flag is set. A message's UID is made from the
    lasting part of its file name.
    """

    def __init__(self, account: Account) -> None:
        if account.maildir is None:
            raise ValueError(f"account {account.name!r} has no Maildir")
        self._account, self._root = account, account.maildir
        if not _is_maildir(self._root):
            raise UsageProblem(f"{self._root} is no Maildir: it has no cur/ and new/.")

    def mailboxes(self) -> Iterator[str]:
        """INBOX, Junk or Spam, and those of the account, as far as they exist."""
        wanted = ("INBOX", "Junk", "Spam", *self._account.mailboxes)
        return (name for name in dict.fromkeys(wanted) if _is_maildir(self._folder(name)))

    def new(self, mailbox: str, cursor: Cursor | None) -> tuple[Iterator[Envelope], Cursor]:
        """See `Mailbox.new`. A change of flags may show a message again."""
        folder = self._folder(mailbox)
        validity = _validity(folder)
        above = 0
        if cursor is not None and cursor.uidvalidity == validity:
            above = cursor.last_uid - _OVERLAP_US
        changed = sorted((_changed_us(file), file) for file in _files(folder))
        newest = max((at for at, _ in changed), default=0)
        fresh = [file for at, file in changed if at > above or newest < above]
        envelopes = (self._envelope(mailbox, validity, file) for file in fresh)
        return (each for each in envelopes if each), Cursor(uidvalidity=validity, last_uid=newest)

    def fetch(self, coordinates: Sequence[Coordinates]) -> Iterator[Fetched]:
        """See `Mailbox.fetch`."""
        for mailbox in dict.fromkeys(each.mailbox for each in coordinates):
            folder = self._folder(mailbox)
            by_uid = _by_uid(folder)
            for each in coordinates:
                if each.mailbox != mailbox:
                    continue
                if each.uidvalidity != _validity(folder):
                    raise MadeAnew
                file = by_uid.get(each.uid)
                if file is None or not file.exists():  # a mail program has marked it, or it is gone
                    by_uid = _by_uid(folder)
                    file = by_uid.get(each.uid)
                if file is not None:
                    received = datetime.fromtimestamp(_modified(file), UTC)
                    yield Fetched(coordinates=each, received=received, pieces=_pieces(file))

    def called_now(self, cursor: Cursor) -> str | None:
        """See `Mailbox.called_now`: a folder that was renamed is still the same one on the disk."""
        found = [folder.name[1:] for folder in sorted(self._root.glob(".*"))
                 if _is_maildir(folder) and _validity(folder) == cursor.uidvalidity]
        return found[0] if len(found) == 1 else None

    def sent_ids(self, message_ids: Sequence[str]) -> frozenset[str]:
        """See `Mailbox.sent_ids`."""
        wanted, sent = set(message_ids), self._folder("Sent")
        files = _files(sent) if _is_maildir(sent) else ()
        return frozenset(each for file in files for each in _own_ids(file) if each in wanted)

    def file_sent(self, message: bytes) -> None:
        """See `Mailbox.file_sent`; the folder is made where it is missing."""
        sent = self._folder("Sent")
        for part in ("tmp", "new", "cur"):
            (sent / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{hashlib.sha256(message).hexdigest()[:32]}.dsar"
        if any(file.name.startswith(name) for file in _files(sent)):
            return
        temporary = sent / "tmp" / f"{name}.{secrets.token_hex(4)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(message.replace(b"\r\n", b"\n"))
            out.flush()
            os.fsync(out.fileno())
        temporary.rename(sent / "cur" / f"{name}:2,S")

    def close(self) -> None:
        """Nothing is open."""

    def _folder(self, mailbox: str) -> Path:
        if mailbox == "INBOX":
            return self._root
        if "/" in mailbox or mailbox in ("", ".", ".."):
            raise UsageProblem(f"{mailbox!r} is no name of a mailbox.")
        return self._root / f".{mailbox}"

    def _envelope(self, mailbox: str, validity: int, file: Path) -> Envelope | None:
        where = Coordinates(account=self._account.name, mailbox=mailbox, uidvalidity=validity,
                            uid=_uid(file))
        try:
            head, facts = _head(file), file.stat()
        except FileNotFoundError:  # a mail program has marked it, or it is gone
            moved = _by_uid(self._folder(mailbox)).get(where.uid)
            return self._envelope(mailbox, validity, moved) if moved else None
        except OSError as error:
            return Envelope(coordinates=where, received=None, head=b"", trouble=_why(error))
        return Envelope(coordinates=where, head=head,
                        received=datetime.fromtimestamp(facts.st_mtime, UTC))


@dataclass(frozen=True, kw_only=True)
class FiledMail:
    """A message in a file. number: its place in an mbox, counted from 1; 0 where it is alone.

    pieces: its bytes in order, to be read once; that may raise Unfetchable. trouble: why it, or
    the whole file or folder, cannot be read, or empty.
    """

    file: Path
    number: int = 0
    pieces: Iterable[bytes] = ()
    trouble: str = ""

    @property
    def name(self) -> str:
        """The file, with the number behind it where there is one."""
        return f"{self.file}#{self.number}" if self.number else str(self.file)


def mails_in(path: Path) -> Iterator[FiledMail]:
    """Yield every message in a file, a Maildir, or a folder of .eml and mbox.

    A file that starts with "From " is an mbox; every other file is one message. What cannot be
    read comes with its trouble. Raises UsageProblem for what is not there.
    """
    if not path.exists():
        raise UsageProblem(f"{path} is not there.")
    for found in _sources(path):
        yield from (found,) if isinstance(found, FiledMail) else _mails_of(found)


def _sources(path: Path) -> Iterator[Path | FiledMail]:
    if not path.is_dir():
        yield path
        return
    maildir = _is_maildir(path)
    try:
        files = sorted(_files(path)) if maildir else []
        entries = sorted(path.iterdir())
    except OSError as error:
        yield FiledMail(file=path, trouble=f"the folder cannot be read ({error.strerror})")
        return
    yield from files
    for inner in entries:
        if inner.is_dir():
            if not inner.is_symlink() and (not maildir or _is_maildir(inner)):
                yield from _sources(inner)
        elif inner.suffix.lower() in (".eml", ".mbox", ".mbx"):
            yield inner


def _mails_of(file: Path) -> Iterator[FiledMail]:
    number = 0
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return  # a pipe or a device has no end
        with file.open("rb") as opened:
            if opened.read(5) != b"From ":
                yield FiledMail(file=file, pieces=_pieces(file))
                return
            opened.seek(0)
            for number, raw in enumerate(_split_mbox(opened), 1):
                yield FiledMail(file=file, number=number, pieces=(raw,))
    except OSError as error:
        after = number + 1 if number else 0
        yield FiledMail(file=file, number=after, trouble=_why(error))


def _split_mbox(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Messages between "From " lines that follow an empty line; ">From " becomes "From "."""
    message: list[bytes] = []
    after_empty = True
    begun = False
    for line in lines:
        if after_empty and line.startswith(b"From "):
            if begun:
                yield _joined(message)
            message, begun = [], True
        elif begun:
            quoted = line.startswith(b">") and line.lstrip(b">").startswith(b"From ")
            message.append(line[1:] if quoted else line)
        after_empty = line.strip(b"\r\n") == b""
    if begun:
        yield _joined(message)


def _joined(lines: list[bytes]) -> bytes:
    """The empty line before the next "From " belongs to the mbox, not to the message."""
    if lines and lines[-1].strip(b"\r\n") == b"":
        lines = lines[:-1]
    return b"".join(lines)


def _is_maildir(path: Path) -> bool:
    return (path / "cur").is_dir() and (path / "new").is_dir()


def _files(folder: Path) -> Iterator[Path]:
    """The messages of a Maildir folder, seen before ("cur") or not ("new")."""
    for part in ("new", "cur"):
        try:
            entries = list(os.scandir(folder / part))
        except FileNotFoundError:
            continue
        yield from (Path(e.path) for e in entries if not e.name.startswith(".") and e.is_file())


def _uid(file: Path) -> int:
    """From the file name without its flags, which stays when a mail program marks the mail."""
    lasting = file.name.partition(":")[0]
    return int.from_bytes(hashlib.sha256(os.fsencode(lasting)).digest()[:7]) + 1


def _by_uid(folder: Path) -> dict[int, Path]:
    return {_uid(file): file for file in _files(folder)}


def _validity(folder: Path) -> int:
    return folder.stat().st_ino


def _changed_us(file: Path) -> int:
    """The last change of the file's entry, in microseconds: unlike its date, no copy keeps it."""
    try:
        return file.stat().st_ctime_ns // 1000
    except FileNotFoundError:
        return 0


def _head(file: Path) -> bytes:
    """The header block; the body is not read."""
    with file.open("rb") as opened:
        head = opened.read(_HEAD_BYTES)
        while len(head) < _MAX_HEAD_BYTES and b"\n\n" not in head and b"\r\n\r\n" not in head:
            more = opened.read(_HEAD_BYTES)
            if not more:
                break
            head += more
    ends = [at for mark in (b"\r\n\r\n", b"\n\n") if (at := head.find(mark)) >= 0]
    return head[: min(ends)] + b"\n\n" if ends else head


def _own_ids(file: Path) -> tuple[str, ...]:
    try:
        headers = raw_headers(BytesHeaderParser().parsebytes(_head(file)))
    except OSError:
        return ()
    return message_ids(headers.get("message-id", ()))


def _modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _pieces(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            while piece := opened.read(_PIECE):
                yield piece
    except OSError as error:
        raise Unfetchable(_why(error)) from None


def _why(error: OSError) -> str:
    return f"the file cannot be read ({error.strerror})"
