"""Signing a transaction, sending it (again, when need be) and waiting until it is mined."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from credential.errors import BaeumError
from credential.text import Text
from ledger.chain.abi import describe_revert
from ledger.chain.endpoint import Endpoint, EndpointError

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

_METHOD_UNKNOWN = (-32601, -32600)
_FALLBACK_TIP = 10**9


@dataclass(frozen=True, slots=True)
class Fees:
    """EIP-1559 prices in wei per gas."""

    max_fee_per_gas: int
    max_priority_fee_per_gas: int


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Ready to be stored and sent; ``hash`` is lower-case 0x-hex."""

    raw: bytes
    hash: str
    nonce: int
    fees: Fees


class Refusal(StrEnum):
    """Why a node did not take a transaction."""

    NONCE_TOO_LOW = "nonce-too-low"
    NONCE_TOO_HIGH = "nonce-too-high"
    UNDERPRICED = "underpriced"
    FEE_TOO_LOW = "fee-too-low"
    INSUFFICIENT_FUNDS = "insufficient-funds"
    WRONG_CHAIN = "wrong-chain"
    OTHER = "other"


# Every client words these its own way; the codes are no help (-32000 for nearly all).
_WORDS = (
    (Refusal.NONCE_TOO_LOW, ("nonce too low", "nonce is too low")),
    (Refusal.NONCE_TOO_HIGH, ("nonce too high", "nonce gap", "nonce is too high")),
    (Refusal.UNDERPRICED, ("underpriced",)),
    (
        Refusal.FEE_TOO_LOW,
        (
            "less than block base fee",
            "below current base fee",
            "fee cap less",
            "gas price below",
            "too low for the next block",
        ),
    ),
    (Refusal.INSUFFICIENT_FUNDS, ("insufficient funds", "enough funds", "upfront cost exceeds")),
    (Refusal.WRONG_CHAIN, ("invalid chain id", "chain id", "chainid", "wrong chain")),
)


class TransactionRefused(EndpointError):
    """The node did not take the transaction; ``reason`` says why, as far as it can be told."""

    code: ClassVar[str] = "transaction-refused"
    title: ClassVar[Text] = Text(
        "노드가 거래를 받지 않았습니다", "The node refused the transaction"
    )

    def __init__(self, error: EndpointError) -> None:
        super().__init__(error.rpc_code, error.message, error.data)
        words = error.message.lower()
        self.reason = next(
            (reason for reason, signs in _WORDS if any(sign in words for sign in signs)),
            Refusal.OTHER,
        )
        self.facts["reason"] = str(self.reason)
        if self.reason is Refusal.INSUFFICIENT_FUNDS:
            self.remedy = Text(
                "거래를 보내는 계정에 수수료를 채워 주세요",
                "Fund the account that sends transactions",
            )


class ContractRefused(BaeumError):
    """A contract reverted. ``facts["error"]`` is its custom error with its arguments."""

    code: ClassVar[str] = "contract-refused"
    title: ClassVar[Text] = Text("계약이 요청을 거절했습니다", "The contract refused")
    status: ClassVar[int] = 409

    def __init__(self, data: bytes, transaction: str | None = None) -> None:
        reason = describe_revert(data)
        super().__init__(
            Text(f"계약이 거절했습니다: {reason}", f"The contract refused: {reason}"),
            None,
            {"error": reason} | ({"transaction": transaction} if transaction else {}),
        )
        self.data = data


class AccountEmpty(BaeumError):
    """The node answers, but the sending account has nothing to pay with."""

    code: ClassVar[str] = "account-empty"
    title: ClassVar[Text] = Text(
        "거래를 보내는 계정에 잔액이 없습니다", "The sending account has no funds"
    )
    status: ClassVar[int] = 503


class NotMined(BaeumError):
    """A transaction was sent but not mined in time. It may still be."""

    code: ClassVar[str] = "transaction-not-mined"
    title: ClassVar[Text] = Text(
        "거래가 아직 처리되지 않았습니다", "The transaction is not mined yet"
    )
    status: ClassVar[int] = 503


def suggest_fees(endpoint: Endpoint, cap: int | None = None) -> Fees:
    """What gets a transaction mined soon: twice the base fee and the node's tip, at most ``cap``.

    Twice the base fee still pays after five full blocks. On a chain without fees both are zero.
    """
    block = endpoint.call("eth_getBlockByNumber", ["latest", False])
    try:
        tip = int(endpoint.call("eth_maxPriorityFeePerGas", []), 16)
    except EndpointError as error:
        if error.rpc_code not in _METHOD_UNKNOWN:
            raise
        tip = _FALLBACK_TIP
    fee = 2 * int(block.get("baseFeePerGas") or "0x0", 16) + tip
    if cap is not None:
        fee = min(fee, cap)
    return Fees(fee, min(tip, fee))


