"""A real Chromium for tests: how it is found and started, and what no page of ours may do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

# generous, because other tests share the machine; nothing waits this long when all is well
expect.set_options(timeout=20_000)

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


def absent(what: str) -> NoReturn:
    """Skips, or fails where nothing may be skipped for want of a tool."""
    if os.environ.get("BAEUM_TEST_ALL") == "1":
        pytest.fail(f"{what} is absent and BAEUM_TEST_ALL=1")
    pytest.skip(f"{what} is absent")


def find() -> str:
    """The path of a Chromium on this machine."""
    names = (os.environ.get("BAEUM_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    for name in names:
        found = shutil.which(name) if name else None
        if found:
            return found
    mac = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
    if mac.exists():
        return str(mac)
    caches = Path.home() / "Library" / "Caches" / "ms-playwright"
    for inside in sorted(caches.glob("chromium-*/*/*.app/Contents/MacOS/*")):
        return str(inside)
    absent("Chromium")


@contextmanager
def opened(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """A fresh profile. Afterwards: no request left the loopback, no script failed, and the
    content security policy stopped nothing."""
    context = browser.new_context(**{"viewport": PHONE, "locale": "ko-KR", **options})
    context.set_default_timeout(20_000)
    asked: list[str] = []
    complaints: list[str] = []

    def watch(page: Page) -> None:
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))

    context.on("page", watch)
    yield context
    context.close()
    strangers = [
        url
        for url in asked
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).hostname != "127.0.0.1"
    ]
    assert strangers == [], "a page asked another server"
    # a status of 400 or 404, which some tests provoke, is written to the console as well
    serious = [text for text in complaints if not text.startswith("Failed to load resource")]
    assert serious == [], serious


def violations(page: Page, axe: str, state: str) -> list[tuple[str, str, list[Any]]]:
    """What axe-core finds on the page as it is, contrast AAA included; ``state`` names it."""
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide, f"{state} scrolls sideways"
    page.evaluate(f"() => {{ {axe} }}")
    # the console at /docs is other people's work; the page around it is ours
    found = page.evaluate(
        """() => axe.run({ exclude: ['#console'] }, {
            rules: { 'color-contrast-enhanced': { enabled: true } },
        })"""
    )
    return [
        (state, entry["id"], [node["target"] for node in entry["nodes"]])
        for entry in found["violations"]
    ]


def keep(page: Page, name: str) -> None:
    """With BAEUM_SCREENSHOTS=folder the page is saved there as a picture to look at."""
    folder = os.environ.get("BAEUM_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
