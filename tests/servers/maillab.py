"""A throwaway mail lab: a real Postfix and a real Dovecot on loopback, with faults to order.

By hand, from the repository:  python tests/servers/maillab.py start|stop|env|log [FOLDER]
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import pwd
import random
import shutil
import smtplib
import socket
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers import labconfig, processes
from servers.labconfig import CATCHALL, JWT_KEY, Ports

PROGRAMS = {
    "postfix": "postfix", "dovecot": "dovecot-core", "doveadm": "dovecot-core",
    "smtp-sink": "postfix", "postgrey": "postgrey", "openssl": "openssl",
}  # fmt: skip
USERS = ("alex@example.test", "sam@example.test", "postmaster@example.test", CATCHALL)
POOL = tuple(f"u{number}@example.test" for number in range(1, 1001))
PASSWORD = "correct horse; battery"
RUN_AS = "mail"
PER_LAB, CLAIM = 20, 19


def missing() -> list[str]:
    """What keeps the lab from starting here, in words; empty when it can start."""
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    lacking = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    packages = sorted({PROGRAMS[name] for name in lacking})
    found = [f"no {', '.join(lacking)} (Debian: {' '.join(packages)})"] if lacking else []
    if os.geteuid() != 0:
        found.append("not root (Postfix's master must start as root)")
    return found


@dataclass
class MailLab:
    """One lab in one folder; several may run at once, each on its own ports."""

    root: Path
    ports: Ports = field(default_factory=lambda: Ports(0))
    password: str = PASSWORD
    users_made: int = 0
    _claim: socket.socket | None = None

    @classmethod
    def make(cls) -> MailLab:
        """A lab in a fresh folder. Postfix's own users must be able to walk into it."""
        root = Path(tempfile.mkdtemp(prefix="dsar-lab-", dir="/var/tmp"))
        root.chmod(0o755)
        return cls(root)

    @classmethod
    def at(cls, root: Path) -> MailLab:
        """The lab that was started in `root`, perhaps by another process."""
        return cls(root, Ports(int((root / "base").read_text())))

    @property
    def ca_file(self) -> Path:
        """The certificate of the lab's own authority."""
        return self.root / "ca" / "ca.pem"

    @property
    def host(self) -> str:
        """A name that the server certificate carries."""
        return "localhost"

    @property
    def env(self) -> Mapping[str, str]:
        """What a script needs to use the lab."""
        ports = {f"LAB_{name.upper()}": str(port) for name, port in self.ports.all().items()}
        fixed = {"LAB_ROOT": str(self.root), "LAB_CA": str(self.ca_file)}
        return fixed | {"LAB_PASSWORD": self.password} | ports

    def start(self) -> None:
        """Write every file and start every server; raises RuntimeError with the reason."""
        if lacking := missing():
            raise RuntimeError("; ".join(lacking))
        for _ in range(5):
            self._claim = _claimed()
            self.ports = Ports(self._claim.getsockname()[1] - CLAIM)
            try:
                self._write_files()
                self._start_servers()
            except RuntimeError:
                self.stop()
                if all(map(processes.port_is_free, self.ports.all().values())):
                    raise  # nobody took a port meanwhile: the reason is another
            else:
                return
        raise RuntimeError("no free ports")

    def stop(self, *, purge: bool = False) -> None:
        """End all processes of this lab; `purge` removes its folder too."""
        for name in (*_SINKS, "postgrey"):
            processes.end(self.root / f"{name}.pid", self.root)
        processes.end(self.root / "postfix" / "spool" / "pid" / "master.pid", self.root)
        processes.end(self.root / "dovecot" / "run" / "master.pid", self.root)
        if self._claim:
            self._claim.close()
        if purge:
            shutil.rmtree(self.root, ignore_errors=True)

    def adduser(self, address: str) -> None:
        """Make a mailbox with the lab's password; Postfix reads its table again."""
        self._add_logins([address])
        time.sleep(1.1)  # Dovecot looks at its table at most once a second
        with (self.root / "postfix/etc/mailboxes").open("a") as table:
            table.write(labconfig.mailboxes((address,)))
        processes.run(["postfix", "-c", str(self.root / "postfix/etc"), "reload"])

    def new_user(self) -> str:
        """A fresh mailbox that nobody else uses, made beforehand."""
        self.users_made += 1
        return POOL[self.users_made - 1]

    def doveadm(self, *words: str) -> str:
        """Run doveadm on this lab and return what it prints."""
        return processes.run(["doveadm", "-c", str(self.root / "dovecot/dovecot.conf"), *words])

    def kick(self, user: str) -> None:
        """Cut every IMAP connection of `user`."""
        self.doveadm("kick", user)

    def uidvalidity(self, user: str, mailbox: str) -> None:
        """Make `mailbox` anew, empty and with another UIDVALIDITY (which counts seconds)."""
        self.doveadm("mailbox", "delete", "-u", user, mailbox)
        time.sleep(1.1)
        self.doveadm("mailbox", "create", "-u", user, mailbox)

    def put(self, user: str, raw: bytes, mailbox: str = "INBOX") -> None:
        """Put a message into a mailbox as it is."""
        folder = Path(tempfile.mkdtemp(dir=self.root))
        (folder / "message").write_bytes(raw)
        folder.chmod(0o755)
        try:
            self.doveadm("save", "-u", user, "-m", mailbox, str(folder / "message"))
        finally:
            shutil.rmtree(folder)

    def deliver(self, recipient: str, raw: bytes, sender: str = "") -> None:
        """Deliver by LMTP, as the last hop of a real mail."""
        with smtplib.LMTP("127.0.0.1", self.ports.lmtp) as lmtp:
            lmtp.sendmail(sender, [recipient], raw)

    def delivered(self, user: str, mailbox: str = "INBOX") -> list[bytes]:
        """Every message that lies in a mailbox, read from its files: what really arrived."""
        return [file.read_bytes() for file in sorted(self._files(user, mailbox))]

    def flags(self, user: str, mailbox: str = "INBOX") -> list[str]:
        """The Maildir file names without their unique part: `new` or the flags of each."""
        return sorted(
            "new" if file.parent.name == "new" else file.name.rpartition(":2,")[2]
            for file in self._files(user, mailbox)
        )

    def wait_for(self, user: str, count: int, mailbox: str = "INBOX", seconds: float = 30) -> None:
        """Wait until `count` messages have arrived; raises TimeoutError."""
        end_at = time.monotonic() + seconds
        while len(list(self._files(user, mailbox))) < count:
            if time.monotonic() > end_at:
                raise TimeoutError(f"{user} {mailbox}: fewer than {count} messages\n{self.log()}")
            time.sleep(0.05)

    def token(self, user: str, *, expires_in: int = 600, key: bytes = JWT_KEY) -> str:
        """A bearer token for `user`, signed here; Dovecot checks it against the lab's key."""
        now = int(time.time())
        claims = {"sub": user, "email": user, "iat": now - 5, "exp": now + expires_in}
        body = f"{_b64({'alg': 'HS256', 'typ': 'JWT'})}.{_b64(claims)}".encode()
        return f"{body.decode()}.{_b64(hmac.new(key, body, hashlib.sha256).digest())}"

    def log(self) -> str:
        """What Postfix and Dovecot wrote."""
        files = (self.root / "postfix/maillog", self.root / "dovecot/log")
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def _files(self, user: str, mailbox: str) -> Iterator[Path]:
        folder = self.root / "mail" / user / ("" if mailbox == "INBOX" else f".{mailbox}")
        return (file for part in ("new", "cur") for file in (folder / part).glob("*"))

    def _add_logins(self, addresses: Iterable[str]) -> None:
        with (self.root / "dovecot/users").open("a") as users:
            users.writelines(f"{each}:{{PLAIN}}{self.password}::::::\n" for each in addresses)

    def _write_files(self) -> None:
        dovecot, postfix = self.root / "dovecot", self.root / "postfix"
        keys = dovecot / "keys/default/HS256"
        for folder in (dovecot / "run", dovecot / "state", keys, self.root / "mail",
                       self.root / "grey", postfix / "etc", postfix / "spool", postfix / "data"):
            folder.mkdir(parents=True, exist_ok=True)  # fmt: skip
        _make_certificates(self.root / "ca")
        (self.root / "base").write_text(str(self.ports.base))
        (keys / "default").write_bytes(base64.b64encode(JWT_KEY))
        (dovecot / "users").write_text("")
        self._add_logins((*USERS, *POOL))
        (dovecot / "oauth2.conf").write_text(labconfig.oauth2(self.root))
        (dovecot / "dovecot.conf").write_text(labconfig.dovecot(self.root, self.ports, RUN_AS))
        for name, text in {
            "main.cf": labconfig.main_cf(self.root, self.ports),
            "master.cf": labconfig.master_cf(self.ports),
            "transport": labconfig.transport(self.ports),
            "catchall": labconfig.catchall(),
            "mailboxes": labconfig.mailboxes(USERS),
        }.items():
            (postfix / "etc" / name).write_text(text)
        _give(RUN_AS, dovecot, self.root / "mail", self.root / "grey")
        _give("postfix", postfix / "data")

    def _start_servers(self) -> None:
        configuration = str(self.root / "dovecot/dovecot.conf")
        log = self.root / "start.log"
        processes.run(["dovecot", "-c", configuration], user=RUN_AS, cwd=self.root)
        for name, options in _SINKS.items():
            argv = ["smtp-sink", "-u", RUN_AS, *options]
            self._start(name, [*argv, f"127.0.0.1:{getattr(self.ports, name)}", "200"], log)
        self._start("postgrey", _postgrey(self.root, self.ports), log, user=RUN_AS)
        processes.run(["postfix", "-c", str(self.root / "postfix/etc"), "start"])
        for name, port in self.ports.all().items():
            if not processes.wait_for_port(port):
                raise RuntimeError(f"port {name} ({port}) did not open: {self.log()[-2000:]}")

    def _start(self, name: str, argv: list[str], log: Path, user: str | None = None) -> None:
        pid = processes.start(argv, cwd=self.root, log=log, user=user)
        (self.root / f"{name}.pid").write_text(str(pid))