def require_funds(endpoint: Endpoint, address: str, wei: int | None = None) -> None:
    """Raises AccountEmpty naming the address when it holds less than ``wei``; when that is not
    given, when it holds nothing on a chain where transactions cost something."""
    balance = int(endpoint.call("eth_getBalance", [address, "latest"]), 16)
    if wei is None:
        wei = 0 if balance else min(1, suggest_fees(endpoint).max_fee_per_gas)
    if balance < wei:
        raise AccountEmpty(
            Text(
                f"계정 {address}의 잔액이 {balance} wei라 수수료를 낼 수 없습니다",
                f"The balance of {address} is {balance or 'zero'}{' wei' if balance else ''}: "
                "not enough for the fee",
            ),
            Text(
                "이 주소로 수수료를 보낸 뒤 같은 명령을 다시 실행해 주세요",
                "Send some coins to that address, then run the same command again",
            ),
            {"address": address, "balance": balance, "needed": wei},
        )


def sign(
    account: LocalAccount,
    *,
    chain_id: int,
    nonce: int,
    to: str | None,
    data: bytes,
    gas: int,
    fees: Fees,
) -> SignedTransaction:
    """An EIP-1559 transaction, signed. The same input gives the same bytes (RFC 6979)."""
    fields: dict[str, Any] = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "value": 0,
        "data": data,
        "gas": gas,
        "maxFeePerGas": fees.max_fee_per_gas,
        "maxPriorityFeePerGas": fees.max_priority_fee_per_gas,
    }
    if to is not None:
        fields["to"] = bytes.fromhex(to[2:])
    signed = account.sign_transaction(fields)
    return SignedTransaction(
        raw=bytes(signed.raw_transaction),
        hash="0x" + bytes(signed.hash).hex(),
        nonce=nonce,
        fees=fees,
    )


def send(endpoint: Endpoint, raw: bytes) -> str:
    """Hand a raw transaction to the node; its hash. One the node already has is a success.

    Raises TransactionRefused, EndpointUnreachable.
    """
    from eth_hash.auto import keccak

    own = "0x" + bytes(keccak(raw)).hex()
    try:
        endpoint.call("eth_sendRawTransaction", ["0x" + raw.hex()])
    except EndpointError as error:
        # "already known", or "nonce too low" for one that is mined: whatever the words, a node
        # that knows the hash has the transaction.
        if endpoint.call("eth_getTransactionByHash", [own]) is None:
            raise TransactionRefused(error) from error
    return own


def wait(endpoint: Endpoint, transaction: str, patience: float = 120.0) -> dict[str, Any]:
    """The receipt, as soon as there is one. Raises NotMined after ``patience`` seconds."""
    deadline = time.monotonic() + patience
    pause = 0.02
    while True:
        receipt: dict[str, Any] | None = endpoint.call("eth_getTransactionReceipt", [transaction])
        if receipt is not None:
            return receipt
        if time.monotonic() > deadline:
            raise NotMined(
                Text(
                    f"거래 {transaction}이(가) {patience:.0f}초 안에 처리되지 않았습니다",
                    f"Transaction {transaction} was not mined within {patience:.0f} seconds",
                ),
                Text("잠시 뒤 다시 시도해 주세요", "Try again later"),
                {"transaction": transaction},
            )
        time.sleep(pause)
        pause = min(pause * 2, 2.0)


def transact(
    endpoint: Endpoint,
    account: LocalAccount,
    *,
    chain_id: int,
    to: str | None,
    data: bytes,
    patience: float = 120.0,
) -> dict[str, Any]:
    """Estimate, sign, send and wait: for the operator's own calls, one at a time.

    Raises ContractRefused (before anything is sent, when the estimate already fails),
    TransactionRefused, NotMined, EndpointUnreachable.
    """
    request = {"from": account.address, "data": "0x" + data.hex()}
    if to is not None:
        request["to"] = to
    try:
        gas = int(endpoint.call("eth_estimateGas", [request]), 16)
    except EndpointError as error:
        if error.reverted:
            raise ContractRefused(error.revert_data()) from error
        raise
    nonce = int(endpoint.call("eth_getTransactionCount", [account.address, "pending"]), 16)
    signed = sign(
        account,
        chain_id=chain_id,
        nonce=nonce,
        to=to,
        data=data,
        gas=gas * 5 // 4,
        fees=suggest_fees(endpoint),
    )
    receipt = wait(endpoint, send(endpoint, signed.raw), patience)
    if int(receipt["status"], 16) != 1:
        raise ContractRefused(b"", signed.hash)
    return receipt
