"""A mail that may be of several members: whose key opens it, before and after it is assigned."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from campaigners import opened_ledger
from inprocess import Here
from test_campaign_home import SECRET, answer_all, mark_sent, said
from test_campaign_rails import KEEPER, begin, send, sign_all

from dsar.campaign.keys import member_pair, open_content_key
from dsar.campaign.roster import load_campaign, load_member
from dsar.cli.app import App
from dsar.cli.campaign_poll import discretion
from dsar.cli.campaigning import campaign_folder, letters_of
from dsar.cli.options import Settings
from dsar.store.agekeys import RecipientSealer
from dsar.store.archive import Archive
from dsar.store.sealing import Locked


def app() -> App:
    return App(Settings(), os.environ)


@cache
def content_of(path: Path) -> str:
    """The keeper's key; its passphrase takes a second each time."""
    return open_content_key(path, "secret")


def stray(here: Here, folder: Path) -> tuple[str, str, str]:
    """The codes of both members, and a message that names neither."""
    jane, bob = begin(here, folder, "mandate")
    sign_all(here, folder)
    send(here, 4)
    mark_sent(here)
    answer_all(here)
    here("poll")
    waiting = [i for i in here.items("inbox", "list") if i["kind"] == "assign"]
    assert len(waiting) == 1
    assert len(waiting[0]["candidates"]) == 2
    return jane, bob, waiting[0]["message"]


def readers(here: Here, digest: str, *codes: str) -> set[str]:
    """Who can open it: members by their code, `keeper` and `group` by the keys they have."""
    store = opened_ledger(here.home)
    campaign = load_campaign(store, "spring")
    content = content_of(campaign_folder(app(), "spring") / "content.key.age")
    keys = {"keeper": content}
    for code in codes:
        added = load_member(store, campaign, code).added
        keys[code] = member_pair(added.key, added.secret, content).secret
    store.close()
    found = {name: Archive(app().shelf, RecipientSealer([], [key]))
             for name, key in keys.items()}
    group = letters_of(app(), "spring")
    assert group is not None
    return {name for name, archive in (found | {"group": group}).items()
            if _opens(archive, digest)}


def _opens(archive: Archive, digest: str) -> bool:
    try:
        return SECRET.encode() in archive.read(digest)
    except Locked:
        return False


def case_of(here: Here, code: str) -> str:
    found: str = next(c["case"] for c in here.items("case", "list")
                      if c["person"] == code and c["company"] == "alpha")
    return found


def test_what_may_be_of_several_is_for_the_keeper_alone_until_it_is_assigned(
    group: Here, tmp_path: Path
) -> None:
    jane, bob, message = stray(group, tmp_path)
    assert readers(group, message, jane, bob) == {"keeper"}
    assert "Sealed:" in said(group, "inbox", "show", message)
    refused = said(group, "inbox", "assign", message, case_of(group, jane), status=2)
    assert "campaign assign spring" in refused
    shown = group("campaign", "assign", "spring", message, *KEEPER)
    assert SECRET in shown.out
    assert case_of(group, bob) in shown.err
    assert [i["message"] for i in group.items("inbox", "list") if i["kind"] == "assign"]
    group("campaign", "assign", "spring", message, case_of(group, jane), *KEEPER)
    assert readers(group, message, jane, bob) == {jane}
    for code in (jane, bob):
        group("campaign", "export", "spring", code, "-o", str(tmp_path / code), *KEEPER)
    held = {code: sum(b"has received" in p.read_bytes() or b"have received" in p.read_bytes()
                      for p in (tmp_path / code).iterdir()) for code in (jane, bob)}
    assert held == {jane: 1, bob: 0}
    store = opened_ledger(group.home)
    assert store.case(case_of(group, jane)).reply(message) is not None
    assert SECRET not in repr([r.event for r in store.events(case_of(group, jane))])
    store.close()


@pytest.mark.parametrize("group", ["file"], indirect=True)
def test_what_is_assigned_to_a_member_who_lets_it_be_read_can_be_read(
    group: Here, tmp_path: Path
) -> None:
    jane, bob, message = stray(group, tmp_path)
    group("campaign", "assign", "spring", message, case_of(group, bob), *KEEPER)
    assert readers(group, message, jane, bob) == {bob, "group"}
    assert SECRET in said(group, "inbox", "show", message)


def test_among_members_who_all_let_it_be_read_the_group_assigns_and_seals_it_anew(
    group: Here, tmp_path: Path
) -> None:
    table = tmp_path / "members.csv"
    table.write_text(table.read_text().replace("yes,no", "yes,yes"))
    jane, bob, message = stray(group, tmp_path)
    assert readers(group, message, jane, bob) == {"keeper", "group"}
    group("inbox", "assign", message, case_of(group, jane), "--label", "acknowledgement")
    assert readers(group, message, jane, bob) == {jane, "group"}


@pytest.mark.parametrize("group", ["file"], indirect=True)
def test_what_is_taken_out_of_a_case_goes_to_another_member_by_the_keeper(
    group: Here, tmp_path: Path
) -> None:
    jane, bob, _ = stray(group, tmp_path)
    wrong = case_of(group, jane)
    store = opened_ledger(group.home)
    digest = store.case(wrong).replies[0].received.digest
    store.close()
    group("inbox", "unfile", digest, wrong)
    assert readers(group, digest, jane, bob) == {jane}
    group("campaign", "assign", "spring", digest, case_of(group, bob), *KEEPER)
    assert readers(group, digest, jane, bob) == {bob, "group"}


@pytest.mark.parametrize("group", ["file"], indirect=True)
def test_the_keeper_of_another_campaign_opens_nothing(group: Here, tmp_path: Path) -> None:
    _, bob, message = stray(group, tmp_path)
    begin(group, tmp_path, "kit", "summer")
    other = campaign_folder(app(), "summer") / "content.key.age"
    group("campaign", "assign", "spring", message, case_of(group, bob), "--content-key",
          str(other), *KEEPER, status=2)
    group("campaign", "assign", "summer", message, *KEEPER, status=2)


@pytest.mark.parametrize("group", ["file"], indirect=True)
def test_what_may_be_of_a_person_of_the_home_is_sealed_to_no_member(
    group: Here, tmp_path: Path
) -> None:
    jane, bob, _ = stray(group, tmp_path)
    store = opened_ledger(group.home)
    of_member = store.case(case_of(group, bob))
    of_alex = replace(of_member, opened=replace(of_member.facts, campaign=None, wave=0,
                                                subject_id="alex"))
    private = discretion(app(), store, [of_member, of_alex])
    assert private is not None
    digest = private.archive.add(SECRET.encode())
    store.close()
    assert readers(group, digest, jane, bob) == {"keeper", "group"}


@pytest.mark.parametrize("group", ["file"], indirect=True)
def test_nobody_says_what_a_sealed_answer_is_without_having_read_it(
    group: Here, tmp_path: Path
) -> None:
    jane, _, _ = stray(group, tmp_path)
    case = case_of(group, jane)
    digest = next(i["message"] for i in group.items("inbox", "list") if i["case"] == case)
    refused = said(group, "inbox", "assign", digest, case, "--label", "refusal",
                   status=2)
    assert "campaign confirm spring" in refused
