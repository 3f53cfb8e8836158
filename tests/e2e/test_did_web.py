"""Institutions that sign under a did:web: the document is served, and others resolve it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from small_city import CENTRE, UNIVERSITY, Found, found_city  # noqa: F401
from starlette.testclient import TestClient

from api.app import create_app
from baeum.commands.serve import services
from credential.did import web_url
from verifier import Trust, verify
from verifier.did_web import DidSource, FetchedDids, KeptDids

DID = f"did:web:baeum.seoul.example:institutions:{UNIVERSITY}"


class Web:
    """Answers as the issuer's server does, and counts."""

    def __init__(self, pages: dict[str, bytes]) -> None:
        self.pages = pages
        self.asked: list[str] = []

    def get(self, url: str) -> bytes:
        self.asked.append(url)
        return self.pages[url]


def stranger(path: Path, source: DidSource | None) -> dict[str, str]:
    """What a verifier says who trusts no registry; by check."""
    report = verify(
        path.read_bytes(),
        trust=Trust(()),
        chain=lambda _chain: None,
        status_source=None,
        did_source=source,
        now=datetime.now(UTC),
    )
    return {check.id: check.code for check in report.checks}


def test_the_document_lists_every_key_and_others_check_with_it(
    found_city: Found,  # noqa: F811
    tmp_path: Path,
) -> None:
    city = found_city("web")
    records = [city.record()]
    city.issue()
    lost = datetime.now(UTC)
    rotated = city.baeum("keys", "rotate", UNIVERSITY)
    records.append(city.record())
    city.issue()
    files = [city.evidence(city.credential_of(record)) for record in records]
    with city.opened() as home, TestClient(create_app(services(home))) as client:
        answer = client.get(f"/institutions/{UNIVERSITY}/did.json")
        registrar = client.get("/.well-known/did.json").json()
        assert client.get("/institutions/nobody/did.json").status_code == 404
    assert answer.headers["content-type"] == "application/did"
    document = answer.json()
    assert document["id"] == DID
    assert registrar["id"] == "did:web:baeum.seoul.example"
    methods = [rotated[which]["method"] for which in ("old", "new")]
    assert document["assertionMethod"] == methods
    assert not any("revoked" in m or "expires" in m for m in document["verificationMethod"])

    # A verifier that trusts no registry: from a folder, or fetched, once for both.
    (tmp_path / f"{quote(DID, safe='')}.json").write_bytes(answer.content)
    web = Web({web_url(DID): answer.content})
    fetched: Any = FetchedDids(web)  # type: ignore[arg-type]
    for file in files:
        for source in (KeptDids(tmp_path), fetched):
            assert stranger(file, source)["issuer-key"] == "issuer-signed"
        assert stranger(file, None)["issuer-key"] == "did-web-unknown"
    assert web.asked == [web_url(DID)]
    # One that trusts the city's registry asks nobody.
    web.pages.clear()
    with city.opened() as home:
        trust = home.trust()
        report = verify(
            files[0].read_bytes(),
            trust=trust,
            chain=home.chains(trust),
            status_source=home.status_source(),
            did_source=FetchedDids(web),  # type: ignore[arg-type]
            now=datetime.now(UTC),
        )
    assert report.verdict == "valid"
    assert len(web.asked) == 1

    city.baeum(
        "keys", "replace", UNIVERSITY, "--compromised-at", lost.isoformat(), "--reason", "lost",
        "--margin", "2",
    )  # fmt: skip
    with city.opened() as home, TestClient(create_app(services(home))) as client:
        body = client.get(f"/institutions/{UNIVERSITY}/did.json").json()
    assert ["revoked" in m for m in body["verificationMethod"]] == [False, True, False]
    (tmp_path / f"{quote(DID, safe='')}.json").write_text(json.dumps(body))
    assert stranger(files[0], KeptDids(tmp_path))["issuer-key"] == "issuer-signed"
    assert stranger(files[1], KeptDids(tmp_path))["issuer-key"] == "key-out-of-use"
    body["verificationMethod"][1]["revoked"] = (lost + timedelta(days=1)).isoformat()
    (tmp_path / f"{quote(DID, safe='')}.json").write_text(json.dumps(body))
    assert stranger(files[1], KeptDids(tmp_path))["issuer-key"] == "key-revoked-since"


def test_an_address_that_cannot_carry_a_did_web_is_refused(found_city: Found) -> None:  # noqa: F811
    city = found_city(BAEUM_PUBLIC_URL="http://127.0.0.1:8780")
    assert city.baeum("keys", "rotate", CENTRE, "--web", code=2)["code"] == "did-invalid"
    assert len(city.baeum("keys", "list", CENTRE)["keys"]) == 1
