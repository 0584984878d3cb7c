"""The archive's bytes in PostgreSQL, for workers on many machines; sealed before they come here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO, cast
from uuid import UUID, uuid4
from weakref import finalize

from psycopg import Connection

from dsar.errors import StorageFailed
from dsar.store.postgres_link import Link

PIECE = 256 * 1024
"""Bytes of a piece; all but the last of an item have so many."""
MANY = 5000


class PostgresShelf:
    """Keeps `dsar.store.shelf.Shelf` in the ledger's database, over a connection of its own."""

    def __init__(self, url: str) -> None:
        """Connects when it is first asked for something; raises StoreUnreachable then."""
        self._url = url

    @cached_property
    def link(self) -> Link:
        """The connection; closed with the shelf."""
        link = Link(self._url, write=True)
        finalize(self, link.close)
        return link

    def place(self, digest: str) -> str:
        """The database and the digest."""
        return f"{self.link.name}: mail {digest}"

    def slot(self) -> PostgresSlot:
        """Room for an item that arrives."""
        return PostgresSlot(self)

    def open(self, digest: str) -> BinaryIO:
        """An item to read from."""
        found = self.rows("SELECT item FROM dsar.items WHERE digest = %s", digest)
        if not found:
            raise StorageFailed(f"{self.place(digest)}: is not there.")
        return self.reader(found[0][0])

    def reader(self, item: UUID) -> BinaryIO:
        """The pieces of an item as one file."""
        return cast(BinaryIO, BufferedReader(_Pieces(self, item), PIECE))

    def has(self, digest: str) -> bool:
        """Whether an item is there."""
        return bool(self.rows("SELECT 1 FROM dsar.items WHERE digest = %s", digest))

    def delete(self, digest: str) -> None:
        """Remove an item with its pieces."""
        self.rows("SELECT dsar.delete_item(%s)", digest)

    def digests(self) -> Iterator[str]:
        """Yield the digests of all items, sorted."""
        last = ""
        while found := self.rows("SELECT digest FROM dsar.items WHERE digest > %s "
                                 "ORDER BY digest LIMIT %s", last, MANY):
            yield from (digest for (digest,) in found)
            last = found[-1][0]

    def sweep(self) -> None:
        """Remove what began to arrive more than a day ago and never did."""
        self.rows("SELECT dsar.sweep_items()")

    def rows(self, query: str, *words: object) -> list[Any]:
        """Run a query that is harmless when run twice."""
        def work(connection: Connection[Any]) -> list[Any]:
            return connection.execute(query.encode(), words).fetchall()

        return self.link.run(work)


class PostgresSlot:
    """Pieces under a number of their own, which get their name when they are kept."""

    def __init__(self, shelf: PostgresShelf) -> None:
        self._shelf, self._item = shelf, uuid4()
        self._pending, self._number = bytearray(), 0

    def write(self, piece: bytes | memoryview) -> None:
        """Add bytes; whole pieces go to the server at once."""
        self._pending += piece
        while len(self._pending) >= PIECE:
            self._put(bytes(self._pending[:PIECE]))
            del self._pending[:PIECE]

    def finish(self) -> None:
        """Return when the last piece is committed."""
        if self._pending:
            self._put(bytes(self._pending))
            self._pending.clear()

    def open(self) -> BinaryIO:
        """The bytes to read from."""
        return self._shelf.reader(self._item)

    def keep(self, digest: str) -> None:
        """Name the pieces, in place of those that stood there."""
        try:
            self._shelf.rows("SELECT dsar.keep_item(%s, %s)", digest, self._item)
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        """Remove the pieces, unless they have a name."""
        if self._number:
            self._shelf.rows("SELECT dsar.drop_item(%s)", self._item)

    def _put(self, content: bytes) -> None:
        self._shelf.rows("SELECT dsar.put_piece(%s, %s, %s)", self._item, self._number, content)
        self._number += 1


class _Pieces(RawIOBase):
    """The pieces of an item one after the other; the one read last is kept."""

    def __init__(self, shelf: PostgresShelf, item: UUID) -> None:
        self._shelf, self._item = shelf, item
        self._at, self._number, self._piece = 0, -1, b""

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is, from the beginning."""
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place counted from the beginning, or from here."""
        if whence == 2:
            raise ValueError("the length of an item is not known beforehand")
        self._at = offset + (self._at if whence == 1 else 0)
        return self._at

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer from one piece; 0 at the end."""
        number, start = divmod(self._at, PIECE)
        if number != self._number:
            found = self._shelf.rows("SELECT content FROM dsar.pieces WHERE item = %s "
                                     "AND number = %s", self._item, number)
            self._number, self._piece = number, bytes(found[0][0]) if found else b""
        some = self._piece[start:start + len(buffer)]
        buffer[:len(some)] = some
        self._at += len(some)
        return len(some)
