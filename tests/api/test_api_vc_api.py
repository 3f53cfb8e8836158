"""The VC-API over HTTP: issuing, status and presentations, with the W3C suite's published inputs.

The server is the one of ``scripts/conformance/serve.py``, which the suites themselves are run
against (``docs/conformance.md``).
"""

from __future__ import annotations

import importlib.util
import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from nacl.signing import SigningKey
from served import served
from vectors import ROOT, vectors

from api.app import create_app
from baeum import operations
from baeum.commands.serve import services
from baeum.home import Home, now
from baeum.settings import Settings
from credential import contexts, did, integrity, multibase
from credential.text import Text
from ledger.access import accounts, sessions
from ledger.institutions import Accredited, Entry

SERVE = Path(__file__).resolve().parents[2] / "scripts" / "conformance" / "serve.py"
INPUTS = "w3c-vc-data-model-2.0-test-suite/input"
HOLDER = SigningKey(b"h" * 32)
HOLDER_DID = did.did_key(bytes(HOLDER.verify_key))
CREDENTIAL = {
    "@context": [contexts.VC_V2],
    "type": ["VerifiableCredential"],
    "credentialSubject": {"id": "did:example:subject"},
}
BY_POLICY = {"inline-context", "lossy-value"}
"""What the standard allows and this program refuses: see docs/conformance.md."""


def conformance() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformance_serve", SERVE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Server:
    """A running server, a client without a token, and the token of its institution."""

    def __init__(self, home: Home, token: str, url: str) -> None:
        self.home = home
        self.did = home.keystore.did("conformance")
        self.headers = {"Authorization": f"Bearer {token}"}
        self.client = httpx.Client(base_url=url, timeout=60)

    def issue(self, credential: Any, **options: Any) -> httpx.Response:
        body = {"credential": credential, "options": options}
        return self.client.post("/credentials/issue", json=body, headers=self.headers)

    def issued(self, **changes: Any) -> dict[str, Any]:
        answer = self.issue(CREDENTIAL | changes)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()["verifiableCredential"]
        return found

    def verify(self, credential: Any, *checks: str) -> dict[str, Any]:
        body = {"verifiableCredential": credential, "options": {"checks": list(checks)}}
        found: dict[str, Any] = self.client.post("/credentials/verify", json=body).json()
        return found

    def set_status(self, identifier: str, purpose: str, on: bool = True) -> httpx.Response:
        body = {
            "credentialId": identifier,
            "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": purpose},
            "status": on,
        }
        return self.client.post("/credentials/status", json=body, headers=self.headers)

    def present(self, presentation: Any, **options: Any) -> httpx.Response:
        body = {"verifiablePresentation": presentation, "options": {"checks": ["proof"], **options}}
        return self.client.post("/presentations/verify", json=body)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    module = conformance()
    contexts.admit(module.EXAMPLES, module.EXAMPLES_CONTEXT)
    settings = Settings(home=tmp_path_factory.mktemp("vc-api"), vc_api_issuer=True)
    try:
        with Home(settings) as home:
            token = module.prepare(home)
            with served(create_app(services(home))) as url:
                yield Server(home, token, url)
    finally:
        contexts.dismiss(module.EXAMPLES)


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def inputs(pattern: str) -> list[str]:
    return sorted(path.name for path in (ROOT / INPUTS).glob(pattern)) or ["absent"]


def signed(presentation: dict[str, Any], **named: Any) -> dict[str, Any]:
    """The presentation with its holder's proof for authentication."""
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-11-25T00:00:00Z",
        "verificationMethod": did.key_method(HOLDER_DID),
        "proofPurpose": "authentication",
    } | named
    signature = HOLDER.sign(integrity.hash_data(presentation, options)).signature
    return presentation | {"proof": options | {"proofValue": "z" + multibase.base58(signature)}}


@pytest.mark.parametrize("name", inputs("credential-*-ok.json"))
def test_published_credentials_are_issued_and_verify(server: Server, name: str) -> None:
    document = read(vectors(INPUTS) / name)
    if document.pop("proof", None) is not None:
        assert server.issue(document | {"proof": {}}).status_code == 400  # not signed twice
    answer = server.issue(document)
    if answer.status_code != 201:
        codes = {answer.json()["code"], *(p["code"] for p in answer.json().get("problems", []))}
        assert codes & BY_POLICY, answer.text
        return
    credential = answer.json()["verifiableCredential"]
    assert credential["issuer"] in (server.did, {**document.get("issuer", {}), "id": server.did})
    assert server.verify(credential, "proof")["verified"] is True


