"""Where a batch is anchored: chain, contract, and the institution whose account sends the root."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from credential import receipt
from credential.errors import BaeumError
from credential.text import Text
from ledger.chain.names import institution_id

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


class PlaceInvalid(BaeumError):
    """The chain or the contract's address is not one."""

    code = "anchor-place-invalid"
    title = Text("기록할 곳이 잘못되었습니다", "The place to anchor at is wrong")
    status: ClassVar[int] = 500


@dataclass(frozen=True, slots=True)
class AnchorPlace:
    """``contract`` is the CredentialAnchor's address in 0x-hex, ``anchored_by`` an institution id.

    Every leaf commits to chain, contract and issuing institution, so a batch belongs to one place.
    """

    chain_id: int
    contract: str
    anchored_by: str

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.contract) or not 0 < self.chain_id < 2**63:
            raise PlaceInvalid(
                Text(
                    f"체인 {self.chain_id}의 계약 주소가 아닙니다: {self.contract[:60]}",
                    f"Not a contract on chain {self.chain_id}: {self.contract[:60]}",
                ),
                Text("network.json을 확인해 주세요", "Check network.json"),
            )

    def of(self, institution: str) -> bytes:
        """The 32 bytes a leaf of this issuing institution commits to."""
        return receipt.place(
            chain_id=self.chain_id,
            contract=address_bytes(self.contract),
            institution=institution_id(institution),
        )


def address_bytes(address: str) -> bytes:
    """The 20 bytes of an address in 0x-hex."""
    return bytes.fromhex(address.removeprefix("0x"))
