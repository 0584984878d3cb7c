"""What a reply does to the time limit, in days."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from dsar.core.caseindex import CaseFacts
from dsar.core.message import Message
from dsar.reading.classify import read
from dsar.reading.dates import dates_in, months_later
from dsar.reading.lexicon import lexicon
from dsar.reading.reading import ClockReading, DueFacts

DUE = DueFacts(sent_on=date(2026, 3, 10), due_on=date(2026, 4, 10),
               latest_due_on=date(2026, 6, 10), period_from=lambda day: months_later(day, 1))


def clock(text: str, *, language: str = "en", on: date = date(2026, 3, 30)) -> ClockReading:
    message = Message(digest="d", message_id=None, own_text=text,
                      received=datetime(on.year, on.month, on.day, 9, tzinfo=UTC))
    return read(message, facts=CaseFacts(case_id="c", language=language), due=DUE).clock


@pytest.mark.parametrize(("language", "text", "expected"), [
    ("en", "We need more time and will reply by 20 May 2026.", date(2026, 5, 20)),
    ("en", "The time limit has been extended by a further two months.", date(2026, 6, 10)),
    ("en", "The deadline is extended by 30 days because of the complexity.", date(2026, 5, 10)),
    ("en", "We need more time and will reply no later than September 1, 2026.", date(2026, 6, 10)),
    ("de", "Wir verlängern die Frist um zwei Monate.", date(2026, 6, 10)),
    ("de", "Wir benötigen mehr Zeit und antworten bis spätestens 20. Mai 2026.",
     date(2026, 5, 20)),
    ("de", "Wir benötigen mehr Zeit und antworten bis zum 20.05.2026.", date(2026, 5, 20)),
    ("fr", "Nous prolongeons le délai de réponse d'un mois.", date(2026, 5, 10)),
    ("fr", "Un délai supplémentaire est nécessaire, nous répondrons au plus tard le 20 mai 2026.",
     date(2026, 5, 20)),
    ("nl", "Wij verlengen de termijn met twee maanden.", date(2026, 6, 10)),
    ("es", "Ampliamos el plazo de respuesta en dos meses.", date(2026, 6, 10)),
    ("it", "Il termine è prorogato di due mesi.", date(2026, 6, 10)),
    ("pl", "Przedłużamy termin odpowiedzi o dwa miesiące.", date(2026, 6, 10)),
    ("pt", "O prazo de resposta é prorrogado por mais dois meses.", date(2026, 6, 10)),
    ("sv", "Vi förlänger svarstiden med två månader.", date(2026, 6, 10)),
    ("el", "Η προθεσμία απάντησης παρατείνεται κατά δύο μήνες.", date(2026, 6, 10)),
    ("cs", "Prodlužujeme lhůtu pro odpověď o dva měsíce.", date(2026, 6, 10)),
    ("ja", "回答期限を2か月延長させていただきます。", date(2026, 6, 10)),
])
def test_an_extension_moves_the_due_date(language: str, text: str, expected: date) -> None:
    found = clock(text, language=language)
    assert (found.effect, found.new_due_on) == ("extension_until", expected)


@pytest.mark.parametrize("text", [
    "The period may be extended by two further months where necessary.",
    "We will reply by 9 April 2026.",
    "We have received your request of 10 March 2026.",
    "Our office is closed until 20 May 2026.",
    "You can download your data until 20 May 2026.",
    "Your data was deleted on 20 March 2026.",
])
def test_no_date_is_invented(text: str) -> None:
    assert clock(text).new_due_on is None


def test_a_notice_after_the_due_date_extends_nothing() -> None:
    late = clock("We extend the period by two months.", on=date(2026, 4, 20))
    assert late.new_due_on is None


def test_waiting_stops_the_clock_without_a_date() -> None:
    found = clock("Please send us a copy of your passport. The period is suspended until then.")
    assert (found.effect, found.new_due_on) == ("clock_stop_start", None)


def test_a_restart_begins_the_period_anew() -> None:
    found = clock("Thank you, your identity is confirmed. The one-month period starts today.")
    assert (found.effect, found.new_due_on) == ("clock_stop_end", date(2026, 4, 30))
    on = clock("Thank you, we have your documents. The period of one month begins on 1 April 2026.")
    assert on.new_due_on == date(2026, 5, 1)


def test_days_of_a_pause_are_added() -> None:
    found = clock("Thank you for the documents. The clock was paused for 12 days.")
    assert (found.effect, found.new_due_on) == ("clock_stop_end", date(2026, 4, 22))


@pytest.mark.parametrize(("language", "text", "expected"), [
    ("en", "on 3 March 2026, or March 5, 2026, or 2026-03-07", [3, 5, 7]),
    ("de", "am 3. März 2026 oder 05.03.2026", [3, 5]),
    ("fr", "le 3 mars 2026, le 1er mars 2026", [3, 1]),
    ("es", "el 3 de marzo de 2026", [3]),
    ("pl", "do 3 marca 2026 r.", [3]),
    ("cs", "do 3. března 2026", [3]),
    ("el", "στις 3 Μαρτίου 2026", [3]),
    ("sv", "den 3 mars 2026", [3]),
    ("ja", "2026年3月3日", [3]),
    ("en", "by 3 March", [3]),
])
def test_dates_are_read_in_every_writing(language: str, text: str, expected: list[int]) -> None:
    found = dates_in(text, lexicon(language), date(2026, 2, 1))
    assert found == tuple(date(2026, 3, day) for day in expected)


def test_months_are_counted_to_the_same_day_or_the_last() -> None:
    assert months_later(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_later(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert months_later(date(2026, 3, 10), 2) == date(2026, 5, 10)
