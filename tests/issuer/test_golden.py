"""The canonical bytes of every released template, kept for ever.

A credential signed from a template must verify as long as there are verifiers, so a released
template never changes. When one of these tests fails, do not renew the file: give the changed
template a new version and add a file for it. Before a first release only:
``BAEUM_RENEW_GOLDEN=1 pytest tests/issuer/test_golden.py``.
"""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest
from nacl.signing import SigningKey

from credential import did, integrity, rdf
from issuer.signing import prepare, sample_values
from issuer.templates import kinds
from issuer.templates.facts import OPTIONAL

GOLDEN = Path(__file__).parent / "golden"
VARIANTS = {"full": frozenset[str](), "bare": OPTIONAL}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", sorted(kinds()))
def test_a_released_template_never_changes(kind: str, variant: str) -> None:
    template = kinds()[kind]
    absent = VARIANTS[variant]
    values = template.fill(sample_values(kind, absent))
    shape = prepare(template, absent).shape
    path = GOLDEN / f"{template.name.replace('/', '-')}-{variant}.nq"
    if os.environ.get("BAEUM_RENEW_GOLDEN") == "1":
        path.write_bytes(shape.nquads(values))
    expected = path.read_bytes()
    assert shape.nquads(values) == expected
    assert rdf.canonical_nquads(shape.document(values)) == expected


def test_a_credential_of_every_released_template_verifies_for_ever() -> None:
    """Signed when the template was released, with a key made of zeros; the file is never renewed.

    Templates may go, their credentials do not: every file is checked, whatever templates there are.
    """
    key = SigningKey(bytes(32))
    issuer = did.did_key(bytes(key.verify_key))
    for kind, template in kinds().items():
        path = GOLDEN / f"{template.name.replace('/', '-')}.json"
        if os.environ.get("BAEUM_RENEW_GOLDEN") == "1" and not path.exists():
            absent = frozenset[str]()
            values = template.fill(sample_values(kind, absent) | {"issuerDid": issuer})
            signed = integrity.sign(
                prepare(template, absent).shape.document(values),
                sign=lambda data: key.sign(data).signature,
                verification_method=did.key_method(issuer),
                created="2026-11-25T00:00:00Z",
                nonce="AAAAAAAAAAAAAAAAAAAAAA",
            )
            path.write_bytes(orjson.dumps(signed, option=orjson.OPT_INDENT_2) + b"\n")
        assert path.exists(), template.name
    files = sorted(GOLDEN.glob("*.json"))
    assert {path.stem for path in files} == {
        path.stem.rpartition("-")[0] for path in GOLDEN.glob("*.nq")
    }
    for path in files:
        document = orjson.loads(path.read_bytes())
        integrity.verify(document, document["proof"], bytes(key.verify_key))
