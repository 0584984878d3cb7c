"""Goes through the mailboxes of one account: what is new, what is tried again, what is gone.

The same for `poll` and for `campaign import`; what is done with a message is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from dsar.errors import Temporary
from dsar.mail import MadeAnew
from dsar.mailstate import MailState, Trouble

if TYPE_CHECKING:
    from dsar.mail import Coordinates, Envelope, Fetched, Mailbox
    from dsar.mail.account import Account


class NotAllMailboxes(Temporary):
    """Some mailboxes of an account were read, others could not be."""


@dataclass(frozen=True, kw_only=True)
class Gone:
    """A mailbox that is not there. known: it was read before, and not only named in config.yaml.

    listed: it stands under `mailboxes:`. now: what it is called now, as far as can be told.
    """

    account: str
    mailbox: str
    known: bool
    listed: bool
    now: str | None = None

    def __str__(self) -> str:
        where = f"`mailboxes:` of account {self.account} in config.yaml"
        if not self.known:
            return (f"{self.account}: {self.mailbox} is not on the server. Correct its name under "
                    f"{where}, or take it out.")
        new = f"It seems to be called {self.now} now. Put that" if self.now else \
            "If it was renamed, put its new name"
        rest = f" in place of {self.mailbox}" if self.listed else ""
        return (f"{self.account}: {self.mailbox} was read before and is not there any more. {new} "
                f"under {where}{rest}. What was filed stays, and is not filed twice.")


class Work(Protocol):
    """What is done with the messages of a mailbox."""

    def chosen(self, envelopes: Iterator[Envelope]) -> Iterator[Envelope]:
        """Those whose bodies are to be fetched, and all whose headers cannot be had."""

    def take(self, fetched: Fetched) -> str:
        """Deal with one message; returns why it is to be tried again, or nothing.

        Raises what is not the message's fault.
        """

    def could_not(self, trouble: Trouble) -> None:
        """Hear of a message that could not be dealt with this time."""


@dataclass
class Round:
    """One round through the mailboxes of an account.

    looked_at: how many new messages were seen, by mailbox. gone: what is not there.
    """

    account: Account
    mailbox: Mailbox
    state: MailState
    now: Callable[[], datetime]
    work: Work
    looked_at: dict[str, int] = field(default_factory=dict)
    gone: list[Gone] = field(default_factory=list)

    def all(self) -> None:
        """Read each; one that fails does not stop the others.

        Raises at the end Temporary where none could be read, NotAllMailboxes where some could,
        and at once what is wrong with the account.
        """
        seen: list[str] = []
        failed: list[str] = []
        for name in self.mailbox.mailboxes():
            seen.append(name)
            try:
                self._whichever(name)
            except Temporary as error:
                failed.append(f"{name}: {error}")
        self._note_gone(seen)
        if failed:
            raise (NotAllMailboxes if len(failed) < len(seen) else Temporary)("\n".join(failed))

    def _whichever(self, name: str) -> None:
        """Read a mailbox, and where it is made anew meanwhile, what it is then, from the start."""
        try:
            self._one(name)
        except MadeAnew:
            self._one(name)

    def _one(self, name: str) -> None:
        """Deal with what is new in one mailbox, and with what is to be tried again."""
        key = (self.account.name, name)
        envelopes, following = self.mailbox.new(name, self.state.cursors.get(key))
        self.state.forget_others(*key, following.uidvalidity)
        again = self.state.due(*key, self.now())
        wanted = dict.fromkeys([*again, *self._wanted(self._counted(name, envelopes))])
        for fetched in self.mailbox.fetch(list(wanted)):
            del wanted[fetched.coordinates]
            self._take(fetched)
        for left in wanted:
            self._left_out(left, again=left in again)
        self.state.cursors[key] = following

    def _left_out(self, where: Coordinates, *, again: bool) -> None:
        """A message whose head was there and whose body was not given is asked for once more.

        Deleted meanwhile is likelier; but a server that leaves one out must not lose a reply.
        """
        if again:
            self.state.troubles.pop(where, None)
        else:
            self.state.failed(where, "the server did not give it", now=self.now())

    def _counted(self, name: str, envelopes: Iterator[Envelope]) -> Iterator[Envelope]:
        self.looked_at[name] = 0
        for envelope in envelopes:
            self.looked_at[name] += 1
            yield envelope

    def _wanted(self, envelopes: Iterator[Envelope]) -> Iterator[Coordinates]:
        for envelope in self.work.chosen(envelopes):
            if envelope.coordinates in self.state.troubles:
                continue  # it has a time of its own
            if envelope.trouble:
                self._failed(envelope.coordinates, envelope.trouble, envelope)
            else:
                yield envelope.coordinates

    def _take(self, fetched: Fetched) -> None:
        """Deal with one message; what fails with it is noted, and the next one has its turn."""
        if why := self.work.take(fetched):
            self._failed(fetched.coordinates, why, fetched)
        else:
            self.state.troubles.pop(fetched.coordinates, None)

    def _failed(self, where: Coordinates, why: str, known: Envelope | Fetched) -> None:
        self.work.could_not(
            self.state.failed(where, why, now=self.now(), received=known.received))

    def _note_gone(self, seen: Sequence[str]) -> None:
        """A mailbox that is not there, perhaps renamed, is not passed over."""
        name, listed = self.account.name, self.account.mailboxes
        known = {m: c for (a, m), c in self.state.cursors.items() if a == name and m not in seen}
        for mailbox, cursor in known.items():
            now = self.mailbox.called_now(cursor)
            self.state.forget_others(name, mailbox, -1)
            if mailbox not in listed:
                del self.state.cursors[name, mailbox]
                if now in (*seen, mailbox):
                    continue  # config.yaml says so: by its new name, or not at all
            self.gone.append(Gone(account=name, mailbox=mailbox, listed=mailbox in listed,
                                  known=now not in seen, now=now))
        self.gone += [Gone(account=name, mailbox=mailbox, known=False, listed=True)
                      for mailbox in dict.fromkeys(listed)
                      if mailbox not in (*seen, *known) and not self._by_the_provider(mailbox)]

    def _by_the_provider(self, mailbox: str) -> bool:
        """Whether the name comes from our table: not every user of a provider has such a folder."""
        from dsar.mail.advice import known_provider

        known = known_provider(self.account)
        return known is not None and mailbox in known.quarantine
