"""Rounds, company by demand, erasures checked later, unequal answers, the funnel, the codebook."""

from __future__ import annotations

import csv as reader
from dataclasses import replace
from datetime import timedelta

import pytest
from report_samples import AFTER, SENT, checked, opened, outcome, proved, replied, study

from dsar.core.case import CaseEvent, CaseOpened
from dsar.core.comparisons import grid, inconsistent, rounds, verified
from dsar.core.funnel import Funnel, campaign
from dsar.core.message import Label
from dsar.core.result import Result
from dsar.core.statistics import Share
from dsar.core.table import Count, Table
from dsar.core.tables import tables
from dsar.report.codebook import entries, lines
from dsar.report.csv import COLUMNS, rows
from dsar.report.statistics import report, text


def as_case(events: list[CaseEvent], **facts: object) -> list[CaseEvent]:
    """The same course in a case with other facts."""
    first = events[0]
    assert isinstance(first, CaseOpened)
    return [replace(first, **facts), *events[1:]]  # type: ignore[arg-type]


def asked_again(company: int, number: int, *labels: str) -> Result:
    """The request `number` to the company, so many months later, with these answers."""
    events = [*opened(company), *(e for label in labels for e in replied(company, label, 9))]
    return outcome(as_case(events, case_id=f"R{number}-{company:03}",
                           on=SENT + timedelta(days=200 * (number - 1))))


def cell(table: Table, label: str, column: int = 1) -> object:
    return next(row[column] for row in table.rows if row[0] == label)


def test_kroeger_2020_three_rounds_of_225_apps_by_what_came_back() -> None:
    """19 to 26 % silent and 15 to 53 % fulfilled, from lowest to highest round."""
    silent, fulfilled = (43, 54, 58), (34, 90, 119)
    found = [asked_again(n, r + 1, *(("fulfilled_access",) if n < fulfilled[r] else
                                     () if n < fulfilled[r] + silent[r] else ("refusal",)))
             for r in range(3) for n in range(225)]
    table = rounds(found)
    assert [r[0] for r in table.rows] == ["1", "2", "3"]
    assert [r[2] for r in table.rows] == [Share(k, 225) for k in silent]
    assert [r[3] for r in table.rows] == [Share(k, 225) for k in fulfilled]
    shown = "\n".join(text(report(found, AFTER)))
    assert "43 of 225 = 19.1 %" in shown
    assert "58 of 225 = 25.8 %" in shown
    assert "34 of 225 = 15.1 %" in shown
    assert "119 of 225 = 52.9 %" in shown


def test_a_company_with_fewer_rounds_than_most_is_in_no_round() -> None:
    found = [asked_again(n, r) for n in range(3) for r in (1, 2, 3)]
    found += [asked_again(9, 1), asked_again(9, 2), asked_again(10, 1)]
    assert {r[2] for r in rounds(found).rows} == {Share(3, 3)}
    assert rounds([asked_again(1, 1), asked_again(2, 1)]).rows == ()


def erased_then_asked(number: int, *answer: str) -> tuple[Result, Result]:
    erased = outcome([*opened(number, right="erasure"), *replied(number, "fulfilled_erasure", 9)])
    later = [*opened(number), *(e for label in answer for e in replied(number, label, 9))]
    return erased, outcome(as_case(later, case_id=f"V{number:03}", follows=f"K{number:03}"))


def test_rupp_2022_27_percent_of_90_erasures_checked_later_were_not_done() -> None:
    found = [r for n in range(90)
             for r in erased_then_asked(n, "fulfilled_access" if n < 24 else "no_data_held")]
    table = verified(found)
    assert cell(table, "still held data") == Share(24, 90)
    assert "24 of 90 = 26.7 %" in "\n".join(text(report(found, AFTER)))


def test_an_erasure_checked_without_an_answer_is_not_called_undone() -> None:
    table = verified([*erased_then_asked(1), *erased_then_asked(2, "refusal")])
    assert cell(table, "no answer, the time is over") == Share(1, 2)
    assert cell(table, "refused to say") == Share(1, 2)
    assert cell(table, "still held data") == Share(0, 2)


