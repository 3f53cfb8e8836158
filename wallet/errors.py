"""What can go wrong with a wallet, each told apart so that the citizen knows what to do."""

from __future__ import annotations

from typing import ClassVar

from credential.errors import BaeumError
from credential.text import Text


class WalletError(BaeumError):
    """The root of this room's errors."""

    code: ClassVar[str] = "wallet"
    title: ClassVar[Text] = Text("지갑을 쓸 수 없습니다", "The wallet cannot be used")


class WalletAbsent(WalletError):
    """There is no wallet at this place."""

    code: ClassVar[str] = "wallet-absent"
    title: ClassVar[Text] = Text("지갑이 없습니다", "There is no wallet")
    status: ClassVar[int] = 404


class WalletExists(WalletError):
    """A wallet is never written over another."""

    code: ClassVar[str] = "wallet-exists"
    title: ClassVar[Text] = Text("지갑이 이미 있습니다", "There is a wallet already")
    status: ClassVar[int] = 409


class WrongPassphrase(WalletError):
    """The passphrase is not the one the wallet was closed with."""

    code: ClassVar[str] = "wrong-passphrase"
    title: ClassVar[Text] = Text("비밀번호가 다릅니다", "The passphrase is wrong")
    status: ClassVar[int] = 403


class PassphraseTooShort(WalletError):
    """A passphrase that could be guessed in no time."""

    code: ClassVar[str] = "passphrase-too-short"
    title: ClassVar[Text] = Text("비밀번호가 너무 짧습니다", "The passphrase is too short")


class WalletCorrupted(WalletError):
    """The file is damaged: not a matter of the passphrase."""

    code: ClassVar[str] = "wallet-corrupted"
    title: ClassVar[Text] = Text("지갑 파일이 손상되었습니다", "The wallet file is damaged")
    status: ClassVar[int] = 500


class WalletNotSaved(WalletError):
    """The change could not be written (disk full, no permission); the wallet is as it was."""

    code: ClassVar[str] = "wallet-not-saved"
    title: ClassVar[Text] = Text("지갑을 저장하지 못했습니다", "The wallet could not be saved")
    status: ClassVar[int] = 507


class NotInWallet(WalletError):
    """The wallet holds no credential of this id."""

    code: ClassVar[str] = "not-in-wallet"
    title: ClassVar[Text] = Text("지갑에 없는 증명입니다", "Not in the wallet")
    status: ClassVar[int] = 404


class CredentialRefused(WalletError):
    """A credential the wallet does not take in; ``facts["reason"]`` is one of ``malformed``,
    ``proof``, ``issuer``, ``path``, ``not-yours``, ``id-taken``."""

    code: ClassVar[str] = "credential-refused"
    title: ClassVar[Text] = Text("받을 수 없는 증명입니다", "The credential cannot be accepted")
    status: ClassVar[int] = 422