# smtp-sink(1): -r refuse for now, -f refuse for good, -q hang up, -w wait; "." is the end of DATA
_SINKS: dict[str, tuple[str, ...]] = {
    "sink": (), "soft": ("-r", "RCPT"), "hard": ("-f", "RCPT"), "drop": ("-q", "RCPT"),
    "dropdata": ("-q", "."), "slow": ("-w", "5"),
}  # fmt: skip


def _postgrey(root: Path, ports: Ports) -> list[str]:
    return [
        "postgrey", f"--inet=127.0.0.1:{ports.policy}", f"--user={RUN_AS}", f"--group={RUN_AS}",
        "--delay=2", "--auto-whitelist-clients=0", f"--dbdir={root}/grey",
        "--whitelist-clients=/dev/null", "--whitelist-recipients=/dev/null",
    ]  # fmt: skip


def _claimed() -> socket.socket:
    """A free block below the range from which the kernel takes ports for outgoing connections.

    Whoever holds the last port of a block has the block: two labs that start in the same moment
    would both find it free.
    """
    for _ in range(200):
        ports = Ports(random.randrange(20_000, 32_000, PER_LAB))
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", ports.base + CLAIM))
        except OSError:
            claim.close()
            continue
        if all(map(processes.port_is_free, ports.all().values())):
            return claim
        claim.close()
    raise RuntimeError("no free ports")


