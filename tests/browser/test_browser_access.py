"""Every page and state, phone and desktop, both languages: no violation that axe-core knows of,
contrast AAA included. With BAEUM_SCREENSHOTS=folder each one is also saved as a picture to look at.
"""

from __future__ import annotations

import pytest
from chromium import DESKTOP, PHONE, keep, opened, violations
from playwright.sync_api import Browser, Page, expect
from world import World

pytestmark = pytest.mark.browser

STATES = (
    "home",
    "empty",
    "valid",
    "tampered",
    "revoked",
    "node-down",
    "unreadable",
    "no-camera",
    "details",
    "not-found",
    "docs",
)


def reach(state: str, page: Page, url: str, node_down: str, world: World) -> None:
    """Bring the page into a state as a person would."""
    if state in ("home", "docs", "not-found"):
        page.goto(url + {"home": "/", "docs": "/docs", "not-found": "/nothing-here"}[state])
        if state == "docs":
            expect(page.locator(".opblock").first).to_be_visible()
        return
    page.goto((node_down if state == "node-down" else url) + "/verify")
    files = {
        "valid": world.valid,
        "details": world.valid,
        "node-down": world.valid,
        "tampered": world.tampered,
        "revoked": world.revoked,
        "unreadable": b"hello",
    }
    if state in files:
        page.set_input_files("#file", {"name": "a", "mimeType": "", "buffer": files[state]})
        expect(page.locator("#verdict")).to_be_visible()
    if state == "no-camera":
        page.locator("#scan").click()
        expect(page.get_by_role("alert")).not_to_be_empty()
        page.locator("#paste summary").click()
    if state == "details":
        page.locator(".technical summary").click()


@pytest.mark.parametrize("lang", ["ko-KR", "en-GB"])
@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_every_state_is_accessible(
    browser: Browser,
    base_url: str,
    node_down_url: str,
    world: World,
    axe_source: str,
    size: str,
    lang: str,
) -> None:
    found = []
    viewport = PHONE if size == "phone" else DESKTOP
    with opened(browser, viewport=viewport, locale=lang, reduced_motion="reduce") as context:
        page = context.new_page()
        for state in STATES:
            reach(state, page, base_url, node_down_url, world)
            keep(page, f"{state}-{size}-{lang[:2]}")
            found += violations(page, axe_source, state)
    assert found == []
