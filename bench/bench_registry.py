"""How fast the registry is read, beside a bare parse and a bare start.

    python bench/bench_registry.py [entries]

Prints, for an invented registry of 5,000 entries: the first read against `yaml.load` with the C
loader, the read from the cache against a process that does nothing, and `dsar registry search`
end to end. Medians; each figure from processes of their own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ENTRY = """  {slug}:
    name: {name}
    legal_entity: {name} GmbH & Co. KG
    brands: [{name} List, {name} Direct]
    categories: [adtech, data-broker]
    country: DE
    contacts:
      - kind: email
        value: privacy@{slug}.example
        source: datenanfragen:{slug}@2025-08-19
        checked: 2026-07-21
        since: 2025-08-19
      - kind: post
        value: |-
          Musterstraße {number}
          10115 Berlin
          Deutschland
        source: datenanfragen:{slug}@2025-08-19
        checked: 2026-07-21
    identifiers: [name, address]
    laws: [eu-gdpr]
    languages: [de, en]
    web: https://{slug}.example/
    reply_domains: [{slug}.example]
    sources:
      legal_entity: datenanfragen:{slug}@2025-08-19
"""
BARE = "import yaml,sys; yaml.load(open(sys.argv[1],'rb'), Loader=yaml.CSafeLoader)"
IMPORT = "import yaml,sys"
FIRST = "import sys,dsar.yamlfile; from pathlib import Path; from dsar.registry.load import " \
    "load_registry; load_registry(Path(sys.argv[1]))"
CACHED = "import sys; from pathlib import Path; from dsar.registry.load import load_registry; " \
    "load_registry(Path(sys.argv[1]), cache_folder=Path(sys.argv[2])).get('company-0007')"


def invented(entries: int) -> str:
    """Return a registry of so many invented companies."""
    head = "schema: dsar.companies/1\ncompanies:\n"
    return head + "".join(
        ENTRY.format(slug=f"company-{n:04}", name=f"Company {n}", number=n)
        for n in range(entries)
    )


def seconds(command: list[str], runs: int, environment: dict[str, str] | None = None) -> float:
    """Return the median wall time of a process, in seconds."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        path, cache = str(Path(folder, "companies.yaml")), str(Path(folder, "cache"))
        Path(path).write_text(invented(entries), encoding="utf-8")
        Path(folder, "companies.local.yaml").symlink_to(path)  # the overlay, for the search
        start = seconds([python, "-c", "pass"], 9)
        bare = seconds([python, "-c", BARE, path], 5)
        first = seconds([python, "-c", FIRST, path], 5)
        print(f"{entries} entries, {Path(path).stat().st_size / 1e6:.1f} MB")
        print(f"bare CSafeLoader parse      {bare * 1000:7.0f} ms")
        print(f"first read, checked         {first * 1000:7.0f} ms   {first / bare:.2f}x")
        subprocess.run([python, "-c", CACHED, path, cache], check=True)
        cached = seconds([python, "-c", CACHED, path, cache], 15)
        print(f"bare start                  {start * 1000:7.0f} ms")
        print(f"read from the cache         {cached * 1000:7.0f} ms   "
              f"{(cached - start) * 1000:+.0f} ms over a bare start")
        search = [python, "-c", "from dsar.cli import main; main()", "registry", "search",
                  "company 4711"]
        environment = {**os.environ, "DSAR_HOME": folder}
        subprocess.run(search, check=True, stdout=subprocess.DEVNULL, env=environment)
        print(f"registry search, end to end {seconds(search, 9, environment) * 1000:7.0f} ms")


if __name__ == "__main__":
    main()
