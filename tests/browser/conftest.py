"""A real Chromium in front of a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chromium import FLAGS, absent, find, opened
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from served import served
from world import World, the_world

from api.app import create_app

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="session")
def chromium_path() -> str:
    return find()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def launch(playwright: Playwright, chromium_path: str) -> Callable[..., Browser]:
    def start(*flags: str) -> Browser:
        return playwright.chromium.launch(
            executable_path=chromium_path, args=[*FLAGS, *flags], headless=True
        )

    return start


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Iterator[Browser]:
    browser = launch()
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def world() -> World:
    return the_world()


@pytest.fixture(scope="session")
def base_url(world: World) -> Iterator[str]:
    with served(create_app(world.services)) as url:
        yield url


@pytest.fixture(scope="session")
def node_down_url(world: World) -> Iterator[str]:
    with served(create_app(world.node_down)) as url:
        yield url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened(browser) as context:
        yield context.new_page()


@pytest.fixture(scope="session")
def axe_source() -> str:
    if not AXE.exists():
        absent("axe-core (npm ci in tests/browser)")
    return AXE.read_text()
