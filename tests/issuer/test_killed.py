"""Killed with SIGKILL at every step of issuing and sealing: resumed, none lost, none twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import population
import pytest
from population import IDENTITIES, NOW, PLACE, PUBLIC_URL, populate
from sqlalchemy import select

from credential import merkle
from credential.merkle import Tree
from issuer import batches, issuance, shards
from issuer.batches import seal
from issuer.issuance import issue
from issuer.signing import ChunkSigner
from ledger.database.models import Batch, Credential, StatusList
from ledger.database.session import Database, open_database

TESTS = Path(__file__).resolve().parents[1]
RECORDS = 60

PLACES: dict[str, tuple[Any, str]] = {
    "reserve": (shards, "reserve"),
    "sign": (ChunkSigner, "sign"),
    "open-batch": (batches, "open_batch"),
    "place": (issuance._Run, "_place_rows"),
    "store": (issuance._Run, "_store"),
    "seal": (batches, "close"),
    "root": (merkle, "root_of_subtrees"),
}

VICTIM = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from population import IDENTITIES, NOW, PLACE, PUBLIC_URL, keystore
from issuer import issuance
from ledger.database.session import open_database

issuance._ALONE = 0

if __name__ == "__main__":
    issuance.issue(open_database({url!r}), keystore(Path({directory!r})), place=PLACE,
        public_url=PUBLIC_URL, now=NOW, identities=IDENTITIES, workers={workers}, chunk=5,
        progress=lambda done, total: print(done, flush=True))
"""


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def start_victim(database: Database, directory: Path, workers: int = 1) -> subprocess.Popen[bytes]:
    """Issuing in a process of its own, which says how far it is."""
    script = directory / "victim.py"
    script.write_text(
        VICTIM.format(
            paths=[str(TESTS.parent), str(TESTS)],
            url=url_of(database),
            directory=str(directory),
            workers=workers,
        )
    )
    return subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, start_new_session=True
    )


def run_until_killed(
    database: Database, directory: Path, point: str, when: str, number: int
) -> int:
    """Issue and seal in a forked process that kills itself at a step; the exit status."""
    url = url_of(database)
    child = os.fork()
    if child == 0:  # pragma: no cover - this process is killed
        status = 1
        try:
            _arm(*PLACES[point], when, number)
            mine = open_database(url)  # nothing of the parent's connections is used here
            issue_all(mine, directory, chunk=5)
            seal(mine, NOW)
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


def _arm(owner: Any, name: str, when: str, number: int) -> None:
    calls = 0
    original = getattr(owner, name)

    def deadly(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **options)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


def issue_all(database: Database, directory: Path, chunk: int = 2_000) -> None:
    issue(
        database,
        population.keystore(directory),
        place=PLACE,
        public_url=PUBLIC_URL,
        now=NOW,
        identities=IDENTITIES,
        workers=1,
        chunk=chunk,
    )


def finish(database: Database, directory: Path) -> None:
    """What the operator does: run the same commands again."""
    issue_all(database, directory)
    while seal(database, NOW) is not None:
        pass


def check_whole(database: Database) -> None:
    with database.reading() as session:
        stored = list(session.scalars(select(Credential)))
        found = list(session.scalars(select(Batch)))
        lists = list(session.scalars(select(StatusList)))
    assert len(stored) == RECORDS
    assert len({c.record_id for c in stored}) == RECORDS
    assert len({(c.status_list_id, c.status_index) for c in stored}) == RECORDS
    assert sum(batch.size for batch in found) == RECORDS
    for batch in found:
        mine = sorted(
            (c for c in stored if c.batch_id == batch.id), key=lambda c: c.leaf_index or 0
        )
        assert [c.leaf_index for c in mine] == list(range(batch.size))
        if not mine:  # opened by a run that found all its records done; the next run fills it
            assert batch.state == "open"
            continue
        assert batch.state == "sealed"
        assert batch.root == Tree(c.leaf for c in mine).commitment
    for shard in lists:
        used = [c.status_index for c in stored if c.status_list_id == shard.id]
        # a kill may leave reserved indices that nobody uses, never a used one unreserved
        assert all(shard.allocated[i >> 3] & 0x80 >> (i & 7) for i in used)
        assert shard.used == sum(byte.bit_count() for byte in shard.allocated) >= len(used)
    kinds = Counter(orjson.loads(c.document)["type"][1] for c in stored)
    assert kinds == {"OpenBadgeCredential": RECORDS}


@pytest.mark.parametrize(
    ("point", "when", "number"),
    [
        ("reserve", "before", 1),
        ("reserve", "after", 3),
        ("sign", "after", 2),
        ("open-batch", "after", 1),
        ("place", "before", 2),
        ("place", "after", 4),
        ("store", "after", 5),
        ("seal", "before", 1),
        ("root", "after", 1),
        ("seal", "after", 2),
    ],
)
def test_killed_at_a_step_then_resumed(
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    point: str,
    when: str,
    number: int,
) -> None:
    monkeypatch.setattr(batches, "MAX_LEAVES", 32)
    populate(database, tmp_path, RECORDS)
    database.engine.dispose()
    status = run_until_killed(database, tmp_path, point, when, number)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    finish(database, tmp_path)
    check_whole(database)


def test_killed_from_outside_with_workers_leaves_no_process_and_loses_nothing(
    database: Database, tmp_path: Path
) -> None:
    populate(database, tmp_path, RECORDS)
    with start_victim(database, tmp_path, workers=2) as victim:
        assert victim.stdout is not None
        while int(victim.stdout.readline()) < 20:
            pass
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        deadline = time.monotonic() + 30
        while _group_lives(victim.pid):
            assert time.monotonic() < deadline, "workers outlived the process they worked for"
            time.sleep(0.02)
    finish(database, tmp_path)
    check_whole(database)


def test_two_processes_at_once(database: Database, tmp_path: Path) -> None:
    populate(database, tmp_path, RECORDS)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "keys").symlink_to(tmp_path / "keys")
    (tmp_path / "b" / "keys").symlink_to(tmp_path / "keys")
    with (
        start_victim(database, tmp_path / "a") as one,
        start_victim(database, tmp_path / "b") as two,
    ):
        one.communicate()
        two.communicate()
    assert (one.returncode, two.returncode) == (0, 0)
    finish(database, tmp_path)
    check_whole(database)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