def _make_certificates(folder: Path) -> None:
    """An authority of our own and a server certificate for localhost and 127.0.0.1."""
    if (folder / "server.pem").exists():
        return
    folder.mkdir()
    names = "subjectAltName=DNS:localhost,DNS:mail.example.test,IP:127.0.0.1"
    (folder / "extensions").write_text(f"{names}\nbasicConstraints=CA:FALSE\n")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for words in (
        ["req", "-x509", *new_key, "-days", "30", "-subj", "/CN=dsar lab", "-keyout", "ca.key",
         "-out", "ca.pem", "-addext", "basicConstraints=critical,CA:TRUE"],
        ["req", *new_key, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"],
        ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
         "-CAcreateserial", "-days", "30", "-extfile", "extensions", "-out", "server.pem"],
    ):  # fmt: skip
        processes.run(["openssl", *words], cwd=folder)
    (folder / "server.key").chmod(0o640)
    os.chown(folder / "server.key", 0, pwd.getpwnam(RUN_AS).pw_gid)


def _give(user: str, *folders: Path) -> None:
    account = pwd.getpwnam(user)
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)


def _b64(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def main(words: list[str]) -> int:
    """start | stop | env | log [FOLDER]; FOLDER is needed for all but start."""
    match words:
        case ["start"]:
            lab = MailLab.make()
            lab.start()
            print(lab.root)
        case ["start", folder]:
            lab = MailLab(Path(folder).resolve())
            lab.root.mkdir(parents=True, exist_ok=True)
            lab.start()
        case ["stop", folder]:
            MailLab.at(Path(folder).resolve()).stop(purge=True)
        case ["env", folder]:
            print("\n".join(f"{k}={v}" for k, v in MailLab.at(Path(folder).resolve()).env.items()))
        case ["log", folder]:
            print(MailLab.at(Path(folder).resolve()).log())
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
