"""Killed with SIGKILL at every step of issuing and sealing: resumed, none lost, none twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import orjson
import population
import pytest
from population import IDENTITIES, NOW, PLACE, PUBLIC_URL, populate
from sqlalchemy import select

from credential.merkle import Tree
from issuer.batches import seal
from issuer.issuance import issue
from ledger.database.models import Batch, Credential, StatusList
from ledger.database.session import Database

TESTS = Path(__file__).resolve().parents[1]
RECORDS = 60

VICTIM = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from population import IDENTITIES, NOW, PLACE, PUBLIC_URL, keystore
from issuer import batches, issuance, shards, signing
from credential import merkle
from ledger.database.session import open_database

def die(): os.kill(os.getpid(), signal.SIGKILL)

def deadly(owner, name, when, number):
    calls = [0]
    original = getattr(owner, name)
    def wrapped(*args, **options):
        calls[0] += 1
        if calls[0] == number and when == "before": die()
        result = original(*args, **options)
        if calls[0] == number and when == "after": die()
        return result
    setattr(owner, name, wrapped)

places = {{
    "reserve": (shards, "reserve"),
    "sign": (signing.ChunkSigner, "sign"),
    "open-batch": (batches, "open_batch"),
    "place": (issuance._Run, "_place_rows"),
    "store": (issuance._Run, "_store"),
    "seal": (batches, "close"),
    "root": (merkle, "root_of_subtrees"),
}}
if {point!r} in places:
    owner, name = places[{point!r}]
    deadly(owner, name, {when!r}, {number})
batches.MAX_LEAVES = 32
issuance._ALONE = 0

def progress(done, total):
    print(done, flush=True)

def main():
    database = open_database({url!r})
    issuance.issue(database, keystore(Path({directory!r})), place=PLACE, public_url=PUBLIC_URL,
        now=NOW, identities=IDENTITIES, workers={workers}, chunk=5, progress=progress)
    batches.seal(database, NOW)

if __name__ == "__main__":
    main()
"""


def start_victim(
    database: Database,
    directory: Path,
    point: str = "",
    when: str = "after",
    number: int = 1,
    workers: int = 1,
) -> subprocess.Popen[bytes]:
    script = directory / "victim.py"
    script.write_text(
        VICTIM.format(
            paths=[str(TESTS.parent), str(TESTS)],
            point=point,
            when=when,
            number=number,
            url=database.engine.url.render_as_string(hide_password=False),
            directory=str(directory),
            workers=workers,
        )
    )
    return subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, start_new_session=True
    )


def finish(database: Database, directory: Path) -> None:
    """What the operator does: run the same command again."""
    issue(
        database,
        population.keystore(directory),
        place=PLACE,
        public_url=PUBLIC_URL,
        now=NOW,
        identities=IDENTITIES,
        workers=1,
    )
    while seal(database, NOW) is not None:
        pass


def check_whole(database: Database) -> None:
    with database.reading() as session:
        stored = list(session.scalars(select(Credential)))
        batches = list(session.scalars(select(Batch)))
        shards = list(session.scalars(select(StatusList)))
    assert len(stored) == RECORDS
    assert len({c.record_id for c in stored}) == RECORDS
    assert len({(c.status_list_id, c.status_index) for c in stored}) == RECORDS
    assert sum(batch.size for batch in batches) == RECORDS
    for batch in batches:
        mine = sorted(
            (c for c in stored if c.batch_id == batch.id), key=lambda c: c.leaf_index or 0
        )
        assert [c.leaf_index for c in mine] == list(range(batch.size))
        if not mine:  # opened by a run that found all its records done; the next run fills it
            assert batch.state == "open"
            continue
        assert batch.state == "sealed"
        assert batch.root == Tree(c.leaf for c in mine).root
    for shard in shards:
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
    migrated_sqlite: Path, tmp_path: Path, point: str, when: str, number: int
) -> None:
    from ledger.database.session import open_database

    path = tmp_path / "test.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = open_database(f"sqlite:///{path}")
    populate(database, tmp_path, RECORDS)
    with start_victim(database, tmp_path, point, when, number) as victim:
        victim.communicate()
    assert victim.returncode == -signal.SIGKILL
    finish(database, tmp_path)
    check_whole(database)
    database.close()


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
