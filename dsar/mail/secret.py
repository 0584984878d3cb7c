"""Where a password or token comes from, and a box that keeps it out of every output."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Never, assert_never

from dsar.errors import LoginRefused

_MAX_BYTES = 64 * 1024
_COMMAND_TIMEOUT_S = 120  # the user may have to unlock a key
# learn.microsoft.com, "Authenticate an IMAP, POP or SMTP connection using OAuth"; providers.yaml
MICROSOFT_AUTHORITY = "https://login.microsoftonline.com/common"
MICROSOFT_SCOPES = ("offline_access", "https://outlook.office.com/IMAP.AccessAsUser.All",
                    "https://outlook.office.com/SMTP.Send")


class SecretUnavailable(LoginRefused):
    """The password or token could not be had; nothing was sent to any server."""

    hint = "Check `secret:` of the account in config.yaml; `dsar account test` tries it."


class Secret:
    """A password or token that shows itself only when asked by name."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself: for the wire only."""
        return self._value

    def hidden_in(self, text: str) -> str:
        """`text` with the secret blotted out, should a server or library have repeated it."""
        return text.replace(self._value, "(hidden)") if self._value else text

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce__(self) -> Never:
        raise TypeError("a Secret is not written anywhere")


@dataclass(frozen=True)
class Command:
    """A program that prints the password or, for OAuth, a fresh token on its first line.

    argv: started without a shell.
    """

    argv: tuple[str, ...]


@dataclass(frozen=True)
class Keyring:
    """An entry of the system keyring."""

    service: str
    username: str


@dataclass(frozen=True)
class SecretFile:
    """A file only its owner can read; the first line counts."""

    path: Path


@dataclass(frozen=True)
class SystemdCredential:
    """LoadCredential= or SetCredential= of a systemd unit."""

    name: str


@dataclass(frozen=True)
class Prompt:
    """Asked at the terminal each time."""


@dataclass(frozen=True, kw_only=True)
class Microsoft:
    """A sign-in with a device code, kept in `cache`; see `dsar.mail.microsoft`.

    client_id: of the registration that asks. authority: https, with the tenant. ca_file: the
    certificates to trust for an authority of one's own.
    """

    client_id: str
    cache: Path | Keyring
    authority: str = MICROSOFT_AUTHORITY
    scopes: tuple[str, ...] = MICROSOFT_SCOPES
    ca_file: Path | None = None


SecretSource = Command | Keyring | SecretFile | SystemdCredential | Prompt | Microsoft
Ask = Callable[[], str]


def read_secret(
    source: SecretSource, *, ask: Ask | None = None, environ: Mapping[str, str] = os.environ,
    renew: bool = False,
) -> Secret:
    """Fetch the secret; raises SecretUnavailable, never with any part of it in the text.

    ask: shows a question and returns what was typed, unseen; None where nobody can be asked.
    renew: get a new token even where the kept one still seems good.
    """
    match source:
        case Command():
            value = _from_command(source.argv)
        case Keyring():
            value = _from_keyring(source)
        case SecretFile():
            value = _from_file(source.path.expanduser())
        case SystemdCredential():
            value = _from_systemd(source.name, environ)
        case Prompt():
            value = _from_prompt(ask)
        case Microsoft():
            from dsar.mail.microsoft import MicrosoftLogin

            return MicrosoftLogin(source).token(renew=renew)
        case _:
            assert_never(source)
    if not value:
        raise SecretUnavailable("The password is empty.")
    if any(ch in value for ch in "\r\n\0"):
        raise SecretUnavailable("The password holds a line break or a NUL.")
    return Secret(value)


def _from_command(argv: tuple[str, ...]) -> str:
    program = argv[0] if argv else ""
    try:
        done = subprocess.run(
            argv, stdout=subprocess.PIPE, timeout=_COMMAND_TIMEOUT_S, check=False
        )
    except (OSError, IndexError, ValueError):
        raise SecretUnavailable(f"The password command {program!r} cannot be started.") from None
    except subprocess.TimeoutExpired:
        raise SecretUnavailable(f"The password command {program!r} did not end.") from None
    if done.returncode:
        reason = f"ended with status {done.returncode}"
        raise SecretUnavailable(f"The password command {program!r} {reason}.")
    return _first_line(done.stdout)


def _from_keyring(entry: Keyring) -> str:
    found = stored_in_keyring(entry)
    if found is None:
        raise SecretUnavailable(f"The system keyring holds no entry {entry.service!r}.")
    return found


def stored_in_keyring(entry: Keyring) -> str | None:
    """What the keyring holds under an entry, None for nothing. Raises SecretUnavailable."""
    return _asking_keyring(lambda keyring: keyring.get_password(entry.service, entry.username))


def store_in_keyring(entry: Keyring, value: str) -> None:
    """Put a secret into the keyring, in place of the old one. Raises SecretUnavailable."""
    _asking_keyring(
        lambda keyring: keyring.set_password(entry.service, entry.username, value))


def _asking_keyring(action: Callable[[Any], Any]) -> str | None:
    try:
        import keyring
    except ImportError:
        raise SecretUnavailable(
            "The system keyring needs the package `keyring`.",
            hint="Install `dsar-cli[keyring]`, or choose another `secret:` in config.yaml.",
        ) from None
    try:
        found = action(keyring)
    except Exception as error:  # each backend has errors of its own
        kind = type(error).__name__
        raise SecretUnavailable(f"The system keyring cannot be used ({kind}).") from None
    return None if found is None else str(found)


def _from_file(path: Path) -> str:
    return _first_line(read_private(path))


def read_private(path: Path) -> bytes:
    """A file only its owner can read; raises SecretUnavailable.

    The permissions are read from the open file, so that nobody can swap it in between.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise SecretUnavailable(f"The password file {path} cannot be opened: {reason}.") from None
    try:
        _refuse_exposed(path, os.fstat(descriptor))
        return os.read(descriptor, _MAX_BYTES)
    finally:
        os.close(descriptor)


def _refuse_exposed(path: Path, facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise SecretUnavailable(f"The password file {path} is no regular file.")
    if facts.st_mode & 0o077:
        raise SecretUnavailable(
            f"The password file {path} can be read by others.", hint=f"chmod 600 {path}"
        )
    if facts.st_uid not in (os.geteuid(), 0):
        raise SecretUnavailable(f"The password file {path} belongs to someone else.")


def _from_systemd(name: str, environ: Mapping[str, str]) -> str:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise SecretUnavailable("systemd has handed over no credentials to this process.")
    if "/" in name or name in ("", ".", ".."):
        raise SecretUnavailable(f"{name!r} is no name of a systemd credential.")
    try:
        return _first_line((Path(folder) / name).read_bytes()[:_MAX_BYTES])
    except OSError:
        raise SecretUnavailable(f"systemd has handed over no credential {name!r}.") from None


def _from_prompt(ask: Ask | None) -> str:
    if ask is None:
        raise SecretUnavailable(
            "The password must be typed, and nobody can be asked.",
            hint="Use `command`, `keyring`, `file` or `credential` below `secret:` instead.",
        )
    return ask()


def _first_line(raw: bytes) -> str:
    """Password managers print notes below the password, and editors end files with a newline."""
    first = raw.split(b"\n", 1)[0].removesuffix(b"\r")
    try:
        return first.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretUnavailable("The password is not UTF-8.") from None
