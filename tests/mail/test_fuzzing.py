"""A hundred thousand mutated messages: nothing escapes, nothing is slow, memory stays small."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import fuzzing

RUNS = int(os.environ.get("DSAR_FUZZ_RUNS", "100000"))
SEED = int(os.environ.get("DSAR_FUZZ_SEED", "1"))
SHARES = 16
EXAMPLES = Path(__file__).resolve().parent.parent / "reading" / "examples"


@pytest.mark.timeout(900)
def test_mutated_mail_never_raises_is_never_slow_and_fills_no_memory(
    figures_shown: list[str],
) -> None:
    seeds = fuzzing.made_seeds(EXAMPLES)
    shares = [(SEED * 1000 + n, RUNS // SHARES, seeds) for n in range(SHARES)]
    with multiprocessing.get_context("spawn").Pool(os.cpu_count() or 1) as pool:
        found = pool.starmap(fuzzing.work, shares, chunksize=1)
    failed = [each for figures in found for each in figures.failed]
    runs = sum(figures.runs for figures in found)
    slowest = max(found, key=lambda figures: figures.slowest_s)
    grown = max(figures.grown_mb for figures in found)
    line = (f"fuzzing: {runs} mutated messages from {len(seeds)}, {len(failed)} exceptions, "
            f"slowest {slowest.slowest_s * 1000:.0f} ms, peak memory +{grown:.0f} MB")
    figures_shown.append(line)
    assert failed == []
    assert runs >= RUNS - SHARES
    assert slowest.slowest_s < 1.0, slowest.slowest[:2000]
    assert grown < 100
