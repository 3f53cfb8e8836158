"""A small issued world, real in every part: signed credentials under one Merkle root, anchored by
one transaction on an embedded chain with the project's contracts, with signed status lists.

For every room's tests: ``from world import the_world``. It is built once a process, in a
temporary folder; treat it as read-only.
"""

from __future__ import annotations

import atexit
import functools
import json
import secrets
import shutil
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_account import Account
from eth_utils.crypto import keccak

from api.services import Services, lists_in
from credential import did, evidence, integrity, jcs, merkle, paper, receipt, status
from credential.evidence import Evidence
from credential.multibase import base64url
from credential.receipt import Receipt
from credential.text import Text
from ledger.chain.embedded import EmbeddedChain
from ledger.chain.gateway import Gateway
from ledger.chain.network import Network, deploy
from ledger.database.session import open_database
from verifier import ChainReader, Report, Trust, TrustedNetwork, verify
from verifier.rpc import HttpRpc
from verifier.status_source import DirectorySource

INSTITUTION = "seoul-citizens-university"
PUBLIC_URL = "https://baeum.example"
LIST_ID = "stl_testworldaaaaaaaaaaaaaaaaaa"
PLACES = {"valid": 4711, "revoked": 93, "suspended": 60_001}

OPEN_BADGES = [
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
]
LISTS = ["https://www.w3.org/ns/credentials/v2"]


class Signer:
    """An institution's Ed25519 key, made for this run alone."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.did = did.did_key(self._key.public_key().public_bytes_raw())

    def secure(self, document: dict[str, Any], created: datetime) -> dict[str, Any]:
        """The document with an eddsa-rdfc-2022 proof that carries a salt."""
        return integrity.sign(
            document,
            sign=self._key.sign,
            verification_method=did.key_method(self.did),
            created=created,
            nonce=base64url(secrets.token_bytes(16)),
        )


@dataclass(frozen=True, slots=True)
class World:
    """Evidence files as bytes, and the services of an installation that can check them."""

    home: Path
    chain: EmbeddedChain
    network: Network
    trust: Trust
    status_directory: Path
    valid: bytes
    """Passes all nine checks."""
    tampered: bytes
    """``valid`` with one character of the learner's achievement changed: fails at ``proof``."""
    revoked: bytes
    """Fails at ``status``, everything else passes."""
    suspended: bytes
    """Fails at ``status`` too, for the other reason."""
    services: Services
    node_down: Services
    """The same installation with a node that does not answer."""

    @property
    def paper(self) -> str:
        """The text of the QR code of ``valid``."""
        return paper.encode(evidence.parse(self.valid))


@functools.cache
def the_world() -> World:
    """The world of this process."""
    home = Path(tempfile.mkdtemp(prefix="baeum-world-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return build(home)


def build(home: Path) -> World:
    """A new world under ``home``."""
    now = datetime.now(UTC).replace(microsecond=0)
    signer = Signer()
    account = Account.create()
    chain = EmbeddedChain.open(home / "chain", operator=account.address)
    atexit.register(chain.close)
    network = deploy(chain, account)
    gateway = Gateway(chain, network, account)
    gateway.register_institution(
        INSTITUTION,
        signer.did,
        ["course"],
        now - timedelta(days=365),
        signer=account.address,
    )

    issued = {name: signer.secure(course(signer.did, PLACES[name], now), now) for name in PLACES}
    receipts = _anchor(gateway, network, list(issued.values()))
    files = {
        name: Evidence(document, receipts[position]).to_bytes()
        for position, (name, document) in enumerate(issued.items())
    }
    lists = home / "public" / "status"
    _publish(lists, signer, now)

    trusted = TrustedNetwork(
        chain_id=network.chain_id,
        registry=network.registry.lower(),
        anchor=network.anchor.lower(),
        self_run=True,
        confirmations=1,
        name=Text("시험 체인", "trial chain"),
    )
    trust = Trust((trusted,))
    database = open_database(f"sqlite:///{home / 'baeum.db'}")
    database.migrate()

    def ask_database() -> None:
        with database.session() as session:
            session.connection()

    services = Services(
        verify=_verifier(trust, ChainReader(chain.call, network.chain_id), lists),
        trust=trust,
        public_url=PUBLIC_URL,
        version="0.0.test",
        rpc=chain.call,
        status_list=lists_in(lists),
        probes={"database": ask_database, "chain": lambda: chain.call("eth_chainId", [])},
    )
    # nothing listens on port 9 of the loopback: a connection is refused at once
    dead = HttpRpc("http://127.0.0.1:9", timeout=2)
    node_down = replace(
        services,
        verify=_verifier(trust, ChainReader(dead, network.chain_id), lists),
        rpc=None,
        probes={"database": ask_database, "chain": lambda: dead("eth_chainId", [])},
    )
    return World(
        home=home,
        chain=chain,
        network=network,
        trust=trust,
        status_directory=lists,
        valid=files["valid"],
        tampered=tampered(files["valid"]),
        revoked=files["revoked"],
        suspended=files["suspended"],
        services=services,
        node_down=node_down,
    )


def course(issuer: str, index: int, now: datetime) -> dict[str, Any]:
    """An unsigned Open Badges 3.0 credential for a course, in the shape of our templates."""
    ended = now - timedelta(days=30)
    number = secrets.token_hex(4)
    minutes = f"urn:baeum:result:{number}"
    entries = [
        {
            "id": f"{PUBLIC_URL}/status/{LIST_ID}/{purpose}#{index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": purpose,
            "statusListIndex": str(index),
            "statusListCredential": f"{PUBLIC_URL}/status/{LIST_ID}/{purpose}",
        }
        for purpose in ("revocation", "suspension")
    ]
    return {
        "@context": OPEN_BADGES,
        "id": uuid.uuid4().urn,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "생활 속 인공지능 이수증",
        "description": "서울시민대학에서 과정을 이수하고 30시간을 인정받았습니다.",
        "issuer": {"id": issuer, "type": ["Profile"], "name": "서울시민대학"},
        "validFrom": _instant(now - timedelta(hours=1)),
        "awardedDate": _instant(now - timedelta(hours=1)),
        "credentialSubject": {
            "id": "urn:baeum:learner:lrn_testaaaaaaaaaaaaaaaaaaaaaa",
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "identityType": "name",
                    "hashed": False,
                    "identityHash": "김배움",
                }
            ],
            "activityStartDate": _instant(ended - timedelta(days=60)),
            "activityEndDate": _instant(ended),
            "creditsEarned": 30,
            "result": [
                {"type": ["Result"], "resultDescription": minutes, "value": "1800"},
            ],
            "achievement": {
                "id": f"urn:baeum:achievement:{number}",
                "type": ["Achievement"],
                "achievementType": "Course",
                "inLanguage": "ko",
                "name": "생활 속 인공지능",
                "description": "서울시민대학의 학습 과정 ‘생활 속 인공지능’",
                "criteria": {"narrative": "과정을 이수 기준에 맞게 마쳐야 합니다."},
                "resultDescription": [
                    {
                        "id": minutes,
                        "type": ["ResultDescription"],
                        "name": "인정 시간(분)",
                        "resultType": "ext:CreditedMinutes",
                    }
                ],
            },
        },
        "credentialStatus": entries,
    }


