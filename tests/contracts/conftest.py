"""A bench with the contracts deployed, fresh for each test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from evm import Bench, Template


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """In memory where the system has such a place: these chains need not outlive the test."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(scratch: Path) -> Template:
    return Template(scratch / "template")


@pytest.fixture
def bench(template: Template, scratch: Path) -> Iterator[Bench]:
    folder = Path(tempfile.mkdtemp(dir=scratch))
    with template.copy(folder / "chain") as bench:
        yield bench
    shutil.rmtree(folder)
