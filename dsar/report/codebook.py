"""What each column and code of the csv means, for whoever analyses it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from dsar.core.message import Label
from dsar.core.result import DEFINITIONS, Timing
from dsar.core.status import Status
from dsar.report.csv import COLUMNS

HEADING = ("column", "code", "meaning")

MEANINGS: dict[str, str] = {
    "case": "id of the case; empty with --anonymise",
    "person": "id of the data subject in this home; empty with --anonymise",
    "company": "id of the company in the registry; the same in every round and for every person",
    "company_name": "its name when the case was opened",
    "categories": "kinds of company, from the registry; several are parted by semicolons",
    "country": "seat of the company (ISO 3166-1 alpha-2), from the registry",
    "law": "id of the law the request rests on",
    "right": "what was asked for: access, erasure, objection, ...",
    "language": "language of the letters (BCP 47)",
    "status": "where the case stands",
    "sent_on": "day the request went out (YYYY-MM-DD, as all days)",
    "delivered": "yes, or no where it came back for good or never left",
    "contact": "how the way to the company turned out",
    "acknowledged": "yes where any reply names the request, automatic ones included",
    "answered_on": "day of the first specific reply",
    "substantive_on": "day of the first answer in substance",
    "days_to_answer": "whole days from receipt to the first answer in substance",
    "days_seen": "the same, or for how many days the case was seen without one (censored)",
    "answer": "what the answer gives: data, partly, erased, nothing held, refused",
    "timing": "whether the answer came in time",
    "due": "statutory due date without an extension",
    "extended_due": "due date with an extension that counts",
    "latest_due": "last day on which the company is in time on any defensible reading",
    "time_is_over": "yes where that day is past: only then can a case be late",
    "complete": "yes or no as far as a person checked the answer; empty where nobody did",
    "missing": "demands the answer does not meet, as a person checked them",
    "identity_demand": "by what identity was proved, in the person's words, or asked; "
                       "yes with --anonymise",
    "reminders": "how many reminders went out",
    "complaint_on": "day a complaint was lodged",
    "closed_on": "day the case was closed",
    "outcome": "how a person closed it",
    "labels": "everything the replies were read as; several are parted by semicolons",
    "told": "kinds of identifiers in the letters that left, without their values",
    "read_by": "who read the answer in substance: person or machine",
    "channel": "how the request went out: email, webform, post",
    "round": "which request of this person to this company for this right it is, 1 being the "
             "first; empty where nothing was sent",
    "follows": "id of the erasure that this request checks; yes with --anonymise",
}

LABELS: dict[Label, str] = {
    Label.ACKNOWLEDGEMENT: "they have the request", Label.AUTO_REPLY: "written by a machine",
    Label.BOUNCE_PERMANENT: "could not be delivered",
    Label.BOUNCE_TEMPORARY: "could not be delivered yet",
    Label.FULFILLED_ACCESS: "the data were given", Label.FULFILLED_ERASURE: "the data were erased",
    Label.NO_DATA_HELD: "nothing is held", Label.PARTIAL_FULFILMENT: "done in part",
    Label.REFUSAL: "refused", Label.IDENTITY_REQUEST: "proof of identity is demanded",
    Label.CLARIFICATION_REQUEST: "asks what exactly is wanted",
    Label.EXTENSION_NOTICE: "announces that it takes longer",
    Label.REDIRECT_TO_PORTAL: "sends the person to a web form",
    Label.REDIRECT_TO_OTHER_CONTROLLER: "names another company",
    Label.FEE_DEMAND: "demands a fee", Label.UNRELATED: "about something else",
    Label.PHISHING_SUSPECT: "may be a fraud", Label.UNCLEAR: "could not be read",
}


TIMINGS: dict[Timing, str] = {
    Timing.IN_TIME: "answer in substance by the due date",
    Timing.EXTENDED: "by an extended date that the law allows",
    Timing.DISPUTED: "after the due date, not after the last defensible day",
    Timing.LATE: "after the last defensible day",
    Timing.NONE: "none, and the last defensible day is past",
    Timing.UNREAD: "a reply is there that no person has read; never counted as late",
    Timing.UNDATED: "closed as answered, without a reply on file",
    Timing.WITHDRAWN: "closed by the person before it could be late",
    Timing.RUNNING: "the time is not over, or the clock stands still",
    Timing.NO_DATE: "the law sets no number of days",
    Timing.UNDELIVERED: "the request did not arrive",
}

STATUSES: dict[Status, str] = {
    Status.UNSENT: "not sent yet", Status.IN_DOUBT: "may or may not have been sent",
    Status.REFUSED: "the mail server refused the letter",
    Status.BOUNCED: "the letter came back", Status.WAITING: "sent, no reply yet",
    Status.ACKNOWLEDGED: "they have the request", Status.NEEDS_YOU: "the person has to act",
    Status.EXTENDED: "the company takes longer, as the law allows",
    Status.OVERDUE: "the due date is past", Status.ANSWERED: "answered, as a person read it",
    Status.CLOSED: "closed by the person",
}


def entries() -> Iterator[tuple[str, str, str]]:
    """Yield column, code and meaning; the code is empty where the column itself is meant."""
    for column in COLUMNS:
        yield column, "", MEANINGS[column]
        yield from ((column, code, meaning) for code, meaning in _codes(column))
    yield from (("", word, meaning) for word, meaning in DEFINITIONS)


def _codes(column: str) -> Iterator[tuple[str, str]]:
    """The closed lists."""
    if column == "labels":
        yield from ((str(label), LABELS[label]) for label in Label)
    if column == "timing":
        yield from ((str(timing), TIMINGS[timing]) for timing in Timing)
    if column == "status":
        yield from ((str(status), STATUSES[status]) for status in Status)


def lines() -> Iterator[str]:
    """Return the lines of the codebook as csv (RFC 4180)."""
    for entry in (HEADING, *entries()):
        out = io.StringIO()
        csv.writer(out).writerow(entry)
        yield out.getvalue()
