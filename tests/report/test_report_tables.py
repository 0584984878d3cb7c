"""What counts as what, and the published results of studies from cases made after them."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import (
    AFTER,
    DUE,
    LATEST,
    SENT,
    bounced,
    checked,
    opened,
    outcome,
    proved,
    replied,
    study,
)

from dsar.core.case import CaseClosed
from dsar.core.deadline import Deadlines
from dsar.core.result import Timing
from dsar.core.statistics import Share, Wait
from dsar.core.table import Count, Hidden, Table, public
from dsar.core.tables import elements, funnel, identity, tables, timeliness, told, told_whom
from dsar.report.statistics import report, text

IN_TIME = (DUE - SENT).days


def row(table: Table, label: str) -> Share:
    """The share in the row with this label."""
    found = next(r[1] for r in table.rows if str(r[0]).startswith(label))
    assert isinstance(found, Share)
    return found


def percent(share: Share) -> int:
    assert share.share is not None
    return round(share.share * 100)


def test_urban_2018_36_companies_89_percent_replied_and_58_percent_finished_in_time() -> None:
    found = study((21, [("fulfilled_access", 20)], ()), (11, [("clarification_request", 9)], ()),
                  (4, [], ()))
    table = funnel(found)
    assert (percent(row(table, "answered in time")), row(table, "answered in time").k) == (89, 32)
    assert percent(row(table, "substantive in time")) == 58
    shown = "\n".join(text(report(found, AFTER)))
    assert "32 of 36 = 88.9 % (74.7–95.6)" in shown
    assert "21 of 36 = 58.3 % (42.2–72.9)" in shown


def test_noyb_2019_8_services_2_silent_and_none_complete() -> None:
    found = study((6, [("fulfilled_access", 20)], [checked(missing=["source"])]), (2, [], ()))
    by_id = {t.id: t for t in tables(found)}
    assert row(by_id["T2"], "no answer") == Share(2, 8)
    assert row(by_id["T2"], "complete") == Share(0, 8)
    assert row(by_id["T2"], "incomplete") == Share(6, 8)
    assert row(elements(found), "source") == Share(0, 6)


def test_noyb_2026_satisfactory_incomplete_and_none() -> None:
    found = study((165, [("fulfilled_access", 20)], [checked()]),
                  (537, [("partial_fulfilment", 20)], ()), (298, [], ()))
    shown = "\n".join(text(report(found, AFTER)))
    assert "165 of 1000 = 16.5 %" in shown
    assert "537 of 1000 = 53.7 %" in shown
    assert "298 of 1000 = 29.8 %" in shown


def test_pavur_2019_83_companies_by_the_proof_they_demanded() -> None:
    data = [("fulfilled_access", 9)]
    found = study((20, data, ()), (13, data, [proved("weak")]), (33, data, [proved("strong")]),
                  (4, [("no_data_held", 9)], ()), (2, [("fulfilled_erasure", 9)], ()), (11, [], ()))
    table = identity(found)
    assert percent(row(table, "weak")) == 16
    assert percent(row(table, "strong")) == 40
    assert percent(row(table, "no answer")) == 13
    assert percent(row(table, "none, and data given")) == 24
    assert sum(r.answer == "erased" for r in found) == 0, "deleted is no answer to a question"


def test_rupp_2022_27_percent_of_90_erasures_did_not_come() -> None:
    found = study((66, [("fulfilled_erasure", 20)], ()), (24, [("refusal", 20)], ()),
                  right="erasure")
    by_id = {t.id: t for t in tables(found)}
    assert percent(row(by_id["T2"], "refused")) == 27
    assert row(by_id["T2"], "complete") == Share(66, 90)


def test_talend_2018_70_percent_of_103_missed_the_month() -> None:
    found = study((31, [("fulfilled_access", 21)], ()), (20, [("fulfilled_access", 60)], ()),
                  (52, [], ()))
    assert 100 - percent(row(funnel(found), "substantive in time")) == 70
    parts = timeliness(found)
    assert row(parts, "late") == Share(0, 103)
    late = next(r[1] for r in parts.rows if r[0] == str(Timing.LATE))
    assert late == Share(20, 103)
    assert row(parts, "no answer") == Share(52, 103)


def test_the_parts_of_timeliness_add_up_to_those_whose_time_is_over() -> None:
    found = study((3, [("fulfilled_access", 5)], ()), (2, [], ()), (1, [("refusal", 33)], ()))
    cells = [r[1] for r in timeliness(found).rows]
    assert sum(c.k for c in cells if isinstance(c, Share)) == 6
    assert {c.n for c in cells if isinstance(c, Share)} == {6}


@pytest.mark.parametrize(("day", "timing"), [
    (IN_TIME, Timing.IN_TIME), (IN_TIME + 1, Timing.DISPUTED),
    ((LATEST - SENT).days, Timing.DISPUTED), ((LATEST - SENT).days + 1, Timing.LATE),
])
def test_an_answer_is_late_only_after_the_latest_defensible_day(day: int, timing: Timing) -> None:
    assert outcome([*opened(1), *replied(1, "fulfilled_access", day)]).timing is timing


def test_silence_is_no_answer_only_once_the_time_is_over() -> None:
    assert outcome(opened(1), today=LATEST).timing is Timing.RUNNING
    late = outcome(opened(1), today=LATEST + timedelta(days=1))
    assert (late.timing, late.time_is_over) == (Timing.NONE, True)


def test_a_lawful_extension_is_counted_apart() -> None:
    dates = Deadlines(due=DUE, charitable_due=LATEST, extended_due=date(2026, 6, 2))
    found = outcome([*opened(1), *replied(1, "fulfilled_access", 60)], deadlines=dates)
    assert found.timing is Timing.EXTENDED


def test_no_case_is_late_where_the_law_sets_no_date_or_the_clock_stands_still() -> None:
    waiting = Deadlines(due=DUE, charitable_due=LATEST, waits_for=("id_provided",))
    for dates in (None, Deadlines(), Deadlines(due=DUE, charitable_due=LATEST, advisory=True)):
        assert outcome(opened(1), deadlines=dates).timing is Timing.NO_DATE
    assert outcome(opened(1), deadlines=waiting).timing is Timing.RUNNING


@pytest.mark.parametrize("label", ["fulfilled_access", "unclear", "identity_request",
                                   "extension_notice", "refusal"])
def test_a_reply_that_only_the_machine_has_read_is_neither_an_answer_nor_silence(
    label: str
) -> None:
    found = outcome([*opened(1), *replied(1, label, 9, by="machine")])
    assert (found.timing, found.answered) == (Timing.UNREAD, False)
    assert found.wait == Wait(9, ended=False)


def test_provisional_counts_the_machines_answers_and_says_so() -> None:
    events = [*opened(1), *replied(1, "fulfilled_access", 9, by="machine")]
    found = outcome(events, provisional=True)
    assert (found.timing, found.machine) == (Timing.IN_TIME, True)
    notes = report([found], AFTER, provisional=True).notes
    assert any("machine's reading alone: 1" in note for note in notes)
    asks = outcome([*opened(2), *replied(2, "extension_notice", 9, by="machine")],
                   provisional=True)
    assert asks.timing is Timing.UNREAD


def test_an_unread_reply_before_a_late_answer_leaves_open_whether_it_was_late() -> None:
    found = outcome([*opened(1), *replied(1, "unclear", 9, by="machine"),
                     *replied(1, "fulfilled_access", 90)])
    assert found.timing is Timing.UNREAD


@pytest.mark.parametrize("label", ["acknowledgement", "auto_reply", "unrelated"])
def test_an_automatic_reply_is_no_answer(label: str) -> None:
    found = outcome([*opened(1), *replied(1, label, 1)])
    assert (found.answered, found.timing) == (False, Timing.NONE)


def test_a_bounced_request_is_sent_and_not_delivered() -> None:
    found = outcome([*opened(1), bounced(1)])
    assert (found.sent, found.delivered, found.health) == (True, False, "bounced")
    assert (found.timing, found.wait) == (Timing.UNDELIVERED, None)


def test_closed_as_answered_without_a_reply_has_no_known_day_and_is_never_late() -> None:
    found = outcome([*opened(1), CaseClosed(on=AFTER, outcome="answered")])
    assert (found.answer, found.timing, found.wait) == ("data", Timing.UNDATED, None)


def test_the_disclosure_tables_name_kinds_and_never_values() -> None:
    found = [outcome(opened(1)), outcome(opened(2))]
    assert told(found).rows[0][1:] == (Count(2), Count(1))
    assert told_whom(found).rows[0] == ("Company 1", "name, email", Count(1))
    assert "alex@example.org" not in "\n".join(text(report(found, AFTER)))


def shares(*counts: int) -> Table:
    total = sum(counts)
    return Table(id="X", title="", about="", columns=("a", "b"), parts=True,
                 rows=tuple((str(n), Share(k, total)) for n, k in enumerate(counts)))


@given(st.lists(st.integers(0, 60), min_size=2, max_size=8))
def test_public_shows_no_count_from_one_to_four_and_none_can_be_computed(counts: list[int]) -> None:
    if not sum(counts):
        return
    rows = public(shares(*counts)).rows
    shown = [r[1] for r in rows if isinstance(r[1], Share)]
    assert not [s for s in shown if 0 < s.k < 5 or 0 < s.n - s.k < 5]
    assert sum(isinstance(r[1], Hidden) for r in rows) != 1


@given(st.lists(st.tuples(st.integers(0, 120), st.booleans()), max_size=40))
def test_public_days_never_differ_by_a_small_number(days: list[tuple[int, bool]]) -> None:
    found = [outcome([*opened(n), *(replied(n, "refusal", day) if ended else [])],
                     today=SENT + timedelta(days=130)) for n, (day, ended) in enumerate(days)]
    table = next((t for t in tables(found, hide_small=True) if t.id == "T4"), None)
    counts = [0, *(c.k for r in table.rows for c in r[1:] if hasattr(c, "k"))] if table else []
    assert all(b == a or b - a >= 5 for a, b in pairwise(counts))


def test_public_leaves_out_single_companies_and_what_the_person_wrote() -> None:
    found = study((9, [("fulfilled_access", 9)], [proved("passport of Alex")]))
    shown = "\n".join(text(report(found, AFTER, hide_small=True)))
    assert "Company" not in shown
    assert "passport" not in shown
