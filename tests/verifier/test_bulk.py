"""Verification in bulk: the same reports in the same order, over processes or in one."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from verifier import Report, verify
from verifier.bulk import BulkVerifier, VerificationInterrupted, Verify

AGES = {"ageSeconds", "checkedAt", "readAt", "fetchedAt"}


@contextmanager
def nobody() -> Iterator[Verify]:
    """A verifier that trusts nobody: it can be made in any process."""
    from datetime import UTC, datetime

    from verifier import Trust

    yield lambda body: verify(
        body,
        trust=Trust(),
        chain=lambda _: None,
        status_source=None,
        now=datetime.now(UTC),
    )


@contextmanager
def killed() -> Iterator[Verify]:
    def end(_body: bytes) -> Report:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    yield end


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: timeless(item) for name, item in value.items() if name not in AGES}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def presented() -> list[bytes]:
    from world import the_world  # not where workers import it: it takes them seconds

    world = the_world()
    return [world.valid, world.tampered, world.revoked, world.suspended, b"", b"{}", world.valid]


def test_in_several_processes_the_reports_come_in_order():
    bodies = presented() * 3
    with nobody() as alone:
        expected = [alone(body) for body in bodies]
    with BulkVerifier(nobody, workers=2, chunk=2) as bulk:
        for _ in range(2):  # the processes stay between calls
            found = list(bulk.verify(iter(bodies)))
            assert [one.number for one in found] == list(range(len(bodies)))
            assert [one.verdict for one in found] == [report.verdict for report in expected]
            assert [timeless(json.loads(one.report)) for one in found] == [
                timeless(report.to_json()) for report in expected
            ]


def test_with_one_worker_it_runs_here_and_says_the_same():
    from world import the_world

    world = the_world()

    @contextmanager
    def make() -> Iterator[Verify]:
        from credential.errors import BaeumError
        from credential.evidence import parse

        def check(body: bytes) -> Report:
            try:
                return world.services.verify(parse(body))
            except BaeumError:
                return world.services.verify(parse(world.tampered))

        yield check

    with BulkVerifier(make, workers=1) as bulk:
        verdicts = [one.verdict for one in bulk.verify(presented()[:4])]
    assert verdicts == ["valid", "invalid", "invalid", "invalid"]


def test_it_reads_ahead_by_a_few_chunks_only():
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"{}"

    with BulkVerifier(nobody, workers=1, chunk=3) as bulk:
        answers = bulk.verify(endless())
        for _ in range(10):
            next(answers)
        answers.close()
    assert read <= 30


def test_a_killed_worker_is_an_error_and_not_an_answer():
    with BulkVerifier(killed, workers=2, chunk=1) as bulk, pytest.raises(VerificationInterrupted):
        list(bulk.verify([b"{}"] * 4))


def test_it_needs_a_with_block_and_at_least_one_worker():
    with pytest.raises(ValueError, match="with"):
        next(BulkVerifier(nobody).verify([b"{}"]))
    with pytest.raises(ValueError, match="one"):
        BulkVerifier(nobody, workers=0)
