"""Laws that want the company to hear first: a complaint or an appeal to it, then the authority."""

from __future__ import annotations

import json

import pytest
from command import Dsar, write_companies
from servers.maillab import MailLab
from test_loop import letters_of
from test_whole_life import after


def sent_under(dsar: Dsar, lab: MailLab, user: str, home: str, law: str) -> str:
    """A request sent by somebody who lives there; returns the case."""
    dsar("person", "edit", "me", "--residence", home, "--language", "en")
    write_companies(dsar.home, {"acme": "privacy@acme.example"})
    sent = dsar("send", "acme", "--law", law, "--confirm", "1", "--json").lines[0]
    lab.wait_for(user, 1, "Sent")
    return str(sent["case"])


def rail(result_err: str) -> str:
    return str(json.loads(result_err)["rail"])


@pytest.mark.parametrize(("home", "law", "authority", "word"), [
    ("GB-ENG", "uk-gdpr", "gb-ico", "I complain to you"),
    ("AU", "au-privacy-act", "au-oaic", "I complain to you"),
    ("US-VA", "us-va-vcdpa", "us-va-ag", "I appeal against"),
])
def test_the_company_is_asked_first_and_then_the_authority(
    home: str, law: str, authority: str, word: str, on_lab: Dsar, lab: MailLab, user: str,
) -> None:
    dsar = on_lab
    case = sent_under(on_lab, lab, user, home, law)
    late, much_later = after(80), after(200)
    refused = dsar("complain", case, "--json", today=late, status=7)
    assert rail(refused.err) == "first-step"
    assert "--to-company" in json.loads(refused.err)["hint"]
    shown = dsar("complain", case, "--to-company", today=late).out
    assert word in shown
    assert f"[DSAR-{case}]" in shown
    done = dsar("complain", case, "--to-company", "--send", "--confirm", "1", "--json",
                today=late).lines[0]
    assert (done["to"], done["outcome"]) == ("privacy@acme.example", "sent")
    lab.wait_for(user, 2, "Sent")
    request, step = sorted((m for m in letters_of(lab, user)),
                           key=lambda m: m["In-Reply-To"] is not None)
    assert step["In-Reply-To"] == request["Message-ID"]
    assert rail(dsar("complain", case, "--to-company", "--send", "--confirm", "1", "--json",
                     today=late, status=7).err) == "duplicate"
    assert rail(dsar("complain", case, "--json", today=after(85), status=7).err) == "first-step"
    found = dsar("complain", case, "--format", "text", "--json", today=much_later
                 ).json["items"][0]
    assert found["authority"] == authority
    text = (dsar.home.parent / f"complaint-{case}" / "complaint.txt").read_text()
    assert "I complained to the company itself" in text


def test_what_was_done_outside_counts_and_the_step_can_be_left_out_with_a_reason(
    on_lab: Dsar, lab: MailLab, user: str
) -> None:
    dsar = on_lab
    case = sent_under(on_lab, lab, user, "GB-ENG", "uk-gdpr")
    assert dsar("complain", case, "--anyway", today=after(80), status=2).err
    dsar("complain", case, "--anyway", "--reason", "they are insolvent", "--json",
         today=after(80))
    dsar("case", "set", case, "complained-to-company", "--on", after(80), today=after(80))
    assert dsar("complain", case, "--json", today=after(130)).json["items"]
    sent = dsar("complain", case, "--send", "--confirm", "1", "--json", today=after(130), status=7)
    assert rail(sent.err) == "contact", "the ICO takes complaints by its form"
    dsar("case", "set", case, "complaint-lodged", "--how", "gb-ico REF-1", today=after(131))
    events = dsar("case", "show", case, "--json").json["items"][0]["events"]
    assert (events[-1]["authority"], events[-1]["reference"]) == ("gb-ico", "REF-1")


def test_the_letter_is_refused_where_no_step_comes_first(
    on_lab: Dsar, lab: MailLab, user: str
) -> None:
    dsar = on_lab
    case = sent_under(on_lab, lab, user, "AT", "eu-gdpr")
    assert "no step" in dsar("complain", case, "--to-company", today=after(80), status=2).err
    listed = dsar("complain", case, "--authority", "xx-none", today=after(80), status=2).err
    assert "dsar law authority" in listed
