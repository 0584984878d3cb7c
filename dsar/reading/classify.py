"""From a message to labels: the transport first, then the sender's own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dsar.core.caseindex import CaseFacts
from dsar.core.message import Authentic, Label, Message
from dsar.reading.agree import agreed
from dsar.reading.dates import clock_reading
from dsar.reading.decide import FINAL, decide
from dsar.reading.engine import Hit, Tagged, find, tag
from dsar.reading.features import features
from dsar.reading.findings import Findings
from dsar.reading.language import detect
from dsar.reading.lexicon import lexicon
from dsar.reading.opinion import Opinion, weights
from dsar.reading.phishing import phishing_reason
from dsar.reading.quoted import own_words
from dsar.reading.reading import ClockReading, DueFacts, Reading
from dsar.reading.signals import transport_label
from dsar.reading.tickets import tickets
from dsar.reading.words import sentences

_TOPICS = frozenset({
    "erased", "given", "nothing", "ask_identity", "ask_detail", "extends", "refuses", "use_portal",
    "other_controller", "received", "works", "will_erase", "retracts", "unsubscribed", "withheld",
    "fee", "password_given", "closed_unserved",
})

_VAGUE = {"fee", "refuses", "password_given", "use_portal", "works"}
"""What companies write about other matters, too."""
_CLEAR = 0.5
"""How likely an extension must be for its only date to be that of the answer."""
_STRONG = _TOPICS - _VAGUE - {"received"}


@dataclass(frozen=True)
class Words:
    """A message's own words, cut up and searched."""

    language: str
    tagged: tuple[Tagged, ...]
    hits: tuple[Hit, ...]


def words_of(message: Message, *, fallback: str = "en", letters: Sequence[str] = ()) -> Words:
    """Cut and search the own words; an empty body is read from the subject alone."""
    own = own_words(message.own_text, letters)
    subject = _own_subject(message.subject)
    language = detect(f"{subject}\n{own}", fallback)
    rules = lexicon(language)
    text = own if len(own) > 3 else subject
    tagged = tuple(tag(s, rules) for s in sentences(text, language))
    return Words(language, tagged, tuple(find(tagged, rules)))


def _own_subject(subject: str) -> str:
    """What the sender wrote as subject; a reply's subject is ours."""
    lowered = subject.lower().lstrip()
    return "" if lowered[:4].rstrip(" :.") in _REPLY_MARKS and ":" in lowered[:6] else subject


_REPLY_MARKS = ("re", "aw", "sv", "vs", "odp", "r", "antw", "rif", "res", "απ", "fw", "fwd", "wg")


def read(
    message: Message, *, facts: CaseFacts | None = None, due: DueFacts | None = None,
    letters: Sequence[str] = (), suspicious: str = "",
) -> Reading:
    """Return what a message is; `unclear` rather than a guess.

    facts: the case it answers, if one is known. due: its dates, for extensions and pauses.
    letters: our own letters in it. suspicious: what matching found wrong with the sender.
    """
    transport = transport_label(message)
    if transport is not None:
        return Reading(labels=(transport,), confidence=0.95, sentence=_first_line(message),
                       language="")
    words = words_of(message, fallback=facts.language if facts else "en", letters=letters)
    opinion = _second_opinion(words)
    because = phishing_reason(message, words.hits, words.tagged, suspicious, opinion)
    if because:
        return Reading(labels=(Label.PHISHING_SUSPECT,), confidence=0.8, sentence=because,
                       language=words.language)
    opinion = opinion.without(Label.PHISHING_SUSPECT) if facts else Opinion({}, {})
    return _from_words(message, words, opinion, facts, due)


