"""The last step of a verification: the degree computed again from what its holder discloses.

The verifier knows no engine and the engine no signatures; here the two meet. The engine is pure,
so this needs no database and no network.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from credential.text import Text

if TYPE_CHECKING:
    from verifier.report import Check, Report

STEP = 11
ID = "degree"


def with_recomputation(report: Report, content: bytes, policy: Path | None = None) -> Report:
    """The report with the check ``degree``, required. ``policy``: a file besides the bundled ones.

    Raises ``PolicyUnreadable`` for that file. Computed only when the signature holds: otherwise
    the commitments are nobody's.
    """
    from verifier.report import Outcome

    if report.check("issuer-key").outcome is not Outcome.PASSED:
        return report.with_check(
            _check(
                Outcome.NOT_RUN,
                "earlier-step-failed",
                Text(
                    "서명이 확인되지 않아 다시 계산하지 않았습니다.",
                    "Not computed, because the signature was not established.",
                ),
            )
        )
    return report.with_check(_recomputed(content, policy))


def _recomputed(content: bytes, policy: Path | None) -> Check:
    from credential.degree import claims_of
    from credential.evidence import parse
    from ledger.credit import bundled, load_policy
    from ledger.credit.provable import recompute
    from verifier.report import Outcome

    evidence = parse(content)
    claims = claims_of(evidence.credential)
    if claims is None:
        return _check(
            Outcome.NOT_RUN,
            "not-a-degree",
            Text(
                "다시 계산할 수 있는 학위증이 아닙니다.",
                "Not a degree that can be computed again.",
            ),
        )
    if evidence.disclosure is None:
        return _check(
            Outcome.NOT_RUN,
            "nothing-disclosed",
            Text(
                "학습이력을 공개하지 않은 파일입니다.",
                "The file discloses no records.",
            ),
            Text(
                "학위를 받은 사람에게 공개 자료가 든 파일을 요청하십시오.",
                "Ask the holder for a file with the disclosure.",
            ),
        )
    policies = [*bundled(), *([load_policy(policy)] if policy is not None else [])]
    found = recompute(claims, evidence.disclosure, policies)
    return _check(Outcome(found.outcome), found.code, found.reason, details=dict(found.details))


def _check(
    outcome: object, code: str, reason: Text, remedy: Text | None = None, **more: object
) -> Check:
    from verifier.report import Check, Outcome

    return Check(
        id=ID,
        step=STEP,
        outcome=Outcome(str(outcome)),
        required=True,
        code=code,
        reason=reason,
        remedy=remedy,
        **more,  # type: ignore[arg-type]
    )
