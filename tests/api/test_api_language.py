"""Which language the reader gets."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.language import preferred


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "ko"),
        ("", "ko"),
        ("*", "ko"),
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("en-GB,en;q=0.9,ko;q=0.8", "en"),
        ("ko;q=0.2, en;q=0.7", "en"),
        ("ko;q=0, en", "en"),
        ("fr, ko;q=0.1", "ko"),
        ("fr-FR, de;q=0.5", "en"),
        ("en;q=zero, ko;q=0.1", "ko"),
    ],
)
def test_the_better_liked_language_wins(header: str | None, language: str) -> None:
    assert preferred(header) == language


@given(st.text(max_size=300))
def test_any_header_gives_a_language(header: str) -> None:
    assert preferred(header) in ("ko", "en")


def test_errors_come_in_the_language_asked_for(client: httpx.Client) -> None:
    korean = client.get("/nothing-here", headers={"Accept-Language": "ko"})
    english = client.get("/nothing-here", headers={"Accept-Language": "en"})
    overridden = client.get("/nothing-here?lang=ko", headers={"Accept-Language": "en"})
    assert korean.json()["title"] == "찾을 수 없습니다" == overridden.json()["title"]
    assert english.json()["title"] == "Not found"
    assert english.headers["content-language"] == "en"
