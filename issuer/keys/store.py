"""The keys of one directory: encrypted files, and notes of the keys that lie in a token.

``INSTITUTION.key`` is an institution's first key, ``INSTITUTION.ALGORITHM.N.key`` a later one and
``….token`` the note (public) of one in a PKCS#11 token. Which of them signs today is the
database's to say; ``signer`` opens the one a verification method names.

A worker process opens the files itself: what is pickled for it is where and with what, never a
key.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from credential.errors import BaeumError
from credential.text import Text
from issuer.keys import keyfile
from issuer.keys.keyfile import Keyfile, KeyfileCorrupted, KeyMissing, WorkFactor
from issuer.keys.signer import (
    ALGORITHMS,
    ED25519,
    FileSigner,
    PublicHalf,
    Signer,
    TokenPlace,
    public_of,
)

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

SECP256K1: Final = "secp256k1"
CHAIN_OWNER: Final = "chain-account"
FILE: Final = "file"
PKCS11: Final = "pkcs11"

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_NAME = re.compile(
    rf"(?P<owner>{_SLUG.pattern})(?:\.(?P<algorithm>[a-z0-9]+)\.(?P<number>\d+))?\.(?:key|token)"
)


class NotAnInstitutionId(BaeumError):
    """The institution id cannot be a file name."""

    code = "institution-id-malformed"
    title = Text("기관 식별자가 잘못되었습니다", "The institution id is malformed")


class PseudonymsInToken(BaeumError):
    """A key in a file would need the pseudonym key, which does not leave the token."""

    code = "pseudonyms-in-token"
    title = Text("토큰의 키를 파일로 옮길 수 없습니다", "Keys in a token do not move to a file")
    status: ClassVar[int] = 409


class Keys(Protocol):
    """Where signers come from: a ``Keystore``, or signing processes."""

    def signer(
        self, institution: str, method: str | None = None, *, algorithm: str = ED25519
    ) -> Signer: ...
    def has(self, institution: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Grant:
    """One institution's keys, as its signing process gets them: each file with the 32 bytes that
    open it and nothing else, each key of the token with its label."""

    institution: str
    files: list[tuple[PublicHalf, Path, bytes]] = field(repr=False)
    tokens: list[tuple[PublicHalf, str]]
    token: TokenPlace | None


class Keystore:
    """The keys of one directory, opened with one passphrase, and the token they may lie in.

    Opening costs one scrypt per process (about a quarter of a second); signers are kept.
    """

    default_work: ClassVar[WorkFactor] = WorkFactor()

    def __init__(
        self,
        directory: Path,
        passphrase: str,
        *,
        work: WorkFactor | None = None,
        token: TokenPlace | None = None,
    ) -> None:
        self.directory = directory
        self.token = token
        self.__passphrase = passphrase
        self._work = work or self.default_work
        self._signers: dict[tuple[str, str], Signer] = {}

    # --- making -----------------------------------------------------------------------------------

    def create(self, institution: str) -> str:
        """Make the institution's first signing key. Returns its did:key; raises ``KeyExists``."""
        if self.keys(institution):
            raise keyfile.already_there(self._path(institution))
        return self.add(institution).did

    def add(
        self, institution: str, algorithm: str = ED25519, backend: str | None = None
    ) -> PublicHalf:
        """Make one more key beside those there are; ``backend`` is ``file`` or ``pkcs11``.

        Without ``backend`` it is made in the token, if there is one. Nothing uses it until the
        database says so. Raises ``PseudonymsInToken``, ``TokenError``, ``WrongPassphrase``.
        """
        self._path(institution)
        if algorithm not in ALGORITHMS:
            raise ValueError(f"no such algorithm: {algorithm}")
        there = self.keys(institution)
        number = 1 + max((k.number for k in there if k.algorithm == algorithm), default=0)
        if (backend or (PKCS11 if self.token else FILE)) == PKCS11:
            return self._add_to_token(institution, algorithm, number, there)
        pseudonyms = self._pseudonyms(institution, there)
        if pseudonyms is None and there:
            raise PseudonymsInToken(
                Text(
                    f"{institution}의 가명 키는 토큰 밖으로 나오지 않습니다",
                    f"The pseudonym key of {institution} does not leave its token",
                ),
                Text("새 키도 토큰에 만들어 주세요", "Make the new key in the token too"),
            )
        secret = _fresh(algorithm)
        public = public_of(algorithm, secret)
        self._write(
            self._path(institution, algorithm, number),
            Keyfile(
                algorithm, institution, public, secret + (pseudonyms or secrets.token_bytes(32))
            ),
        )
        return _half(institution, algorithm, public, FILE, number)

    def _add_to_token(
        self, institution: str, algorithm: str, number: int, there: list[PublicHalf]
    ) -> PublicHalf:
        if self.token is None:
            raise _no_token(institution)
        from issuer.keys.token import open_token  # loads the PKCS#11 wrapper, 0.1 s

        token = open_token(self.token)
        token.keep_pseudonyms(institution, self._pseudonyms(institution, there))
        label, public = token.generate(institution, algorithm)
        note = {
            "type": "BaeumTokenKey",
            "version": 1,
            "kind": algorithm,
            "owner": institution,
            "public": public,
            "token": self.token.label,
            "label": label,
        }
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        keyfile.write_new(
            self._path(institution, algorithm, number, "token"),
            json.dumps(note, indent=1).encode("ascii"),
        )
        return _half(institution, algorithm, public, PKCS11, number)

    def _pseudonyms(self, institution: str, there: list[PublicHalf]) -> bytes | None:
        """The institution's pseudonym key, if it lies in a file."""
        for half in there:
            if half.backend == FILE:
                path = self._path(institution, half.algorithm, half.number)
                content = keyfile.read(
                    path, self.__passphrase, kind=half.algorithm, owner=institution
                )
                return content.secret[32:]
        return None

    # --- what there is ----------------------------------------------------------------------------

    def has(self, institution: str) -> bool:
        """Whether there is a key; says nothing about passphrase or PIN."""
        return bool(self.keys(institution))

    def did(self, institution: str) -> str:
        """The did:key the newest Ed25519 key's file says; only ``signer`` checks it."""
        return self._newest(institution, ED25519).did

    def keys(self, institution: str) -> list[PublicHalf]:
        """The public halves, by algorithm and age.

        Raises ``KeyfileCorrupted``, ``KeyfileExposed``.
        """
        self._path(institution)
        found = []
        for path in self._files():
            name = _NAME.fullmatch(path.name)
            if name is None or name["owner"] != institution:
                continue
            algorithm, number = name["algorithm"] or ED25519, int(name["number"] or 1)
            if path.suffix == ".token":
                public = str(_note(path, algorithm, institution)["public"])
                found.append(_half(institution, algorithm, public, PKCS11, number))
            else:
                header = keyfile.read_header(path, kind=algorithm, owner=institution)
                found.append(_half(institution, algorithm, str(header["public"]), FILE, number))
        return sorted(found, key=lambda half: (half.algorithm, half.number))

    def institutions(self) -> list[str]:
        """Ids of the institutions with a key here, sorted."""
        names = (_NAME.fullmatch(path.name) for path in self._files())
        return sorted({n["owner"] for n in names if n is not None and n["owner"] != CHAIN_OWNER})

    # --- signing ----------------------------------------------------------------------------------

    def signer(
        self, institution: str, method: str | None = None, *, algorithm: str = ED25519
    ) -> Signer:
        """Open the key that ``method`` names; without one, the newest of ``algorithm``.

        ``method`` is a verification method whose fragment is the key's Multikey text. Raises
        ``KeyMissing``, ``WrongPassphrase``, ``KeyfileCorrupted``, ``KeyfileExposed``,
        ``WrongPin``, ``TokenError``.
        """
        kept = self._signers.get((institution, method or algorithm))
        if kept is not None:
            return kept
        if method is None:
            half = self._newest(institution, algorithm)
        else:
            wanted = method.partition("#")[2]
            half = next((k for k in self.keys(institution) if k.multikey == wanted), None) or (
                _raise(keyfile.missing(institution))
            )
        signer = self._open(half, method or half.method())
        if method is not None:  # "the newest" may be another one later
            self._signers[institution, method] = signer
        return signer

    def _open(self, half: PublicHalf, method: str) -> Signer:
        if half.backend == PKCS11:
            if self.token is None:
                raise _no_token(half.institution)
            from issuer.keys.token import open_token

            path = self._path(half.institution, half.algorithm, half.number, "token")
            label = str(_note(path, half.algorithm, half.institution)["label"])
            return open_token(self.token).signer(
                half.institution, half.algorithm, method, label, half.did
            )
        path = self._path(half.institution, half.algorithm, half.number)
        return open_file(
            keyfile.read(path, self.__passphrase, kind=half.algorithm, owner=half.institution),
            path,
            method,
        )

    def _newest(self, institution: str, algorithm: str) -> PublicHalf:
        halves = [half for half in self.keys(institution) if half.algorithm == algorithm]
        if not halves:
            raise keyfile.missing(institution)
        return halves[-1]

    # --- the account that pays --------------------------------------------------------------------

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
        return _reopen, (self.directory, self.__passphrase, self._work, self.token)

    def __repr__(self) -> str:
        return f"Keystore({str(self.directory)!r})"

    # --- for one signing process ------------------------------------------------------------------

    def grant(self, institution: str) -> Grant:
        """What a process that signs for this institution alone is handed: the keys of its files,
        which open no other file, and never the passphrase. Errors as for ``signer``."""
        files, notes = [], []
        for half in self.keys(institution):
            suffix = "token" if half.backend == PKCS11 else "key"
            path = self._path(institution, half.algorithm, half.number, suffix)
            if half.backend == PKCS11:
                notes.append((half, str(_note(path, half.algorithm, institution)["label"])))
                continue
            key = keyfile.file_key(path, self.__passphrase, kind=half.algorithm, owner=institution)
            files.append((half, path, key))
        if not files and not notes:
            raise keyfile.missing(institution)
        return Grant(institution, files, notes, self.token if notes else None)

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
        yield from sorted([*self.directory.glob("*.key"), *self.directory.glob("*.token")])

    def _path(
        self, institution: str, algorithm: str = ED25519, number: int = 1, suffix: str = "key"
    ) -> Path:
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
        first = algorithm == ED25519 and number == 1 and suffix == "key"
        return self.directory / (
            f"{institution}.key" if first else f"{institution}.{algorithm}.{number}.{suffix}"
        )

    def _chain_path(self) -> Path:
        return self.directory / f"{CHAIN_OWNER}.key"


