"""Alive and ready are two questions."""

from __future__ import annotations

import dataclasses
import threading

import httpx
from served import served
from world import World

from api.app import create_app
from api.limits import Limits


def test_alive_says_nothing_about_dependencies(node_down: httpx.Client) -> None:
    answer = node_down.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "alive"


def test_ready_when_chain_and_database_answer(client: httpx.Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ready"
    assert {name: entry["status"] for name, entry in body["dependencies"].items()} == {
        "database": "reachable",
        "chain": "reachable",
    }


def test_not_ready_names_the_dependency_that_is_down(node_down: httpx.Client) -> None:
    answer = node_down.get("/readyz")
    assert answer.status_code == 503
    body = answer.json()
    assert body["status"] == "not-ready"
    assert body["dependencies"]["chain"]["status"] == "unreachable"
    assert body["dependencies"]["database"]["status"] == "reachable"
    assert "127.0.0.1" not in answer.text  # where the node would be is nobody's business


def test_a_dependency_that_never_answers_is_unreachable(world: World) -> None:
    release = threading.Event()
    services = dataclasses.replace(
        world.services, probes={"chain": release.wait}, limits=Limits(probe_seconds=0.2)
    )
    try:
        with served(create_app(services)) as url:
            answer = httpx.get(url + "/readyz", timeout=30)
            assert answer.status_code == 503
            release.set()
    finally:
        release.set()
