"""One secret in one encrypted file: scrypt (RFC 7914) opens it, AES-256-GCM keeps it whole.

The file is JSON with a plain header (whose key, its public half, how to derive) and a ciphertext.
The whole header is authenticated, so a file renamed to another institution does not open.

Every file of a process that shares a salt is opened with one scrypt: the salt and the passphrase
give the master key once, and HKDF with the file's own salt gives the file its key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from credential.errors import BaeumError
from credential.text import Text

VERSION = 1
MAX_BYTES = 16_384


class KeyfileError(BaeumError):
    """A key file could not be used."""

    code = "key-file"
    title = Text("키 파일을 쓸 수 없습니다", "The key file cannot be used")
    status: ClassVar[int] = 500


class KeyMissing(KeyfileError):
    """There is no key of that name."""

    code = "key-missing"
    title = Text("키가 없습니다", "There is no key")


class KeyExists(KeyfileError):
    """A key of that name is there already; it is never overwritten."""

    code = "key-exists"
    title = Text("키가 이미 있습니다", "The key exists already")
    status: ClassVar[int] = 409


class WrongPassphrase(KeyfileError):
    """The passphrase does not open the file."""

    code = "wrong-passphrase"
    title = Text("암호가 맞지 않습니다", "The passphrase is wrong")


class KeyfileCorrupted(KeyfileError):
    """The file is not what was written: cut off, edited, or another institution's."""

    code = "key-file-corrupted"
    title = Text("키 파일이 손상되었습니다", "The key file is damaged")


class KeyfileExposed(KeyfileError):
    """Others on this machine can read the file."""

    code = "key-file-exposed"
    title = Text("키 파일을 다른 사용자가 읽을 수 있습니다", "Other users can read the key file")


@dataclass(frozen=True, slots=True)
class WorkFactor:
    """What one guess of the passphrase costs: about ``128 * r * n`` bytes and ``p`` rounds."""

    n: int = 2**15
    r: int = 8
    p: int = 3  # with n = 2**15 the cost OWASP asks for, in 32 MiB

    def acceptable(self) -> bool:
        """Bounds on what a file may ask for, so that an edited header cannot exhaust memory."""
        return (
            self.n >= 2
            and self.n & (self.n - 1) == 0
            and self.n <= 2**20
            and 1 <= self.r <= 16
            and 1 <= self.p <= 16
        )


@dataclass(frozen=True, slots=True)
class Keyfile:
    """What is in a file: ``kind`` and ``owner`` say whose, ``public`` is the public half."""

    kind: str
    owner: str
    public: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Keyfile(kind={self.kind!r}, owner={self.owner!r}, public={self.public!r})"


@lru_cache(maxsize=64)
def _master(passphrase: str, salt: bytes, work: WorkFactor) -> bytes:
    return hashlib.scrypt(
        passphrase.encode("utf-8"),
        salt=salt,
        n=work.n,
        r=work.r,
        p=work.p,
        maxmem=256 * work.n * work.r + 2**20,
        dklen=32,
    )


def _derived(master: bytes, salt: bytes, purpose: bytes, length: int = 32) -> bytes:
    return HKDF(SHA256(), length, salt, b"baeum/keyfile/1/" + purpose).derive(master)


def _check(master: bytes) -> bytes:
    """Tells a wrong passphrase from a damaged file. No easier to guess from than the tag is."""
    return _derived(master, b"", b"check", 16)


def write(path: Path, content: Keyfile, passphrase: str, *, salt: bytes, work: WorkFactor) -> None:
    """Write the file whole, durable and readable by its owner only. Raises ``KeyExists``."""
    master = _master(passphrase, salt, work)
    file_salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    header: dict[str, Any] = {
        "type": "BaeumKeyFile",
        "version": VERSION,
        "kind": content.kind,
        "owner": content.owner,
        "public": content.public,
        "kdf": {"name": "scrypt", "n": work.n, "r": work.r, "p": work.p, "salt": _text(salt)},
        "check": _text(_check(master)),
        "salt": _text(file_salt),
        "nonce": _text(nonce),
    }
    sealed = AESGCM(_derived(master, file_salt, b"file")).encrypt(
        nonce, content.secret, _bound(header)
    )
    body = json.dumps(header | {"ciphertext": _text(sealed)}, indent=1).encode("ascii")
    write_new(path, body)


def read(path: Path, passphrase: str, *, kind: str, owner: str) -> Keyfile:
    """Open the file that must be ``owner``'s key of this ``kind``.

    Raises ``KeyMissing``, ``WrongPassphrase``, ``KeyfileCorrupted``, ``KeyfileExposed``.
    """
    return unseal(path, file_key(path, passphrase, kind=kind, owner=owner), kind=kind, owner=owner)


def file_key(path: Path, passphrase: str, *, kind: str, owner: str) -> bytes:
    """The 32 bytes that open this file and no other. Raises as ``read`` does."""
    header = read_header(path, kind=kind, owner=owner)
    try:
        kdf = header["kdf"]
        work = WorkFactor(int(kdf["n"]), int(kdf["r"]), int(kdf["p"]))
        salt, check = _bytes(kdf["salt"]), _bytes(header["check"])
        file_salt = _bytes(header["salt"])
    except (KeyError, TypeError, ValueError) as error:
        raise corrupted(path) from error
    if kdf.get("name") != "scrypt" or not work.acceptable():
        raise corrupted(path)
    return _derived(_checked_master(path, passphrase, salt, work, check), file_salt, b"file")


