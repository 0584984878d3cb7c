"""How the tests run: no server outlives a run that is broken off, and every figure is shown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from figures import Figures, Share, lines_of
from servers.guard import guarded, processes_of

TESTS = Path(__file__).resolve().parent
SERVING = """
import sys, time
from pathlib import Path
from servers import processes
from servers.guard import guarded
root = Path(sys.argv[1])
with guarded(root):
    processes.start(["sleep", "600"], cwd=root, log=root / "log")
    print("serving", flush=True)
    time.sleep(600)
"""
needs_proc = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="processes in /proc")


def ended(root: Path, *, seconds: float = 60) -> bool:
    end_at = time.monotonic() + seconds
    while (left := processes_of(root) or root.exists()) and time.monotonic() < end_at:
        time.sleep(0.1)
    return not left


@needs_proc
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_server_ends_with_the_run_that_started_it(how: signal.Signals, tmp_path: Path) -> None:
    root = tmp_path / "lab"
    root.mkdir()
    run = subprocess.Popen([sys.executable, "-c", SERVING, str(root)], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(TESTS)})
    with run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"serving\n"
        assert len(processes_of(root)) >= 2
        run.send_signal(how)
    assert ended(root)


@needs_proc
def test_a_guard_that_is_not_needed_touches_nothing(tmp_path: Path) -> None:
    root = tmp_path / "lab"
    root.mkdir()
    with guarded(root):
        (root / "kept").touch()
    assert processes_of(root) == []
    assert (root / "kept").exists()


def test_shares_of_a_figure_become_one_line_in_the_order_of_their_tests() -> None:
    reports = []
    for name, runs, slowest in (("b", 30, 7), ("c", 12, 9), ("d", 0, 0)):
        node = SimpleNamespace(user_properties=[("of another plugin", 1)])
        shown = Figures(node)  # type: ignore[arg-type]
        if name == "d":
            shown.append("as {it} is")
        else:
            shown.share(Share("{runs} runs, slowest {ms}", added={"runs": runs},
                              most={"ms": slowest}))
        for when in ("setup", "call", "teardown"):
            reports.append(SimpleNamespace(nodeid=name, when=when,
                                           user_properties=list(node.user_properties)))
    reports.append(SimpleNamespace(what="no report of a test"))
    assert lines_of(reversed(reports)) == ["42 runs, slowest 9", "as {it} is"]


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_figures_stand_in_the_output_of_a_run(tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\nfrom figures import Share\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_it(n, figures_shown):\n"
        "    figures_shown.append(f'number {n}')\n"
        "    figures_shown.share(Share('sum {n}', added={'n': n}))\n")
    (tmp_path / "conftest.py").write_text("pytest_plugins = ['tests_conftest']\n")
    (tmp_path / "tests_conftest.py").symlink_to(TESTS / "conftest.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "."],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{TESTS}"})
    shown = done.stdout.partition("= figures =")[2].splitlines()[1:4]
    assert shown == ["number 1", "sum 3", "number 2"], done.stdout + done.stderr
