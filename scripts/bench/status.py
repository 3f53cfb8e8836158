"""How long many revocations take, from the command to signed lists on disk."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from issue import IDENTITIES, INSTITUTIONS, NOW, synthesise
from sqlalchemy import select

from issuer.issuance import issue
from issuer.keys import Keystore
from issuer.place import AnchorPlace
from issuer.status import publish, revoke
from ledger.database.models import Credential
from ledger.database.session import open_database

URL = "https://baeum.seoul.example"


def run(count: int, *, database_url: str | None = None) -> dict[str, Any]:
    """Revoke ``count`` credentials and publish the lists that changed."""
    with tempfile.TemporaryDirectory(prefix="baeum-bench-") as folder:
        home = Path(folder)
        database = open_database(database_url or f"sqlite:///{home / 'bench.db'}")
        database.migrate()
        keystore = Keystore(home / "keys", "bench")
        synthesise(database, keystore, count)
        place = AnchorPlace(31337, "0x" + "c0" * 20, next(iter(INSTITUTIONS)))
        issue(database, keystore, place=place, public_url=URL, now=NOW, identities=IDENTITIES)
        publish(database, keystore, home / "status", URL, NOW)
        with database.reading() as session:
            ids = list(session.scalars(select(Credential.id)))
        started = time.perf_counter()
        report = revoke(database, ids, "benchmark", NOW)
        revoked = time.perf_counter()
        published = publish(database, keystore, home / "status", URL, NOW)
        ended = time.perf_counter()
        database.close()
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
