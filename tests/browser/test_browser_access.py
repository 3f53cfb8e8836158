"""Every page and state, phone and desktop, both languages: no violation that axe-core knows of,
contrast AAA included. With BAEUM_SCREENSHOTS=folder each one is also saved as a picture to look at.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from chromium import DESKTOP, PHONE, opened
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
    violations = []
    viewport = PHONE if size == "phone" else DESKTOP
    with opened(browser, viewport=viewport, locale=lang, reduced_motion="reduce") as context:
        page = context.new_page()
        for state in STATES:
            reach(state, page, base_url, node_down_url, world)
            keep(page, f"{state}-{size}-{lang[:2]}")
            wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not wide, f"{state} scrolls sideways"
            page.evaluate(f"() => {{ {axe_source} }}")
            # the console is other people's work; the page around it is ours
            found = page.evaluate(
                """() => axe.run({ exclude: ['#console'] }, {
                    rules: { 'color-contrast-enhanced': { enabled: true } },
                })"""
            )
            violations += [
                (state, entry["id"], [node["target"] for node in entry["nodes"]])
                for entry in found["violations"]
            ]
    assert violations == []


def keep(page: Page, name: str) -> None:
    folder = os.environ.get("BAEUM_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
