"""Every template we issue, and the status lists we publish, before other implementations."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from credential import status
from issuer.keys import Keystore
from issuer.keys.keyfile import WorkFactor
from issuer.place import AnchorPlace
from issuer.signing import ChunkSigner, SignJob
from issuer.status_lists import PURPOSES, list_credential, list_url
from issuer.templates import IssuerFacts, RecordFacts, kinds

pytestmark = pytest.mark.node

HERE = Path(__file__).parent
CONTEXTS = resources.files("credential").joinpath("data/contexts")
PUBLIC_URL = "https://baeum.seoul.example"
SHARD = "stl_0123456789abcdefghijklmnop"
INDEX = 94_567
FULL = RecordFacts(
    record_id="rec_1",
    learner_id="lrn_1",
    kind="course",
    category="디지털",
    level="기초",
    title_ko="“스마트폰” 완전정복 \\ 1기 👩‍🎓",
    title_en="All about smartphones",
    code="SM-101",
    started_at=datetime(2025, 3, 2, 1, tzinfo=UTC),
    ended_at=datetime(2025, 4, 2, 1, tzinfo=UTC),
    minutes=100,
    learner_name="김하늘",
    holder_did="did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
)
BARE = FULL._replace(
    category=None, level=None, title_en=None, code=None, learner_name=None, holder_did=None
)


@pytest.fixture(scope="module", autouse=True)
def _packages() -> None:
    if not (HERE / "node_modules").is_dir():
        reason = "npm packages absent: run npm ci in tests/interop"
        if os.environ.get("BAEUM_TEST_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keystore:
    store = Keystore(tmp_path_factory.mktemp("keys"), "x", work=WorkFactor(n=2**4, r=1, p=1))
    store.create("university")
    return store


def issued(keys: Keystore, record: RecordFacts) -> dict[str, Any]:
    job = SignJob(
        issuer=IssuerFacts("university", keys.did("university"), "서울시민대학", "University"),
        public_url=PUBLIC_URL,
        status_list_id=SHARD,
        created="2025-06-01T00:00:00Z",
        place=AnchorPlace(31337, "0x" + "c0" * 20, "registrar").of("university"),
        records=[record],
        indices=[INDEX],
    )
    chunk = ChunkSigner(keys).sign(job)
    assert chunk.refused == []
    document: dict[str, Any] = json.loads(chunk.signed[0].document)
    return document


def lists(keys: Keystore, **set_bits: int) -> dict[str, Any]:
    now = datetime.now(UTC) - timedelta(hours=1)
    found = {}
    for purpose in PURPOSES:
        bits = bytes(status.MIN_BITS // 8)
        if purpose in set_bits:
            bits = status.with_bits(bits, [set_bits[purpose]], True)
        url = list_url(PUBLIC_URL, SHARD, purpose)
        found[url] = list_credential(
            url, purpose, bits, keys.signer("university"), now, timedelta(days=7)
        )
    return found


def run(folder: Path, script: str, *arguments: Any) -> dict[str, Any]:
    words = []
    for number, argument in enumerate(arguments):
        if isinstance(argument, dict):
            path = folder / f"{number}.json"
            path.write_text(json.dumps(argument), encoding="utf-8")
            argument = path
        words.append(str(argument))
    done = subprocess.run(
        ["node", script, *words], cwd=HERE, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.parametrize("kind", sorted(kinds()))
@pytest.mark.parametrize("record", [FULL, BARE], ids=["full", "bare"])
def test_digital_bazaar_accepts_every_template(
    tmp_path: Path, keys: Keystore, kind: str, record: RecordFacts
) -> None:
    credential = issued(keys, record._replace(kind=kind))
    result = run(tmp_path, "digitalbazaar.mjs", "verify", credential, CONTEXTS, lists(keys))
    assert result["verified"] is True, result
    assert result["status"]["verified"] is True, result


@pytest.mark.parametrize(
    ("bits", "verified"),
    [
        ({"revocation": INDEX}, False),
        ({"suspension": INDEX}, False),
        ({"revocation": INDEX + 1, "suspension": INDEX - 1}, True),
    ],
)
def test_digital_bazaar_reads_both_our_lists(
    tmp_path: Path, keys: Keystore, bits: dict[str, int], verified: bool
) -> None:
    credential = issued(keys, FULL)
    result = run(tmp_path, "digitalbazaar.mjs", "verify", credential, CONTEXTS, lists(keys, **bits))
    assert result["verified"] is verified, result


def test_the_consortiums_verifier_accepts_the_signature(tmp_path: Path, keys: Keystore) -> None:
    result = run(tmp_path, "verifiercore.mjs", issued(keys, FULL))
    checks = {entry["id"]: entry.get("valid") for entry in result["log"]}
    assert checks.get("valid_signature") is True, result
