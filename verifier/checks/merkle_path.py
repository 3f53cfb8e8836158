"""Step 5: does the path lead from this very credential to the receipt's root? (RFC 9162, 2.1.3)"""

from __future__ import annotations

from credential import merkle
from credential.errors import BaeumError
from credential.receipt import leaf_input
from credential.text import Text
from verifier.case import Case
from verifier.report import Finding, failed, not_run, passed

ASK_FOR_EVIDENCE = Text(
    "증명을 준 사람이나 발급 기관에 영수증이 든 증거 파일(.baeum.json)을 요청해 주십시오.",
    "Ask the holder or the issuer for the evidence file (.baeum.json) that holds the receipt.",
)


def check(case: Case) -> Finding:
    """The leaf is computed here, from the credential and the place (chain, contract, issuing
    institution): a leaf or an inner node that came with the file is never looked at."""
    receipt = case.receipt
    if receipt is None:
        return not_run(
            "no-receipt",
            Text(
                "블록체인 영수증이 없는 파일이라 경로를 확인할 수 없습니다.",
                "The file has no blockchain receipt, so there is no path to check.",
            ),
            remedy=ASK_FOR_EVIDENCE,
        )
    try:
        leaf = merkle.leaf_hash(
            leaf_input(
                dict(case.document),
                chain_id=receipt.chain_id,
                contract=receipt.contract,
                institution=receipt.institution,
            )
        )
        where = receipt.leaf_index, receipt.tree_size
        root = merkle.commitment_from_path(leaf, *where, receipt.path)
    except BaeumError as wrong:
        return failed("path-malformed", wrong.detail, remedy=ASK_FOR_EVIDENCE)
    if root != receipt.root:
        return failed(
            "path-elsewhere",
            Text(
                "영수증의 경로가 이 증명에서 출발하지 않습니다. 다른 증명의 영수증일 수 있습니다.",
                "The path of the receipt does not start at this credential; "
                "it may belong to another one.",
            ),
            remedy=ASK_FOR_EVIDENCE,
        )
    case.path_leads_to_root = True
    return passed(
        "path-right",
        Text(
            "이 증명은 영수증의 묶음에 들어 있습니다.", "The credential is in the receipt's batch."
        ),
        details={"root": "0x" + root.hex()},
    )
