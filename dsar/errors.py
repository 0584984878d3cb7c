"""Every error dsar raises on purpose: what happened, the way out, and the exit status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class DsarError(Exception):
    """Base of all; `exit_status` and `hint` are shown by the command line."""

    exit_status = 1
    hint = ""
    rail: str | None = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in one place of a file; `str()` gives `path:line: message`."""

    path: str
    line: int
    message: str
    hint: str = ""
    slug: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class FileProblems(DsarError):
    """A file of ours or the user's is wrong; all problems are named at once."""

    exit_status = 6
    hint = "Mend the lines named and run the command again; nothing was changed."

    def __init__(self, problems: Sequence[Problem], *, hint: str | None = None) -> None:
        super().__init__("\n".join(map(str, problems)), hint=hint)
        self.problems = tuple(problems)


class UsageProblem(DsarError):
    """The command was called with something that does not make sense together."""

    exit_status = 2


class NotSetUp(DsarError):
    """No configuration, no person or no account yet."""

    exit_status = 6
    hint = "`dsar init` sets up a person, a mailbox and a first list; `dsar demo` needs nothing."


class DoneInPart(DsarError):
    """Some of the batch was done; the rest is listed."""

    exit_status = 3
    hint = "What was done is recorded. Mend what is listed and run the command again."


class LoginRefused(DsarError):
    """The mail server did not accept the login."""

    exit_status = 4
    hint = "Check the user name and the app password; `dsar account test` tries it without sending."


class MailServerUnreachable(DsarError):
    """No connection to the SMTP or IMAP server."""

    exit_status = 5
    hint = "Check `accounts:` in config.yaml; `dsar doctor --network` tries it without sending."

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"{host}:{port}: {reason}.")
        self.host, self.port, self.reason = host, port, reason


class Temporary(DsarError):
    """Something failed that may work in a moment; running the command again is safe."""

    exit_status = 5
    hint = "Run the command again; nothing is done twice."


class RefusedByRail(DsarError):
    """A safety rail holds; `rail` is its id from the documentation."""

    exit_status = 7

    def __init__(self, rail: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.rail = rail


class NeedsConfirmation(DsarError):
    """The command would act, but nobody can be asked."""

    exit_status = 8


class AnotherAtWork(DsarError):
    """A second dsar holds the lock of this home."""

    exit_status = 9
    hint = "Wait until the other dsar has finished, or end it; then run this again."


class StorageFailed(DsarError):
    """The ledger or archive could not be written; nothing unwritten was acknowledged."""

    exit_status = 1
    hint = "Check free space and permissions of the data folder, then run the command again."


class LedgerDamaged(StorageFailed):
    """A line of the ledger that is not the last one cannot be read."""

    hint = "Restore the ledger from a backup; no line is skipped silently."


class StoreUnreachable(StorageFailed):
    """The database of the ledger does not answer; nothing unrecorded was acknowledged."""

    exit_status = 5
    hint = "Check `store:` in config.yaml and the database; then run the command again."


class StoreNotEmpty(UsageProblem):
    """A store that is to be filled as a whole holds something already."""

    hint = "Name a new folder or an empty database; nothing is overwritten."


class ConcurrentAppend(DsarError):
    """Another writer added events to the case first."""

    exit_status = 5
    hint = "Run the command again; it starts from the newer state."


class UnknownCase(DsarError):
    """No case has this id."""

    exit_status = 2
    hint = "`dsar status` lists the cases."


class UnknownCompany(DsarError):
    """No company in the registry has this slug."""

    exit_status = 2
    hint = "`dsar registry search WORD` finds companies."


class LetterIncomplete(DsarError):
    """A letter lacks a fact or a phrase; it is not sent with a gap."""

    exit_status = 6
    hint = "`dsar letter preview` shows what is missing."
