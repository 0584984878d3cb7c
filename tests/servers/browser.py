"""A real browser without a window: Chromium, driven by its own chromedriver on the loopback."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from servers.guard import guarded

PROGRAMS = ("chromium", "chromedriver")


def missing() -> list[str]:
    """What a browser test lacks on this machine."""
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    try:
        import selenium  # noqa: F401  # only whether it is there
    except ImportError:
        lacking.append("selenium")
    return lacking


class Browser:
    """One window in which pages from files are opened."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, page: Path, width: int, height: int = 900) -> None:
        """Open a file at so many CSS pixels; what was logged before is forgotten."""
        self.requests()
        self.driver.get_log("browser")
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.driver.get(page.as_uri())

    def run(self, script: str, *given: Any) -> Any:
        """The value that a script returns in the page; the page's own policy does not bind it."""
        return self.driver.execute_script(script, *given)

    def requests(self) -> list[str]:
        """Addresses the page asked for since the last call."""
        seen = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        return [m["params"]["request"]["url"] for m in seen
                if m["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        """What stands in the console."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def violations(self) -> list[tuple[str, str]]:
        """Serious and critical findings of axe-core, as (rule, place)."""
        axe = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
        self.run(axe)
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run().then(r => done(r.violations));")
        return [(v["id"], v["nodes"][0]["html"][:200]) for v in found
                if v["impact"] in ("serious", "critical")]

    def pdf(self) -> bytes:
        """The page as printed on A4."""
        from base64 import b64decode

        printed = self.driver.execute_cdp_cmd("Page.printToPDF", {
            "paperWidth": 8.27, "paperHeight": 11.69, "printBackground": True})
        return b64decode(printed["data"])


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser and end it."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--disable-background-networking", "--disable-component-update",
                 "--no-first-run"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with (tempfile.TemporaryDirectory(prefix="dsar-browser-", ignore_cleanup_errors=True) as place,
          guarded(Path(place))):
        options.add_argument(f"--user-data-dir={place}/profile")
        service = Service(shutil.which("chromedriver"), service_args=[f"--log-path={place}/log"])
        driver = Chrome(options=options, service=service)
        try:
            yield Browser(driver)
        finally:
            driver.quit()
