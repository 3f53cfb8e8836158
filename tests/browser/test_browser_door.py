"""The pages at the door, as a person meets them: invitation, account, sign-out, sign-in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from chromium import DESKTOP, PHONE, keep, opened, violations
from doors import PASSWORD, quick_passwords
from playwright.sync_api import Browser, expect
from served import served
from world import World

from api.app import create_app
from ledger.access import accounts
from ledger.access.door import Door
from ledger.database.session import Database, open_database

pytestmark = pytest.mark.browser
__all__ = ["quick_passwords"]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened_database = open_database(f"sqlite:///{tmp_path / 'door.db'}")
    opened_database.migrate()
    yield opened_database
    opened_database.close()


@pytest.mark.parametrize(("size", "lang"), [("phone", "ko-KR"), ("desktop", "en-GB")])
def test_from_the_invitation_to_signing_in_again_without_scripts(
    browser: Browser, world: World, database: Database, axe_source: str, size: str, lang: str
) -> None:
    with database.session() as session:
        code = accounts.invite(
            session, "kim.review", ["reviewer", "clerk"], datetime.now(UTC), shown="김심사"
        )
    door = Door(database, lambda: datetime.now(UTC))
    services = replace(world.services, door=door, public_url="http://127.0.0.1")
    viewport = PHONE if size == "phone" else DESKTOP
    found = []
    with (
        served(create_app(services)) as url,
        opened(browser, viewport=viewport, locale=lang, bypass_csp=False) as context,
    ):
        page = context.new_page()

        def look(state: str) -> None:
            keep(page, f"{state}-{size}-{lang[:2]}")
            found.extend(violations(page, axe_source, state))

        page.goto(f"{url}/invitation?code={code}")
        look("invitation")
        page.locator("#new-password").fill(PASSWORD)
        page.locator("#again").fill("something else")
        page.locator("main button").click()
        expect(page.get_by_role("alert")).to_be_visible()
        look("passwords-differ")
        page.locator("#new-password").fill(PASSWORD)
        page.locator("#again").fill(PASSWORD)
        page.locator("main button").click()
        expect(page.locator("h1")).to_have_text("내 계정" if lang == "ko-KR" else "My account")
        look("account")
        page.locator("nav button").click()
        expect(page.locator("h1")).to_have_text("로그인" if lang == "ko-KR" else "Sign in")
        page.goto(f"{url}/account")  # turned to the door, and back afterwards
        page.locator("#name").fill("kim.review")
        page.locator("#password").fill("not the password")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_be_visible()
        look("sign-in-failed")
        page.locator("#password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("dd").first).to_contain_text("김심사")
        page.goto(f"{url}/confirm?next=/account")
        look("confirm")
    assert found == []
