"""The main job as a stranger runs it: `baeum demo` in an empty home, then what one does next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from credential import jose, sd_jwt, sd_jwt_vc
from credential.did import did_key, key_method
from credential.envelope import wrap

Baeum = Callable[..., subprocess.CompletedProcess[str]]


def runner(home: Path, **environment: str) -> Baeum:
    """A function that runs the command in that home, as another process."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        env = {
            **os.environ,
            "BAEUM_HOME": str(home),
            "BAEUM_LANG": "en",
            "NO_COLOR": "1",
            "COLUMNS": "160",
            **environment,
            **more,
        }
        return subprocess.run(
            [sys.executable, "-m", "baeum", *arguments],
            env=env,
            cwd=home.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    return run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("main-job") / "home"


@pytest.fixture(scope="module")
def baeum(home: Path) -> Baeum:
    return runner(home)


@pytest.fixture(scope="module")
def first(baeum: Baeum) -> dict[str, Any]:
    result = baeum("demo", "--json")
    assert result.returncode == 0, result.stderr
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


pytestmark = pytest.mark.xdist_group("main-job")


def test_every_row_has_a_verdict_and_rejected_ones_say_why(first: dict[str, Any]) -> None:
    assert first["rows"] >= 3_900
    verdicts = ("accepted", "duplicates", "review", "rejected")
    assert sum(first[name] for name in verdicts) == first["rows"]
    assert first["rejected"] > 0
    assert first["duplicates"] > 0
    rejected = [
        (submission["file"], problem)
        for submission in first["submissions"]
        for problem in submission["problems"]
        if problem["severity"] == "error"
    ]
    assert len({(file, problem["row"]) for file, problem in rejected}) == first["rejected"]
    for _, problem in rejected:
        assert problem["row"] > 1
        assert problem["field"]
        for part in ("reason", "remedy"):
            assert problem[part]["ko"]
            assert problem[part]["en"]


def test_one_transaction_anchors_everything(first: dict[str, Any]) -> None:
    (batch,) = first["batches"]
    assert batch["size"] == first["credentials"] == first["issuedNow"]
    assert first["credentials"] > 3_000
    assert 21_000 < batch["gasUsed"] <= 60_000
    assert batch["gasPerCredential"] < 20
    assert batch["transaction"].startswith("0x")


def test_three_learners_are_audited(first: dict[str, Any]) -> None:
    bachelor, master, short = first["audits"]
    assert bachelor["degree"] == "bachelor"
    assert bachelor["eligible"] is True
    assert master["degree"] == "master"
    assert master["eligible"] is True
    assert short["eligible"] is False
    assert sum(entry["minutes"] for entry in short["missing"]) == 10
    assert short["cheapest"], "says what would close the gap"
    for audit in first["audits"]:
        assert audit["records"], "every record has a line"


def test_the_credential_passes_and_its_two_spoilt_copies_fail_where_they_should(
    first: dict[str, Any],
) -> None:
    reports = first["reports"]
    assert reports["valid"]["verdict"] == "valid"
    assert {check["outcome"] for check in reports["valid"]["checks"]} == {"passed"}
    for name, failing in (("tampered", "proof"), ("revoked", "status")):
        assert reports[name]["verdict"] == "invalid"
        failed = [check["id"] for check in reports[name]["checks"] if check["outcome"] == "failed"]
        assert failed == [failing]


def test_running_it_again_does_nothing_twice(baeum: Baeum, first: dict[str, Any]) -> None:
    result = baeum("demo", "--json")
    assert result.returncode == 0, result.stderr
    again = json.loads(result.stdout)
    assert again["issuedNow"] == 0
    assert again["batches"] == first["batches"]
    assert again["credentials"] == first["credentials"]
    assert len(first["invitations"]) == 9
    assert all("/invitation?code=" in link for link in first["invitations"].values())
    assert again["invitations"] == {}
    assert again["setUp"]["newInstitutions"] == again["setUp"]["registeredOnChain"] == []


def test_database_and_chain_agree(baeum: Baeum, first: dict[str, Any]) -> None:
    result = baeum("audit", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads(result.stdout)
    assert report["credentials"] == first["credentials"]
    assert report["differences"] == report["notRun"] == []


def test_verify_says_yes_no_and_cannot_tell_by_its_exit_code(
    baeum: Baeum, first: dict[str, Any]
) -> None:
    files = first["files"]
    assert baeum("verify", files["valid"]).returncode == 0
    tampered = baeum("verify", files["tampered"])
    assert tampered.returncode == 1
    assert "proof" in tampered.stdout
    assert baeum("verify", files["revoked"], "--json").returncode == 1


def test_a_dead_node_is_not_a_forgery(baeum: Baeum, first: dict[str, Any]) -> None:
    result = baeum(
        "verify", first["files"]["valid"], "--json", BAEUM_CHAIN_URL="http://127.0.0.1:9"
    )
    assert result.returncode == 2, result.stdout + result.stderr
    report = json.loads(result.stdout)
    assert report["verdict"] == "undetermined"
    outcomes = {check["id"]: check["outcome"] for check in report["checks"]}
    assert outcomes["anchor"] == outcomes["accreditation"] == "not_run"
    assert outcomes["proof"] == outcomes["merkle-path"] == "passed"


def test_progress_speaks_both_languages(baeum: Baeum, first: dict[str, Any]) -> None:
    short = first["audits"][2]["member"]
    english = baeum("progress", short, "--degree", "bachelor")
    assert english.returncode == 1
    assert "0 h 10 min short" in english.stdout
    korean = baeum("progress", short, "--degree", "bachelor", BAEUM_LANG="ko")
    assert "0시간 10분이 모자랍니다" in korean.stdout


def test_suspending_and_reinstating(baeum: Baeum, first: dict[str, Any]) -> None:
    valid = Path(first["files"]["valid"])
    credential = json.loads(valid.read_text(encoding="utf-8"))["credential"]["id"]
    assert baeum("suspend", credential, "--reason", "a question").returncode == 0
    assert baeum("verify", str(valid)).returncode == 1
    assert baeum("reinstate", credential, "--reason", "answered").returncode == 0
    assert baeum("verify", str(valid)).returncode == 0


def test_a_citizens_wallet_takes_it_in(baeum: Baeum, first: dict[str, Any], tmp_path: Path) -> None:
    secret = {"BAEUM_WALLET_PASSPHRASE": "correct horse battery staple"}
    wallet = str(tmp_path / "wallet")
    assert baeum("wallet", "create", wallet, **secret).returncode == 0
    # it is bound to another holder's key
    refused = baeum("wallet", "accept", wallet, first["files"]["valid"], **secret)
    assert refused.returncode == 2, refused.stdout
    # the spoilt copy is refused by its proof
    assert baeum("wallet", "accept", wallet, first["files"]["tampered"], **secret).returncode == 2
    # a credential of a learner without a wallet names no key, so any wallet may keep it
    taken = baeum("wallet", "accept", wallet, first["files"]["revoked"], **secret)
    assert taken.returncode == 0, taken.stderr
    listed = baeum("wallet", "list", wallet, "--json", **secret)
    assert len(json.loads(listed.stdout)) == 1


def test_no_name_or_member_number_is_stored_in_the_clear(home: Path, first: dict[str, Any]) -> None:
    member = first["audits"][0]["member"].encode()
    chain = b"".join(path.read_bytes() for path in (home / "chain").rglob("*") if path.is_file())
    database = b"".join(path.read_bytes() for path in home.glob("baeum.db*"))
    assert member not in chain
    assert member not in database


def test_a_bundle_is_verified_with_the_node_gone(
    baeum: Baeum, first: dict[str, Any], tmp_path: Path
) -> None:
    known = json.loads(Path(first["files"]["valid"]).read_text(encoding="utf-8"))
    file = tmp_path / "bundle.baeum.json"
    made = baeum("evidence", known["credential"]["id"], "--bundle", "--output", str(file))
    assert made.returncode == 0, made.stderr
    block = known["receipt"]["blockHash"]
    assert block in made.stderr
    gone = {"BAEUM_CHAIN_URL": "http://127.0.0.1:9"}
    offline = ("verify", str(file), "--offline")
    valid = baeum(*offline, "--trust-block", block, **gone)
    assert valid.returncode == 0, valid.stdout + valid.stderr
    assert baeum(*offline, "--trust-block", "0x" + "01" * 32, **gone).returncode == 2
    assert baeum(*offline, **gone).returncode == 2


# --- handed out in selectively disclosable form ---------------------------------------------------

HOLDER = SigningKey(b"h" * 32)
ASKED = ("--nonce", "n-1", "--audience", "https://employer.example", "--without-anchor", "--json")


def presented(token: Path, shown: Path, *reveal: str) -> str:
    """What the holder's wallet makes of a token: some claims, bound to this request."""
    selected = sd_jwt_vc.select(sd_jwt.parse(token.read_text()), [(name,) for name in reveal])
    bound = sd_jwt_vc.bind(
        selected,
        audience="https://employer.example",
        nonce="n-1",
        at=int(time.time()),
        algorithm="EdDSA",
        sign=lambda data: HOLDER.sign(data).signature,
    )
    shown.write_text(str(bound))
    return str(shown)


def of_a_pseudonym(baeum: Baeum, folder: Path) -> str:
    """A course of somebody without a wallet: the three of the demo have DIDs of their own."""
    listed = json.loads(baeum("credentials", "--kind", "course", "--limit", "20", "--json").stdout)
    file = folder / "looked-at.json"
    for entry in listed["credentials"]:
        assert baeum("evidence", entry["id"], "--output", str(file)).returncode == 0
        subject = json.loads(file.read_text(encoding="utf-8"))["credential"]["credentialSubject"]
        if not subject["id"].startswith("did:"):
            return str(entry["id"])
    raise AssertionError("twenty courses, all of three people")


def test_a_holder_shows_an_employer_part_of_a_credential(
    baeum: Baeum, first: dict[str, Any], tmp_path: Path
) -> None:
    credential = of_a_pseudonym(baeum, tmp_path)
    mine, shown = tmp_path / "mine.sd-jwt", tmp_path / "shown.sd-jwt"
    holder = did_key(bytes(HOLDER.verify_key))
    made = baeum("hand-out", credential, "-o", str(mine), "--holder", holder)
    assert made.returncode == 0, made.stderr
    checked = baeum("verify", presented(mine, shown, "title", "institution"), *ASKED)
    report = json.loads(checked.stdout)
    assert checked.returncode == 0, report
    assert report["facts"]["title"]
    assert report["facts"]["issuer"]["name"]
    assert "name" not in report["facts"].get("learner", {})
    assert report["checks"][-1]["id"] == "holder"
    assert baeum("verify", str(shown), "--nonce", "n-2", *ASKED[2:]).returncode == 1
    assert baeum("verify", str(mine), "--without-anchor", "--json").returncode == 2
    word_for_word = tmp_path / "mine.jwt"
    made = baeum("hand-out", credential, "-o", str(word_for_word), "--form", "vc-jwt")
    assert made.returncode == 0, made.stderr
    assert baeum("verify", str(word_for_word), "--without-anchor").returncode == 0
    shown.write_text(signed_presentation(holder, word_for_word.read_text()))
    checked = baeum("verify", str(shown), *ASKED)
    report = json.loads(checked.stdout)
    assert report["presentation"]["code"] == "holder-presented"
    (inside,) = report["credentials"]
    assert inside["checks"][-1]["code"] == "not-bound"  # it is about a pseudonym, not a DID
    assert checked.returncode == 2
    accepted = baeum("verify", str(shown), "--without-holder", *ASKED)
    assert accepted.returncode == 0, accepted.stdout
    assert baeum("verify", str(shown), "--nonce", "n-2", *ASKED[2:]).returncode == 1


def signed_presentation(holder: str, credential: str) -> str:
    """A presentation of one token, for what ``ASKED`` asks, as a ``vp+jwt``."""
    payload = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": holder,
        "verifiableCredential": [wrap(credential)],
        "nonce": ASKED[1],
        "aud": ASKED[3],
    }
    return jose.sign(
        payload,
        algorithm="EdDSA",
        typ="vp+jwt",
        kid=key_method(holder),
        sign=lambda data: HOLDER.sign(data).signature,
    )


def test_a_transcript_by_the_registrar_shows_a_predicate_and_a_sum(
    baeum: Baeum, first: dict[str, Any], tmp_path: Path
) -> None:
    mine, shown = tmp_path / "transcript.sd-jwt", tmp_path / "shown.sd-jwt"
    holder = did_key(bytes(HOLDER.verify_key))
    learner = "SM24-000101"
    assert baeum("attest", learner, "age_over_65", "--yes").returncode == 0
    assert baeum("attest", learner, "birthdate", "--yes").returncode == 2
    made = baeum("hand-out", learner, "--transcript", "-o", str(mine), "--holder", holder)
    assert made.returncode == 0, made.stderr
    assert baeum("anchor", "--json").returncode == 0  # publishes the registrar's list
    checked = baeum("verify", presented(mine, shown, "age_over_65", "total_minutes"), *ASKED)
    report = json.loads(checked.stdout)
    assert checked.returncode == 0, report
    assert report["facts"]["age_over_65"] is True
    assert report["facts"]["total_minutes"] > 0
    assert report["facts"].get("records", []) == []
    assert "name" not in report["facts"]["issuer"]
