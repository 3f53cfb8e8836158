"""A served application over a small issued world, once for all tests of this room."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from served import served
from world import World, the_world

from api.app import create_app


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
def client(base_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base_url, timeout=60) as client:
        yield client


@pytest.fixture
def node_down(node_down_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=node_down_url, timeout=60) as client:
        yield client
