"""A degree from the citizen's page to the roll, each step by another person, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from chromium import DESKTOP, PHONE, keep, opened, violations
from doors import PASSWORD, quick_passwords
from office import NOW, found
from playwright.sync_api import Browser, Page, expect
from served import served
from world import World

from api.app import create_app
from ledger.access import accounts
from ledger.access.door import Door
from ledger.awards.office import Office
from ledger.database.awards import OpenCourse
from ledger.database.session import Database, open_database

pytestmark = pytest.mark.browser
__all__ = ["quick_passwords"]
PEOPLE = {
    "hong": "citizen",
    "clerk": "clerk",
    "kim.one": "reviewer",
    "lee.two": "reviewer",
    "choi.chair": "committee",
    "park.reg": "registrar",
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_database(f"sqlite:///{tmp_path / 'office.db'}")
    made.migrate()
    found(made)
    now = datetime.now(UTC)
    with made.session() as session:
        session.add(
            OpenCourse(
                id="course-1",
                institution_id="uni",
                kind="course",
                title_ko="한강의 역사",
                title_en="History of the Han",
                starts_on=NOW.date(),
                ends_on=NOW.date(),
                minutes=600,
            )
        )
        for name, role in PEOPLE.items():
            learner = "lrn_c" if role == "citizen" else None
            code = accounts.invite(session, name, [role], now, learner_id=learner)
            accounts.accept(session, code, PASSWORD, now)
    yield made
    made.close()


@pytest.fixture
def url(world: World, database: Database) -> Iterator[str]:
    services = replace(
        world.services,
        door=Door(database, lambda: datetime.now(UTC)),
        office=Office(database, lambda: NOW),
        public_url="http://127.0.0.1",
    )
    with served(create_app(services)) as url:
        yield url


@contextmanager
def person(browser: Browser, url: str, name: str, lang: str, phone: bool = True) -> Iterator[Page]:
    """Somebody signed in, in a browser of their own."""
    viewport = PHONE if phone else DESKTOP
    with opened(browser, viewport=viewport, locale=lang) as context:
        page = context.new_page()
        page.goto(f"{url}/sign-in")
        page.locator("#name").fill(name)
        page.locator("#password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("nav.places")).to_be_visible()
        yield page


def test_a_citizen_sees_the_way_and_asks_what_if(
    browser: Browser, url: str, axe_source: str
) -> None:
    problems = []
    for lang, phone in (("ko-KR", True), ("en-GB", False)):
        korean = lang == "ko-KR"
        with person(browser, url, "hong", lang, phone) as page:
            page.get_by_role("link", name="내 배움" if korean else "My learning").click()
            expect(page.locator("main")).to_contain_text("99시간 59분" if korean else "99 h 59 min")
            keep(page, f"learning-{lang[:2]}")
            problems += violations(page, axe_source, "learning")
            page.locator("section a").first.click()
            keep(page, f"degree-{lang[:2]}")
            problems += violations(page, axe_source, "degree")
            page.get_by_label("한강의 역사" if korean else "History of the Han").check()
            page.get_by_role("button", name="계산해 보기" if korean else "Work it out").click()
            expect(page.locator("#answer")).to_contain_text(
                "요건을 모두 채웁니다" if korean else "every condition is met"
            )
            page.locator("form details summary").click()
            page.locator("input[name=take]").uncheck()
            page.locator("input[name=without]").first.check()
            keep(page, f"what-if-{lang[:2]}")
            problems += violations(page, axe_source, "what-if")
            page.locator("form.card > button").click()
            expect(page.locator("#answer")).to_contain_text("100")
    assert problems == []


def test_from_the_application_to_the_roll_each_step_by_another_person(
    browser: Browser, url: str, axe_source: str
) -> None:
    problems = []

    def look(page: Page, state: str) -> None:
        keep(page, state)
        problems.extend(violations(page, axe_source, state))

    with person(browser, url, "hong", "ko-KR") as page:
        page.goto(f"{url}/learning")
        page.locator("section form button").first.click()
        expect(page.locator("main")).to_contain_text("접수")
        page.get_by_role("button", name="신청 취소").click()
        expect(page.locator("main")).to_contain_text("신청 취소")
    with person(browser, url, "clerk", "ko-KR") as page:
        page.goto(f"{url}/office/applications")
        look(page, "applications-empty")
        page.locator("#learner").fill("lrn_b")
        page.get_by_role("button", name="접수").click()
        expect(page.locator("h1")).to_contain_text("lrn_b")
        page.locator("#learner").is_hidden()
        path = page.url.split("?")[0]
    for name in ("kim.one", "lee.two"):
        with person(browser, url, name, "ko-KR") as page:
            page.goto(path)
            look(page, f"review-{name}")
            page.locator("input[value=award]").check()
            page.locator("#review-reason").fill("요건을 확인했습니다")
            page.get_by_role("button", name="심사 의견 내기").click()
            expect(page.locator("main")).to_contain_text(name)
    with person(browser, url, "choi.chair", "en-GB", phone=False) as page:
        page.goto(f"{url}/office/applications?state=reviewed")
        look(page, "applications-reviewed")
        page.locator("main ul.records a").click()
        page.locator("input[value=approve]").check()
        page.locator("#meeting").fill("2026-3")
        page.locator("#members").fill("han, oh")
        page.locator("#decide-reason").fill("unanimous")
        page.get_by_role("button", name="Save the decision").click()
        expect(page.locator("dl.facts").first).to_contain_text("approved")
        look(page, "decided")
    with person(browser, url, "park.reg", "ko-KR") as page:
        page.goto(path)
        page.locator("#confer-reason").fill("수여식")
        page.get_by_role("button", name="수여하기").click()
        expect(page.locator("dl.facts").first).to_contain_text("수여함")
        page.get_by_role("link", name="수여 명단").click()
        expect(page.locator("main")).to_contain_text("명예시민학사")
        look(page, "roll")
        for button, beginning in (("PDF", b"%PDF-"), ("스프레드시트", b"PK")):
            with page.expect_download() as download:
                page.get_by_role("button", name=button).click()
            assert Path(download.value.path()).read_bytes().startswith(beginning)
    assert problems == []


def test_a_person_may_not_take_two_steps_and_is_told(browser: Browser, url: str) -> None:
    with person(browser, url, "clerk", "ko-KR") as page:
        page.goto(f"{url}/office/applications")
        page.locator("#learner").fill("lrn_b")
        page.get_by_role("button", name="접수").click()
        expect(page.locator("h1")).to_contain_text("lrn_b")
        path = page.url.split("?")[0]
        assert page.locator("form[action*=review]").count() == 0
    with person(browser, url, "kim.one", "ko-KR") as page:
        page.goto(path)
        for word in ("award", "object"):
            page.locator(f"input[value={word}]").check()
            page.locator("#review-reason").fill("확인")
            page.get_by_role("button", name="심사 의견 내기").click()
            expect(page.locator("ol.records")).to_contain_text("kim.one")
        expect(page.get_by_role("alert")).to_contain_text("이미 심사했습니다")
