"""A million credentials in one run, killed at random moments and started again.

``run(count, kills)`` makes a home of invented records and runs the command ``baeum issue`` over
it. The command is killed with SIGKILL at random numbers of credentials (by turns alone, so that its
workers have to notice, and with its workers), and run again until it ends by itself. Then all is
counted: no record without a credential, none with two, no status index given twice, no list filled
beyond one half, leaves without a gap. Throughput is taken for every tenth of the run: a cliff would
show there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from issue import register, synthesise
from sqlalchemy import func, select

from baeum import operations
from baeum.home import Home
from baeum.settings import Settings
from issuer.ready_records import count as without_credential
from ledger.database.models import Batch, Credential, LearningRecord, StatusList
from ledger.database.session import Database

LOOK = 0.1
"""Seconds between two looks at how far it is."""


def run(count: int, kills: int, *, seed: int | None = None, echo: Any = None) -> dict[str, Any]:
    """Issue ``count``, killed ``kills`` times; raises ``RuntimeError`` when anything is amiss.

    ``per_second`` is the rate while the command ran, its starts included; ``tenths`` the rate in
    each tenth of the run, its starts left out.
    ``peak_rss_mb`` is the greatest sum of the resident memory of the command and its workers,
    ``peak_pss_mb`` the same with shared pages counted once (Linux only, else 0).
    """
    say = echo or (lambda _text: None)
    random_ = random.Random(seed)
    moments = sorted(random_.randrange(count // 20, count) for _ in range(kills))
    with tempfile.TemporaryDirectory(prefix="baeum-million-") as folder:
        settings = Settings(home=Path(folder))
        with Home(settings) as home:
            operations.set_up(home, register())
            say(f"writing {count:,} records")
            synthesise(home.database, home.identities, count)
            watch = _Watch(home.database, count, say)
            for number, moment in enumerate(moments):
                watch.until_killed(folder, moment, with_workers=bool(number % 2))
            watch.until_done(folder)
            _all_there(home.database, count)
            sealed = time.perf_counter()
            operations.seal(home)
            operations.anchor(home)
            ended = time.perf_counter()
            with home.database.reading() as session:
                lists = session.scalar(select(func.count()).select_from(StatusList))
                batches = session.scalar(select(func.count()).select_from(Batch))
    return {
        "count": count,
        "seconds": round(watch.running, 1),
        "per_second": round(count / watch.running, 1),
        "kills": kills,
        "killed_at": watch.killed_at,
        "tenths": watch.tenths,
        "slowest_to_fastest": round(min(watch.tenths) / max(watch.tenths), 3),
        "seal_and_anchor_seconds": round(ended - sealed, 1),
        "status_lists": lists,
        "batches": batches,
        "peak_rss_mb": round(watch.peak_rss, 1),
        "peak_pss_mb": round(watch.peak_pss, 1),
    }


class _Watch:
    """Runs the command and looks at how far it is; time in which nothing runs does not count."""

    def __init__(self, database: Database, count: int, say: Any) -> None:
        self._database = database
        self._count = count
        self._say = say
        self._step = max(1, count // 10)
        self._mark = (0, 0.0)
        self._before = 0  # stored when the command was last started
        self._looked = 0.0
        self.running = 0.0
        self.killed_at: list[int] = []
        self.tenths: list[float] = []
        self.peak_rss = self.peak_pss = 0.0

    def until_killed(self, folder: str, moment: int, *, with_workers: bool) -> None:
        with self._command(folder) as process:
            for stored in self._looks(process):
                if stored >= moment:
                    if with_workers:
                        os.killpg(process.pid, signal.SIGKILL)
                    else:
                        process.kill()
                    break
            process.wait()
            self.killed_at.append(self._stored())
            self._say(f"killed at {self.killed_at[-1]:,}")
            while _members(process.pid):  # workers that have to notice
                time.sleep(LOOK)

    def until_done(self, folder: str) -> None:
        with self._command(folder) as process:
            for _ in self._looks(process):
                pass
            said = process.communicate()[0]
        if process.returncode != 0:
            raise RuntimeError(f"baeum issue ended with {process.returncode}: {said[-400:]!r}")

    def _command(self, folder: str) -> subprocess.Popen[bytes]:
        self._before = self._stored()
        return subprocess.Popen(
            [sys.executable, "-m", "baeum", "issue", "--json"],
            env=os.environ | {"BAEUM_HOME": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _looks(self, process: subprocess.Popen[bytes]) -> Iterator[int]:
        last = time.perf_counter()
        while process.poll() is None:
            time.sleep(LOOK)
            rss, pss = _memory(process.pid)
            self.peak_rss, self.peak_pss = max(self.peak_rss, rss), max(self.peak_pss, pss)
            now = time.perf_counter()
            self.running += now - last
            last = now
            stored = self._stored()
            self._advance(stored)
            yield stored

    def _advance(self, stored: int) -> None:
        """Note the rate of every tenth that is through, starting the command left out."""
        done, since = self._mark
        if stored == self._before:
            since += self.running - self._looked
        elif stored - done >= self._step or stored == self._count > done:
            self.tenths.append(round((stored - done) / (self.running - since), 1))
            self._say(f"{stored:>9,}  {self.tenths[-1]:>8,.0f} a second")
            done, since = stored, self.running
        self._mark, self._looked = (done, since), self.running

    def _stored(self) -> int:
        with self._database.reading() as session:
            return int(session.scalar(select(func.sum(Batch.size))) or 0)


def _all_there(database: Database, count: int) -> None:
    with database.reading() as session:
        stored = session.scalar(select(func.count()).select_from(Credential))
        records = session.scalar(select(func.count(func.distinct(Credential.record_id))))
        verified = session.scalar(select(func.count()).select_from(LearningRecord))
        places = session.scalar(
            select(func.count()).select_from(
                select(Credential.status_list_id, Credential.status_index).distinct().subquery()
            )
        )
        left = without_credential(session)
        fullest = session.scalar(select(func.max(StatusList.used * 1.0 / StatusList.size)))
        leaves = session.scalar(select(func.sum(Batch.size)))
        gaps = session.execute(
            select(Credential.batch_id)
            .group_by(Credential.batch_id)
            .having(func.max(Credential.leaf_index) != func.count() - 1)
        ).all()
    if not stored == records == verified == places == leaves == count or left or gaps:
        raise RuntimeError(
            f"{stored} credentials of {records} records at {places} places, {leaves} leaves, "
            f"{left} records left, gaps in {gaps}; expected {count}"
        )
    if (fullest or 0) > 0.5:
        raise RuntimeError(f"a status list is filled to {fullest:.3f}")


def _members(group: int) -> list[int]:
    """The processes of a session, where /proc tells; none elsewhere."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == group and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def _memory(group: int) -> tuple[float, float]:
    """Megabytes of the session's processes: sum of resident, and with shared pages parted."""
    rss = pss = 0
    for process in _members(group):
        try:
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:
            continue
        sizes = dict(re.findall(r"^(Rss|Pss):\s+(\d+) kB", text, re.MULTILINE))
        rss += int(sizes.get("Rss", 0))
        pss += int(sizes.get("Pss", 0))
    return rss / 1024, pss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    result = run(
        options.count,
        options.kills,
        seed=options.seed,
        echo=lambda text: print(text, file=sys.stderr, flush=True),
    )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
