"""The main job killed with SIGKILL again and again, then run once more: complete, nothing twice."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("killed")


def signs_of_life(home: Path) -> int:
    """Grows as the job goes on; lets the test kill it at different stages on any machine."""
    database = home / "baeum.db"
    if not database.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return sum(
                int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
                for table in ("institution", "submission", "credential", "chain_transaction")
            )
    except sqlite3.Error:
        return 0


def test_killed_at_every_stage_the_main_job_ends_complete(tmp_path: Path) -> None:
    home = tmp_path / "home"
    env = {**os.environ, "BAEUM_HOME": str(home), "BAEUM_LANG": "en"}
    command = [sys.executable, "-m", "baeum", "demo", "--json"]
    # institutions registered; a file or two read; some credentials; most; the rest of the way
    for stage in (1, 6, 9, 1_000, 3_000):
        process = subprocess.Popen(
            command, env=env, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 120
        while process.poll() is None and signs_of_life(home) < stage:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
        process.wait()
    result = subprocess.run(
        command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200
    )
    assert result.returncode == 0, result.stderr + result.stdout
    story = json.loads(result.stdout)
    awards = next(s["accepted"] for s in story["submissions"] if s["mapping"].startswith("paper"))
    assert story["rows"] == 3_988
    assert story["credentials"] == story["accepted"] - awards
    assert sum(batch["size"] for batch in story["batches"]) == story["credentials"]
    assert {name: report["verdict"] for name, report in story["reports"].items()} == {
        "valid": "valid",
        "tampered": "invalid",
        "revoked": "invalid",
    }
    with closing(sqlite3.connect(home / "baeum.db")) as connection:
        records, distinct, transactions = (
            connection.execute(query).fetchone()[0]
            for query in (
                "SELECT count(*) FROM credential",
                "SELECT count(DISTINCT record_id) FROM credential",
                "SELECT count(*) FROM chain_transaction WHERE block_hash IS NOT NULL",
            )
        )
    assert records == distinct == story["credentials"]
    assert transactions == len(story["batches"])
    audit = subprocess.run(
        [sys.executable, "-m", "baeum", "audit", "--json"],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert audit.returncode == 0, audit.stdout
