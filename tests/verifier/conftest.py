"""A small world to verify in: two institutions, a registrar, a node and published status lists.

Credentials are really signed and really put into Merkle trees; the node is a dictionary that
answers JSON-RPC, so that a test can make it lie, lag, fork or fall silent.
"""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak
from nacl.signing import SigningKey

from credential import did, integrity, merkle, status
from credential.evidence import Evidence
from credential.multibase import base64url
from credential.receipt import Receipt, leaf_input
from credential.text import Text
from verifier import ChainReader, Report, Trust, TrustedNetwork, VerificationPolicy, verify
from verifier.chain_answers import (
    ANCHORED_TOPIC,
    DID_OF_SELECTOR,
    STANDING_OF_SELECTOR,
    STANDING_SELECTOR,
)
from verifier.status_source import Fetched, SourceAbsent, SourceUnreachable

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
CHAIN_ID = 20260
ANCHOR = bytes.fromhex("a1" * 20)
REGISTRY = bytes.fromhex("b2" * 20)
PUBLIC_URL = "https://baeum.example"
BITS = 131_072
FOREVER = 2**40 - 1


def kind(name: str) -> bytes:
    return keccak(text=name)


class Institution:
    """An id, a signing key and a DID."""

    def __init__(self, name: str) -> None:
        self.id = name
        self.key = SigningKey(keccak(text="test key of " + name))
        self.did = did.did_key(bytes(self.key.verify_key))
        self.method = did.key_method(self.did)
        self.on_chain = keccak(text=name)

    def sign(self, document: dict[str, Any], **options: Any) -> dict[str, Any]:
        settings = {
            "verification_method": self.method,
            "created": "2026-11-01T00:00:00Z",
            "nonce": base64url(uuid.uuid4().bytes),
        } | options
        return integrity.sign(document, sign=lambda data: self.key.sign(data).signature, **settings)


class Node:
    """A JSON-RPC node made of dictionaries. ``standings`` maps (did hash or institution id, kind)
    to a function of time."""

    def __init__(self) -> None:
        self.chain_id = CHAIN_ID
        self.blocks: list[dict[str, Any]] = []
        self.receipts: dict[str, dict[str, Any]] = {}
        self.dids: dict[bytes, bytes] = {}
        self.periods: dict[bytes, tuple[int, int]] = {}  # a DID's; without one it holds for ever
        self.standings: dict[tuple[bytes, bytes], Callable[[int], int]] = {}
        self.down = False
        self.calls = 0
        self.mine(datetime(2026, 10, 1, tzinfo=UTC))

    def mine(self, time: datetime, transactions: list[str] | None = None) -> dict[str, Any]:
        number = len(self.blocks)
        block = {
            "number": hex(number),
            "hash": "0x" + keccak(text=f"block {number} {time} {transactions}").hex(),
            "timestamp": hex(int(time.timestamp())),
            "transactions": transactions or [],
        }
        self.blocks.append(block)
        return block

    def record(
        self,
        root: bytes,
        institution: bytes,
        event_kind: bytes,
        time: datetime,
        *,
        sequence: int = 7,
        contract: bytes = ANCHOR,
        head: bytes = b"\x09" * 32,
    ) -> dict[str, Any]:
        """Mine a block with one anchoring transaction; its receipt is returned."""
        transaction = "0x" + keccak(root + institution + contract).hex()
        block = self.mine(time, [transaction])
        self.receipts[transaction] = {
            "transactionHash": transaction,
            "status": "0x1",
            "blockNumber": block["number"],
            "blockHash": block["hash"],
            "logs": [
                {
                    "address": "0x" + contract.hex(),
                    "topics": [
                        "0x" + ANCHORED_TOPIC.hex(),
                        "0x" + root.hex(),
                        "0x" + institution.hex(),
                        "0x" + sequence.to_bytes(32, "big").hex(),
                    ],
                    "data": "0x" + (head + event_kind).hex(),
                }
            ],
        }
        return self.receipts[transaction]

    def __call__(self, method: str, params: list[Any]) -> Any:
        self.calls += 1
        if self.down:
            raise ConnectionRefusedError("the node is down")
        return getattr(self, "_" + method)(*params)

    def _eth_chainId(self) -> str:
        return hex(self.chain_id)

    def _eth_blockNumber(self) -> str:
        return hex(len(self.blocks) - 1)

    def _eth_getBlockByNumber(self, number: str, _full: bool) -> Any:
        index = int(number, 16)
        return copy.deepcopy(self.blocks[index]) if index < len(self.blocks) else None

    def _eth_getTransactionReceipt(self, transaction: str) -> Any:
        return copy.deepcopy(self.receipts.get(transaction))

    def _eth_call(self, call: dict[str, str], _block: str) -> str:
        if call["to"] != "0x" + REGISTRY.hex():
            return "0x"
        data = bytes.fromhex(call["data"][2:])
        if data[:4] == DID_OF_SELECTOR:
            owner = self.dids.get(data[4:])
            period = (0, 0) if owner is None else self.periods.get(data[4:], (0, FOREVER))
            answer = [owner or bytes(32), *period]
            return "0x" + encode(["bytes32", "uint64", "uint64"], answer).hex()
        subject, asked_kind, time = decode(["bytes32", "bytes32", "uint64"], data[4:])
        if data[:4] == STANDING_SELECTOR:
            institution = self.dids.get(subject)
            if institution is None:
                return "0x" + encode(["bytes32", "uint8"], [bytes(32), 0]).hex()
            start, until = self.periods.get(subject, (0, FOREVER))
            standing = self._standing(institution, asked_kind, time) if start <= time < until else 6
            return "0x" + encode(["bytes32", "uint8"], [institution, standing]).hex()
        assert data[:4] == STANDING_OF_SELECTOR
        return "0x" + encode(["uint8"], [self._standing(subject, asked_kind, time)]).hex()

    def _standing(self, institution: bytes, asked_kind: bytes, time: int) -> int:
        judge = self.standings.get((institution, asked_kind))
        return 3 if judge is None else judge(time)


