"""One encrypted file that is either wholly old or wholly new.

    magic 8 bytes | length of header 4 bytes | header (JSON) | SHA-256 of all before | ciphertext

The header gives the scrypt parameters, the salt, the AES-256-GCM nonce and a check value of the
key. A damaged header shows in the digest, a wrong passphrase in the check value, a damaged
ciphertext in the GCM tag, which also covers the header: the three are told apart. The digest is
against accidents; against tampering there is the tag.

Writing goes to a new file beside it, which is synced and renamed into place: after a power cut or
a kill the file is the old one or the new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import struct
import tempfile
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from credential.text import Text
from wallet.errors import WalletAbsent, WalletCorrupted, WalletNotSaved, WrongPassphrase

MAGIC = b"BAEUMWA1"
MAX_FILE = 256 * 1024 * 1024
WORK = 17
"""log2 of scrypt's N: 128 MiB and about half a second for each guess."""
MIN_WORK, MAX_WORK = 14, 20

_HEAD = struct.Struct(">8sI")
_TEMPORARY = ".wallet-"


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """What a passphrase and a salt come to. Has no repr, so that no log shows it."""

    work: int
    salt: bytes
    secret: bytes
    check: bytes

    @classmethod
    def derive(cls, passphrase: str, salt: bytes, work: int) -> Key:
        """scrypt (RFC 7914), r=8, p=1; 32 bytes to encrypt with and 32 for the check value."""
        material = hashlib.scrypt(
            # composed and decomposed Hangul are typed alike, so they must be taken alike
            unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass"),
            salt=salt,
            n=1 << work,
            r=8,
            p=1,
            maxmem=(1 << work) * 8 * 128 + (64 << 20),
            dklen=64,
        )
        check = hmac.digest(material[32:], b"baeum/wallet/check/1", "sha256")[:16]
        return cls(work, salt, material[:32], check)

    @classmethod
    def fresh(cls, passphrase: str, work: int = WORK) -> Key:
        return cls.derive(passphrase, os.urandom(16), work)


def seal(key: Key, content: bytes) -> bytes:
    """The file's bytes. A new nonce every time."""
    nonce = os.urandom(12)
    header = json.dumps(
        {
            "kdf": "scrypt",
            "work": key.work,
            "salt": b64encode(key.salt).decode(),
            "cipher": "A256GCM",
            "nonce": b64encode(nonce).decode(),
            "check": b64encode(key.check).decode(),
        }
    ).encode()
    front = _HEAD.pack(MAGIC, len(header)) + header
    front += hashlib.sha256(front).digest()
    return front + AESGCM(key.secret).encrypt(nonce, content, front)


def unseal(data: bytes, passphrase: str | None = None, key: Key | None = None) -> tuple[Key, bytes]:
    """The content, and the key that opened it. Give the passphrase, or a key derived before.

    Raises ``WalletCorrupted`` and ``WrongPassphrase``.
    """
    header, front = _front(data)
    if key is None or (key.salt, key.work) != (header["salt"], header["work"]):
        if passphrase is None:
            raise _wrong_passphrase()
        key = Key.derive(passphrase, header["salt"], header["work"])
    if not hmac.compare_digest(key.check, header["check"]):
        raise _wrong_passphrase()
    try:
        content = AESGCM(key.secret).decrypt(header["nonce"], data[len(front) :], front)
    except InvalidTag as damaged:
        raise _corrupted() from damaged
    return key, content


def _front(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header's values and the bytes up to the ciphertext."""
    if len(data) < _HEAD.size:
        raise _corrupted()
    magic, length = _HEAD.unpack_from(data)
    body = data[: _HEAD.size + length]
    front = data[: _HEAD.size + length + 32]
    if magic != MAGIC or length > 4096 or len(front) != len(body) + 32:
        raise _corrupted()
    if hashlib.sha256(body).digest() != front[len(body) :]:
        raise _corrupted()
    try:
        header = json.loads(body[_HEAD.size :])
        values = {
            "work": header["work"],
            **{name: b64decode(header[name]) for name in ("salt", "nonce", "check")},
        }
        known = (header["kdf"], header["cipher"]) == ("scrypt", "A256GCM")
    except (ValueError, KeyError, TypeError) as damaged:
        raise _corrupted() from damaged
    work = values["work"]
    if not known or type(work) is not int or not MIN_WORK <= work <= MAX_WORK:
        raise _corrupted()
    if (len(values["salt"]), len(values["nonce"])) != (16, 12):
        raise _corrupted()
    return values, front


def read(path: Path) -> bytes:
    """Raises ``FileNotFoundError`` and ``WalletCorrupted``."""
    with path.open("rb") as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise _corrupted()
    return data


def write(path: Path, data: bytes) -> None:
    """Replace the file in one step, readable by its owner only. Raises ``WalletNotSaved``; the
    file is then as it was."""
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)  # mode 0600
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        temporary = None
        _sync_directory(path.parent)
    except OSError as failure:
        raise _not_saved(failure) from failure
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """One writer at a time; what a killed writer left behind is cleared away."""
    try:
        opened = (directory / ".lock").open("a")
    except FileNotFoundError as missing:
        raise WalletAbsent(
            Text(f"지갑이 없습니다: {directory}", f"There is no wallet in {directory}."),
            Text("먼저 지갑을 만들어 주십시오.", "Create a wallet first."),
        ) from missing
    except OSError as failure:
        raise _not_saved(failure) from failure
    with opened as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for stale in directory.glob(_TEMPORARY + "*"):
            stale.unlink(missing_ok=True)
        yield


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _not_saved(failure: OSError) -> WalletNotSaved:
    return WalletNotSaved(
        Text(
            f"저장하지 못했습니다({failure.strerror}). 파일은 이전 그대로입니다.",
            f"It could not be saved ({failure.strerror}); the file is as it was before.",
        ),
        Text(
            "남은 디스크 공간과 폴더 권한을 확인한 뒤 다시 시도해 주십시오.",
            "Check the free space and the permissions of the folder, then try again.",
        ),
    )


def _corrupted() -> WalletCorrupted:
    return WalletCorrupted(
        Text(
            "지갑 파일의 내용이 온전하지 않습니다. 비밀번호 문제가 아닙니다.",
            "The content of the wallet file is not whole. It is not about the passphrase.",
        ),
        Text(
            "백업해 둔 지갑 파일로 되돌리거나, 발급 기관에서 증명을 다시 받아 주십시오.",
            "Restore the wallet file from a backup, or get the credentials again.",
        ),
    )


def _wrong_passphrase() -> WrongPassphrase:
    return WrongPassphrase(
        Text(
            "이 비밀번호로는 지갑이 열리지 않습니다.", "This passphrase does not open the wallet."
        ),
        Text("비밀번호를 다시 입력해 주십시오.", "Enter the passphrase again."),
    )
