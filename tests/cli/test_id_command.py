"""`dsar id prepare`: after a demand only; the result holds pixels and nothing else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from command import ALEX, Dsar

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """A picture with a secret in its metadata, and a white corner to be blacked out."""
    picture = Image.new("RGB", (2000, 1000), (255, 255, 255))
    exif = Image.Exif()
    exif[0x010E] = "taken at Musterweg 1"
    picture.save(tmp_path / "paper.jpg", exif=exif)
    return tmp_path / "paper.jpg"


CASE = """- id: K1
  token: DSAR-43KQ-3MS6
  data_subject: {name: Alex Example, mailbox: alex@example.org}
  message_ids: [<one@example.org>]
  company: {slug: acme, name: Acme Data, email: dpo@acme.example, domains: [acme.example]}
  right: access
  regime: eu-gdpr
  language: en
  sent: 2026-11-02
"""
DEMAND = (b"From: dpo@acme.example\r\nTo: alex@example.org\r\nSubject: Re: your request\r\n"
          b"In-Reply-To: <one@example.org>\r\nMessage-ID: <two@acme.example>\r\n"
          b"Date: Mon, 09 Nov 2026 10:00:00 +0000\r\n\r\n"
          b"Please send us a copy of your identity card so that we can verify your identity.\r\n")


@pytest.fixture
def asked(dsar: Dsar, tmp_path: Path) -> Dsar:
    """One case; the company has asked for proof of identity."""
    dsar("person", "add", "alex", "--email", "alex@example.org", *ALEX)
    (tmp_path / "cases.yaml").write_text(CASE)
    dsar("case", "import", str(tmp_path / "cases.yaml"))
    return dsar


def test_a_paper_needs_a_demand(asked: Dsar, paper: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jpg"
    refused = asked("id", "prepare", str(paper), "--case", "K1", "-o", str(out), status=7)
    assert "Nobody asked" in refused.err
    assert not out.exists()


def test_the_prepared_paper_is_small_blacked_marked_and_bare(
    asked: Dsar, paper: Path, tmp_path: Path
) -> None:
    (tmp_path / "demand.eml").write_bytes(DEMAND)
    asked("inbox", "read", str(tmp_path / "demand.eml"))
    out = tmp_path / "out.jpg"
    asked("id", "prepare", str(paper), "--case", "K1", "--crop", "0,0,50,100", "--black",
          "0,0,50,50", "-o", str(out))
    raw = out.read_bytes()
    made = Image.open(io.BytesIO(raw))
    assert b"Musterweg" not in raw
    assert not made.getexif()
    assert max(made.size) <= 1200
    darkest = max(made.convert("L").crop((20, 20, 60, 60)).getdata())
    assert darkest < 160, "black, apart from the watermark over it"
    lower = made.crop((0, made.height // 2, made.width, made.height)).convert("RGB")
    assert any(r > g + 60 for r, g, b in lower.getdata()), "the watermark is there"
    assert out.stat().st_mode & 0o077 == 0


def test_a_face_photo_is_for_face_search_alone(asked: Dsar, paper: Path, tmp_path: Path) -> None:
    out = tmp_path / "face.jpg"
    refused = asked("id", "prepare", str(paper), "--case", "K1", "--face-photo", "-o", str(out),
                    status=7)
    assert "needs no face photo" in refused.err


def test_a_file_that_is_no_picture_is_named(asked: Dsar, tmp_path: Path) -> None:
    (tmp_path / "demand.eml").write_bytes(DEMAND)
    asked("inbox", "read", str(tmp_path / "demand.eml"))
    (tmp_path / "no.jpg").write_bytes(b"not a picture")
    failed = asked("id", "prepare", str(tmp_path / "no.jpg"), "--case", "K1", "-o",
                   str(tmp_path / "x.jpg"), status=2)
    assert "no picture" in failed.err


def test_a_box_that_is_none_is_named(asked: Dsar, paper: Path, tmp_path: Path) -> None:
    (tmp_path / "demand.eml").write_bytes(DEMAND)
    asked("inbox", "read", str(tmp_path / "demand.eml"))
    failed = asked("id", "prepare", str(paper), "--case", "K1", "--crop", "9,9,1,1", "-o",
                   str(tmp_path / "x.jpg"), status=2)
    assert "no box" in failed.err
