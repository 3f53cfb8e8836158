"""A bench with the contracts deployed, fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from evm import Bench, Template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(tmp_path_factory.mktemp("template") / "chain")


@pytest.fixture
def bench(template: Template, tmp_path: Path) -> Iterator[Bench]:
    with template.copy(tmp_path / "chain") as bench:
        yield bench
