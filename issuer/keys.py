"""Signing keys behind one interface that has no way to take a key out.

One encrypted file per institution (Ed25519, and beside it the key of its pseudonyms) and one for
the account that pays for transactions (secp256k1). A worker process opens the files itself: what
is pickled for it is the directory and the passphrase, never a key.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from nacl.signing import SigningKey

from credential.did import did_key
from credential.errors import BaeumError
from credential.text import Text
from issuer import keyfile
from issuer.keyfile import Keyfile, KeyfileCorrupted, KeyMissing, WorkFactor
from issuer.names import name_based_urn

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

ED25519 = "ed25519"
SECP256K1 = "secp256k1"
CHAIN_OWNER = "chain-account"

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


class NotAnInstitutionId(BaeumError):
    """The institution id cannot be a file name."""

    code = "institution-id-malformed"
    title = Text("기관 식별자가 잘못되었습니다", "The institution id is malformed")


class Signer:
    """Signs for one institution; holds its key and does not give it away."""

    __slots__ = ("__key", "__pseudonyms", "did", "institution", "verification_method")

    def __init__(self, institution: str, seed: bytes, pseudonyms: bytes) -> None:
        self.__key = SigningKey(seed)
        self.__pseudonyms = pseudonyms
        self.institution = institution
        self.did = did_key(bytes(self.__key.verify_key))
        self.verification_method = f"{self.did}#{self.did.removeprefix('did:key:')}"

    def sign(self, message: bytes) -> bytes:
        """Ed25519 (RFC 8032) over ``message``: 64 bytes."""
        return self.__key.sign(message).signature

    def pseudonym(self, learner_id: str) -> str:
        """The learner as this institution's credentials name them: ``urn:uuid:…``.

        The same learner gets the same name from the same institution and unrelated ones from two
        institutions, because the HMAC key is the institution's own. UUID version 8 (RFC 9562 5.8).
        """
        digest = hmac.digest(
            self.__pseudonyms, b"baeum/pseudonym/1:" + learner_id.encode("utf-8"), hashlib.sha256
        )
        return name_based_urn(digest)

    def __repr__(self) -> str:
        return f"Signer({self.institution!r}, {self.did!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signing key is never pickled; open the keystore where it is needed")


class Keystore:
    """The key files of one directory, opened with one passphrase.

    Opening costs one scrypt per process (about a quarter of a second); signers are kept.
    """

    default_work: ClassVar[WorkFactor] = WorkFactor()

    def __init__(self, directory: Path, passphrase: str, *, work: WorkFactor | None = None) -> None:
        self.directory = directory
        self.__passphrase = passphrase
        self._work = work or self.default_work
        self._signers: dict[str, Signer] = {}

    def create(self, institution: str) -> str:
        """Make the institution's signing key. Returns its DID; raises ``KeyExists``."""
        seed, pseudonyms = secrets.token_bytes(32), secrets.token_bytes(32)
        signer = Signer(institution, seed, pseudonyms)
        self._write(
            self._path(institution), Keyfile(ED25519, institution, signer.did, seed + pseudonyms)
        )
        return signer.did

    def has(self, institution: str) -> bool:
        """Whether there is a key file; says nothing about the passphrase."""
        return self._path(institution).exists()

    def did(self, institution: str) -> str:
        """The DID the file says; only ``signer`` checks it. Raises ``KeyMissing``."""
        header = keyfile.read_header(self._path(institution), kind=ED25519, owner=institution)
        return str(header["public"])

    def institutions(self) -> list[str]:
        """Ids of the institutions with a key here, sorted."""
        return sorted(
            path.name.removesuffix(".key")
            for path in self.directory.glob("*.key")
            if path.name != f"{CHAIN_OWNER}.key"
        )

    def signer(self, institution: str) -> Signer:
        """Open the institution's key.

        Raises ``KeyMissing``, ``WrongPassphrase``, ``KeyfileCorrupted``, ``KeyfileExposed``.
        """
        signer = self._signers.get(institution)
        if signer is None:
            path = self._path(institution)
            content = keyfile.read(path, self.__passphrase, kind=ED25519, owner=institution)
            if len(content.secret) != 64:
                raise _not_this_key(path)
            signer = Signer(institution, content.secret[:32], content.secret[32:])
            if signer.did != content.public:
                raise _not_this_key(path)
            self._signers[institution] = signer
        return signer

    def create_chain_account(self, secret: bytes | None = None) -> str:
        """Make (or take in) the key that pays for transactions. Returns its address."""
        from eth_account import Account  # costs 1.5 s; most commands never need it

        account = Account.from_key(secret if secret is not None else secrets.token_bytes(32))
        self._write(
            self._chain_path(),
            Keyfile(SECP256K1, CHAIN_OWNER, str(account.address), bytes(account.key)),
        )
        return str(account.address)

    def has_chain_account(self) -> bool:
        return self._chain_path().exists()

    def chain_account(self) -> LocalAccount:
        """Open the account that pays for transactions; errors as for ``signer``."""
        from eth_account import Account

        path = self._chain_path()
        content = keyfile.read(path, self.__passphrase, kind=SECP256K1, owner=CHAIN_OWNER)
        account: LocalAccount = Account.from_key(content.secret)
        if str(account.address) != content.public:
            raise _not_this_key(path)
        return account

    def __reduce__(self) -> tuple[Any, ...]:
        # Travels to a worker over its private pipe as "where and with what", without any key.
        return _reopen, (self.directory, self.__passphrase, self._work)

    def __repr__(self) -> str:
        return f"Keystore({str(self.directory)!r})"

    # --- files ------------------------------------------------------------------------------------

    def _write(self, path: Path, content: Keyfile) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        keyfile.write(path, content, self.__passphrase, salt=self._shared_salt(), work=self._work)

    def _shared_salt(self) -> bytes:
        """One salt for the directory, so that one scrypt opens all its files; each repeats it."""
        for path in self._files():
            salt = keyfile.shared_salt(path, self.__passphrase)
            if salt is not None:
                return salt
        return secrets.token_bytes(16)

    def _files(self) -> Iterator[Path]:
        yield from sorted(self.directory.glob("*.key"))

    def _path(self, institution: str) -> Path:
        if not _SLUG.fullmatch(institution) or institution == CHAIN_OWNER:
            raise NotAnInstitutionId(
                Text(
                    f"기관 식별자로 쓸 수 없습니다: {institution[:80]!r}",
                    f"Not an institution id: {institution[:80]!r}",
                ),
                Text(
                    "영문 소문자, 숫자, 붙임표만 쓸 수 있습니다",
                    "Use lower-case letters, digits and hyphens",
                ),
            )
        return self.directory / f"{institution}.key"

    def _chain_path(self) -> Path:
        return self.directory / f"{CHAIN_OWNER}.key"


def _reopen(directory: Path, passphrase: str, work: WorkFactor) -> Keystore:
    return Keystore(directory, passphrase, work=work)


def _not_this_key(path: Path) -> KeyfileCorrupted:
    return KeyfileCorrupted(
        Text(
            f"{os.fspath(path)}의 키가 적힌 공개 키와 맞지 않습니다",
            f"The key in {os.fspath(path)} does not match its public half",
        ),
        Text("백업에서 파일을 되돌려 주세요", "Restore the file from the backup"),
    )


__all__ = ["KeyMissing", "Keystore", "NotAnInstitutionId", "Signer"]