def _from_words(
    message: Message, words: Words, opinion: Opinion, facts: CaseFacts | None,
    due: DueFacts | None,
) -> Reading:
    clock = clock_reading(message, words.hits, words.tagged, lexicon(words.language), due)
    late = bool(due and clock.stated_on and clock.stated_on > due.due_on)
    found = Findings(words.hits, words.tagged, late=late)
    told = decide(found)
    both = _restarted(agreed(found, told, opinion), clock.start)
    labels = _with_automatic(message, both, found, facts)
    if not labels:
        labels = (Label.UNCLEAR,)
    rests_on = {**opinion.places, **found.where}
    sentence = _sentence(words, rests_on.get(labels[0])) or _first_line(message)
    return Reading(
        labels=labels, confidence=_confidence(found, labels, opinion), sentence=sentence,
        language=words.language,
        clock=clock.for_labels(labels, sure=opinion.of(Label.EXTENSION_NOTICE) >= _CLEAR),
        reasons=tuple((str(la), _sentence(words, rests_on.get(la))) for la in labels),
        tickets=tickets(message),
    )


def _restarted(labels: tuple[Label, ...], start: ClockReading) -> tuple[Label, ...]:
    """Where the period begins anew, what had been asked for has come."""
    asked = {Label.IDENTITY_REQUEST, Label.CLARIFICATION_REQUEST}
    met = start.new_due_on and asked.intersection(labels[:1])
    return (Label.ACKNOWLEDGEMENT,) if met else labels


def _second_opinion(words: Words) -> Opinion:
    return weights(words.language).opinion(features(words.tagged, words.hits, words.language))


def _with_automatic(
    message: Message, labels: tuple[Label, ...], found: Findings, facts: CaseFacts | None
) -> tuple[Label, ...]:
    """A machine's answer is an auto-reply, unless it speaks of this request."""
    if message.automatic in ("auto-replied", "vacation"):
        if found.of("away", "left", "office_closed") or message.automatic == "vacation":
            return (Label.AUTO_REPLY,)
        return labels or (Label.AUTO_REPLY,)
    if message.automatic == "bulk" and not (facts and labels and set(labels) & set(FINAL)):
        strong = [la for la in labels if found.scores.get(la, 0) >= 1.5]
        return tuple(strong) if facts and strong else (Label.UNRELATED,)
    if message.automatic == "auto-generated" and not labels:
        return (Label.AUTO_REPLY,)
    if facts is None:
        return labels if labels == (Label.AUTO_REPLY,) else (Label.UNRELATED,)
    return labels


def _sentence(words: Words, place: int | None) -> str:
    return words.tagged[place].sentence.text[:500] if place is not None else ""


def _first_line(message: Message) -> str:
    return next((line.strip() for line in message.own_text.splitlines() if line.strip()),
                message.subject)[:300]


def _confidence(found: Findings, labels: tuple[Label, ...], opinion: Opinion) -> float:
    """How far the main label stands above the next one; the mean of what both readers say."""
    if labels[0] not in found.scores:
        known = opinion.of(labels[0])
        return round(known, 2) if labels[0] is not Label.UNCLEAR else 0.0
    mine = found.scores[labels[0]]
    others = [v for la, v in found.scores.items() if la not in labels]
    told = min(0.95, 0.5 + mine / (mine + max(others, default=0.0) + 0.5) / 2)
    return round((told + opinion.of(labels[0])) / 2 if opinion.shares else told, 2)


def is_topical(message: Message, *, language: str = "en") -> bool | None:
    """Whether the own words speak of a data request, as matching wants to know.

    None: they tell neither way ("Thank you for your message").
    """
    if message.authentic is Authentic.FAIL or message.automatic == "bulk":
        return False
    words = words_of(message, fallback=language)
    spam = {h.sentence for h in words.hits if h.concept == "marketing"}
    named = {h.concept for h in words.hits if h.concept in _TOPICS and h.sentence not in spam}
    if spam:
        return None if len(named & _STRONG) >= 2 else False
    about = any(t.has("topic") for t in words.tagged) or _subject_topic(message, words.language)
    return True if about and named - _VAGUE else None


def _subject_topic(message: Message, language: str) -> bool:
    rules = lexicon(language)
    return any(tag(s, rules).has("topic") for s in sentences(message.subject, language))
