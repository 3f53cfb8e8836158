"""Step 6: did a trusted contract record the receipt's root, in a block that is here to stay?"""

from __future__ import annotations

from typing import Any

from credential.receipt import Receipt
from credential.text import Text
from verifier.case import Anchored, Case
from verifier.chain_answers import AnchorEvent, AnchorSighting, Block, ChainUnavailable
from verifier.checks.merkle_path import ASK_FOR_EVIDENCE
from verifier.instants import age_seconds, instant, spoken, written
from verifier.kinds import REGISTRAR, kind_hash
from verifier.report import Finding, Note, failed, not_run, passed
from verifier.trust import TrustedNetwork

SELF_RUN = Note(
    "self-run-chain",
    Text(
        "한 기관이 혼자 운영하는 체인입니다. 그 기관 밖의 사람에게는 증명력이 없습니다.",
        "One party runs this chain alone: it proves nothing to others.",
    ),
)
_FRESH = Text(
    "발급 기관에 최신 증거 파일을 다시 요청해 주십시오.",
    "Ask the issuer for the current evidence file.",
)


def check(case: Case) -> Finding:
    """Chain and contract must be trusted, the node must answer for that chain, the transaction
    must be in the canonical block the receipt names, with enough confirmations, and its event must
    say what the receipt says. A node that cannot be asked is never a reason to fail."""
    receipt = case.receipt
    if receipt is None:
        return not_run(
            "no-receipt",
            Text(
                "블록체인 영수증이 없는 파일이라 체인 기록을 확인할 수 없습니다.",
                "The file has no blockchain receipt, so there is nothing to look up.",
            ),
            remedy=ASK_FOR_EVIDENCE,
        )
    network = case.trust.find(receipt.chain_id, _hex(receipt.contract))
    if network is None:
        return _not_trusted(case, receipt)
    needed = max(network.confirmations, case.policy.confirmations or 1)
    try:
        seen = case.reader(network).anchor(
            _hex(receipt.transaction),
            receipt.block_number,
            confirmations=needed,
            now=case.now,
            max_age=case.policy.max_chain_age,
        )
    except ChainUnavailable as unavailable:
        return not_run(unavailable.code, unavailable.detail, remedy=unavailable.remedy)
    problem = _block_problem(seen.value, receipt, needed)
    if problem is not None:
        return problem
    mined, block = seen.value.mined, seen.value.block
    if mined is None or block is None:  # _block_problem has seen to it
        raise AssertionError("an anchor without a problem has a receipt and a block")
    event = _matching(mined.events, receipt, network)
    if isinstance(event, Finding):
        return event
    if not _may_anchor(event, receipt, case.kind):
        return failed(
            "anchored-without-right",
            Text(
                "이 종류의 증명을 기록할 권한이 없는 기관이 체인에 기록했습니다.",
                "The institution that recorded it may not record credentials of this kind.",
            ),
            remedy=_FRESH,
        )
    case.anchored = Anchored(network, event, block.time)
    details: dict[str, Any] = {
        "network": network.name.to_json(),
        "chainId": network.chain_id,
        "contract": network.anchor,
        "transaction": _hex(receipt.transaction),
        "blockNumber": block.number,
        "blockTime": written(block.time),
        "sequence": event.sequence,
        "confirmations": seen.value.confirmations,
        "readAt": written(seen.learnt_at),
        "ageSeconds": age_seconds(case.now, seen.learnt_at),
    }
    return passed(
        "anchored",
        Text(
            f"{spoken(block.time).ko}에 기록되었습니다({network.name.ko}).",
            f"It was recorded on {spoken(block.time).en} ({network.name.en}).",
        ),
        details=details,
        notes=[SELF_RUN] if network.self_run else [],
    )


def _not_trusted(case: Case, receipt: Receipt) -> Finding:
    remedy = Text(
        "위조라는 뜻은 아닙니다. 이 체인을 믿는다면 신뢰 목록에 추가해 주십시오.",
        "This does not mean forged. If you trust that chain, add it to your trust file.",
    )
    if not case.trust.on_chain(receipt.chain_id):
        return failed(
            "chain-not-trusted",
            Text(
                f"신뢰 목록에 없는 체인({receipt.chain_id})에 기록되었습니다.",
                f"It was recorded on a chain you do not trust ({receipt.chain_id}).",
            ),
            remedy=remedy,
            details={"chainId": receipt.chain_id},
        )
    return failed(
        "contract-not-trusted",
        Text(
            "신뢰하는 체인이지만, 신뢰 목록에 없는 계약에 기록되었습니다.",
            "The chain is trusted, but another contract than the trusted one recorded it.",
        ),
        remedy=remedy,
        details={"chainId": receipt.chain_id, "contract": _hex(receipt.contract)},
    )


