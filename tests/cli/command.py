"""The command line as a test uses it: a home of its own, a process for each call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from servers.maillab import MailLab

ROOT = Path(__file__).resolve().parent.parent.parent

ALEX = ("--name", "Alex Example", "--residence", "DE-BE", "--language", "de", "--language", "en",
        "--address", "Musterweg 1", "--address", "10115 Berlin")


@dataclass(frozen=True)
class Result:
    """What a command printed, and its exit status."""

    out: str
    err: str
    status: int

    @property
    def json(self) -> Any:
        """Standard output as one JSON value."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Standard output as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines() if line.strip()]


@dataclass
class Dsar:
    """Runs `dsar` with this home and nothing of the caller's environment that matters."""

    home: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DSAR_")}
        return kept | {"DSAR_HOME": str(self.home), "NO_COLOR": "1",
                       "PYTHONPATH": str(ROOT)} | self.extra

    def argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "dsar", *arguments]

    def __call__(
        self, *arguments: str, status: int | None = 0, today: str | None = None,
        given: str | None = None, more: Mapping[str, str] | None = None,
    ) -> Result:
        """Run one command; `status` is the exit status expected, None for any."""
        environment = self.environment | dict(more or {})
        if today:
            environment["DSAR_TODAY"] = today
        done = subprocess.run(
            self.argv(*arguments), env=environment, cwd=self.home.parent, input=given or "",
            capture_output=True, text=True, timeout=280, check=False,
        )
        result = Result(done.stdout, done.stderr, done.returncode)
        if status is not None:
            assert result.status == status, f"{arguments}: {result}"
        return result


def write_companies(home: Path, addresses: Mapping[str, str]) -> None:
    """Write the user's own registry: invented companies with one address each."""
    entries = "".join(f"""
  {slug}:
    name: Company {slug}
    country: DE
    categories: [data-broker]
    contacts:
      - kind: email
        value: {address}
        source: invented
        checked: 2026-11-01
    laws: [eu-gdpr]
    languages: [en]
    reply_domains: [{address.rpartition("@")[2]}]
    checked: 2026-11
""" for slug, address in addresses.items())
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "companies.local.yaml").write_text(
        f"schema: dsar.companies/1\ncompanies:{entries}")


def plain_account(home: Path, address: str, port: int) -> None:
    """Write config.yaml: one account that sends through a port here and reads nothing."""
    (home / "config.yaml").write_text(f"""
accounts:
  - name: main
    address: {address}
    smtp: {{host: localhost, port: {port}, security: none}}
    auth: none
    sent_copy: none
    limits: off
""")


def lab_options(lab: MailLab, tmp_path: Path) -> list[str]:
    """The options of an account on the lab's submission and IMAP servers."""
    secret = tmp_path / "password"
    secret.write_text(lab.password)
    secret.chmod(0o600)
    return ["--smtp", f"{lab.host}:{lab.ports.submission}", "--smtp-security", "starttls",
            "--imap", f"{lab.host}:{lab.ports.imaps}", "--imap-security", "tls",
            "--ca-file", str(lab.ca_file), "--password-file", str(secret), "--reply-tags",
            "--no-limits"]
