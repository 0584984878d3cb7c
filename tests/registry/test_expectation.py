"""What usually happens with a company, from one's own cases."""

from __future__ import annotations

from datetime import UTC, date, datetime

from dsar.core.case import Case, CaseEvent, CaseOpened, LetterSent, ReplyRead, ReplyReceived, fold
from dsar.core.expect import expectation, in_words
from dsar.core.letter import Stage


def case(company: str, *replies: tuple[int, str]) -> Case:
    events: list[CaseEvent] = [
        CaseOpened(on=date(2026, 3, 1), case_id="C1", reference="DSAR-1111-1111",
                   subject_id="alex", controller=company, controller_name="Acme", right="access",
                   regime="eu-gdpr", language="en", country="DE"),
        LetterSent(on=date(2026, 3, 1), message_id="<1@example.org>", stage=Stage.REQUEST,
                   recipient="privacy@acme.example"),
    ]
    for number, (day, label) in enumerate(replies):
        digest = f"{number:064}"
        events.append(ReplyReceived(
            on=date(2026, 3, day), at=datetime(2026, 3, day, tzinfo=UTC), digest=digest,
            message_id=None, sender="a@acme.example", subject="", authentic="none", evidence=()))
        events.append(ReplyRead(on=date(2026, 3, day), digest=digest, labels=(label,),
                                by="machine"))
    return fold(events)


def test_a_company_one_never_wrote_to_has_no_history() -> None:
    assert expectation([case("other")], frozenset({"acme"})) is None
    assert in_words(None) == "You have not written to this company yet."


def test_replies_are_counted_and_their_days_taken_in_the_middle() -> None:
    cases = [case("acme", (2, "auto_reply"), (11, "acknowledgement"), (21, "fulfilled_access")),
             case("acme", (5, "acknowledgement")), case("acme"), case("other", (3, "refusal"))]
    found = expectation(cases, frozenset({"acme"}))
    assert found is not None
    assert (found.sent, found.replied, found.first_reply_days) == (3, 2, 7.0)
    assert dict(found.labels) == {"acknowledgement": 2, "fulfilled_access": 1}
    assert in_words(found) == (
        "Replied to 2 of 3 requests, first after 7 days (median). Replies: acknowledgement 2, "
        "fulfilled access 1; 0 confirmed by you.")
    silent = expectation([case("acme", (2, "auto_reply"))], frozenset({"acme"}))
    assert in_words(silent) == "No reply to 1 request so far."
