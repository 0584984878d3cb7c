"""A mail of 50 MB on its whole way: fetched from a real server, archived, parsed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from figures import Figures
from servers.maillab import MailLab

SCRIPT = """
import json, re, sys
from contextlib import ExitStack
from pathlib import Path
from dsar.cli.receiving import taken_in
from dsar.mail.account import Account, Endpoint
from dsar.mail.imap import ImapMailbox
from dsar.mail.maildir import MaildirMailbox
from dsar.mail.parse import parse
from dsar.mail.secret import Secret
from dsar.store.archive import Archive

def peak():
    # not ru_maxrss, which a process has from the one that started it
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

given = json.loads(sys.argv[1])
if given["kind"] == "imap":
    imap = Endpoint(host=given["host"], port=given["port"], username=given["user"])
    box = ImapMailbox(Account(name="main", address=given["user"], imap=imap,
                              ca_file=Path(given["ca"])), Secret(given["password"]))
else:
    box = MaildirMailbox(Account(name="main", address="a@b.example", maildir=Path(given["path"])))
archive = Archive(Path(given["archive"]))
def small_and_large():
    where = [e.coordinates for e in box.new("INBOX", None)[0]]
    for fetched in box.fetch(where):
        with taken_in(fetched.pieces, archive) as (raw, slimmed):
            message = parse(slimmed, trusted_authserv=())
            kept = archive.add(raw) if isinstance(raw, bytes) else (raw.keep(), raw.digest)[1]
        yield message, kept
found = []
for message, kept in small_and_large():
    found.append([message.own_text, [[p.size, p.digest] for p in message.parts], kept, peak()])
print(json.dumps(found))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read in /proc")
@pytest.mark.parametrize("kind", ["imap", "maildir"])
def test_an_attachment_of_50_mb_adds_less_than_100_mb_of_memory(
    kind: str, lab: MailLab, user: str, tmp_path: Path, figures_shown: Figures
) -> None:
    import base64
    import hashlib

    data = bytes(range(256)) * 200_000  # 51.2 MB
    small = b"Subject: 1\r\nMessage-ID: <1@c1.example>\r\n\r\nSmall.\r\n"
    large = (b"Subject: 2\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"
             b"Enclosed.\r\n--b\r\nContent-Type: application/zip; name=copy.zip\r\n"
             b"Content-Transfer-Encoding: base64\r\n\r\n"
             + base64.encodebytes(data).replace(b"\n", b"\r\n") + b"--b--\r\n")
    given = {"kind": kind, "archive": str(tmp_path / "archive")}
    if kind == "imap":
        for raw in (small, large):
            lab.put(user, raw)
        given |= {"host": lab.host, "port": lab.ports.imaps, "user": user,  # type: ignore[dict-item]
                  "ca": str(lab.ca_file), "password": lab.password}
    else:
        for part in ("tmp", "new", "cur"):
            (tmp_path / "Maildir" / part).mkdir(parents=True)
        (tmp_path / "Maildir/cur/1.x:2,").write_bytes(small)
        (tmp_path / "Maildir/cur/2.x:2,").write_bytes(large)
        given["path"] = str(tmp_path / "Maildir")
    done = subprocess.run([sys.executable, "-c", SCRIPT, json.dumps(given)], text=True,
                          capture_output=True, check=True)
    (_, _, _, before), (text, parts, kept, after) = json.loads(done.stdout)
    figures_shown.append(f"mail of {len(large) / 1e6:.0f} MB ({kind}): fetched, archived, parsed, "
                         f"memory +{after - before:.0f} MB")
    assert text == "Enclosed."
    assert parts == [[len(data), hashlib.sha256(data).hexdigest()]]
    assert kept == hashlib.sha256(large).hexdigest()
    assert after - before < 100
