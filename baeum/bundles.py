"""Evidence bundles of this home: what the citizen keeps, with every proof an employer needs.

Here because it joins what no single room may: the issuer's evidence, the chain's proofs and the
verifier's reading of a credential.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from credential.errors import BaeumError
from credential.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from credential.evidence import Evidence
    from ledger.chain.bundle import Bundle
    from ledger.chain.endpoint import Endpoint
    from verifier.status_source import StatusSource


class NotAnchoredYet(BaeumError):
    """There is nothing on the chain to prove yet."""

    code: ClassVar[str] = "not-anchored-yet"
    title: ClassVar[Text] = Text("아직 체인에 기록되지 않았습니다", "Not on the chain yet")
    status: ClassVar[int] = 409


def bundle(
    evidence: Evidence,
    *,
    endpoint: Endpoint,
    registry: str,
    status_source: StatusSource,
    blocks: int = 0,
) -> tuple[Evidence, Bundle]:
    """The evidence with proofs up to ``blocks`` blocks after the anchor's.

    Raises ``NotAnchoredYet``, ``ledger.chain.bundle.BundleUnavailable``, what the endpoint raises,
    and what the source of the status lists raises.
    """
    from datetime import datetime

    from credential.evidence import strict_json
    from ledger.chain.bundle import gather
    from verifier.kinds import as_list, kind_hash, kind_of

    receipt = evidence.receipt
    if receipt is None:
        raise NotAnchoredYet(
            Text("영수증이 아직 없습니다", "There is no receipt yet"),
            Text("baeum anchor를 실행한 뒤 다시 해 주세요", "Run baeum anchor, then try again"),
        )
    document = evidence.credential
    method = signed_with(document)
    time = int(datetime.fromisoformat(receipt.block_time).timestamp())
    kind = kind_hash(kind_of(document) or "unknown")
    lists: dict[str, dict[str, Any]] = {}
    for entry in as_list(document.get("credentialStatus")):
        url = entry["statusListCredential"]
        if url not in lists:
            lists[url] = strict_json(status_source.fetch(url).body)
    listed = {signed_with(each) for each in lists.values()} - {method}
    made = gather(
        endpoint,
        transaction="0x" + receipt.transaction.hex(),
        registry=registry,
        reads=_reads(method, listed, kind, receipt.anchored_by, time),
        status_lists=lists.items(),
        blocks=blocks,
    )
    return replace(evidence, proofs=made.proofs), made


def signed_with(document: Mapping[str, Any]) -> str:
    """The verification method of the first proof."""
    proof = document.get("proof")
    first = proof[0] if isinstance(proof, list) and proof else proof
    return str(first.get("verificationMethod")) if isinstance(first, dict) else ""


def _reads(
    method: str, listed: Iterable[str], kind: bytes, anchored_by: bytes, time: int
) -> Callable[[Callable[[int], int]], object]:
    """Asks what a verifier will ask: the issuer's standing, whose keys signed the lists, and the
    registrar's standing."""
    from eth_hash.auto import keccak

    from contracts.standing import REGISTRAR, did_period, standing, standing_of
    from credential.did import bound_name

    def hashed(method: str) -> bytes:
        return keccak(bound_name(method).encode())

    def read(storage: Callable[[int], int]) -> object:
        return (
            standing(storage, hashed(method), kind, time),
            [did_period(storage, hashed(each)) for each in sorted(listed)],
            standing_of(storage, anchored_by, REGISTRAR, time),
        )

    return read
