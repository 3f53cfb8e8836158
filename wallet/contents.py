"""What is inside a wallet: the holder's seed and the credentials, and how they are written down.

Values only; ``wallet.store`` does the locking and writing.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from credential.evidence import Evidence, parse
from credential.text import Text
from wallet import acceptance
from wallet.errors import CredentialRefused, NotInWallet, WalletCorrupted


@dataclass(frozen=True, slots=True)
class Item:
    """A credential in the wallet. ``title`` and ``issuer`` are as its issuer wrote them."""

    id: str
    title: str
    issuer: str
    evidence: Evidence
    accepted_at: datetime

    @property
    def anchored(self) -> bool:
        return self.evidence.receipt is not None

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "issuer": self.issuer,
            "anchored": self.anchored,
            "acceptedAt": self.accepted_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


@dataclass(frozen=True, slots=True)
class Accepted:
    """``new`` is False when the wallet held it already, in the same words."""

    item: Item
    new: bool


@dataclass(frozen=True, slots=True, repr=False)
class Contents:
    """The decrypted content."""

    seed: bytes
    items: dict[str, Item]


def put(items: dict[str, Item], evidence: Evidence, now: datetime) -> Accepted:
    identifier = acceptance.identifier(evidence.credential)
    held = items.get(identifier)
    if held is not None and held.evidence.credential != evidence.credential:
        raise CredentialRefused(
            Text(
                "지갑에 같은 번호의 다른 증명이 있습니다.",
                "The wallet holds another credential of the same id.",
            ),
            Text(
                "먼저 있던 증명을 내보낸 뒤 지우고 다시 받아 주십시오.",
                "Export and remove the one that is there, then accept this one again.",
            ),
            {"reason": "id-taken", "id": identifier},
        )
    if held is not None and evidence.receipt in (None, held.evidence.receipt):
        return Accepted(held, new=False)
    accepted_at = now.astimezone(UTC).replace(microsecond=0) if held is None else held.accepted_at
    items[identifier] = _item(identifier, evidence, accepted_at)
    return Accepted(items[identifier], new=True)


def _item(identifier: str, evidence: Evidence, accepted_at: datetime) -> Item:
    document = evidence.credential
    issuer = document.get("issuer")
    issuer_name = issuer.get("name") or issuer.get("id") if isinstance(issuer, dict) else issuer
    return Item(
        id=identifier,
        title=_shown(document.get("name")) or identifier,
        issuer=_shown(issuer_name),
        evidence=evidence,
        accepted_at=accepted_at,
    )


def _shown(value: object) -> str:
    first = value[0] if isinstance(value, list) and value else value
    text = first.get("@value") if isinstance(first, dict) else first
    return text[:500] if isinstance(text, str) else ""


def packed(state: Contents) -> bytes:
    content = {
        "version": 1,
        "seed": b64encode(state.seed).decode(),
        "items": [
            {
                "id": item.id,
                "acceptedAt": item.accepted_at.isoformat(),
                "evidence": item.evidence.to_bytes().decode(),
            }
            for item in state.items.values()
        ],
    }
    return json.dumps(content, ensure_ascii=False).encode()


def unpacked(content: bytes) -> Contents:
    """The tag has vouched for these bytes, so what is wrong here is a newer or broken program."""
    try:
        value = json.loads(content)
        if value["version"] != 1:
            raise ValueError("version")
        items = {
            entry["id"]: _item(
                entry["id"],
                parse(entry["evidence"].encode()),
                datetime.fromisoformat(entry["acceptedAt"]),
            )
            for entry in value["items"]
        }
        return Contents(b64decode(value["seed"]), items)
    except (ValueError, KeyError, TypeError) as wrong:
        raise WalletCorrupted(
            Text(
                "이 프로그램이 읽을 수 없는 판의 지갑입니다.",
                "A wallet of a version this program cannot read.",
            ),
            Text("프로그램을 최신 판으로 올려 주십시오.", "Update the program."),
        ) from wrong


def held(items: dict[str, Item], identifier: str) -> Item:
    item = items.get(identifier)
    if item is None:
        raise NotInWallet(
            Text("그 번호의 증명이 지갑에 없습니다.", "The wallet holds no credential of that id."),
            Text("목록에서 번호를 확인해 주십시오.", "Look up the id in the list."),
            {"id": identifier[:200]},
        )
    return item


def file_name(item: Item) -> str:
    """A name no other id comes to, without anything a file system could stumble over."""
    plain = item.id.removeprefix("urn:uuid:")
    if re.fullmatch(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", plain):
        return plain
    return "credential-" + hashlib.sha256(item.id.encode()).hexdigest()[:32]
