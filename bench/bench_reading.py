"""Messages parsed, matched and read a second on one core.

    DSAR_SHARED=… python bench/bench_reading.py [seconds]

Uses the reply corpus where DSAR_SHARED names one, else replies made up here.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from dsar.core.caseindex import CaseFacts, CaseIndex
from dsar.core.match import match
from dsar.core.message import Message
from dsar.core.reference import reference_from
from dsar.mail.parse import parse
from dsar.reading.classify import is_topical, read

BODY = ("Dear Jo,\n\nwe have deleted your account and all personal data. We must keep invoices for "
        "ten years, as the law requires. You have the right to lodge a complaint.\n\nRegards\n")


def corpus() -> list[bytes]:
    folder = Path(os.environ.get("DSAR_SHARED", ".")) / "corpus" / "dev"
    found = [p.read_bytes() for p in sorted(folder.glob("*.eml"))]
    made = (f"From: privacy@c{n}.example\nTo: jo@example.net\nSubject: Re: request\n"
            f"In-Reply-To: <r{n}@example.net>\n\n{BODY}" for n in range(100))
    return found or [text.encode() for text in made]


def index_of(cases: int) -> CaseIndex:
    """An index with many cases, so that looking up costs what it costs in a campaign."""
    return CaseIndex.of(
        CaseFacts(case_id=f"c{n}", message_ids=(f"<r{n}@example.net>",),
                  reference=reference_from(n.to_bytes(5, "big")), mailbox="jo@example.net",
                  reply_address=f"jo+t{n}@example.net", domains=(f"c{n}.example",),
                  addresses=frozenset([f"privacy@c{n}.example"]), sent_on=date(2026, 1, 1))
        for n in range(cases))


def rate(work: Callable[[], int], seconds: float) -> float:
    """Items a second, after one warm-up round."""
    work()
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        done += work()
    return done / (time.perf_counter() - start)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    raw = corpus()
    parsed = [parse(r, trusted_authserv=("mx.example.org",)) for r in raw]
    facts = CaseFacts(case_id="c", language="en")

    def parse_all() -> int:
        return len([parse(r, trusted_authserv=("mx.example.org",)) for r in raw])

    def read_all() -> int:
        return len([read(m, facts=facts) for m in parsed])

    print(f"parse            {rate(parse_all, seconds):8.0f} messages/s")
    print(f"read             {rate(read_all, seconds):8.0f} messages/s")
    for cases in (100, 10_000):
        index = index_of(cases)

        def match_all(index: CaseIndex = index) -> int:
            return len([match(m, index) for m in parsed])

        def everything(index: CaseIndex = index) -> int:
            return len([_whole(m, index, facts) for m in parsed])

        print(f"match {cases:>6} cases {rate(match_all, seconds):6.0f} messages/s")
        print(f"match and read, {cases} cases: {rate(everything, seconds):.0f} messages/s "
              "(aim: 300)")


def _whole(message: Message, index: CaseIndex, facts: CaseFacts) -> None:
    found = match(message, index, topical=is_topical(message))
    read(message, facts=facts, suspicious=found.suspicious)


if __name__ == "__main__":
    main()
