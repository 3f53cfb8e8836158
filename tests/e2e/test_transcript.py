"""The registrar's transcript: what is in force, bundled whole and signed once more."""

from __future__ import annotations

import json
from pathlib import Path

from small_city import UNIVERSITY, Found, found_city  # noqa: F401

from credential import did, integrity, model, multikey


def test_a_transcript_bundles_what_is_in_force(found_city: Found, tmp_path: Path) -> None:  # noqa: F811
    city = found_city()
    learner = "lrn_0002"
    assert city.baeum("transcript", learner, "-o", str(tmp_path / "x"), code=2)["code"] == (
        "nothing-to-bundle"
    )
    records = [city.record(learner_id=learner) for _ in range(3)]
    city.record(learner_id="lrn_0003")
    city.issue()
    city.baeum("revoke", city.credential_of(records[1]), "--reason", "x")
    path = tmp_path / "transcript.json"
    made = city.baeum("transcript", learner, "--output", str(path))
    assert (made["bundled"], made["leftOut"]) == (2, 1)

    document = json.loads(path.read_bytes())
    assert document["type"] == ["VerifiableCredential", "ClrCredential"]
    assert document["partial"] is True
    inside = document["credentialSubject"]["verifiableCredential"]
    assert {one["id"] for one in inside} == {
        city.credential_of(records[0]),
        city.credential_of(records[2]),
    }
    assert document["credentialSubject"]["identifier"][0]["identityHash"] == "김하늘"
    for one in (document, *inside):
        issuer = one["issuer"]["id"]
        integrity.verify(one, one["proof"], multikey.decode(issuer.removeprefix("did:key:")))
        assert did.subject_of(one["proof"]["verificationMethod"]) == issuer
        assert model.check(one) == []
    assert document["issuer"]["id"] != inside[0]["issuer"]["id"]

    report = city.verify(path, "--without-anchor")
    codes = {check["id"]: check["code"] for check in report["checks"]}
    assert codes["issuer-key"] == "issuer-signed"
    assert codes["accreditation"] == "accredited-now"  # as registrar
    assert report["facts"]["kind"] == "transcript"

    for change in ("drop", "swap", "title"):
        altered = json.loads(path.read_bytes())
        bundle = altered["credentialSubject"]["verifiableCredential"]
        if change == "drop":
            bundle.pop()
        elif change == "swap":
            bundle[0]["proof"], bundle[1]["proof"] = bundle[1]["proof"], bundle[0]["proof"]
        else:
            bundle[0]["credentialSubject"]["achievement"]["name"] = "다른 과정"
        changed = tmp_path / f"{change}.json"
        changed.write_text(json.dumps(altered), encoding="utf-8")
        assert city.verify(changed)["verdict"] == "invalid"


def test_no_other_institution_may_sign_one(found_city: Found, tmp_path: Path) -> None:  # noqa: F811
    city = found_city()
    city.record(learner_id="lrn_0002")
    city.issue()
    path = tmp_path / "transcript.json"
    city.baeum("transcript", "lrn_0002", "--output", str(path), "--no-named")
    document = json.loads(path.read_bytes())
    assert "identifier" not in document["credentialSubject"]
    document.pop("proof")
    with city.opened() as home:
        signer = home.keystore.signer(UNIVERSITY)
        document["issuer"]["id"] = signer.did
        signed = integrity.sign(
            document,
            sign=signer.sign,
            verification_method=signer.verification_method,
            created="2026-01-01T00:00:00Z",
            nonce=None,
        )
    path.write_text(json.dumps(signed), encoding="utf-8")
    report = city.verify(path, "--without-anchor")
    codes = {check["id"]: check["code"] for check in report["checks"]}
    assert codes["proof"] == "signature-right"
    assert codes["accreditation"] not in ("accredited-now", "accredited-then")
