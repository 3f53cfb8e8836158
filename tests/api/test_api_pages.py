"""Pages as the server sends them: what a browser without scripts gets."""

from __future__ import annotations

import html
import re

import httpx
import pytest
from world import World

HTML = {"Accept": "text/html,application/xhtml+xml"}


def page(client: httpx.Client, data: bytes, lang: str = "ko", **headers: str) -> httpx.Response:
    return client.post(
        f"/verify?lang={lang}", files={"file": ("a.json", data)}, headers={**HTML, **headers}
    )


@pytest.mark.parametrize(
    ("which", "verdict", "korean", "english"),
    [
        ("valid", "valid", "유효한 증명서입니다", "This certificate is valid"),
        ("tampered", "invalid", "유효하지 않은 증명서입니다", "This certificate is not valid"),
        ("revoked", "invalid", "유효하지 않은 증명서입니다", "This certificate is not valid"),
    ],
)
def test_the_form_answers_with_the_report(
    client: httpx.Client, world: World, which: str, verdict: str, korean: str, english: str
) -> None:
    for lang, words in (("ko", korean), ("en", english)):
        answer = page(client, getattr(world, which), lang)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert f'<html lang="{lang}">' in answer.text
        assert f'data-verdict="{verdict}"' in answer.text
        assert words in answer.text
        assert answer.text.count("data-check=") == 9


def test_a_dead_node_could_not_be_checked(node_down: httpx.Client, world: World) -> None:
    text = page(node_down, world.valid).text
    assert 'data-verdict="undetermined"' in text
    assert "가짜라는 뜻은 아닙니다" in text


def test_the_report_names_the_learner_only_when_the_signature_holds(
    client: httpx.Client, world: World
) -> None:
    assert "김배움" in page(client, world.valid).text.split("<main")[1]
    assert "김배움" not in page(client, world.tampered).text.split("<main")[1]


def test_a_self_run_chain_never_says_you_can_rely_on_it(client: httpx.Client, world: World) -> None:
    english = page(client, world.valid, "en").text
    assert "proves nothing to anyone else" in english
    assert "You can rely on" not in english


def test_without_scripts_the_report_can_be_had_in_the_other_language(
    client: httpx.Client, world: World
) -> None:
    korean = page(client, world.valid, "ko").text
    carried = re.search(r'<input type="hidden" name="text" value="([^"]*)">', korean)
    assert carried
    english = client.post(
        "/verify?lang=en",
        files={"text": (None, html.unescape(carried[1]))},
        headers=HTML,
    )
    assert "This certificate is valid" in english.text


def test_our_script_gets_the_report_alone(client: httpx.Client, world: World) -> None:
    answer = page(client, world.valid, **{"X-Baeum-Fragment": "1"})
    assert "<html" not in answer.text
    assert "data-verdict" in answer.text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "확인할 증명서가 없습니다"),
        (b"hello", "배움 증명서가 아닙니다"),
        (b"\x89PNG\r\n\x1a\n", "사진을 열 수 없습니다"),
    ],
)
def test_what_cannot_be_read_is_said_on_the_page(
    client: httpx.Client, data: bytes, words: str
) -> None:
    answer = page(client, data)
    assert answer.status_code == 400
    assert words in answer.text
    assert 'id="check"' in answer.text, "the form is still there to try again"


def test_markup_in_a_certificate_stays_text(client: httpx.Client, world: World) -> None:
    evil = world.valid.replace("생활 속 인공지능".encode(), b"<script>alert(1)</script>")
    text = page(client, evil).text
    assert "<script>alert" not in text


def test_a_browser_gets_a_page_for_an_error_and_a_program_a_problem(client: httpx.Client) -> None:
    shown = client.get("/nothing", headers=HTML)
    assert shown.status_code == 404
    assert shown.headers["content-type"].startswith("text/html")
    assert "찾을 수 없습니다" in shown.text
    assert client.get("/nothing").headers["content-type"] == "application/problem+json"


def test_pages_use_no_jargon_outside_the_details_view(client: httpx.Client, world: World) -> None:
    for answer in (
        client.get("/?lang=en", headers=HTML),
        client.get("/verify?lang=en", headers=HTML),
        page(client, world.valid, "en"),
    ):
        main = answer.text.split("<main")[1].split("</main")[0]
        visible = re.sub(
            r"<details class=\"technical\">.*?</details>|<[^>]+>", " ", main, flags=re.S
        )
        found = re.findall(r"\b(hash|[Mm]erkle|DID|root|JSON|blockchain)\b", visible)
        assert not found, found


def test_the_description_of_the_api_is_openapi_3_1(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert {"/credentials/verify", "/v1/verifications", "/rpc", "/v1/network", "/readyz"} <= set(
        schema["paths"]
    )
    assert "422" not in str(schema["paths"])
    for path in ("/", "/verify", "/docs"):
        assert path not in schema["paths"]


def test_the_language_link_never_leads_to_another_server(base_url: str) -> None:
    for address in ("//evil.example/x", "/%5Cevil.example", "/%5C%5Cevil.example"):
        answer = httpx.get(base_url + address, headers=HTML)
        assert answer.status_code == 404
        links = re.findall(r'href="([^"]*)" hreflang', answer.text)
        assert links
        assert all(link.startswith("/") and link[1] not in "/\\" for link in links), links