def test_noyb_2019_a_grid_of_eight_services_by_what_they_gave() -> None:
    lacking = [("raw",), ("background",), ("raw", "background"), ("intelligible",)]
    found = [outcome([*opened(n, name=f"Service {n}"), *replied(n, "fulfilled_access", 9), checked(
        missing=lacking[n % 4], present=tuple({"raw", "intelligible", "background"}
                                              - set(lacking[n % 4])))]) for n in range(6)]
    table = grid([*found, *(outcome(opened(n)) for n in (6, 7))])
    assert len(table.rows) == 6, "who did not answer has no demands met to look at"
    assert not [r for r in table.rows if set(r[2:]) == {"full"}]
    assert dict(zip(table.columns, table.rows[0], strict=True))["raw"] == "none"


def test_a_demand_met_by_some_answers_of_a_company_is_partial() -> None:
    first = outcome([*opened(1), *replied(1, "fulfilled_access", 9), checked()])
    second = outcome([*opened(1, person="kim"), *replied(1, "fulfilled_access", 9),
                      checked(missing=("copy", "source"), present=())])
    table = grid([first, second])
    assert table.rows == (("Company 1", Count(2), "partial", "none"),)


def member(person: str, *more: CaseEvent, label: str = "fulfilled_access", day: int = 9
           ) -> Result:
    events = [*opened(1, person=person), *replied(1, label, day), *more]
    return outcome(as_case(events, case_id=f"M-{person}"))


def test_equal_requests_of_one_week_with_unequal_answers_are_found() -> None:
    found = [member("a", checked(present=("copy", "source"))), member("b", proved("id-copy")),
             member("c", checked(present=("copy",), missing=("source",)), day=30),
             member("d", label="refusal")]
    summary, companies = inconsistent(found)
    assert cell(summary, "in any of these") == Share(1, 1)
    assert cell(summary, "in whether more time is taken") == Share(0, 1)
    (row,) = companies.rows
    assert row[:5] == ("Company 1", "2026-W10", "access", Count(4), "data 3, refused 1")
    assert row[5] == Share(1, 4)
    assert row[6] == "source (1 of 2)"
    assert row[8] == "9–30"


def test_equal_answers_one_person_and_other_weeks_are_no_difference() -> None:
    assert inconsistent([member("a"), member("b")])[1].rows == ()
    assert inconsistent([member("a"), member("a", label="refusal")])[0].rows == ()
    late = as_case([*opened(1, person="b"), *replied(1, "refusal", 9)], case_id="M-b")
    late[2] = replace(late[2], on=SENT + timedelta(days=7))  # type: ignore[call-arg]
    assert inconsistent([member("a"), outcome(late)])[0].rows == ()


def test_openschufa_2018_2300_of_26000_gave_their_answer_back() -> None:
    people = Funnel(sent=26000, shared=2300)
    assert cell(campaign(people), "shared the answer", 2) == Share(2300, 26000)
    found = study((1, [], ()))
    assert "2300 of 26000 = 8.8 %" in "\n".join(text(report(found, AFTER, people=people)))


def test_a_funnel_counts_people_and_more_than_before_is_no_share() -> None:
    table = campaign(Funnel(invited=100, mandated=40, sent=44, answered=0))
    assert [r[2] for r in table.rows] == [None, Share(40, 100), None, Share(0, 44)]
    assert campaign(None).rows == campaign(Funnel()).rows == ()
    with pytest.raises(ValueError, match="below zero"):
        Funnel(sent=-1)


def test_the_csv_has_a_row_for_each_round_with_the_columns_of_an_open_data_set() -> None:
    found = [asked_again(1, 2, "refusal"), asked_again(1, 1), outcome(opened(2))]
    listed = list(reader.DictReader("".join(rows(found)).splitlines()))
    assert [(r["company"], r["round"], r["labels"]) for r in listed] == [
        ("c1", "2", "refusal"), ("c1", "1", ""), ("c2", "1", "")]
    assert {"company", "channel", "categories", "country", "language", "days_to_answer",
            "labels", "round"} <= set(COLUMNS)


def test_the_codebook_explains_every_column_and_every_code() -> None:
    listed = list(reader.DictReader("".join(lines()).splitlines()))
    assert {r["column"] for r in listed} >= set(COLUMNS)
    assert all(r["meaning"] for r in listed)
    assert {code for column, code, _ in entries() if column == "labels"} >= set(map(str, Label))


def test_the_tables_stand_in_the_order_of_their_numbers() -> None:
    found = [*erased_then_asked(1, "refusal"), member("a"), member("b", label="refusal")]
    ids = [t.id for t in tables(found, people=Funnel(sent=2))]
    assert ids == sorted(ids, key=lambda i: (int("".join(filter(str.isdigit, i))), i))
