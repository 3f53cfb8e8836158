"""Credentials for a wallet to take in: really signed, really in a tree; no chain is asked."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from nacl.signing import SigningKey

from credential import did, integrity, merkle
from credential.evidence import Evidence
from credential.receipt import Receipt, leaf_input
from wallet.store import Wallet

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
PASSPHRASE = "배움의 기쁨 2026"
WORK = 14  # the least a wallet accepts: tests open many


class Desk:
    """An institution that issues."""

    now = NOW
    passphrase = PASSPHRASE
    work = WORK

    def __init__(self, name: str = "university") -> None:
        self.key = SigningKey(name.encode().ljust(32, b"."))
        self.did = did.did_key(bytes(self.key.verify_key))

    def document(self, subject: str | None = None, **changes: Any) -> dict[str, Any]:
        return {
            "@context": [
                "https://www.w3.org/ns/credentials/v2",
                "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            ],
            "id": f"urn:uuid:{uuid.uuid4()}",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": "생활 속 인공지능 이수증",
            "issuer": {"id": self.did, "type": ["Profile"], "name": "서울시민대학"},
            "validFrom": "2026-11-01T00:00:00Z",
            "credentialSubject": {
                "id": subject or f"urn:uuid:{uuid.uuid4()}",
                "type": ["AchievementSubject"],
                "achievement": {
                    "id": f"urn:uuid:{uuid.uuid4()}",
                    "type": ["Achievement"],
                    "achievementType": "Course",
                    "name": "생활 속 인공지능",
                    "description": "서울시민대학의 학습 과정",
                    "criteria": {"narrative": "과정을 이수 기준에 맞게 마쳐야 합니다."},
                },
            },
        } | changes

    def sign(self, document: dict[str, Any]) -> dict[str, Any]:
        return integrity.sign(
            document,
            sign=lambda data: self.key.sign(data).signature,
            verification_method=did.key_method(self.did),
            created="2026-11-01T00:00:00Z",
            nonce="c2FsdHNhbHRzYWx0c2E",
        )

    def issue(self, subject: str | None = None, **changes: Any) -> Evidence:
        return self.anchored(self.sign(self.document(subject, **changes)))

    def anchored(self, credential: dict[str, Any], *, block_number: int = 7) -> Evidence:
        place = {"chain_id": 20260, "contract": b"\xa1" * 20, "institution": b"\x01" * 32}
        leaf = merkle.leaf_hash(leaf_input(credential, **place))
        tree = merkle.Tree([merkle.leaf_hash(b"another"), leaf, merkle.leaf_hash(b"third")])
        return Evidence(
            credential,
            Receipt(
                leaf_index=1,
                tree_size=3,
                path=tuple(tree.path(1)),
                root=tree.commitment,
                anchored_by=b"\x02" * 32,
                transaction=b"\x03" * 32,
                block_number=block_number,
                block_hash=b"\x04" * 32,
                block_time="2026-11-02T00:00:00Z",
                sequence=1,
                head=b"\x05" * 32,
                **place,
            ),
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def wallet(tmp_path) -> Wallet:
    return Wallet.create(tmp_path / "wallet", PASSPHRASE, work=WORK)
