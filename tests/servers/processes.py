"""Starting and ending the processes of a lab: only by id, and only when they are ours."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path


def start(argv: Sequence[str], *, cwd: Path, log: Path, user: str | None = None) -> int:
    """Start a process that outlives us and return its id; its output goes to `log`.

    It must not inherit our output: whoever captures that would wait for ever.
    """
    account = pwd.getpwnam(user) if user else None
    with log.open("ab") as out:
        process = subprocess.Popen(
            argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True, env=_environment(),
            user=account.pw_uid if account else None, group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )  # fmt: skip
    process.returncode = 0  # ended by `end`, perhaps from another process: no warning here
    return process.pid


def run(argv: Sequence[str], *, user: str | None = None, cwd: Path | None = None) -> str:
    """Run to the end and return the output; raises RuntimeError with what was said."""
    account = pwd.getpwnam(user) if user else None
    with tempfile.TemporaryFile() as out:  # a pipe would stay open as long as a daemon lives
        done = subprocess.run(
            argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=60,
            env=_environment(), check=False,
            user=account.pw_uid if account else None, group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )  # fmt: skip
        out.seek(0)
        said = out.read().decode(errors="replace")
    if done.returncode:
        raise RuntimeError(f"{argv[0]} ended with {done.returncode}: {said}")
    return said


def end(pid_file: Path, root: Path) -> None:
    """End the process named in `pid_file`, if it runs and belongs to the lab in `root`."""
    pid = _pid_in(pid_file)
    if pid is not None and _is_ours(pid, root):
        _signal(pid, signal.SIGTERM)
        if not _gone_within(pid, 4.0):
            _signal(pid, signal.SIGKILL)
            _gone_within(pid, 2.0)
    pid_file.unlink(missing_ok=True)


def is_running(pid_file: Path, root: Path) -> bool:
    """Whether the process named in `pid_file` lives and belongs to this lab."""
    pid = _pid_in(pid_file)
    return pid is not None and _alive(pid) and _is_ours(pid, root)


def port_is_free(port: int) -> bool:
    """Whether nobody listens on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_for_port(port: int, seconds: float = 10.0) -> bool:
    """Wait until somebody answers on this loopback port."""
    end_at = time.monotonic() + seconds
    while time.monotonic() < end_at:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.02)
    return False


def _environment() -> dict[str, str]:
    # Debian keeps the daemons in /usr/sbin, which a plain login does not search
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


def _pid_in(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text().strip())
    except (OSError, ValueError):
        return None


def _alive(pid: int) -> bool:
    """A zombie whose parent is slow counts as gone."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state not in "ZX"


def _is_ours(pid: int, root: Path) -> bool:
    """An id may be used again after a crash: look before ending anything."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        folder = str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return False
    return str(root) in command or folder.startswith(str(root))


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _gone_within(pid: int, seconds: float) -> bool:
    end_at = time.monotonic() + seconds
    while time.monotonic() < end_at:
        if not _alive(pid):
            return True
        time.sleep(0.02)
    return not _alive(pid)
