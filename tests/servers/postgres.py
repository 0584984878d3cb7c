"""A throwaway PostgreSQL on loopback and on a socket, in one folder, as an ordinary user.

By hand, from the repository:  python tests/servers/postgres.py start|stop|url FOLDER
"""

from __future__ import annotations

import os
import pwd
import random
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers import processes

PROGRAMS = ("initdb", "pg_ctl", "postgres", "psql", "createdb")
OWNER, WORKER, PASSWORD = "dsar_owner", "dsar_worker", "correct horse; battery"
SETTINGS = """
listen_addresses = '127.0.0.1'
shared_buffers = '256MB'
max_wal_size = '4GB'
log_min_messages = warning
password_encryption = 'scram-sha-256'
"""


def programs() -> Path | None:
    """The folder of the newest PostgreSQL here; Debian keeps them out of the search path."""
    places = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"),
                    key=lambda p: float(p.parent.name))
    found = shutil.which("initdb")
    listed = [*([Path(found).resolve().parent] if found else []), *places]
    whole = [p for p in listed if all((p / name).exists() for name in PROGRAMS)]
    return whole[-1] if whole else None


def missing() -> list[str]:
    """What keeps the server from starting here, in words; empty when it can start."""
    found = [] if programs() else ["no PostgreSQL programs (Debian: postgresql)"]
    if os.geteuid() == 0 and _account() is None:
        found.append("no user postgres or nobody (PostgreSQL does not run as root)")
    return found


def _account() -> str | None:
    """Whom the server runs as: nobody else but ourselves, where we are not root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)


@dataclass
class PostgresServer:
    """One server in one folder; several may run at once, each on its own port.

    syncs: whether it waits for the disk, which only a machine without power would miss. Tests that
    make hundreds of databases would wait minutes for it; measurements must not do without.
    """

    root: Path
    port: int = 0
    syncs: bool = True
    _numbers: count[int] = field(default_factory=count)

    @classmethod
    def make(cls, *, syncs: bool = True) -> PostgresServer:
        """A server in a fresh folder; sockets need a short path."""
        root = Path(tempfile.mkdtemp(prefix="dsar-pg-", dir="/var/tmp"))
        return cls(root, syncs=syncs)

    @classmethod
    def at(cls, root: Path) -> PostgresServer:
        """The server that was started in `root`, perhaps by another process."""
        return cls(root, int((root / "port").read_text()))

    @property
    def data(self) -> Path:
        """The folder of the cluster."""
        return self.root / "data"

    @property
    def environment(self) -> Mapping[str, str]:
        """What libpq needs to know of the passwords."""
        return {"PGPASSFILE": str(self.root / "pgpass")}

    def start(self) -> None:
        """Make the cluster, start it, add the two roles; raises RuntimeError with the reason."""
        if lacking := missing():
            raise RuntimeError("; ".join(lacking))
        self.root.chmod(0o755)
        if user := _account():
            account = pwd.getpwnam(user)
            os.chown(self.root, account.pw_uid, account.pw_gid)
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "--auth-local=trust",
                  "--auth-host=scram-sha-256", "-E", "UTF8", "--locale=C", "-N")
        self._up_somewhere()
        self.sql(f"CREATE ROLE {OWNER} LOGIN PASSWORD '{PASSWORD}'; "
                 f"CREATE ROLE {WORKER} LOGIN PASSWORD '{PASSWORD}'")
        passfile = self.root / "pgpass"
        passfile.write_text(f"127.0.0.1:{self.port}:*:*:{PASSWORD}\n")
        passfile.chmod(0o600)

    def _up_somewhere(self) -> None:
        """Start it on a port of its own: below those of the mail labs, and not just being taken."""
        for attempt in range(5):
            self.port = next(p for p in iter(lambda: random.randrange(15_000, 20_000), 0)
                             if processes.port_is_free(p))
            (self.root / "port").write_text(str(self.port))
            with (self.data / "postgresql.conf").open("a") as settings:
                settings.write(f"{SETTINGS}port = {self.port}\n"
                               f"fsync = {'on' if self.syncs else 'off'}\n"
                               f"unix_socket_directories = '{self.root}'\n")
            try:
                self.up()
            except RuntimeError:
                if attempt == 4 or processes.port_is_free(self.port):
                    raise  # nobody took the port meanwhile: the reason is another
            else:
                return

    def up(self) -> None:
        """Start the server and wait until it answers."""
        self._run("pg_ctl", "-D", str(self.data), "-l", str(self.root / "log"), "-w", "start")

    def down(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is how a power cut looks to the programs."""
        self._run("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def restart(self, mode: str = "fast") -> None:
        """Stop and start it; every connection is lost."""
        self.down(mode)
        self.up()

    def stop(self, *, purge: bool = False) -> None:
        """Stop it where it runs; `purge` removes its folder too."""
        if (self.data / "postmaster.pid").exists():
            self.down("immediate" if purge else "fast")
        if purge:
            shutil.rmtree(self.root, ignore_errors=True)

    def new_database(self, owner: str = OWNER) -> str:
        """Make an empty database that belongs to `owner`; return its name."""
        name = f"d{os.getpid()}_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} OWNER {owner}")
        return name

    def new_ledger(self) -> str:
        """Make an empty ledger; return its URL for a role that is not its owner."""
        from dsar.store.postgres_migrate import migrate

        name = self.new_database()
        migrate(self.url(name, OWNER), roles=[WORKER])
        return self.url(name)

    def url(self, database: str, role: str = WORKER) -> str:
        """How a role reaches a database; the password lies in the passfile."""
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    def sql(self, text: str, database: str = "postgres") -> str:
        """Run SQL as the superuser and return what it prints."""
        return self._run("psql", "-h", str(self.root), "-p", str(self.port), "-U", "postgres",
                         "-d", database, "-v", "ON_ERROR_STOP=1", "-XAtq", "-c", text)

    def log(self) -> str:
        """What the server wrote."""
        return (self.root / "log").read_text(errors="replace")

    def _run(self, program: str, *words: str) -> str:
        folder = programs()
        assert folder is not None
        return processes.run([str(folder / program), *words], user=_account(), cwd=self.root)


def main(words: list[str]) -> int:
    """start | stop | url, each with FOLDER."""
    match words:
        case ["start", folder]:
            server = PostgresServer(Path(folder).resolve())
            server.root.mkdir(parents=True, exist_ok=True)
            server.start()
            print(f"PGPASSFILE={server.root / 'pgpass'}")
            print(server.url(server.new_database(), OWNER))
        case ["stop", folder]:
            PostgresServer.at(Path(folder).resolve()).stop(purge=True)
        case ["url", folder]:
            server = PostgresServer.at(Path(folder).resolve())
            print(server.url(server.new_database(), OWNER))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