def open_file(content: Keyfile, path: Path, method: str) -> FileSigner:
    """A signer from an opened key file. Raises ``KeyfileCorrupted`` when its halves differ."""
    secret, pseudonyms = content.secret[:32], content.secret[32:]
    if len(pseudonyms) != 32 or public_of(content.kind, secret) != content.public:
        raise _not_this_key(path)
    return FileSigner(content.owner, content.kind, method, secret, pseudonyms)


def _reopen(
    directory: Path, passphrase: str, work: WorkFactor, token: TokenPlace | None
) -> Keystore:
    return Keystore(directory, passphrase, work=work, token=token)


def _fresh(algorithm: str) -> bytes:
    if algorithm == ED25519:
        return secrets.token_bytes(32)
    return ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32)


def _half(institution: str, algorithm: str, public: str, backend: str, number: int) -> PublicHalf:
    return PublicHalf(institution, algorithm, public.removeprefix("did:key:"), backend, number)


def _note(path: Path, algorithm: str, institution: str) -> dict[str, Any]:
    try:
        body = json.loads(path.read_bytes())
        if (body["type"], body["version"]) != ("BaeumTokenKey", 1):
            raise ValueError(body["type"])
        if (body["kind"], body["owner"]) != (algorithm, institution):
            raise ValueError(body["owner"])
        if not all(isinstance(body[name], str) for name in ("public", "token", "label")):
            raise ValueError("public")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise keyfile.corrupted(path) from error
    note: dict[str, Any] = body
    return note


def _raise(error: BaeumError) -> Any:
    raise error


def _no_token(institution: str) -> KeyMissing:
    return KeyMissing(
        Text(
            f"'{institution}'의 키가 있는 보안 토큰이 설정되어 있지 않습니다",
            f"The token that holds the key of '{institution}' is not configured",
        ),
        Text(
            "BAEUM_PKCS11_MODULE과 BAEUM_PKCS11_TOKEN을 설정해 주세요",
            "Set BAEUM_PKCS11_MODULE and BAEUM_PKCS11_TOKEN",
        ),
        {"owner": institution},
    )


def _not_this_key(path: Path) -> KeyfileCorrupted:
    return KeyfileCorrupted(
        Text(
            f"{os.fspath(path)}의 키가 적힌 공개 키와 맞지 않습니다",
            f"The key in {os.fspath(path)} does not match its public half",
        ),
        Text("백업에서 파일을 되돌려 주세요", "Restore the file from the backup"),
    )
