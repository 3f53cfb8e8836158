"""The bounded place for blocking work."""

from __future__ import annotations

import asyncio
import threading

import pytest

from api.problems import Busy, TookTooLong
from api.work import Workshop


def test_more_than_there_are_places_is_refused_and_places_come_back() -> None:
    async def scene() -> None:
        shop = Workshop(workers=1, waiting=1, seconds=30)
        gate = threading.Event()
        held = [asyncio.create_task(shop.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await shop.run(lambda: None)
        gate.set()
        assert await asyncio.gather(*held) == [True, True]
        assert await shop.run(lambda: "again") == "again"
        shop.close()

    asyncio.run(scene())


def test_a_job_that_took_too_long_keeps_its_place_until_it_ends() -> None:
    async def scene() -> None:
        shop = Workshop(workers=1, waiting=0, seconds=0.05)
        gate = threading.Event()
        with pytest.raises(TookTooLong):
            await shop.run(gate.wait)
        with pytest.raises(Busy):
            await shop.run(lambda: None)
        gate.set()
        shop.close()

    asyncio.run(scene())


def test_what_a_job_raises_comes_through() -> None:
    async def scene() -> None:
        shop = Workshop(workers=1, waiting=0, seconds=30)
        with pytest.raises(TimeoutError):
            await shop.run(_raise_timeout)
        shop.close()

    asyncio.run(scene())


def _raise_timeout() -> None:
    raise TimeoutError
