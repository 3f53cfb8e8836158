"""Chains of each kind, with our contracts, for each test anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from evm import BACKENDS, Bench, bench_on

from ledger.chain.gateway import Gateway


@pytest.fixture(params=BACKENDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(request.param, tmp_path / "chain", deployed=True) as bench:
        yield bench


@pytest.fixture
def gateway(bench: Bench) -> Gateway:
    return Gateway(bench.endpoint, bench.network, bench.account)
