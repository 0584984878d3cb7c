"""The reply corpus: matching and reading, counted by its own scoring program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from figures import Figures

from dsar import yamlfile
from dsar.core.caseindex import CaseFacts, CaseIndex
from dsar.core.match import match
from dsar.core.message import Label
from dsar.mail.parse import parse
from dsar.reading.classify import is_topical, read
from dsar.reading.dates import months_later
from dsar.reading.reading import DueFacts

SHARED = os.environ.get("DSAR_SHARED", "")
CORPUS = Path(SHARED) / "corpus"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED, reason="DSAR_SHARED names no folder with corpus/"),
]


def case_facts(case: Mapping[str, Any]) -> CaseFacts:
    company, subject = case["company"], case["data_subject"]
    return CaseFacts(
        case_id=case["id"], message_ids=tuple(case["message_ids"]), reference=case["token"],
        origin="import", reply_address=subject["plus_address"], mailbox=subject["mailbox"],
        controller=company["slug"], name=company["name"],
        addresses=frozenset([company["email"], *company["aliases"]]),
        domains=tuple(company["domains"]), sent_on=date.fromisoformat(case["sent"]),
        language=case["language"], right=case["right"],
    )


def due_facts(case: Mapping[str, Any]) -> DueFacts:
    day = date.fromisoformat
    return DueFacts(sent_on=day(case["sent"]), due_on=day(case["due"]),
                    latest_due_on=day(case["due_max"]),
                    period_from=lambda start: months_later(start, 1))


def prediction(path: Path, index: CaseIndex, cases: Mapping[str, Any]) -> dict[str, Any]:
    message = parse(path.read_bytes(), trusted_authserv=("mx.example.org",))
    found = match(message, index, topical=is_topical(message))
    likely = [*found.case_ids, *found.candidates]
    reading = read(
        message, facts=index.facts[likely[0]] if likely else None,
        due=due_facts(cases[found.case_ids[0]]) if found.case_ids else None,
        suspicious=found.suspicious,
    )
    labels = [str(la) for la in reading.labels if la is not Label.UNCLEAR]
    due = reading.clock.new_due_on
    return {"file": path.name, "case": list(found.case_ids), "candidates": list(found.candidates),
            "label": ["unrelated"] if found.own else labels,
            "new_due": due.isoformat() if due else None}


def test_replies_are_filed_and_read_within_the_bounds(
    tmp_path: Path, figures_shown: Figures
) -> None:
    listed = yamlfile.read(CORPUS / "cases-dev.yaml").value
    cases = {case["id"]: case for case in listed}
    index = CaseIndex.of(map(case_facts, listed), help_desks=["zendesk.com"])
    predicted = tmp_path / "predicted.jsonl"
    predicted.write_text("".join(
        json.dumps(prediction(path, index, cases)) + "\n"
        for path in sorted((CORPUS / "dev").glob("*.eml"))), encoding="utf-8")
    bounds = ["--max-misfiled", "0", "--max-wrong-case", "0.005", "--max-dangerous", "0.005",
              "--min-ambiguous-open", "1.0", "--min-match-recall", "0.97",
              "--min-macro-f1", "0.90", "--min-due-recall", "0.85", "--max-due-false", "0"]
    scored = subprocess.run(
        [sys.executable, str(CORPUS / "score.py"), "--truth", str(CORPUS / "dev"),
         str(predicted), *bounds], capture_output=True, text=True, check=False)
    figures_shown.append(f"reply corpus:\n{scored.stdout.strip()}")
    assert scored.returncode == 0, scored.stdout + scored.stderr
