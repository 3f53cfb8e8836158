"""A person checks a certificate: every way in, every verdict, in both languages."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import segno
from chromium import DESKTOP, opened
from playwright.sync_api import Browser, Page, Route, expect
from world import World

pytestmark = pytest.mark.browser

KOREAN_VALID = "유효한 증명서입니다"
ENGLISH_VALID = "This certificate is valid"


def drop(page: Page, data: bytes, name: str = "certificate.baeum.json") -> None:
    transfer = page.evaluate_handle(
        """([bytes, name]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name));
            return transfer;
        }""",
        [list(data), name],
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})


def choose(page: Page, data: bytes, name: str = "certificate.baeum.json") -> None:
    page.set_input_files("#file", {"name": name, "mimeType": "", "buffer": data})


def outcome(page: Page, check: str) -> str:
    return page.locator(f"[data-check={check}]").get_attribute("class") or ""


def qr_png(text: str) -> bytes:
    out = io.BytesIO()
    segno.make(text, error="l").save(out, kind="png", scale=4)
    return out.getvalue()


def test_a_dropped_file_is_valid_in_korean_and_then_in_english(
    page: Page, base_url: str, world: World
) -> None:
    page.goto(base_url + "/")
    page.get_by_role("link", name="증명서 확인하기").click()
    drop(page, world.valid)
    heading = page.get_by_role("heading", name=KOREAN_VALID)
    expect(heading).to_be_focused()
    expect(page.locator(".checks li.passed")).to_have_count(9)
    expect(page.locator("#result")).to_contain_text("김배움")
    expect(page.locator("#result")).to_contain_text("30시간")
    page.get_by_text("English").click()
    expect(page.get_by_role("heading", name=ENGLISH_VALID)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_title(re.compile(ENGLISH_VALID))
    page.get_by_text("한국어").click()
    expect(page.get_by_role("heading", name=KOREAN_VALID)).to_be_visible()


def test_the_browsers_language_is_the_first_choice(browser: Browser, base_url: str) -> None:
    with opened(browser, locale="en-GB") as context:
        page = context.new_page()
        page.goto(base_url + "/verify")
        expect(page.get_by_role("heading", name="Check a certificate")).to_be_visible()


def test_a_changed_file_is_not_valid_and_says_where(
    page: Page, base_url: str, world: World
) -> None:
    page.goto(base_url + "/verify")
    choose(page, world.tampered)
    expect(page.get_by_role("heading", name="유효하지 않은 증명서입니다")).to_be_visible()
    assert outcome(page, "proof") == "failed"
    assert outcome(page, "anchor") == "not_run"
    expect(page.locator(".banner")).to_contain_text("발급한 뒤에 바뀌지 않았는지")
    expect(page.locator(".banner")).to_contain_text("이렇게 하세요")
    expect(page.locator("#result")).not_to_contain_text("김배움")


def test_a_withdrawn_certificate_is_not_valid_at_its_status(
    page: Page, base_url: str, world: World
) -> None:
    page.goto(base_url + "/verify")
    choose(page, world.revoked)
    expect(page.get_by_role("heading", name="유효하지 않은 증명서입니다")).to_be_visible()
    assert outcome(page, "status") == "failed"
    expect(page.locator(".checks li.passed")).to_have_count(8)


def test_a_dead_node_could_not_be_checked_and_is_not_called_false(
    page: Page, node_down_url: str, world: World
) -> None:
    page.goto(node_down_url + "/verify")
    choose(page, world.valid)
    expect(page.get_by_role("heading", name="확인을 마치지 못했습니다")).to_be_visible()
    expect(page.locator(".banner")).to_contain_text("가짜라는 뜻은 아닙니다")
    expect(page.locator(".checks li.failed")).to_have_count(0)
    assert outcome(page, "anchor") == "not_run"


def test_a_picture_of_the_code(page: Page, base_url: str, world: World) -> None:
    page.goto(base_url + "/verify")
    choose(page, qr_png(f"https://baeum.example/verify#{world.paper}"), "photo.png")
    expect(page.get_by_role("heading", name=KOREAN_VALID)).to_be_visible()


@pytest.mark.parametrize("start", ["/verify", "/"])
def test_the_link_of_a_code_opens_and_checks_at_once(
    page: Page, base_url: str, world: World, start: str
) -> None:
    page.goto(f"{base_url}{start}#{world.paper}")
    expect(page.get_by_role("heading", name=KOREAN_VALID)).to_be_visible()
    assert "#" not in page.url, "the certificate does not stay in the address bar"


def test_pasted_text(page: Page, base_url: str, world: World) -> None:
    page.goto(base_url + "/verify")
    page.get_by_text("내용 붙여 넣기").click()
    page.get_by_label("증명서 파일의 내용이나 QR 코드의 글자").fill(world.valid.decode())
    page.get_by_role("button", name="확인하기").click()
    expect(page.get_by_role("heading", name=KOREAN_VALID)).to_be_visible()


def test_a_file_that_is_no_certificate_says_what_to_do(page: Page, base_url: str) -> None:
    page.goto(base_url + "/verify")
    choose(page, b"hello", "letter.txt")
    expect(page.get_by_role("heading", name="배움 증명서가 아닙니다")).to_be_focused()
    expect(page.locator("#result")).to_contain_text("이렇게 해 보세요")


def test_a_file_that_is_too_large(page: Page, base_url: str) -> None:
    page.goto(base_url + "/verify")
    choose(page, b"{" + b" " * 2_000_000, "large.json")
    expect(page.get_by_role("heading", name="파일이 너무 큽니다")).to_be_visible()


def test_nothing_chosen(page: Page, base_url: str) -> None:
    page.goto(base_url + "/verify")
    page.get_by_role("button", name="확인하기").click()
    expect(page.get_by_role("heading", name="확인할 증명서가 없습니다")).to_be_visible()


def test_without_a_connection(page: Page, base_url: str, world: World) -> None:
    page.goto(base_url + "/verify")
    page.context.set_offline(True)
    choose(page, world.valid)
    expect(page.get_by_role("heading", name="서버에 연결하지 못했습니다")).to_be_visible()
    page.context.set_offline(False)
    choose(page, world.valid)
    expect(page.get_by_role("heading", name=KOREAN_VALID)).to_be_visible()


def test_while_it_is_checked_the_page_says_so(page: Page, base_url: str, world: World) -> None:
    page.goto(base_url + "/verify")
    held: list[Route] = []
    page.route("**/verify?*", lambda route: held.append(route))
    choose(page, world.valid)
    expect(page.locator("#announce")).to_have_text(re.compile("확인하고 있습니다"))
    expect(page.locator("#check")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#submit")).to_be_disabled()
    held[0].continue_()
    expect(page.get_by_role("heading", name=KOREAN_VALID)).to_be_visible()
    expect(page.locator("#check")).to_have_attribute("aria-busy", "false")


def test_without_scripts(browser: Browser, base_url: str, world: World) -> None:
    with opened(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(base_url + "/verify")
        expect(page.locator("#scan")).to_be_hidden()
        choose(page, world.valid)
        page.get_by_role("button", name="확인하기").click()
        expect(page.get_by_role("heading", name=KOREAN_VALID)).to_be_visible()
        expect(page.locator(".checks li.passed")).to_have_count(9)
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("heading", name=ENGLISH_VALID)).to_be_visible()
        choose(page, qr_png(world.paper), "photo.png")
        page.get_by_role("button", name="Check").click()
        expect(page.get_by_role("heading", name=ENGLISH_VALID)).to_be_visible()


def test_with_the_keyboard_alone(page: Page, base_url: str, world: World) -> None:
    page.goto(base_url + "/verify")

    def tab_to(selector: str) -> None:
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"the keyboard does not reach {selector}")

    page.keyboard.press("Tab")
    expect(page.get_by_text("본문으로 바로 가기")).to_be_focused()
    page.keyboard.press("Enter")
    for reached in ("#file", "#scan", "#paste summary"):
        tab_to(reached)
    page.keyboard.press("Enter")
    tab_to("#text")
    page.keyboard.insert_text(world.valid.decode())
    tab_to("#submit")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=KOREAN_VALID)).to_be_focused()
    tab_to(".technical summary")
    page.keyboard.press("Enter")
    expect(page.locator(".technical pre").first).to_be_visible()


# ---- camera


def video(path: Path, text: str) -> Path:
    """A film in which somebody holds the QR code still (raw frames, 1920 by 1080)."""
    width, height = 1920, 1080
    code = segno.make(text, error="l")
    rows = [list(row) for row in code.matrix_iter(scale=1, border=4)]
    scale = height // len(rows)
    left, top = (width - scale * len(rows)) // 2, (height - scale * len(rows)) // 2
    blank = bytes([200]) * width
    lines = [blank] * top
    for row in rows:
        dots = b"".join((b"\x14" if dark else b"\xeb") * scale for dark in row)
        lines += [(b"\xc8" * left + dots).ljust(width, b"\xc8")] * scale
    luma = b"".join(lines + [blank] * (height - len(lines)))
    frame = b"FRAME\n" + luma + b"\x80" * (width * height // 2)
    path.write_bytes(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420\n".encode() + frame * 3)
    return path


def test_the_camera_reads_the_code(
    launch: Callable[..., Browser], base_url: str, world: World, tmp_path: Path
) -> None:
    film = video(tmp_path / "code.y4m", f"https://baeum.example/verify#{world.paper}")
    browser = launch(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    try:
        with opened(browser) as context:
            page = context.new_page()
            page.goto(base_url + "/verify")
            page.get_by_role("button", name="카메라로 QR 코드 찍기").click()
            expect(page.get_by_role("heading", name=KOREAN_VALID)).to_be_visible(timeout=60_000)
            expect(page.locator("#viewer")).to_be_hidden()
    finally:
        browser.close()


def test_the_camera_can_be_stopped(
    launch: Callable[..., Browser], base_url: str, tmp_path: Path
) -> None:
    browser = launch("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    try:
        with opened(browser) as context:
            page = context.new_page()
            page.goto(base_url + "/verify")
            page.get_by_role("button", name="카메라로 QR 코드 찍기").click()
            expect(page.locator("#viewer")).to_be_visible()
            page.get_by_role("button", name="카메라 끄기").click()
            expect(page.locator("#viewer")).to_be_hidden()
            expect(page.get_by_role("button", name="카메라로 QR 코드 찍기")).to_be_focused()
    finally:
        browser.close()


def test_no_camera(page: Page, base_url: str) -> None:
    page.goto(base_url + "/verify")
    page.get_by_role("button", name="카메라로 QR 코드 찍기").click()
    expect(page.get_by_role("alert")).to_contain_text("카메라를 찾지 못했습니다")


def test_a_camera_that_may_not_be_used(launch: Callable[..., Browser], base_url: str) -> None:
    browser = launch("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    try:
        with opened(browser, viewport=DESKTOP) as context:
            page = context.new_page()
            page.goto(base_url + "/verify")
            page.get_by_role("button", name="카메라로 QR 코드 찍기").click()
            expect(page.get_by_role("alert")).to_contain_text("권한이 없습니다")
    finally:
        browser.close()
