"""What the charts show: bounded, in words as well, and never of what is hidden."""

from __future__ import annotations

from datetime import timedelta

from report_samples import AFTER, SENT, opened, outcome, replied, study

from dsar.report.casebars import MOST_CASES, cases, shortened
from dsar.report.charts import MOST_GROUPS, MOST_POINTS, NARROW, WIDE, charts
from dsar.report.plot import svg
from dsar.report.statistics import report

ANSWER = [("fulfilled_access", 9)]


def test_at_most_sixty_cases_are_drawn_and_the_rest_is_counted() -> None:
    found = cases(report(study((MOST_CASES + 14, ANSWER, ())), AFTER))
    assert found is not None
    assert len(found.rows) == MOST_CASES
    assert "14 more requests are not drawn" in found.note


def test_a_bar_goes_from_receipt_to_the_answer_or_to_today() -> None:
    found = cases(report([outcome([*opened(1), *replied(1, "refusal", 9)]), outcome(opened(2))],
                         AFTER))
    assert found is not None
    answered, silent = found.rows
    assert answered["end"] == f"{SENT + timedelta(days=9)}T00:00:00Z"
    assert (silent["end"], silent["open"], silent["late"]) == (f"{AFTER}T00:00:00Z", 1, 1)
    assert "1 past the last defensible due date" in found.words


def test_no_single_case_is_drawn_in_public_and_no_id_when_anonymous() -> None:
    results = study((9, ANSWER, ()))
    assert cases(report(results, AFTER, hide_small=True)) is None
    hidden = cases(report(results, AFTER, anonymous=True))
    assert hidden is not None
    assert not any(row["id"] for row in hidden.rows)


def test_a_long_curve_and_many_groups_stay_small() -> None:
    many = [outcome([*opened(n), *replied(n, "refusal", n % 2000)], seat=f"X{n % 90}",
                    categories=(f"kind-{n % 90}",), today=SENT + timedelta(days=2500))
            for n in range(2000)]
    for chart in charts(report(many, SENT + timedelta(days=2500))):
        for width in (WIDE, NARROW):
            drawn = svg(chart.spec(width))
            assert len(drawn) < 90_000, chart.table
            assert drawn.startswith("<svg viewBox=")
    assert MOST_POINTS < 500
    assert MOST_GROUPS < 30


def test_hidden_groups_are_not_drawn() -> None:
    results = [*study((30, ANSWER, ())), *(outcome(opened(900 + n), seat="FR") for n in range(3))]
    shown = {c.table: c for c in charts(report(results, AFTER, hide_small=True))}
    assert not [c for c in shown.values() if "FR" in c.words]


def test_a_name_too_long_is_cut_and_says_so() -> None:
    assert shortened("Acme Data", 28) == "Acme Data"
    assert shortened("Acme Data Brokers International", 12) == "Acme Data B…"
