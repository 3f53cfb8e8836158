"""`baeum serve` as an employer and an operator meet it: one port, killed and started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "scripts" / "sample"

pytestmark = pytest.mark.xdist_group("serve")


class Portal:
    """A server in a home of its own, on a free port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {
            **os.environ,
            "BAEUM_HOME": str(folder / "home"),
            "BAEUM_LANG": "en",
            "BAEUM_PUBLIC_URL": self.url,
        }
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "baeum", *arguments],
            env=self.env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def start(self) -> None:
        log = (self.folder / "serve.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "baeum", "serve", "--port", str(self.port)],
            env=self.env,
            cwd=self.folder,
            stdout=log,
            stderr=log,
        )
        self.until(lambda: httpx.get(f"{self.url}/healthz", timeout=5).status_code == 200)

    def until(self, condition: Any, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                if condition():
                    return
            except (httpx.HTTPError, AssertionError):
                pass
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "serve.log").read_text()
            assert time.monotonic() < deadline, (self.folder / "serve.log").read_text()
            time.sleep(0.1)

    def stop(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = Portal(tmp_path_factory.mktemp("portal"))
    assert made.run("setup", "--institutions", str(SAMPLE / "institutions.yaml")).returncode == 0
    ingested = made.run(
        "ingest", str(SAMPLE / "certificates.csv"), "--institution", "seoul-lifelong-education"
    )
    assert ingested.returncode == 0, ingested.stderr
    made.start()
    yield made
    if made.process is not None and made.process.poll() is None:
        made.stop(signal.SIGTERM)


@pytest.fixture(scope="module")
def evidence(portal: Portal) -> dict[str, Any]:
    """Issued beside the running server: it owns the chain, so its worker anchors."""
    issued = portal.run("issue", "--json")
    assert issued.returncode == 0, issued.stderr
    anchored = portal.run("anchor", "--json")
    assert anchored.returncode == 0, anchored.stdout + anchored.stderr
    (batch,) = json.loads(anchored.stdout)["batches"]
    assert batch["size"] == json.loads(issued.stdout)["issued"]
    listed = portal.run("credentials", "--institution", "seoul-lifelong-education", "--json")
    first = json.loads(listed.stdout)["credentials"][0]["id"]
    written = portal.run("evidence", first, "--output", "-")
    assert written.returncode == 0, written.stderr
    document: dict[str, Any] = json.loads(written.stdout)
    return document


def test_alive_and_ready(portal: Portal) -> None:
    assert httpx.get(f"{portal.url}/healthz").json()["status"] == "alive"
    ready = httpx.get(f"{portal.url}/readyz", timeout=30)
    assert ready.status_code == 200, ready.text
    assert set(ready.json()["dependencies"]) == {"database", "chain"}


def test_a_credential_is_verified_over_http(portal: Portal, evidence: dict[str, Any]) -> None:
    report = httpx.post(f"{portal.url}/v1/verifications", json=evidence, timeout=30).json()
    assert report["verdict"] == "valid", report
    evidence["credential"]["name"] += "!"
    spoilt = httpx.post(f"{portal.url}/v1/verifications", json=evidence, timeout=30).json()
    assert spoilt["verdict"] == "invalid"
    evidence["credential"]["name"] = evidence["credential"]["name"][:-1]


def test_the_chain_can_be_looked_at_but_not_written(portal: Portal) -> None:
    def call(method: str, *params: Any) -> dict[str, Any]:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer: dict[str, Any] = httpx.post(f"{portal.url}/rpc", json=body).json()
        return answer

    assert int(call("eth_blockNumber")["result"], 16) > 3
    assert "error" in call("eth_sendRawTransaction", "0x00")


def test_the_chain_says_that_it_proves_nothing_to_others(portal: Portal) -> None:
    text = httpx.get(f"{portal.url}/v1/network").text
    assert "proves nothing to anyone" in text


def test_killed_and_started_again_it_goes_on(portal: Portal, evidence: dict[str, Any]) -> None:
    portal.stop(signal.SIGKILL)
    portal.start()
    report = httpx.post(f"{portal.url}/v1/verifications", json=evidence, timeout=30).json()
    assert report["verdict"] == "valid", report
    audit = portal.run("audit", "--json")
    assert audit.returncode == 0, audit.stdout


def test_it_stops_when_asked(portal: Portal) -> None:
    portal.stop(signal.SIGINT)
    assert portal.process is not None
    assert portal.process.returncode == 0
