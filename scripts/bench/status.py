"""How long many revocations take, from the command to signed lists on disk."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from issue import register, synthesise
from sqlalchemy import select

from baeum import operations
from baeum.home import Home, now
from baeum.settings import Settings
from issuer.status import revoke
from ledger.database.models import Credential


def run(count: int, *, progress: Any = None) -> dict[str, Any]:
    """Revoke ``count`` credentials and publish the lists that changed."""
    with (
        tempfile.TemporaryDirectory(prefix="baeum-bench-") as folder,
        Home(Settings(home=Path(folder))) as home,
    ):
        operations.set_up(home, register())
        synthesise(home.database, home.identities, count)
        operations.issue(home, progress)
        operations.publish(home)
        with home.database.reading() as session:
            ids = list(session.scalars(select(Credential.id)))
        started = time.perf_counter()
        report = revoke(home.database, ids, "benchmark", now())
        revoked = time.perf_counter()
        published = operations.publish(home)
        ended = time.perf_counter()
    if len(report.changed) != count:
        raise RuntimeError(f"{len(report.changed)} of {count} revoked")
    return {
        "count": count,
        "seconds": round(ended - started, 3),
        "per_second": round(count / (ended - started), 1),
        "revoke_seconds": round(revoked - started, 3),
        "publish_seconds": round(ended - revoked, 3),
        "lists": len(published.published),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    print(json.dumps(run(parser.parse_args().count)))