def _block_problem(seen: AnchorSighting, receipt: Receipt, needed: int) -> Finding | None:
    block, mined = seen.block, seen.mined
    if block is None:
        return not_run(
            "endpoint-behind",
            Text(
                f"노드가 아직 블록 {receipt.block_number}까지 따라오지 못했습니다.",
                f"The node has not reached block {receipt.block_number} yet.",
            ),
            remedy=Text(
                "노드가 동기화된 뒤 다시 검증해 주십시오.", "Verify again once it is in sync."
            ),
            details={"head": seen.head},
        )
    if block.hash != _hex(receipt.block_hash):
        return failed(
            "reorganised-away",
            Text(
                "영수증이 가리키는 블록은 지금의 체인에 없습니다.",
                "The block the receipt names is not part of the chain.",
            ),
            remedy=_FRESH,
        )
    if _hex(receipt.transaction) not in block.transactions:
        return failed(
            "transaction-not-in-block",
            Text(
                "영수증이 가리키는 블록에 그 거래가 없습니다.",
                "The block the receipt names does not hold the transaction.",
            ),
            remedy=_FRESH,
        )
    if mined is None:
        return not_run(
            "receipt-unavailable",
            Text(
                "노드가 거래의 기록을 보관하고 있지 않습니다.",
                "The node does not keep the record of the transaction.",
            ),
            remedy=Text("다른 노드에 물어봐 주십시오.", "Ask another node."),
        )
    if not _same_block(mined.block_hash, mined.block_number, mined.transaction, receipt, block):
        return failed(
            "receipt-contradicts-chain",
            Text(
                "영수증의 블록 정보가 체인의 기록과 다릅니다.",
                "What the receipt says of the block differs from the chain.",
            ),
            remedy=_FRESH,
        )
    if not mined.succeeded:
        return failed(
            "transaction-failed",
            Text("그 거래는 체인에서 실패했습니다.", "The transaction failed on the chain."),
            remedy=_FRESH,
        )
    if seen.confirmations < needed:
        return not_run(
            "anchor-not-final",
            Text(
                f"기록이 아직 확정되지 않았습니다({seen.confirmations}/{needed} 확인).",
                f"The record is not final yet ({seen.confirmations} of {needed} confirmations).",
            ),
            remedy=Text("잠시 뒤 다시 검증해 주십시오.", "Verify again a little later."),
            details={"confirmations": seen.confirmations, "needed": needed},
        )
    return None


def _same_block(
    mined_hash: str, mined_number: int, transaction: str, receipt: Receipt, block: Block
) -> bool:
    try:
        claimed_time = instant(receipt.block_time)
    except ValueError:
        return False
    return (
        mined_hash == block.hash
        and mined_number == block.number
        and transaction == _hex(receipt.transaction)
        and claimed_time == block.time
    )


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _matching(
    events: tuple[AnchorEvent, ...], receipt: Receipt, network: TrustedNetwork
) -> AnchorEvent | Finding:
    ours = [event for event in events if event.contract == network.anchor]
    if not ours:
        return failed(
            "event-of-another-contract",
            Text(
                "그 거래에는 신뢰하는 계약의 기록이 없습니다.",
                "The transaction holds no record by the trusted contract.",
            ),
            remedy=_FRESH,
        )
    with_root = [event for event in ours if event.root == receipt.root]
    if not with_root:
        return failed(
            "another-root",
            Text(
                "그 거래가 기록한 값은 이 묶음의 것이 아닙니다.",
                "What the transaction recorded is not the root of this batch.",
            ),
            remedy=_FRESH,
        )
    for event in with_root:
        if (event.institution, event.sequence, event.head) == (
            receipt.anchored_by,
            receipt.sequence,
            receipt.head,
        ):
            return event
    return failed(
        "another-sender",
        Text(
            "기록한 기관이나 순번이 영수증과 다릅니다.",
            "The institution that recorded it, or its place in the sequence, "
            "differs from the receipt.",
        ),
        remedy=_FRESH,
    )


def _may_anchor(event: AnchorEvent, receipt: Receipt, kind: str | None) -> bool:
    """The trusted contract emits the event only if the institution was accredited for the event's
    kind at that moment; so it remains to see that the kind covers this credential: a registrar
    anchors anyone's, another institution only its own, of the kind it said."""
    if event.kind == REGISTRAR:
        return True
    own = event.institution == receipt.institution
    return own and kind is not None and event.kind == kind_hash(kind)
