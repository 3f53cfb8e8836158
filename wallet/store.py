"""A citizen's wallet: one holder key and any number of credentials in one encrypted file.

Every change is read, made and written under a lock, so two programs on one wallet lose nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from credential import did
from credential.evidence import Evidence, parse
from credential.text import Text
from wallet import acceptance, vault
from wallet.errors import (
    CredentialRefused,
    NotInWallet,
    PassphraseTooShort,
    WalletAbsent,
    WalletCorrupted,
    WalletExists,
    WalletNotSaved,
)

FILE = "wallet.baeum"
MIN_PASSPHRASE = 8


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
class _State:
    """The decrypted content."""

    seed: bytes
    items: dict[str, Item]


class Wallet:
    """Opened with a passphrase; holds the derived key, never the passphrase."""

    def __init__(self, directory: Path, key: vault.Key, state: _State) -> None:
        """Use ``create`` or ``open``."""
        self._directory = directory
        self._path = directory / FILE
        self._key = key
        self._holder = SigningKey(state.seed)
        self.did: str = did.did_key(bytes(self._holder.verify_key))

    def __repr__(self) -> str:
        return f"Wallet({self.did})"

    @classmethod
    def create(cls, directory: Path, passphrase: str, *, work: int = vault.WORK) -> Wallet:
        """A new wallet with a new holder key (did:key, Ed25519) made inside it.

        ``work`` is log2 of scrypt's N. Raises ``WalletExists``, ``PassphraseTooShort``,
        ``WalletNotSaved``.
        """
        _require_length(passphrase)
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as failure:
            raise _not_saved(failure) from failure
        with vault.exclusive(directory):
            if (directory / FILE).exists():
                raise WalletExists(
                    Text(
                        f"이미 지갑이 있는 폴더입니다: {directory}",
                        f"There is a wallet in {directory} already.",
                    ),
                    Text(
                        "그 지갑을 열거나 다른 폴더를 골라 주십시오.",
                        "Open it, or choose another folder.",
                    ),
                )
            key = vault.Key.fresh(passphrase, work)
            state = _State(bytes(SigningKey.generate()), {})
            vault.write(directory / FILE, vault.seal(key, _packed(state)))
        return cls(directory, key, state)

    @classmethod
    def open(cls, directory: Path, passphrase: str) -> Wallet:
        """Raises ``WalletAbsent``, ``WrongPassphrase``, ``WalletCorrupted``."""
        key, content = vault.unseal(_read(directory), passphrase)
        return cls(directory, key, _unpacked(content))

    def sign(self, data: bytes) -> bytes:
        """The holder's Ed25519 signature, 64 bytes. The key itself never leaves."""
        return self._holder.sign(data).signature

    def accept(self, evidence: Evidence, now: datetime) -> Accepted:
        """Take a credential in, once. Raises ``CredentialRefused`` and ``WalletNotSaved``."""
        return self.accept_all([evidence], now)[0]

    def accept_all(self, evidences: Iterable[Evidence], now: datetime) -> tuple[Accepted, ...]:
        """Take several in with one write: all of them or, when one is refused, none.

        One that is there already is left as it is; one that was there without a receipt, or with
        another, gets the new receipt.
        """
        checked = [acceptance.check(evidence, self.did) for evidence in evidences]
        with vault.exclusive(self._directory):
            state = self._state()
            answers = tuple(_put(state.items, evidence, now) for evidence in checked)
            if any(answer.new for answer in answers):
                self._save(state)
        return answers

    def list(self) -> tuple[Item, ...]:
        """Everything held, oldest first."""
        items = self._state().items.values()
        return tuple(sorted(items, key=lambda item: (item.accepted_at, item.id)))

    def get(self, identifier: str) -> Item:
        """Raises ``NotInWallet``."""
        return _held(self._state().items, identifier)

    def remove(self, identifier: str) -> Item:
        """Delete a credential for good and return it. Raises ``NotInWallet``."""
        with vault.exclusive(self._directory):
            state = self._state()
            item = _held(state.items, identifier)
            del state.items[item.id]
            self._save(state)
        return item

    def export(self, destination: Path) -> tuple[Path, ...]:
        """Write every credential as an evidence file (readable by anyone who has it) into a
        folder. A file of the same name is replaced. Raises ``WalletNotSaved``."""
        try:
            destination.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            raise _not_saved(failure) from failure
        written = []
        for item in self.list():
            path = destination / f"{_file_name(item)}.baeum.json"
            vault.write(path, item.evidence.to_bytes())
            written.append(path)
        return tuple(written)

    def export_one(self, identifier: str) -> bytes:
        """The evidence file of one credential. Raises ``NotInWallet``."""
        return self.get(identifier).evidence.to_bytes()

    def change_passphrase(self, old: str, new: str) -> None:
        """Raises ``WrongPassphrase`` and ``PassphraseTooShort``."""
        _require_length(new)
        with vault.exclusive(self._directory):
            _, content = vault.unseal(_read(self._directory), old)
            key = vault.Key.fresh(new, self._key.work)
            vault.write(self._path, vault.seal(key, content))
            self._key = key

    def _state(self) -> _State:
        _, content = vault.unseal(_read(self._directory), key=self._key)
        return _unpacked(content)

    def _save(self, state: _State) -> None:
        vault.write(self._path, vault.seal(self._key, _packed(state)))


