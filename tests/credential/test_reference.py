"""Our reading of JSON-LD against PyLD's whole pipeline, on every document the vectors hold."""

from __future__ import annotations

import json

import pytest
from published import load
from pyld import jsonld
from vectors import ROOT

from credential import rdf
from credential.errors import BaeumError
from credential.evidence import strict_json

FOLDERS = [
    "1edtech-openbadges-spec/examples",
    "1edtech-openbadges-spec/linked-data-proof",
    "dcc-vc-test-fixtures/verifiableCredentials",
    "dcc-verifier-core",
    "educredentials-obv3-examples/_data/credentials",
    "w3c-vc-data-model-examples",
    "w3c-vc-data-model-2.0-test-suite/input",
    "w3c-vc-di-eddsa",
]
PATHS = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.json"))

LISTS = {
    "@context": "https://www.w3.org/ns/credentials/v2",
    "id": "urn:x",
    "https://e.example/p": [
        {"@list": ["a", 1, 2.5, True, {"id": "urn:y"}, {"https://e.example/q": "r"}]},
        {"@list": []},
        {"@list": [{"@list": ["nested"]}, "a", "a"]},
        {"@set": ["a", "b", "a"]},
    ],
}


def reference(document) -> str:
    def fetch(url, _options):
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": load(url),
        }

    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": fetch}
    normalised: str = jsonld.normalize(document, options)
    return normalised


def test_published_documents_read_as_pyld_reads_them_or_are_refused():
    equal, refused = 0, []
    for path in PATHS:
        try:
            document = strict_json(path.read_bytes())
            ours = rdf.canonical_nquads(document, load=load).decode()
        except BaeumError as error:
            refused.append((path.name, error.code))
            continue
        assert ours == reference(document), path
        equal += 1
    if not PATHS:
        pytest.skip(f"published vectors absent: {ROOT}")
    assert equal > 100, (equal, refused)


def test_lists_read_as_pyld_reads_them():
    assert rdf.canonical_nquads(LISTS).decode() == reference(json.loads(json.dumps(LISTS)))


def test_embedded_proofs_are_graphs_of_their_own():
    document = {
        "@context": "https://www.w3.org/ns/credentials/v2",
        "id": "urn:x",
        "type": "VerifiablePresentation",
        "verifiableCredential": {
            "@context": "https://www.w3.org/ns/credentials/v2",
            "id": "urn:y",
            "type": "VerifiableCredential",
            "issuer": "urn:i",
            "credentialSubject": {"id": "urn:s"},
            "proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022"},
        },
    }
    ours = rdf.canonical_nquads(document).decode()
    assert ours == reference(document)
    assert "_:c14n1" in ours