class Lists:
    """Published status lists by address; ``down`` makes the place unreachable."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.fetched_at = NOW
        self.down = False
        self.fetches = 0

    def fetch(self, url: str) -> Fetched:
        self.fetches += 1
        if self.down:
            raise SourceUnreachable(Text("응답 없음", "no answer"))
        if url not in self.bodies:
            raise SourceAbsent(Text("없음", "nothing there"))
        return Fetched(self.bodies[url], self.fetched_at)


class World:
    """Everything a test needs, and the knobs to break it."""

    now = NOW

    def __init__(self) -> None:
        self.university = Institution("seoul-citizens-university")
        self.centre = Institution("digital-learning-centre")
        self.registrar = Institution("seoul-lifelong-education-institute")
        self.node = Node()
        self.lists = Lists()
        self.anchored_at = datetime(2026, 11, 2, tzinfo=UTC)
        for institution in (self.university, self.centre):
            self.node.dids[keccak(text=institution.did)] = institution.on_chain
            self.publish_lists(institution)
        self.accredit(self.university, "course")
        self.accredit(self.centre, "volunteering")
        self.accredit(self.registrar, "registrar")

    def stranger(self, name: str) -> Institution:
        """Somebody with a key, whom no registry knows."""
        return Institution(name)

    # -- the authority --
    def accredit(
        self, institution: Institution, kind_name: str, judge: Callable[[int], int] = lambda _: 1
    ) -> None:
        self.node.standings[(institution.on_chain, kind(kind_name))] = judge

    # -- the issuer --
    def list_url(self, institution: Institution, purpose: str) -> str:
        return f"{PUBLIC_URL}/status/stl_{institution.id}/{purpose}"

    def list_document(
        self, institution: Institution, purpose: str, bits: bytes | None = None, **changes: Any
    ) -> dict[str, Any]:
        url = self.list_url(institution, purpose)
        return {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": url,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": institution.did,
            "validFrom": "2026-11-19T00:00:00Z",
            "validUntil": "2026-11-26T00:00:00Z",
            "credentialSubject": {
                "id": f"{url}#list",
                "type": "BitstringStatusList",
                "statusPurpose": purpose,
                "encodedList": status.encode(bytes(BITS // 8) if bits is None else bits),
            },
        } | changes

    def publish_lists(self, institution: Institution) -> None:
        for purpose in ("revocation", "suspension"):
            self.publish(institution, purpose)

    def publish(
        self,
        institution: Institution,
        purpose: str,
        *,
        on: list[int] | None = None,
        signer: Institution | None = None,
        **changes: Any,
    ) -> None:
        """Publish a list with these indices set, signed (by default by its own issuer)."""
        bits = status.with_bits(bytes(BITS // 8), on or [], True)
        document = self.list_document(institution, purpose, bits, **changes)
        self.put(institution, purpose, (signer or institution).sign(document))

    def put(self, institution: Institution, purpose: str, document: dict[str, Any]) -> None:
        self.lists.bodies[self.list_url(institution, purpose)] = json.dumps(document).encode()

    def document(
        self,
        issuer: Institution | None = None,
        *,
        achievement_type: str = "Course",
        index: int = 4242,
        **changes: Any,
    ) -> dict[str, Any]:
        """An unsigned credential as the issuer's templates make it."""
        issuer = issuer or self.university
        achievement = f"urn:uuid:{uuid.uuid4()}"
        return {
            "@context": [
                "https://www.w3.org/ns/credentials/v2",
                "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            ],
            "id": f"urn:uuid:{uuid.uuid4()}",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": "생활 속 인공지능 이수증",
            "issuer": {"id": issuer.did, "type": ["Profile"], "name": "서울시민대학"},
            "validFrom": "2026-11-01T00:00:00Z",
            "awardedDate": "2026-10-30T09:00:00Z",
            "credentialSubject": {
                "id": f"urn:uuid:{uuid.uuid4()}",
                "type": ["AchievementSubject"],
                "identifier": [
                    {
                        "type": "IdentityObject",
                        "identityType": "name",
                        "hashed": False,
                        "identityHash": "김하늘",
                    }
                ],
                "activityStartDate": "2026-09-01T00:00:00Z",
                "activityEndDate": "2026-10-30T09:00:00Z",
                "creditsEarned": 20,
                "result": [
                    {
                        "type": ["Result"],
                        "resultDescription": f"{achievement}#minutes",
                        "value": "1200",
                    }
                ],
                "achievement": {
                    "id": achievement,
                    "type": ["Achievement"],
                    "achievementType": achievement_type,
                    "inLanguage": "ko",
                    "name": "생활 속 인공지능",
                    "description": "서울시민대학의 학습 과정 ‘생활 속 인공지능’",
                    "criteria": {"narrative": "과정을 이수 기준에 맞게 마쳐야 합니다."},
                    "resultDescription": [
                        {
                            "id": f"{achievement}#minutes",
                            "type": ["ResultDescription"],
                            "name": "인정 시간(분)",
                            "resultType": "ext:CreditedMinutes",
                        }
                    ],
                },
            },
            "credentialStatus": [
                {
                    "id": f"{self.list_url(issuer, purpose)}#{index}",
                    "type": "BitstringStatusListEntry",
                    "statusPurpose": purpose,
                    "statusListIndex": str(index),
                    "statusListCredential": self.list_url(issuer, purpose),
                }
                for purpose in ("revocation", "suspension")
            ],
        } | changes

    # -- the anchor --
    def anchor(
        self,
        credentials: list[dict[str, Any]],
        institution: Institution | None = None,
        *,
        by: Institution | None = None,
        event_kind: str = "registrar",
        contract: bytes = ANCHOR,
        chain_id: int = CHAIN_ID,
        confirmations: int = 6,
        at: datetime | None = None,
    ) -> list[Evidence]:
        """Put credentials of one institution into a batch and record it; one evidence each."""
        institution = institution or self.university
        by = by or self.registrar
        leaves = [
            merkle.leaf_hash(
                leaf_input(
                    credential,
                    chain_id=chain_id,
                    contract=contract,
                    institution=institution.on_chain,
                )
            )
            for credential in credentials
        ]
        tree = merkle.Tree(leaves)
        mined = self.node.record(
            tree.commitment,
            by.on_chain,
            kind(event_kind),
            at or self.anchored_at,
            contract=contract,
        )
        block = self.node.blocks[int(mined["blockNumber"], 16)]
        for n in range(confirmations - 1):
            self.node.mine(self.anchored_at + timedelta(hours=n + 1))
        time = datetime.fromtimestamp(int(block["timestamp"], 16), UTC)
        return [
            Evidence(
                credential,
                Receipt(
                    leaf_index=index,
                    tree_size=len(leaves),
                    path=tuple(tree.path(index)),
                    root=tree.commitment,
                    chain_id=chain_id,
                    contract=contract,
                    institution=institution.on_chain,
                    anchored_by=by.on_chain,
                    transaction=bytes.fromhex(mined["transactionHash"][2:]),
                    block_number=int(mined["blockNumber"], 16),
                    block_hash=bytes.fromhex(mined["blockHash"][2:]),
                    block_time=time.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    sequence=7,
                    head=b"\x09" * 32,
                ),
            )
            for index, credential in enumerate(credentials)
        ]

    def issue(self, issuer: Institution | None = None, **changes: Any) -> Evidence:
        """One signed credential, anchored among three others by the registrar."""
        issuer = issuer or self.university
        document = issuer.sign(self.document(issuer, **changes))
        others = [{"filler": n} for n in range(3)]
        return self.anchor([*others[:2], document, others[2]], issuer)[2]

    # -- the verifier --
    def trust(self, **changes: Any) -> Trust:
        network = TrustedNetwork(
            chain_id=CHAIN_ID,
            registry="0x" + REGISTRY.hex(),
            anchor="0x" + ANCHOR.hex(),
            self_run=False,
            confirmations=3,
            name=Text("서울 배움 체인", "Seoul Baeum chain"),
        )
        return Trust((replace(network, **changes),))

    def reader(self) -> ChainReader:
        return ChainReader(self.node, CHAIN_ID)

    def verify(
        self,
        evidence: Evidence | bytes | str | dict[str, Any],
        *,
        policy: VerificationPolicy | None = None,
        **changes: Any,
    ) -> Report:
        if isinstance(evidence, dict):
            evidence = json.dumps(evidence).encode()
        reader = self.reader()
        settings: dict[str, Any] = {
            "trust": self.trust(),
            "chain": lambda chain_id: reader if chain_id == CHAIN_ID else None,
            "status_source": self.lists,
            "now": NOW,
            "policy": policy or VerificationPolicy(),
        } | changes
        return verify(evidence, **settings)


@pytest.fixture
def world() -> Iterator[World]:
    """Fresh for every test, so that one may break it."""
    return World()


@pytest.fixture(scope="module")
def still_world() -> World:
    """Shared by the tests of a module that only look."""
    return World()


@pytest.fixture(scope="module")
def good(still_world: World) -> Evidence:
    """A valid evidence in ``still_world``."""
    return still_world.issue()