def tampered(file: bytes) -> bytes:
    """One character changed: 30 hours become 80, and nothing else."""
    changed = file.replace(b'"value": "1800"', b'"value": "4800"')
    if changed == file:
        raise AssertionError("nothing was changed")
    return changed


def bare(file: bytes) -> dict[str, Any]:
    """The credential of an evidence file alone."""
    credential: dict[str, Any] = json.loads(file)["credential"]
    return credential


def _anchor(gateway: Gateway, network: Network, documents: list[dict[str, Any]]) -> list[Receipt]:
    contract, institution = bytes.fromhex(network.anchor[2:]), keccak(text=INSTITUTION)
    leaves = [
        merkle.leaf_hash(
            receipt.leaf_input(
                document, chain_id=network.chain_id, contract=contract, institution=institution
            )
        )
        for document in documents
    ]
    tree = merkle.Tree(leaves)
    signed = gateway.sign_anchor(
        tree.commitment, gateway.nonce(gateway.address), gateway.suggest_fees()
    )
    gateway.send(signed.raw)
    mined = gateway.receipt(signed.hash)
    if mined is None or mined.sequence is None or mined.head is None:
        raise AssertionError("the embedded chain did not anchor the batch")
    return [
        Receipt(
            leaf_index=position,
            tree_size=len(leaves),
            path=tuple(tree.path(position)),
            root=tree.commitment,
            chain_id=network.chain_id,
            contract=contract,
            institution=institution,
            anchored_by=institution,
            transaction=_bytes(signed.hash),
            block_number=mined.block_number,
            block_hash=_bytes(mined.block_hash),
            block_time=_instant(mined.block_time),
            sequence=mined.sequence,
            head=_bytes(mined.head),
        )
        for position in range(len(leaves))
    ]


def _publish(directory: Path, signer: Signer, now: datetime) -> None:
    for purpose, which in (("revocation", "revoked"), ("suspension", "suspended")):
        bits = status.with_bits(bytes(status.MIN_BITS // 8), [PLACES[which]], True)
        url = f"{PUBLIC_URL}/status/{LIST_ID}/{purpose}"
        document = {
            "@context": LISTS,
            "id": url,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": signer.did,
            "validFrom": _instant(now),
            "validUntil": _instant(now + timedelta(days=7)),
            "credentialSubject": {
                "id": f"{url}#list",
                "type": "BitstringStatusList",
                "statusPurpose": purpose,
                "encodedList": status.encode(bits),
            },
        }
        path = directory / LIST_ID / f"{purpose}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jcs.canonical(signer.secure(document, now)))


def _verifier(trust: Trust, reader: ChainReader, lists: Path) -> Callable[[Evidence], Report]:
    source = DirectorySource(f"{PUBLIC_URL}/status", lists)

    def check(presented: Evidence) -> Report:
        return verify(
            presented,
            trust=trust,
            chain=lambda chain_id: reader,
            status_source=source,
            now=datetime.now(UTC),
        )

    return check


def _instant(moment: datetime | str) -> str:
    return moment if isinstance(moment, str) else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _bytes(value: bytes | str) -> bytes:
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)
