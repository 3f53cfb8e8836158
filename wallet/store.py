"""A citizen's wallet: one holder key and any number of credentials in one encrypted file.

Every change is read, made and written under a lock, so two programs on one wallet lose nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from nacl.signing import SigningKey

from credential import did
from credential.evidence import Evidence
from credential.text import Text
from wallet import acceptance, vault
from wallet.contents import Accepted, Contents, Item, file_name, held, packed, put, unpacked
from wallet.errors import (
    PassphraseTooShort,
    WalletAbsent,
    WalletCorrupted,
    WalletExists,
    WalletNotSaved,
)

__all__ = ["Accepted", "Item", "Wallet"]

FILE = "wallet.baeum"
MIN_PASSPHRASE = 8


class Wallet:
    """Opened with a passphrase; holds the derived key, never the passphrase."""

    def __init__(self, directory: Path, key: vault.Key, state: Contents) -> None:
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
            state = Contents(bytes(SigningKey.generate()), {})
            vault.write(directory / FILE, vault.seal(key, packed(state)))
        return cls(directory, key, state)

    @classmethod
    def open(cls, directory: Path, passphrase: str) -> Wallet:
        """Raises ``WalletAbsent``, ``WrongPassphrase``, ``WalletCorrupted``."""
        key, content = vault.unseal(_read(directory), passphrase)
        return cls(directory, key, unpacked(content))

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
            answers = tuple(put(state.items, evidence, now) for evidence in checked)
            if any(answer.new for answer in answers):
                self._save(state)
        return answers

    def list(self) -> tuple[Item, ...]:
        """Everything held, oldest first."""
        items = self._state().items.values()
        return tuple(sorted(items, key=lambda item: (item.accepted_at, item.id)))

    def get(self, identifier: str) -> Item:
        """Raises ``NotInWallet``."""
        return held(self._state().items, identifier)

    def remove(self, identifier: str) -> Item:
        """Delete a credential for good and return it. Raises ``NotInWallet``."""
        with vault.exclusive(self._directory):
            state = self._state()
            item = held(state.items, identifier)
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
            path = destination / f"{file_name(item)}.baeum.json"
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

    def _state(self) -> Contents:
        _, content = vault.unseal(_read(self._directory), key=self._key)
        return unpacked(content)

    def _save(self, state: Contents) -> None:
        vault.write(self._path, vault.seal(self._key, packed(state)))


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
