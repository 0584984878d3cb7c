"""Members who leave between the proposal of a wave and its approval."""

from __future__ import annotations

from pathlib import Path

import pytest
from campaigners import opened_ledger
from inprocess import Here
from test_campaign_rails import begin, sign_all

from dsar.campaign.roster import load_campaign
from dsar.core.campaign import Campaign
from dsar.core.case import LetterApproved


def propose(group: Here, folder: Path) -> tuple[str, str]:
    """A wave of four letters, two of each member, that waits for a second person."""
    jane, bob = begin(group, folder, "mandate")
    sign_all(group, folder)
    group("campaign", "send", "spring", "--confirm", "4", "--by", "Ann")
    return jane, bob


def approve(group: Here, *more: str, status: int = 0) -> str:
    return group("campaign", "approve", "spring", "1", "--by", "Bea", *more, status=status).err


def campaign(group: Here) -> Campaign:
    store = opened_ledger(group.home)
    try:
        return load_campaign(store, "spring")
    finally:
        store.close()


@pytest.mark.parametrize("command", [("leave",), ("mandate", "revoke")])
def test_the_letters_of_whoever_left_are_taken_out_and_the_rest_is_approved(
    group: Here, tmp_path: Path, command: tuple[str, ...]
) -> None:
    jane, _ = propose(group, tmp_path)
    before = campaign(group).waves[1].proposed
    group("campaign", *command, "spring", jane)
    shown = approve(group, "--yes", "--quiet", status=8)
    assert shown.count("taken out: ") == 2, "also under --quiet"
    assert shown.count(f"{jane}: ") == 2
    assert "2 are left" in shown
    assert campaign(group).released == (), "a yes is none to another number than was proposed"
    assert "the plan has 2 letters" in approve(group, "--confirm", "4", status=2)
    approve(group, "--confirm", "2")
    wave = campaign(group).waves[1]
    assert wave.released
    assert wave.approved is not None
    assert (wave.proposed.letters, wave.proposed.by, wave.approved.by) == (2, "Ann", "Bea")
    assert wave.approved.digest == wave.proposed.digest != before.digest


def test_of_whoever_was_forgotten_a_number_is_left_and_no_word(
    group: Here, tmp_path: Path
) -> None:
    jane, _ = propose(group, tmp_path)
    cases = [c["case"] for c in group.items("case", "list") if c["person"] == jane]
    group("campaign", "forget", "spring", jane, "--yes")
    shown = approve(group, "--confirm", "2")
    assert "taken out: 2 of members who were forgotten" in shown
    assert not any(word in shown for word in (jane, *cases))
    assert campaign(group).waves[1].proposed.letters == 2


def test_a_letter_written_anew_is_never_approved_with_the_rest(
    group: Here, tmp_path: Path
) -> None:
    jane, _ = propose(group, tmp_path)
    group("campaign", "leave", "spring", jane)
    store = opened_ledger(group.home)
    case = next(c for c in store.cases() if c.facts.subject_id != jane)
    assert case.approved is not None
    store.append(case.id, [LetterApproved(
        on=case.approved.on, stage=case.approved.stage, message_id="<other@rights.example>",
        digest=case.approved.digest, recipient="dpo@elsewhere.example", account="main")],
        after=case.version)
    store.close()
    assert "other letters than were proposed" in approve(group, "--confirm", "2", status=7)
    assert campaign(group).released == ()


def test_a_wave_of_which_nothing_is_left_is_not_approved(group: Here, tmp_path: Path) -> None:
    for code in propose(group, tmp_path):
        group("campaign", "leave", "spring", code)
    assert "campaign withdraw spring 1" in approve(group, "--yes", status=7)


def test_fewer_letters_are_no_way_round_the_second_person(group: Here, tmp_path: Path) -> None:
    jane, _ = propose(group, tmp_path)
    store = opened_ledger(group.home)
    from dataclasses import replace

    from dsar.core.campaign_events import campaign_stream

    found = load_campaign(store, "spring")
    store.append(campaign_stream("spring"), [replace(found.waves[1].proposed, letters=101)],
                 after=found.version)
    store.close()
    group("campaign", "leave", "spring", jane)
    own = group("campaign", "approve", "spring", "1", "--by", "ann", "--confirm", "2", status=7)
    assert "another person" in own.err
    approve(group, "--confirm", "2")


def test_the_lists_of_waves_go_with_the_purge(group: Here, tmp_path: Path) -> None:
    propose(group, tmp_path)
    digest = campaign(group).waves[1].proposed.digest
    assert _archived(group, digest)
    group("campaign", "close", "spring", "--purge", "--early", "--yes")
    assert not _archived(group, digest)


def _archived(group: Here, digest: str) -> bool:
    import os

    from dsar.cli.app import App
    from dsar.cli.options import Settings

    return App(Settings(), os.environ).archive.has(digest)


@pytest.mark.parametrize("group", ["file"], indirect=True)
def test_who_issues_hungarian_mandates_hears_what_is_unverified(
    group: Here, tmp_path: Path
) -> None:
    table = tmp_path / "members.csv"
    table.write_text(table.read_text().replace("Jane", "Janka").replace("DE,yes,no", "HU,yes,no"))
    begin(group, tmp_path, "mandate")
    told = ("campaign", "mandate", "issue", "spring", "-o", str(tmp_path / "papers"))
    assert "unverified" not in group(*told).err, "papers are in English here"
    group("campaign", "init", "autumn", "--organisation", "G", "--contact", "c@rights.example",
          "--mode", "mandate", "--consent", str(tmp_path / "consent.txt"), "--purge-on",
          "2027-11-01", "--passphrase-command", "echo secret")
    group("campaign", "targets", "autumn", "alpha")
    group("campaign", "add-members", "autumn", str(table), "--language", "hu")
    shown = group("campaign", "mandate", "issue", "autumn", "-o", str(tmp_path / "more")).err
    assert "hu: unverified: whether two witnesses have to sign" in shown
