"""Several letters under way at once, over as many connections; one thread writes the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from dsar.core.letter import Outgoing
from dsar.mail import Transport
from dsar.outbox import Delivery, Post, Tried, attempt, begin, settle


@dataclass
class _Lines:
    """The connections: which are idle, and what is under way over the others."""

    post: Post
    pool: ThreadPoolExecutor
    idle: list[Transport]
    under_way: dict[Future[Tried], tuple[Outgoing, Transport]] = field(default_factory=dict)

    def fill(self, letters: Iterator[Outgoing]) -> bool:
        """Begin letters while a connection is idle; False once there are no more."""
        while self.idle:
            letter = next(letters, None)
            if letter is None:
                return False
            begun = begin(letter, self.post)
            if begun is None:
                continue
            transport = self.idle.pop()
            work = self.pool.submit(attempt, letter, begun, replace(self.post, transport=transport))
            self.under_way[work] = (letter, transport)
        return True

    def finished(self) -> Iterator[tuple[Delivery, Exception | None]]:
        """Wait until a letter is done, record the outcome, and yield what is done."""
        done, _ = wait(self.under_way, return_when=FIRST_COMPLETED)
        for work in done:
            letter, transport = self.under_way.pop(work)
            self.idle.append(transport)
            yield settle(letter, work.result(), self.post)


def deliver_side_by_side(
    letters: Iterable[Outgoing], post: Post, transports: Sequence[Transport]
) -> Iterator[Delivery]:
    """As `deliver`, with a letter under way over each of `transports`.

    Each attempt is recorded before its server hears of it, by this thread alone. When one
    connection fails for good or the breaker trips, no letter is begun any more; those under way
    are brought to their end and recorded, then the error is raised.
    """
    waiting, stopped, more = iter(letters), None, True
    with ThreadPoolExecutor(len(transports)) as pool:
        lines = _Lines(post, pool, list(transports))
        try:
            while more or lines.under_way:
                more = more and stopped is None and lines.fill(waiting)
                if not lines.under_way:
                    break
                for delivery, error in lines.finished():
                    stopped = stopped or error
                    yield delivery
        finally:
            while lines.under_way:  # also when the caller stops: what left is recorded
                for _ in lines.finished():
                    pass
    if stopped is not None:
        raise stopped
