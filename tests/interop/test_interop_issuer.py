"""Every template we issue, and the status lists we publish, before other implementations."""

from __future__ import annotations

import copy
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
from issuer.signing import CRYPTOSUITES, SAMPLE_DEGREE, ChunkSigner, SignJob
from issuer.status_lists import PURPOSES, list_credential, list_url
from issuer.templates import IssuerFacts, RecordFacts, kinds
from verifier.signature import SignatureWrong, check_signature

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


def issued(
    keys: Keystore, record: RecordFacts, *, cryptosuites: tuple[str, ...] = CRYPTOSUITES
) -> dict[str, Any]:
    job = SignJob(
        issuer=IssuerFacts("university", keys.did("university"), "서울시민대학", "University"),
        public_url=PUBLIC_URL,
        status_list_id=SHARD,
        created="2025-06-01T00:00:00Z",
        place=AnchorPlace(31337, "0x" + "c0" * 20, "registrar").of("university"),
        records=[record],
        indices=[INDEX],
        cryptosuites=cryptosuites,
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
    degree = SAMPLE_DEGREE if kind == "degree" else None
    credential = issued(keys, record._replace(kind=kind, degree=degree))
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


JCS, RDFC = "eddsa-jcs-2022", "eddsa-rdfc-2022"
ECDSA, SELECTIVE = "ecdsa-rdfc-2019", "ecdsa-sd-2023"
MANDATORY = ["/issuer", "/validFrom"]
REVEALED = ["/credentialSubject/achievement/name"]


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def tampered(document: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    changed["credentialSubject"]["achievement"]["name"] += "."
    return changed


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory, keys: Keystore) -> dict[str, Any]:
    jcs, both = (
        issued(keys, FULL, cryptosuites=(JCS,)),
        issued(keys, FULL, cryptosuites=(RDFC, JCS)),
    )
    unsigned = without(jcs, "proof", "credentialStatus")
    one_broken = copy.deepcopy(both)
    first, second = one_broken["proof"]
    second["proofValue"] = first["proofValue"]
    cases = {
        "judge": {
            "jcs": jcs,
            "both": both,
            "jcs tampered": tampered(jcs),
            "both tampered": tampered(both),
            "one broken": one_broken,
        },
        "lists": lists(keys),
        "issue": unsigned,
        "mandatory": MANDATORY,
        "reveal": REVEALED,
    }
    folder = tmp_path_factory.mktemp("suites")
    return run(folder, "suites.mjs", cases, CONTEXTS) | {"asked": cases["judge"]}


@pytest.mark.parametrize("name", ["jcs", "both"])
def test_they_accept_what_the_issuer_signs(answer: dict[str, Any], name: str) -> None:
    assert answer["judged"][name]["verified"] is True, answer["judged"][name]
    check_signature(answer["asked"][name])


@pytest.mark.parametrize("name", ["jcs tampered", "both tampered"])
def test_both_refuse_it_tampered(answer: dict[str, Any], name: str) -> None:
    result = answer["judged"][name]
    assert result["verified"] is False
    assert any("signature" in error.lower() for error in result["errors"]), result
    with pytest.raises(SignatureWrong):
        check_signature(answer["asked"][name])


def test_one_broken_proof_of_two_is_enough_for_us_alone(answer: dict[str, Any]) -> None:
    assert answer["judged"]["one broken"]["verified"] is True  # any proof of a set will do there
    with pytest.raises(SignatureWrong):
        check_signature(answer["asked"]["one broken"])


@pytest.mark.parametrize("suite", [JCS, ECDSA, SELECTIVE])
def test_we_accept_what_they_sign_and_refuse_it_tampered(
    answer: dict[str, Any], suite: str
) -> None:
    credential = answer["issued"][suite]
    assert credential["proof"]["cryptosuite"] == suite
    signer = check_signature(credential)
    assert signer.did == credential["issuer"]["id"]
    with pytest.raises(SignatureWrong):
        check_signature(tampered(credential))


def test_what_they_derived_shows_only_what_was_chosen(answer: dict[str, Any]) -> None:
    subject = answer["issued"][SELECTIVE]["credentialSubject"]
    assert set(subject["achievement"]) <= {"id", "type", "name"}
    assert "identifier" not in subject


REGISTRY, UNREACHABLE = (f"https://{name}.example/registry.json" for name in ("known", "gone"))


def registry(url: str) -> dict[str, str]:
    return {"name": url, "type": "dcc-legacy", "url": url}


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory, keys: Keystore) -> dict[str, Any]:
    credential = issued(keys, FULL)
    listed = {"meta": {}, "registry": {credential["issuer"]["id"]: {"name": "서울시민대학"}}}
    others = {"meta": {}, "registry": {"did:example:1": {"name": "Another"}}}
    forged = lists(keys)
    for document in forged.values():
        document["credentialSubject"]["encodedList"] = status.encode(bytes(status.MIN_BITS // 8))
        document["validFrom"] = "2025-01-01T00:00:00Z"
    cases = {
        "good": [credential, lists(keys)],
        "tampered": [tampered(credential), lists(keys)],
        "revoked": [credential, lists(keys, revocation=INDEX)],
        "suspended": [credential, lists(keys, suspension=INDEX)],
        "neighbour revoked": [credential, lists(keys, revocation=INDEX + 1)],
        "no lists": [credential, {}],
        "forged lists": [credential, forged],
        "unknown": [
            credential,
            lists(keys) | {REGISTRY: others},
            [registry(REGISTRY), registry(UNREACHABLE)],
        ],
        "registered": [credential, lists(keys) | {REGISTRY: listed}, [registry(REGISTRY)]],
    }
    return run(tmp_path_factory.mktemp("consortium"), "verifiercore.mjs", "many", cases)


def steps(consortium: dict[str, Any], name: str) -> dict[str, Any]:
    return {entry["id"]: entry for entry in consortium[name]["log"]}


@pytest.mark.parametrize(
    ("name", "revocation", "suspension"),
    [
        ("good", True, True),
        ("neighbour revoked", True, True),
        ("revoked", False, True),
        ("suspended", True, False),
    ],
)
def test_the_consortium_reads_our_status(
    consortium: dict[str, Any], name: str, revocation: bool, suspension: bool
) -> None:
    found = steps(consortium, name)
    assert consortium[name]["errors"] == []
    assert found["valid_signature"]["valid"] is True
    assert found["expiration"]["valid"] is True
    assert found["revocation_status"]["valid"] is revocation, found
    assert found["suspension_status"]["valid"] is suspension, found


def test_the_consortium_refuses_ours_tampered(consortium: dict[str, Any]) -> None:
    assert consortium["tampered"]["log"] == []
    assert "invalid_signature" in consortium["tampered"]["errors"][0]


@pytest.mark.parametrize("name", ["no lists", "forged lists"])
def test_the_consortium_cannot_tell_without_a_good_list(
    consortium: dict[str, Any], name: str
) -> None:
    status_step = steps(consortium, name)["revocation_status"]
    assert "error" in status_step, status_step
    assert status_step.get("valid") is not True


def test_the_consortium_says_whether_a_registry_knows_us(consortium: dict[str, Any]) -> None:
    assert steps(consortium, "registered")["registered_issuer"]["valid"] is True
    unknown = steps(consortium, "unknown")["registered_issuer"]
    assert unknown["valid"] is False
    assert [entry["url"] for entry in unknown["uncheckedRegistries"]] == [UNREACHABLE]