def unseal(path: Path, key: bytes, *, kind: str, owner: str) -> Keyfile:
    """Open the file with its own key. Raises ``KeyMissing``, ``KeyfileCorrupted``,
    ``KeyfileExposed``."""
    header = read_header(path, kind=kind, owner=owner)
    try:
        nonce, sealed = _bytes(header["nonce"]), _bytes(header.pop("ciphertext"))
    except (KeyError, TypeError, ValueError) as error:
        raise corrupted(path) from error
    if len(nonce) != 12:
        raise corrupted(path)
    try:
        secret = AESGCM(key).decrypt(nonce, sealed, _bound(header))
    except (InvalidTag, ValueError) as error:
        raise corrupted(path) from error
    return Keyfile(kind, owner, str(header["public"]), secret)


def shared_salt(path: Path, passphrase: str) -> bytes | None:
    """The scrypt salt of a neighbouring file, for a new file that is to open with the same scrypt.

    None when the neighbour cannot be read (that is reported when it is opened). Raises
    ``WrongPassphrase``: one directory has one passphrase.
    """
    try:
        header = json.loads(path.read_bytes())
        kdf = header["kdf"]
        work = WorkFactor(int(kdf["n"]), int(kdf["r"]), int(kdf["p"]))
        salt, check = _bytes(kdf["salt"]), _bytes(header["check"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not work.acceptable():
        return None
    _checked_master(path, passphrase, salt, work, check)
    return salt


def read_header(path: Path, *, kind: str, owner: str) -> dict[str, Any]:
    """The plain header (with the ciphertext), read without the passphrase: not authenticated."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            body = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise missing(owner) from error
    except OSError as error:
        raise KeyfileError(
            Text(f"키 파일을 읽을 수 없습니다: {path}", f"The key file cannot be read: {path}"),
            Text("파일 권한과 디스크를 확인해 주세요", "Check its permissions and the disk"),
        ) from error
    if os.name == "posix" and mode & 0o077:
        raise KeyfileExposed(
            Text(f"{path}의 권한이 {mode:04o}입니다", f"The permissions of {path} are {mode:04o}"),
            Text(f"chmod 600 {path}", f"chmod 600 {path}"),
        )
    if len(body) > MAX_BYTES:
        raise corrupted(path)
    try:
        header = json.loads(body)
    except ValueError as error:
        raise corrupted(path) from error
    if (
        not isinstance(header, dict)
        or header.get("type") != "BaeumKeyFile"
        or header.get("version") != VERSION
        or header.get("kind") != kind
        or header.get("owner") != owner
        or not isinstance(header.get("public"), str)
    ):
        raise corrupted(path)
    return header


def _checked_master(
    path: Path, passphrase: str, salt: bytes, work: WorkFactor, check: bytes
) -> bytes:
    master = _master(passphrase, salt, work)
    if not hmac.compare_digest(_check(master), check):
        raise WrongPassphrase(
            Text(
                f"암호로 열 수 없습니다: {path.name}", f"The passphrase does not open {path.name}"
            ),
            Text(
                "BAEUM_PASSPHRASE 또는 BAEUM_PASSPHRASE_FILE의 암호를 확인해 주세요",
                "Check the passphrase in BAEUM_PASSPHRASE or BAEUM_PASSPHRASE_FILE",
            ),
            {"file": path.name},
        )
    return master


def sync_directory(directory: Path) -> None:
    """Make a new or renamed name in ``directory`` survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(path: Path, body: bytes) -> None:
    """Write a file that was not there, whole and for its owner only. Raises ``KeyExists``."""
    # Written whole under another name, then linked: a crash leaves no half key, and of two
    # processes that create the same key one wins and the other is told so.
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)
    except FileExistsError as error:
        raise already_there(path) from error
    finally:
        fresh.unlink()
    sync_directory(path.parent)


def missing(owner: str) -> KeyMissing:
    """The error for an owner without a key."""
    return KeyMissing(
        Text(f"'{owner}'의 키가 없습니다", f"There is no key of '{owner}'"),
        Text(
            "이 기관의 키를 먼저 만들거나 백업에서 되돌려 주세요",
            "Create the key of this institution first, or restore it from the backup",
        ),
        {"owner": owner},
    )


def already_there(path: Path) -> KeyExists:
    """The error for a key that would be written over."""
    return KeyExists(
        Text(f"키 파일이 이미 있습니다: {path.name}", f"There is a key file {path.name} already"),
        Text(
            "있는 키를 쓰거나, 먼저 다른 곳으로 옮겨 주세요",
            "Use the key that is there, or move it away first",
        ),
    )


def _bound(header: dict[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode("ascii")


def corrupted(path: Path) -> KeyfileCorrupted:
    """The error for a file that is not what was written."""
    return KeyfileCorrupted(
        Text(f"키 파일의 내용이 올바르지 않습니다: {path}", f"Not a whole key file: {path}"),
        Text("백업에서 파일을 되돌려 주세요", "Restore the file from the backup"),
    )


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str):
        raise TypeError("base64 text expected")
    return b64decode(text, validate=True)
