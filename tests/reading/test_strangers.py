"""Letters of an author who did not know the rules, in halves: one learned from, one only scored.

The floors of the unseen halves are what was measured, and say how far rules carry; the learned
halves keep what was learned. A rule made from an unseen half makes it a learned one: rename it.
"""

from __future__ import annotations

from collections import Counter
from email.message import EmailMessage
from pathlib import Path

import pytest
from figures import Figures

from dsar import yamlfile
from dsar.core.caseindex import CaseFacts
from dsar.core.message import Message
from dsar.mail.parse import parse
from dsar.reading.classify import is_topical, read
from dsar.reading.decide import FINAL

EXAMPLES = Path(__file__).parent / "examples"
ENDS = {str(la) for la in FINAL}
UNCLEAR = {"unclear"}


def received(subject: str, body: str) -> Message:
    """The letter as it comes in: quoted parts are split off by the parser."""
    mail = EmailMessage()
    mail["From"], mail["To"] = "privacy@acme.example", "jo@example.net"
    mail["Message-ID"], mail["Date"] = "<x@acme.example>", "Tue, 10 Mar 2026 10:00:00 +0000"
    mail["Subject"] = subject
    mail.set_content(body, cte="8bit")
    return parse(mail.as_bytes(), trusted_authserv=())


def labels_of(language: str, wanted: set[str], message: Message) -> set[str]:
    """An unrelated letter has no case, unless its words would make matching think so."""
    stray = wanted == {"unrelated"} and is_topical(message, language=language) is not True
    facts = None if stray else CaseFacts(case_id="c", language=language)
    return {str(la) for la in read(message, facts=facts).labels} - UNCLEAR


def score(name: str) -> tuple[float, list[str], int]:
    """Macro-F1; the letters read as ended that are not; and how many there are that are not.

    A letter that is unclear may be read as anything but an end.
    """
    counts: dict[str, Counter[str]] = {"hit": Counter(), "extra": Counter(), "missed": Counter()}
    dangerous: list[str] = []
    open_cases = 0
    for number, language, labels, subject, body in (
            row for row in yamlfile.read(EXAMPLES / f"{name}.yaml").value["examples"]):
        wanted = set(labels.split("+")) - UNCLEAR
        got = labels_of(language, wanted, received(subject, body))
        got = got if wanted else got & ENDS
        counts["hit"].update(got & wanted)
        counts["extra"].update(got - wanted)
        counts["missed"].update(wanted - got)
        open_cases += not wanted & ENDS
        if not wanted & ENDS and got & ENDS:
            dangerous.append(number)
    names = set(counts["hit"]) | set(counts["missed"])
    hit = counts["hit"]
    f1 = [2 * hit[n] / (2 * hit[n] + counts["extra"][n] + counts["missed"][n]) for n in names]
    return sum(f1) / len(f1), dangerous, open_cases


@pytest.mark.parametrize(("name", "least_f1", "most_dangerous"), [
    ("plain_learned", 0.98, 0), ("plain_unseen", 0.92, 0),
    ("hard_learned", 0.90, 0), ("hard_unseen", 0.40, 4),
])
def test_letters_of_strangers_are_read_as_well_as_measured(
    name: str, least_f1: float, most_dangerous: int, figures_shown: Figures
) -> None:
    macro_f1, dangerous, of = score(name)
    figures_shown.append(f"letters of strangers, {name}: macro-F1 {macro_f1:.3f}, "
                         f"dangerous {len(dangerous)} of {of}")
    assert len(dangerous) <= most_dangerous
    assert macro_f1 >= least_f1
