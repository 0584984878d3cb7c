"""A hundred thousand mutated messages: nothing escapes, nothing is slow, memory stays small."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

import pytest
from figures import Figures, Share

sys.path.insert(0, str(Path(__file__).resolve().parent))

import fuzzing

RUNS = int(os.environ.get("DSAR_FUZZ_RUNS", "100000"))
SEED = int(os.environ.get("DSAR_FUZZ_SEED", "1"))
SHARES = 8
EXAMPLES = Path(__file__).resolve().parent.parent / "reading" / "examples"
LINE = ("fuzzing: {runs} mutated messages from {seeds}, {failed} exceptions, "
        "slowest {slowest_ms:.0f} ms, peak memory +{grown_mb:.0f} MB")


def runs_of(share: int) -> int:
    """All shares together make RUNS."""
    return RUNS * (share + 1) // SHARES - RUNS * share // SHARES


@pytest.mark.timeout(900)
@pytest.mark.parametrize("share", range(SHARES))
def test_mutated_mail_never_raises_is_never_slow_and_fills_no_memory(
    share: int, figures_shown: Figures
) -> None:
    seeds = fuzzing.made_seeds(EXAMPLES)
    with multiprocessing.get_context("spawn").Pool(1) as pool:  # whose memory is its own
        found = pool.apply(fuzzing.work, (SEED * 1000 + share, runs_of(share), seeds))
    figures_shown.share(Share(
        LINE, added={"runs": found.runs, "failed": len(found.failed)},
        most={"seeds": len(seeds), "slowest_ms": found.slowest_s * 1000,
              "grown_mb": found.grown_mb}))
    assert found.failed == []
    assert found.runs == runs_of(share)
    assert found.slowest_s < 1.0, found.slowest[:2000]
    assert found.grown_mb < 100


def test_the_shares_make_all_runs() -> None:
    assert sum(map(runs_of, range(SHARES))) == RUNS
