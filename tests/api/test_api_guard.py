"""Limits, headers and the last resort."""

from __future__ import annotations

import dataclasses
import logging
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from served import served
from world import World

from api.app import create_app
from api.limits import Limits
from credential.evidence import Evidence
from verifier import Report

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("path", "kind", "size", "status"),
    [
        ("/v1/verifications", "application/json", 1_200_000, 413),
        ("/credentials/verify", "application/json", 1_200_000, 413),
        ("/rpc", "application/json", 1_200_000, 413),
        ("/v1/verifications", "image/png", 10_700_000, 413),
        ("/v1/verifications", "image/png", 5_000_000, 400),
        ("/v1/verifications", "text/plain", 1_200_000, 413),
    ],
)
def test_a_body_over_its_limit(
    client: httpx.Client, path: str, kind: str, size: int, status: int
) -> None:
    answer = client.post(
        path, content=b"\x89PNG\r\n\x1a\n".ljust(size), headers={"Content-Type": kind}
    )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_hides_its_size_is_cut_off(client: httpx.Client) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(4_000):
            sent += 65_536
            yield b"[" * 65_536

    try:
        answer = client.post("/v1/verifications", content=endless(), headers=JSON)
    except httpx.WriteError:
        pass  # the server closed the connection while we were still writing
    else:
        assert answer.status_code == 413
    assert sent < 100_000_000


def test_a_lie_about_the_length_is_no_way_around(base_url: str) -> None:
    parts = urlsplit(base_url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), 10) as line:
        line.sendall(
            b"POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 99999999999999999999999\r\n\r\n{}"
        )
        assert line.recv(200).split(b" ")[1].startswith(b"4")


def test_a_body_that_never_ends_is_not_waited_for(world: World) -> None:
    services = dataclasses.replace(world.services, limits=Limits(body_seconds=0.2))
    with served(create_app(services)) as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname or "", parts.port or 0), 20) as line:
            line.sendall(
                b"POST /v1/verifications HTTP/1.1\r\nHost: x\r\n"
                b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
            )
            assert line.recv(2000).startswith(b"HTTP/1.1 408 ")


def test_every_answer_carries_the_security_headers(client: httpx.Client) -> None:
    for path in (
        "/",
        "/verify",
        "/docs",
        "/openapi.json",
        "/healthz",
        "/nothing",
        "/static/page.css",
    ):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "script-src 'self';" in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "camera=(self)" in headers["permissions-policy"]
        assert "set-cookie" not in headers


def test_no_page_allows_inline_scripts_and_only_the_console_inline_styles(
    client: httpx.Client,
) -> None:
    for path in ("/", "/verify", "/nothing"):
        assert "unsafe" not in client.get(path).headers["content-security-policy"]
    console = client.get("/docs").headers["content-security-policy"]
    assert "style-src 'self' 'unsafe-inline'" in console
    assert "unsafe-eval" not in console


def test_methods_and_addresses_that_are_not_there(client: httpx.Client) -> None:
    missing = client.get("/v2/anything")
    assert missing.status_code == 404
    assert missing.json()["code"] == "not-found"
    wrong = client.delete("/v1/verifications")
    assert wrong.status_code == 405
    assert wrong.headers["allow"] == "POST"
    assert wrong.json()["code"] == "method-not-allowed"


def test_an_unforeseen_failure_tells_a_number_and_nothing_else(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(evidence: Evidence) -> Report:
        raise RuntimeError("the password is hunter2")

    services = dataclasses.replace(world.services, verify=broken)
    with served(create_app(services)) as url, caplog.at_level(logging.ERROR, "baeum.api"):
        answer = httpx.post(url + "/v1/verifications", content=world.valid, headers=JSON)
        page = httpx.post(
            url + "/verify", files={"file": world.valid}, headers={"Accept": "text/html"}
        )
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "hunter2" not in answer.text
    assert answer.json()["instance"] in caplog.text
    assert page.status_code == 500
    assert "hunter2" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_full_queue_says_come_back(world: World) -> None:
    limits = Limits(workers=1, waiting=-1)
    services = dataclasses.replace(world.services, limits=limits)
    with served(create_app(services)) as url:
        answer = httpx.post(url + "/v1/verifications", content=world.valid, headers=JSON)
    assert answer.status_code == 503
    assert answer.json()["code"] == "busy"
    assert answer.headers["retry-after"]


def test_a_verifier_alone_runs_with_verify_and_trust_only(world: World) -> None:
    services = dataclasses.replace(world.services, rpc=None, status_list=None, probes={})
    with served(create_app(services)) as url:
        assert httpx.post(url + "/v1/verifications", content=world.valid, headers=JSON).is_success
        assert httpx.get(url + "/readyz").json() == {"status": "ready", "dependencies": {}}
        for answer in (httpx.get(url + "/status/x/revocation"), httpx.post(url + "/rpc")):
            assert answer.status_code == 404
            assert answer.json()["code"] == "not-offered"