@pytest.mark.parametrize("name", inputs("credential-*-fail.json"))
def test_published_mistakes_are_not_issued(server: Server, name: str) -> None:
    answer = server.issue(read(vectors(INPUTS) / name))
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", inputs("presentation-*-ok.json"))
def test_published_presentations_verify(server: Server, name: str) -> None:
    document = read(vectors(INPUTS) / name)
    document.pop("holder", None)
    held = document.get("verifiableCredential")
    if "Enveloped" in str(held) or "Enveloped" in str(document["type"]):
        pytest.skip("enveloped credentials are not read over this route")
    if held is not None:
        entries = held if isinstance(held, list) else [held]
        document["verifiableCredential"] = [server.issued() for _ in entries]
    if any(isinstance(entry, dict) for entry in document["@context"]):
        assert server.present(document).json()["verified"] is False
        return
    answer = server.present(
        signed(document, challenge="c", domain="d.example"), challenge="c", domain="d.example"
    )
    assert answer.json()["verified"] is True, answer.text


@pytest.mark.parametrize("name", inputs("presentation-*-fail.json"))
def test_published_wrong_presentations_do_not(server: Server, name: str) -> None:
    document = read(vectors(INPUTS) / name)
    assert server.present(document).json()["verified"] is False


@pytest.mark.parametrize("suite", integrity.SUITES)
def test_issued_verified_suspended_revoked(server: Server, suite: str) -> None:
    answer = server.issue(CREDENTIAL, cryptosuite=suite)
    credential = answer.json()["verifiableCredential"]
    assert credential["proof"]["cryptosuite"] == suite
    assert len(credential["proof"]["nonce"]) >= 22
    both = ("proof", "credentialStatus")
    assert server.verify(credential, *both)["verified"] is True
    identifier = credential["id"]
    assert server.set_status(identifier, "suspension").status_code == 200
    assert server.verify(credential, *both)["verified"] is False
    assert server.set_status(identifier, "suspension", on=False).status_code == 200
    assert server.verify(credential, *both)["verified"] is True
    assert server.set_status(identifier, "revocation").status_code == 200
    refused = server.verify(credential, *both)
    assert refused["verified"] is False
    assert refused["errors"][0]["type"].endswith("#STATUS_VERIFICATION_ERROR")
    assert server.set_status(identifier, "revocation", on=False).status_code == 409
    assert operations.audit(server.home).differences == ()  # the bits are as written down


def test_the_list_is_json_for_a_client_that_reads_json_alone(server: Server) -> None:
    url = httpx.URL(server.issued()["credentialStatus"][0]["statusListCredential"]).path
    for accept, media_type in (
        ("application/ld+json, application/json", "application/json"),
        ("application/vc, application/json", "application/vc"),
        ("*/*", "application/vc"),
    ):
        answer = server.client.get(url, headers={"Accept": accept})
        assert answer.headers["content-type"] == media_type
        assert answer.headers["vary"] == "Accept"
        assert "BitstringStatusListCredential" in answer.json()["type"]


def test_without_the_checks_the_policy_decides(server: Server) -> None:
    """No receipt, no accreditation: the proof alone does not make it valid."""
    credential = server.issued()
    assert server.verify(credential)["verified"] is False
    assert server.verify(credential, "proof")["verified"] is True
    unknown = server.client.post(
        "/credentials/verify",
        json={"verifiableCredential": credential, "options": {"checks": ["prof"]}},
    )
    assert unknown.status_code == 400


def test_what_cannot_be_issued_says_why(server: Server) -> None:
    taken = server.issued()
    for changes, status in (
        ({"issuer": "did:example:another"}, 400),
        ({"proof": {"type": "DataIntegrityProof"}}, 400),
        ({"id": taken["id"]}, 409),
        ({"id": "urn:x:" + "a" * 300}, 400),
        ({"undefinedTerm": 1}, 422),
        ({"validFrom": "2026-02-01T00:00:00Z", "validUntil": "2026-01-01T00:00:00Z"}, 400),
        ({"@context": [contexts.VC_V2, "https://evil.example/context"]}, 400),
        ({"credentialStatus": {"type": "BitstringStatusListEntry"}}, 400),
    ):
        answer = server.issue(CREDENTIAL | changes)
        assert answer.status_code == status, (changes, answer.text)
        assert answer.json()["remedy"]
    assert server.issue(CREDENTIAL, cryptosuite="ecdsa-rdfc-2019").status_code == 400


