"""People, keys and the log as a manager meets them: with the keyboard, without scripts, by axe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import DESKTOP, PHONE, keep, opened, violations
from doors import PASSWORD, quick_passwords
from people import Town, served_town, sqlite_town
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.browser
__all__ = ["quick_passwords"]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = sqlite_town(tmp_path)
    yield made
    made.database.close()


@pytest.mark.parametrize(("size", "lang"), [("phone", "ko-KR"), ("desktop", "en-GB")])
def test_a_managers_pages_without_scripts(
    browser: Browser, town: Town, axe_source: str, size: str, lang: str
) -> None:
    korean = lang == "ko-KR"
    found = []
    viewport = PHONE if size == "phone" else DESKTOP
    with (
        served_town(town) as url,
        opened(browser, viewport=viewport, locale=lang, bypass_csp=False) as context,
    ):
        page = context.new_page()

        def look(state: str) -> None:
            keep(page, f"{state}-{size}-{lang[:2]}")
            found.extend(violations(page, axe_source, state))

        page.goto(f"{url}/keys")
        page.locator("#name").fill("manager")
        page.locator("#password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text(
            "프로그램용 열쇠" if korean else "Keys for programs"
        )
        look("keys-empty")
        page.locator("#label").fill("학습 관리 시스템 LMS " + "아주 긴 이름 " * 8)
        page.get_by_role("checkbox").nth(1).focus()
        page.keyboard.press("Space")
        page.get_by_role("button", name="만들기" if korean else "Make it").press("Enter")
        expect(page.locator("#secret")).to_contain_text("baeum_")
        look("keys-made")
        page.locator("#days").evaluate("field => field.removeAttribute('max')")
        page.locator("#label").fill("x")
        page.locator("#days").fill("999")
        page.get_by_role("button", name="만들기" if korean else "Make it").click()
        expect(page.get_by_role("alert")).to_be_visible()
        look("keys-trouble")
        page.get_by_role("link", name="사람과 역할" if korean else "People and roles").click()
        page.locator("#shown").fill("김새롬")
        page.locator("#name").fill("saerom.kim")
        page.locator("#role").select_option("issuer")
        page.get_by_role("button", name="초대하기" if korean else "Invite").click()
        expect(page.locator("#secret")).to_contain_text("/invitation?code=")
        page.locator("summary").first.press("Enter")
        look("people-invited")
        page.get_by_role("link", name="활동 기록" if korean else "Activity log").click()
        expect(page.locator("main")).to_contain_text("열쇠 만듦" if korean else "made a key")
        look("log")
    assert found == []
