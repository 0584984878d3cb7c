"""The loop on real servers: set up, send to the registry, receive, poll, status."""

from __future__ import annotations

import email
import email.policy
import time
from email.message import EmailMessage

from command import Dsar, write_companies
from servers.labconfig import CATCHALL
from servers.maillab import MailLab


def letters_of(lab: MailLab, sender: str) -> list[EmailMessage]:
    """What the companies' mailboxes hold from this sender."""
    found = [email.message_from_bytes(raw, policy=email.policy.default)
             for raw in lab.delivered(CATCHALL)]
    mine = [m for m in found if isinstance(m, EmailMessage) and sender in str(m["From"])]
    return sorted(mine, key=lambda m: str(m["X-Original-To"]))


def reply_to(letter: EmailMessage, text: str, *, number: int, threaded: bool = True) -> bytes:
    """An answer from the company's own address to the address the letter asks to use."""
    answer = EmailMessage(policy=email.policy.SMTP)
    answer["From"] = str(letter["X-Original-To"])
    answer["To"] = str(letter["Reply-To"])
    answer["Subject"] = f"Re: {letter['Subject']}" if threaded else "Your enquiry"
    answer["Message-ID"] = f"<answer-{number}-{time.time_ns()}@company.example>"
    answer["Date"] = email.utils.localtime()
    if threaded:
        answer["In-Reply-To"] = str(letter["Message-ID"])
    answer.set_content(text)
    return answer.as_bytes()


PUBLIC_BODIES = ("bka-inpol", "gmp-police", "lka-nrw", "polizei-berlin")


def unverified(dsar: Dsar) -> list[str]:
    """Companies held back for their address alone: here the user has looked it up."""
    items = dsar("send", "--all", "-n", "--json").lines
    return [i["company"] for i in items if i.get("skipped") == "contact"
            and i["why"].startswith(("address not verified", "address last", "address doubtful"))]


def reached(dsar: Dsar) -> int:
    """How many companies the letters of the dry run speak to."""
    items = dsar("send", "--all", "-n", "--json").lines
    return sum(1 + len(i["covers"]) for i in items if "to" in i)


def planned(dsar: Dsar, *more: str) -> list[str]:
    """The recipients of the dry run."""
    wanted = more or ("--all",)
    return [item["to"] for item in dsar("send", *wanted, "-n", "--json").lines if "to" in item]


def test_letters_go_to_the_registry_and_the_figures_agree_with_the_servers(
    on_lab: Dsar, lab: MailLab, user: str
) -> None:
    on_lab("person", "edit", "me", *[
        word for kind, value in (
            ("birth-date", "1990-05-17"), ("phone", "+49 30 5550100"), ("username", "alexample"),
            ("profile-url", "https://social.example/alex"),
            ("page-url", "https://social.example/alex"),
            ("image-url", "https://social.example/alex.jpg"),
        ) for word in ("--identifier", f"{kind}={value}")])
    on_lab("registry", "verify", "-y", *unverified(on_lab))
    wanted, companies = planned(on_lab), reached(on_lab)
    sent = on_lab("send", "--all", "--confirm", str(len(wanted)), "--json")
    assert [line["outcome"] for line in sent.lines] == ["sent"] * len(wanted)
    police = planned(on_lab, "--only", ",".join(PUBLIC_BODIES))
    on_lab("send", "--only", ",".join(PUBLIC_BODIES), "--confirm", str(len(police)), "--json")
    companies += len(police)
    wanted += police
    print(f"\n{len(wanted)} letters to {companies} of the registry's companies")
    assert companies >= 150

    lab.wait_for(user, len(wanted), "Sent")
    letters = letters_of(lab, user)
    assert sorted(str(m["X-Original-To"]) for m in letters) == sorted(wanted)
    assert len(lab.delivered(user, "Sent")) == len(wanted)
    assert len({str(m["Message-ID"]) for m in letters}) == len(wanted)

    for number, text in enumerate((
        "We have received your request and will reply within one month.",
        "Please send us a copy of your identity card so that we can verify who you are.",
        "The weather is fine today.",
    )):
        lab.put(user, reply_to(letters[number], text, number=number, threaded=number != 1))
    newsletter = EmailMessage(policy=email.policy.SMTP)
    newsletter["From"], newsletter["To"] = "news@shop.example", user
    newsletter["Subject"] = "Sale"
    newsletter["List-Unsubscribe"] = "<https://shop.example/out>"
    newsletter.set_content("Everything must go.")
    lab.put(user, newsletter.as_bytes())
    before = lab.flags(user)

    polled = on_lab("poll", "--json").lines
    assert {line["case"] for line in polled} == {
        str(m["Subject"]).rpartition("[DSAR-")[2].rstrip("]") for m in letters[:3]}
    assert lab.flags(user) == before, "polling never changes a mailbox"
    assert on_lab("poll", "--json").lines == [], "nothing is filed twice"
    assert on_lab("poll", "--rescan", "--json").lines == []

    status = on_lab("status", "--json").json
    assert status["summary"]["sent"] == len(wanted)
    assert status["summary"]["total"] == len(wanted)
    assert {item["company"] for item in status["items"] if item["needs_you"]}
    assert planned(on_lab) == [], "a second run plans nothing"
    assert "in doubt" not in on_lab("doctor").out


def test_one_refused_recipient_does_not_stop_the_rest(
    on_lab: Dsar, lab: MailLab, user: str
) -> None:
    plain = on_lab.home / "config.yaml"
    plain.write_text(f"""
accounts:
  - name: main
    address: {user}
    smtp: {{host: localhost, port: {lab.ports.mx}, security: none}}
    auth: none
    sent_copy: none
    limits: off
""")
    write_companies(on_lab.home, {"one": "dpo@one.example", "two": "x@bounce.test",
                                  "three": "dpo@three.example"})
    done = on_lab("send", "one", "two", "three", "--confirm", "3", "--json", status=3)
    assert [line["outcome"] for line in done.lines] == ["sent", "refused", "sent"]
    states = {i["company"]: i["status"] for i in on_lab("status", "--json").json["items"]}
    assert states == {"one": "waiting", "two": "refused", "three": "waiting"}