def test_version_1_is_signed_with_the_context_of_its_proof(server: Server) -> None:
    document = {
        "@context": [contexts.VC_V1],
        "type": ["VerifiableCredential"],
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:subject"},
    }
    credential = server.issue(document).json()["verifiableCredential"]
    assert credential["@context"][1:] == ["https://w3id.org/security/data-integrity/v2"]
    assert server.verify(credential, "proof")["verified"] is True
    assert server.set_status(credential["id"], "revocation").status_code == 400


def test_only_a_token_of_the_institution_issues(server: Server) -> None:
    body = {"credential": CREDENTIAL}
    for path in ("/credentials/issue", "/credentials/status"):
        assert server.client.post(path, json=body).status_code == 401
        wrong = {"Authorization": "Bearer " + secrets.token_urlsafe(32)}
        assert server.client.post(path, json=body, headers=wrong).status_code == 401
    other = Entry(
        "other",
        Text("다른 기관", "Another"),
        None,
        (Accredited("course", now() - timedelta(days=1), None),),
    )
    operations.set_up(server.home, [other])
    with server.home.database.session() as session:
        code = accounts.invite(session, "other", ["issuer"], now(), institution_id="other")
        accounts.accept(session, code, "a password of ten and more", now())
    with server.home.database.session() as session:
        account = accounts.by_name(session, "other")
        _, token = sessions.create_token(session, account, "t", ["credentials-issue"], now())
    mine = server.issued()
    answer = server.client.post(
        "/credentials/status",
        json={
            "credentialId": mine["id"],
            "credentialStatus": {
                "type": "BitstringStatusListEntry",
                "statusPurpose": "revocation",
            },
        },
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 404
    assert server.verify(mine, "credentialStatus")["verified"] is True


def test_it_is_off_unless_turned_on(server: Server) -> None:
    offered = replace(services(server.home), direct=None, failed_status=400)
    with served(create_app(offered)) as url, httpx.Client(base_url=url, timeout=60) as client:
        answer = client.post(
            "/credentials/issue", json={"credential": CREDENTIAL}, headers=server.headers
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "not-offered")
        # what the suites ask for: a failed verification is an HTTP error as well
        tampered = server.issued() | {"name": "x"}
        answer = client.post("/credentials/verify", json={"verifiableCredential": tampered})
        assert answer.status_code == 400
        assert answer.json()["verified"] is False


def test_a_presentation_is_for_one_verifier_once(server: Server) -> None:
    """models.md: replayed, wrong audience, no nonce, key binding stripped."""
    plain = {
        "@context": [contexts.VC_V2],
        "type": ["VerifiablePresentation"],
        "holder": HOLDER_DID,
        "verifiableCredential": [server.issued()],
    }
    good = signed(plain, challenge="c1", domain="bank.example")
    asked = {"challenge": "c1", "domain": "bank.example"}

    def outcome(presentation: Any, **options: Any) -> dict[str, str]:
        body = server.present(presentation, **options).json()
        found = {check["id"]: check["outcome"] for check in body["report"]["checks"]}
        return found | {"verified": body["verified"]}

    assert outcome(good, **asked)["verified"] is True
    assert outcome(good, **asked | {"challenge": "c2"})["challenge"] == "failed"
    assert outcome(good, **asked | {"domain": "evil.example"})["domain"] == "failed"
    assert outcome(signed(plain), **asked)["challenge"] == "failed"
    assert outcome(plain, **asked)["proof"] == "failed"
    assert outcome(good | {"holder": "did:example:x"}, **asked)["proof"] == "failed"
    other = signed(plain | {"holder": "did:example:x"}, challenge="c1", domain="bank.example")
    assert outcome(other, **asked)["holder"] == "failed"
    issued_for = signed(plain, proofPurpose="assertionMethod", challenge="c1")
    assert outcome(issued_for, challenge="c1")["proof"] == "failed"
    broken = plain | {"verifiableCredential": [server.issued() | {"name": "changed"}]}
    answer = server.present(signed(broken, challenge="c1"), challenge="c1").json()
    assert answer["report"]["verdict"] == "valid"
    assert answer["verified"] is False
    for wrong in ({"type": ["X"]}, {"verifiableCredential": ["urn:x"]}, {"id": "not a url"}):
        assert outcome(plain | wrong)["structure"] == "failed"
