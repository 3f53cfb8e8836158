"""Published status lists over HTTP."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from world import LIST_ID, World

from api.services import lists_in
from verifier.status_list import read_list


@pytest.mark.parametrize("purpose", ["revocation", "suspension"])
def test_the_list_as_published(client: httpx.Client, world: World, purpose: str) -> None:
    answer = client.get(f"/status/{LIST_ID}/{purpose}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vc"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["access-control-allow-origin"] == "*"
    published = world.status_directory / LIST_ID / f"{purpose}.json"
    assert answer.content == published.read_bytes()
    assert read_list(answer.content).purposes == {purpose}


def test_a_copy_that_is_current_is_not_sent_again(client: httpx.Client) -> None:
    tag = client.get(f"/status/{LIST_ID}/revocation").headers["etag"]
    for condition in (tag, f'"other", W/{tag}', "*"):
        again = client.get(f"/status/{LIST_ID}/revocation", headers={"If-None-Match": condition})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == tag
    other = client.get(f"/status/{LIST_ID}/suspension", headers={"If-None-Match": tag})
    assert other.status_code == 200


def test_head_tells_the_same_without_the_list(client: httpx.Client) -> None:
    whole = client.get(f"/status/{LIST_ID}/revocation")
    head = client.head(f"/status/{LIST_ID}/revocation")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == whole.headers["etag"]
    assert head.headers["content-length"] == str(len(whole.content))


@pytest.mark.parametrize(
    "path",
    [
        f"{LIST_ID}/other",
        "nothing/revocation",
        "..%2f..%2fsecrets/revocation",
        "%2e%2e/revocation",
        f"{LIST_ID}/..%2frevocation",
        f"{LIST_ID}%00/revocation",
        "a" * 65 + "/revocation",
    ],
)
def test_nothing_else_can_be_read(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/status/{path}")
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"


def test_climbing_out_of_the_directory_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "revocation.json").write_bytes(b"secret")
    read = lists_in(tmp_path / "public")
    assert read("../secret", "revocation") is None
    assert read(str(tmp_path / "secret"), "revocation") is None
    assert read("x", "../../secret/revocation") is None


def test_the_token_status_list_has_its_own_media_type(client: httpx.Client, world: World) -> None:
    published = world.status_directory / LIST_ID / "token.jwt"
    published.write_bytes(b"eyJ.e30.AA")
    try:
        answer = client.get(f"/status/{LIST_ID}/token")
    finally:
        published.unlink()
    assert answer.content == b"eyJ.e30.AA"
    assert answer.headers["content-type"] == "application/statuslist+jwt"
    assert client.get(f"/status/{LIST_ID}/token").status_code == 404


def test_the_metadata_of_a_type_is_where_credentials_say(
    client: httpx.Client, world: World
) -> None:
    answer = client.get("/vct/course")
    assert answer.status_code == 200
    assert answer.json()["vct"] == f"{world.services.public_url}/vct/course"
    assert {"locale": "ko-KR", "name": "이수증"} in answer.json()["display"]
    assert client.get("/vct/passport").status_code == 404