def _put(items: dict[str, Item], evidence: Evidence, now: datetime) -> Accepted:
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


def _packed(state: _State) -> bytes:
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


def _unpacked(content: bytes) -> _State:
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
        return _State(b64decode(value["seed"]), items)
    except (ValueError, KeyError, TypeError) as wrong:
        raise WalletCorrupted(
            Text(
                "이 프로그램이 읽을 수 없는 판의 지갑입니다.",
                "A wallet of a version this program cannot read.",
            ),
            Text("프로그램을 최신 판으로 올려 주십시오.", "Update the program."),
        ) from wrong


def _read(directory: Path) -> bytes:
    try:
        return vault.read(directory / FILE)
    except FileNotFoundError as missing:
        raise WalletAbsent(
            Text(f"지갑이 없습니다: {directory}", f"There is no wallet in {directory}."),
            Text("먼저 지갑을 만들어 주십시오.", "Create a wallet first."),
        ) from missing
    except OSError as failure:
        raise WalletCorrupted(
            Text(
                f"지갑 파일을 읽지 못했습니다({failure.strerror}).",
                f"The wallet file cannot be read ({failure.strerror}).",
            ),
            Text("폴더 권한을 확인해 주십시오.", "Check the permissions of the folder."),
        ) from failure


def _held(items: dict[str, Item], identifier: str) -> Item:
    item = items.get(identifier)
    if item is None:
        raise NotInWallet(
            Text("그 번호의 증명이 지갑에 없습니다.", "The wallet holds no credential of that id."),
            Text("목록에서 번호를 확인해 주십시오.", "Look up the id in the list."),
            {"id": identifier[:200]},
        )
    return item


def _file_name(item: Item) -> str:
    """A name no other id comes to, without anything a file system could stumble over."""
    plain = item.id.removeprefix("urn:uuid:")
    if re.fullmatch(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", plain):
        return plain
    return "credential-" + hashlib.sha256(item.id.encode()).hexdigest()[:32]


def _require_length(passphrase: str) -> None:
    if len(passphrase) < MIN_PASSPHRASE:
        raise PassphraseTooShort(
            Text(
                f"비밀번호는 {MIN_PASSPHRASE}자 이상이어야 합니다.",
                f"The passphrase needs at least {MIN_PASSPHRASE} characters.",
            ),
            Text("더 긴 비밀번호를 정해 주십시오.", "Choose a longer one."),
        )


def _not_saved(failure: OSError) -> WalletNotSaved:
    return WalletNotSaved(
        Text(
            f"폴더에 쓰지 못했습니다({failure.strerror}).",
            f"The folder cannot be written ({failure.strerror}).",
        ),
        Text("폴더 권한과 남은 공간을 확인해 주십시오.", "Check its permissions and free space."),
    )
