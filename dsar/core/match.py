"""Which case a message answers, by which evidence; pure, explained, and silent when in doubt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from dsar.core.caseindex import CaseFacts, CaseIndex, bare_mailbox
from dsar.core.lookalike import resembles
from dsar.core.message import Authentic, Message

STRENGTH = {
    "returned-message-id": 100, "in-reply-to": 90, "references": 88, "reply-address": 80,
    "reference-in-subject": 75, "reference-in-text": 70, "reference-in-attachment": 60,
    "ticket": 55, "failed-recipient": 50, "sender-address": 40, "sender-domain": 30,
    "letter-quoted": 45, "reference-quoted": 20, "reference-near": 5,
}
"""How much each kind of evidence weighs; below `DECIDES` it needs a plausible topic as well."""
DECIDES = 50
_SECRET = ("returned-message-id", "in-reply-to", "references", "reply-address")
_NAMED = ("reference-in-subject", "reference-in-text", "reference-in-attachment")
_BOUNCE_WITHIN = timedelta(days=8)
_AUTO_WITHIN = timedelta(days=3)
_ZONES = timedelta(days=1)
"""Messages arrive in UTC, letters leave on a local date: east of Greenwich the day before."""


@dataclass(frozen=True)
class Evidence:
    """One reason why a message may answer a case."""

    kind: str
    case_id: str
    detail: str


@dataclass(frozen=True)
class Match:
    """What was decided, and why.

    case_ids: file here; empty = file nowhere by itself. candidates: for a person to choose from,
    best first. suspicious: why the message may move nothing, or "". own: it is our own mail.
    why: in words, when nothing is filed though there are candidates.
    """

    case_ids: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    suspicious: str = ""
    own: bool = False
    why: str = ""


def match(message: Message, index: CaseIndex, *, topical: bool | None = None) -> Match:
    """Say which case a message answers.

    topical: whether its words are about a data request (None: nobody looked); only with that
    does the sender alone decide. A case is named only by evidence that fits one case and comes
    from a plausible sender; siblings at one company are the normal case, so their shared
    evidence decides nothing.
    """
    if _is_our_own(message, index):
        return Match(own=True)
    evidence = _evidence(message, index)
    if message.report is not None:
        return _bounce(message, index, evidence)
    suspicious = _suspicion(message, index, evidence)
    strong = [e for e in evidence if STRENGTH[e.kind] >= DECIDES]
    chosen = _chosen(strong)
    if strong:
        found = Match(candidates=_ranked(evidence), evidence=evidence, suspicious=suspicious)
        return _decide(found, message, index, chosen)
    return _by_sender(message, index, evidence, suspicious, topical)


def _is_our_own(message: Message, index: CaseIndex) -> bool:
    """Copies of our letters and anything from our own mailboxes are never a reply."""
    if message.message_id in index.by_message_id:
        return True
    sender = message.sender.addr if message.sender else ""
    return bare_mailbox(sender) in index.mailboxes


def _evidence(message: Message, index: CaseIndex) -> tuple[Evidence, ...]:
    found = [*_by_ids(message, index), *_by_address(message, index),
             *_by_reference(message, index), *_by_ticket(message, index)]
    known = {e.case_id for e in found}
    found += [e for e in _by_origin(message, index) if e.case_id not in known or not known]
    return tuple(sorted(dict.fromkeys(found), key=lambda e: -STRENGTH[e.kind]))


def _by_ids(message: Message, index: CaseIndex) -> list[Evidence]:
    report = message.report
    returned = (report.returned_message_id,) if report and report.returned_message_id else ()
    named = (("returned-message-id", returned), ("in-reply-to", message.in_reply_to),
             ("references", message.references))
    return [Evidence(kind, case, mid) for kind, ids in named for mid in ids
            for case in index.by_message_id.get(mid, ())]


def _by_address(message: Message, index: CaseIndex) -> list[Evidence]:
    found = [a.addr for a in message.recipients] + [a.lower() for a in message.delivered_to]
    return [Evidence("reply-address", case, addr) for addr in dict.fromkeys(found)
            for case in index.by_reply_address.get(addr, ())]


def _by_reference(message: Message, index: CaseIndex) -> list[Evidence]:
    places = (("reference-in-subject", message.subject), ("reference-in-text", message.own_text),
              ("reference-in-attachment", " ".join(p.name for p in message.parts)),
              ("reference-quoted", _quoted(message)))
    found: list[Evidence] = []
    seen: set[str] = set()
    for kind, text in places:
        for reference in index.references_in(text):
            cases = index.by_reference.get(reference, ())
            found += [Evidence(kind, c, reference) for c in cases if c not in seen
                      or kind != "reference-quoted"]
            seen.update(cases)
            if kind == "reference-quoted":
                found += [Evidence("letter-quoted", c, reference) for c in cases
                          if _quotes_letter(text, index.facts[c])]
            if not cases and kind != "reference-quoted":
                found += [Evidence("reference-near", c, reference)
                          for c in index.near(reference)]
    return found


def _quoted(message: Message) -> str:
    return message.quoted_text + (message.report.returned_text if message.report else "")


def _quotes_letter(text: str, facts: CaseFacts) -> bool:
    """Whether quoted text is our letter of this case, and no footer that lists references."""
    lowered = text.lower()
    ours = facts.reply_address and facts.reply_address.lower() in lowered
    return bool(ours) or f"[{facts.reference.lower()}]" in lowered


def _by_ticket(message: Message, index: CaseIndex) -> list[Evidence]:
    """A ticket number the same company gave in an earlier reply."""
    found: list[Evidence] = []
    words = f"{message.subject}\n{message.own_text[:5000]}"
    for ticket, cases in index.by_ticket.items():
        if len(ticket) >= 5 and _holds_word(words, ticket):
            found += [Evidence("ticket", c, ticket) for c in cases
                      if _is_known_sender(message, index.facts[c])]
    return found


def _holds_word(text: str, word: str) -> bool:
    at = text.find(word)
    while at >= 0:
        before, after = text[at - 1:at], text[at + len(word):at + len(word) + 1]
        if not before.isalnum() and not after.isalnum():
            return True
        at = text.find(word, at + 1)
    return False


def _by_origin(message: Message, index: CaseIndex) -> list[Evidence]:
    """Open cases of the person addressed, at the company the mail comes from."""
    if message.sender is None:
        return []
    mine = _addressed(message)
    found: list[Evidence] = []
    for facts in index.at_domain(message.sender.domain):
        late = message.received is not None and message.received.date() < facts.sent_on - _ZONES
        if not facts.is_open or late or (mine and facts.mailbox not in mine):
            continue
        if message.sender.addr in facts.addresses:
            found.append(Evidence("sender-address", facts.case_id, message.sender.addr))
        elif not index.is_shared(message.sender.domain) and not facts.shared_domain:
            found.append(Evidence("sender-domain", facts.case_id, message.sender.domain))
    return found


def _addressed(message: Message) -> frozenset[str]:
    found = [a.addr for a in message.recipients] + list(message.delivered_to)
    return frozenset(bare_mailbox(a) for a in found)


def _is_known_sender(message: Message, facts: CaseFacts) -> bool:
    if message.sender is None:
        return False
    return message.sender.addr in facts.addresses or facts.owns(message.sender.domain)


def _chosen(strong: list[Evidence]) -> tuple[tuple[str, ...], str]:
    """The cases strong evidence names, and why not, when it contradicts itself.

    A thread (Message-ID or reply address) names one case; own words may confirm it, or name
    several cases that a combined answer serves. A thread of one case with the reference of
    another only is a contradiction.
    """
    thread = [e.case_id for e in strong if e.kind in _SECRET]
    named = list(dict.fromkeys(e.case_id for e in strong if e.kind in _NAMED))
    threads = list(dict.fromkeys(thread))
    if len(threads) > 1:
        common = [c for c in threads if c in named]
        if named and len(common) == len(threads):
            return tuple(threads), ""
        first = _direct(strong)
        return (first, "") if first and not set(named) - set(first) else ((), "several threads")
    if named and threads and threads[0] not in named:
        return (), "the thread of one case, the reference of another"
    if named or threads:
        return tuple(named or threads), ""
    tickets = list(dict.fromkeys(e.case_id for e in strong))
    return (tuple(tickets), "") if len(tickets) == 1 else ((), "one ticket, several cases")


def _direct(strong: list[Evidence]) -> tuple[str, ...]:
    """The one case of In-Reply-To and the reply address, where old References name others."""
    found = {e.case_id for e in strong if e.kind in ("in-reply-to", "reply-address")}
    return tuple(found) if len(found) == 1 else ()


def _decide(
    found: Match, message: Message, index: CaseIndex, chosen: tuple[tuple[str, ...], str]
) -> Match:
    """File where the sender is plausible for every case chosen."""
    cases, why = chosen
    facts = [index.facts[c] for c in cases]
    if len({(f.mailbox, f.person) for f in facts}) > 1:
        return replace(found, why="cases of several people")
    if len(facts) > 1 and not all(_is_known_sender(message, f) for f in facts):
        return replace(found, why="several cases, and a sender that is none of theirs")
    if not facts or found.suspicious.startswith("look-alike"):
        return replace(found, why=why or found.suspicious)
    kinds = {e.kind for e in found.evidence if e.case_id in cases}
    doubt = next((d for f in facts if (d := _doubt(message, index, f, kinds))), "")
    if doubt:
        return replace(found, why=doubt)
    return replace(found, case_ids=cases)


def _doubt(message: Message, index: CaseIndex, facts: CaseFacts, kinds: set[str]) -> str:
    """Why a message with strong evidence is still not filed by itself, or ""."""
    if _is_from_authority(message, facts):
        return "an answer to the complaint, not the company's (keep it: --label unrelated)"
    known = _is_known_sender(message, facts)
    thread = kinds & {"in-reply-to", "references"}
    if message.automatic == "bulk" and not thread and not kinds & set(_NAMED):
        return "a mailing, sent to a reply address"
    if known:
        return ""
    if message.authentic is Authentic.FAIL:
        return "an unknown sender who fails the provider's checks"
    domain = message.sender.domain if message.sender else ""
    if index.is_free_mail(domain):
        return "a private mailbox that is not the company's"
    if index.at_domain(domain):
        return "the sender is another company you wrote to"
    if kinds & set(_SECRET) or _mentions(message, facts):
        return ""
    return "an unknown sender who knows the reference only"


def _is_from_authority(message: Message, facts: CaseFacts) -> bool:
    """Whether it comes from where the complaint went, or answers the complaint itself."""
    domain = message.sender.domain if message.sender else ""
    at_home = any(domain == a or domain.endswith(f".{a}") for a in facts.authorities)
    return at_home or bool(set(message.in_reply_to) & facts.complaint_ids)


def _mentions(message: Message, facts: CaseFacts) -> bool:
    name = message.sender.name if message.sender else ""
    words = f"{name} {message.subject} {message.own_text[:3000]}".lower()
    return any(n in words for n in facts.names)


def _by_sender(
    message: Message, index: CaseIndex, evidence: tuple[Evidence, ...], suspicious: str,
    topical: bool | None,
) -> Match:
    """The sender alone: one open case, and words about it; a mailing never."""
    found = Match(candidates=_ranked(evidence), evidence=evidence, suspicious=suspicious)
    origin = [e for e in evidence if e.kind in ("sender-address", "sender-domain")]
    cases = tuple(dict.fromkeys(e.case_id for e in origin))
    if message.automatic == "bulk" or suspicious or (topical is False and not _is_echo(message)):
        shown = () if not suspicious and not _weak_named(evidence) else found.candidates
        return replace(found, candidates=shown, why="nothing in it answers a request")
    quoted = tuple(dict.fromkeys(e.case_id for e in evidence if e.kind == "letter-quoted"))
    if len(quoted) == 1 and _is_known_sender(message, index.facts[quoted[0]]):
        return replace(found, case_ids=quoted)
    if len(cases) != 1 or _weak_named(evidence) - set(cases):
        return replace(found, why="several cases fit" if cases else "")
    facts = index.facts[cases[0]]
    if facts.one_mailbox:
        return replace(found, why="only the sender fits")
    by_address = any(e.kind == "sender-address" for e in origin)
    if topical or (by_address and _is_prompt_echo(message, facts)):
        return replace(found, case_ids=cases)
    return replace(found, why="only the sender fits")


def _weak_named(evidence: tuple[Evidence, ...]) -> set[str]:
    return {e.case_id for e in evidence if e.kind in ("reference-quoted", "reference-near")}


def _is_echo(message: Message) -> bool:
    return message.automatic in ("auto-replied", "vacation", "auto-generated", "read-receipt")


def _is_prompt_echo(message: Message, facts: CaseFacts) -> bool:
    """A machine answered from the very mailbox we wrote to, within days."""
    if not _is_echo(message) or message.received is None:
        return False
    return -_ZONES <= message.received.date() - facts.sent_on <= _AUTO_WITHIN


def _bounce(message: Message, index: CaseIndex, evidence: tuple[Evidence, ...]) -> Match:
    """A bounce belongs to the letter it returns, or to the one letter to a failed recipient."""
    found = Match(candidates=_ranked(evidence), evidence=evidence)
    for kind in ("returned-message-id", "in-reply-to", "references", "reply-address",
                 "reference-in-subject", "reference-in-text", "reference-quoted"):
        cases = tuple(dict.fromkeys(e.case_id for e in evidence if e.kind == kind))
        if len(cases) == 1:
            return replace(found, case_ids=cases)
    failed = _failed_recipients(message, index)
    cases = tuple(dict.fromkeys(e.case_id for e in failed))
    found = replace(found, evidence=(*evidence, *failed),
                    candidates=cases or found.candidates)
    if len(cases) == 1 and message.authentic is not Authentic.FAIL:
        return replace(found, case_ids=cases)
    return replace(found, why="several letters went to this address" if cases else "")


def _failed_recipients(message: Message, index: CaseIndex) -> list[Evidence]:
    recipients = message.report.recipients if message.report else ()
    mine = _addressed(message)
    when = message.received.date() if message.received else None
    return [
        Evidence("failed-recipient", f.case_id, address)
        for address in recipients for f in index.at_address(address)
        if (not mine or f.mailbox in mine)
        and (when is None or timedelta(days=-1) <= when - f.last_sent_on <= _BOUNCE_WITHIN)
    ]


def _suspicion(message: Message, index: CaseIndex, evidence: tuple[Evidence, ...]) -> str:
    """Why a message may move nothing: a failed check, or a domain that imitates a known one."""
    if message.sender is None:
        return ""
    domain = message.sender.domain
    near = _imitated(message, index, evidence)
    if near:
        return f"look-alike of {near}"
    if message.authentic is Authentic.FAIL:
        return "the sender fails the provider's checks"
    replies = {a.domain for a in message.reply_to} - {domain}
    known = index.at_domain(domain)
    elsewhere = [r for r in replies if known and not any(f.owns(r) for f in known)]
    if any(index.is_free_mail(r) or index.lookalikes.imitated(r) for r in elsewhere):
        return "answers would go elsewhere"
    return ""


def _imitated(message: Message, index: CaseIndex, evidence: tuple[Evidence, ...]) -> str:
    domain = message.sender.domain if message.sender else ""
    if index.at_domain(domain) or index.is_shared(domain):
        return ""
    cases = {e.case_id for e in evidence}
    named = [d for c in cases for d in index.facts[c].domains]
    hit = _near(domain, named) if cases else index.lookalikes.imitated(domain)
    failing = message.authentic is not Authentic.PASS
    return hit if hit and (cases or failing) else ""


def _near(domain: str, known: list[str]) -> str:
    return next((k for k in dict.fromkeys(known) if resembles(domain, k)), "")


def _ranked(evidence: tuple[Evidence, ...]) -> tuple[str, ...]:
    """Case ids by their strongest evidence, at most ten."""
    return tuple(dict.fromkeys(e.case_id for e in evidence))[:10]


__all__ = ["DECIDES", "STRENGTH", "CaseFacts", "CaseIndex", "Evidence", "Match", "match"]
