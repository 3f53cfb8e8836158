"""The same commands at city size: PostgreSQL and another EVM node behind JSON-RPC."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from databases import PostgresServer
from nodes import Node, anvil, hardhat

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "scripts" / "sample"

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("city")]
NODES = [
    pytest.param(anvil, id="anvil", marks=pytest.mark.anvil),
    pytest.param(hardhat, id="hardhat", marks=[pytest.mark.hardhat, pytest.mark.soak]),
]


class City:
    def __init__(self, folder: Path, database_url: str, node: Node) -> None:
        self.folder = folder
        self.node = node
        self.env = {
            **os.environ,
            "BAEUM_HOME": str(folder / "home"),
            "BAEUM_LANG": "en",
            "BAEUM_DATABASE_URL": database_url,
            "BAEUM_CHAIN_URL": node.url,
            "BAEUM_CHAIN_OPERATOR_NAME": "Test node",
            "BAEUM_PASSPHRASE": "a passphrase for the test",
        }

    def __call__(self, *arguments: str) -> tuple[int, Any]:
        result = subprocess.run(
            [sys.executable, "-m", "baeum", *arguments, "--json"],
            env=self.env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert "Traceback" not in result.stderr, result.stderr
        return result.returncode, json.loads(result.stdout)

    def evidence(self, credential: str) -> Path:
        file = self.folder / "credential.baeum.json"
        subprocess.run(
            [sys.executable, "-m", "baeum", "evidence", credential, "-o", str(file)],
            env=self.env,
            check=True,
        )
        return file


@pytest.fixture(scope="module", params=NODES)
def city(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: PostgresServer,
) -> Iterator[City]:
    with ExitStack() as stack:
        node = stack.enter_context(request.param())
        url = postgres_server.create(migrated=False)
        stack.callback(postgres_server.drop, url)
        yield City(tmp_path_factory.mktemp("city"), url, node)


def test_the_main_job_at_city_size(city: City) -> None:
    institutions = str(SAMPLE / "institutions.yaml")
    # 1. an account without funds is told apart from a node that is down, and named
    code, answer = city("setup", "--institutions", institutions)
    assert code == 2
    assert answer["error"]["code"] != "endpoint-unreachable"
    address = answer["error"]["address"]
    city.node.fund(address, 10**18)
    # 2. set up, twice
    code, first = city("setup", "--institutions", institutions)
    assert code == 0, first
    assert first["selfRun"] is False
    code, again = city("setup", "--institutions", institutions)
    assert code == 0
    assert again["registeredOnChain"] == []
    # 3. the main job
    for name, institution in (
        ("volunteering.csv", "seoul-volunteer-centre"),
        ("certificates.csv", "seoul-lifelong-education"),
    ):
        code, report = city("ingest", str(SAMPLE / name), "--institution", institution)
        assert code == 0, report
    code, issued = city("issue")
    assert code == 0
    assert issued["issued"] > 1_000
    city.node.remember()
    code, anchored = city("anchor")
    assert code == 0, anchored
    (batch,) = anchored["batches"]
    assert batch["size"] == issued["issued"]
    assert batch["gasUsed"] <= 40_000
    # 4. an employer, and a revocation
    code, listed = city("credentials", "--limit", "2")
    assert code == 0
    subject, other = (credential["id"] for credential in listed["credentials"])
    file = city.evidence(subject)
    code, report = city("verify", str(file))
    assert code == 0, report
    code, _ = city("revoke", subject, "--reason", "entered twice")
    assert code == 0
    code, report = city("verify", str(file))
    assert code == 1
    assert [c["id"] for c in report["checks"] if c["outcome"] == "failed"] == ["status"]
    # 5. database and chain agree
    code, audit = city("audit")
    assert code == 0, audit
    assert audit["credentials"] == issued["issued"]
    # 6. a reorganisation takes away what was final; the same commands put it right
    file = city.evidence(other)
    city.node.mine(3)
    city.node.reorganise(4)
    city.node.drop_all()
    city.node.automine(True)
    code, audit = city("audit")
    assert code == 1
    assert [difference["code"] for difference in audit["differences"]] == ["anchor-missing"]
    assert "baeum anchor" in audit["differences"][0]["remedy"]["en"]
    code, report = city("verify", str(file))
    assert code == 1, report
    code, again = city("anchor")
    assert code == 0, again
    assert again["recovered"] == [batch["batch"]]
    assert [b["transaction"] for b in again["batches"]] == [batch["transaction"]]
    code, audit = city("audit")
    assert code == 0, audit
    code, report = city("verify", str(city.evidence(other)))
    assert code == 0, report
