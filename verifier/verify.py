"""From something presented to a report.

The steps, in order. The code below carries the same numbers.

1. ``format``: the bytes are one JSON text within the limits, no member twice; the receipt, if any,
   is written in its one canonical way.
2. ``schema``: the structure is that of VC 2.0 and Open Badges 3.0, in words of known contexts.
3. ``proof``: the Data Integrity proof verifies under the key it names; of several, every one that
   can be checked does.
4. ``issuer-key``: that key is listed by the issuer's own DID document, for issuing; under a
   did:web, a trusted registry binds it to an institution, or a configured source has the document.
5. ``merkle-path``: the leaf computed from the credential and its place leads to the receipt's root.
6. ``anchor``: a trusted contract on a trusted chain recorded that root, in a canonical block with
   enough confirmations, and the chain says what the receipt says.
7. ``accreditation``: at that block's time the issuer was accredited for this kind of credential,
   and who recorded it was the issuer or a registrar.
8. ``status``: lists signed with a key of the same institution that counts today say it is neither
   revoked nor suspended.
9. ``validity``: today is within its dates.
10. ``holder``: only for what is bound to a holder's key, or when a binding was asked for: that
    holder presented exactly this, to this audience, with this nonce, just now.

A token (SD-JWT VC, VC-JOSE) meets the same steps: its disclosures must fit (1), its claims be those
of its form (2), and its JWS take the place of the Data Integrity proof (3). It has no receipt.

Steps 1 to 4 are fatal: unless they pass, the later ones are not run, because there is nothing yet
that one could ask about. Step 6 needs step 5, step 7 needs step 6. What cannot be asked (a node
that is down, a list that does not arrive) is ``not_run``, never ``failed`` and never ``passed``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from credential.evidence import Evidence
from credential.text import Text
from verifier.blockcerts import Transactions
from verifier.case import Case, Chains, CheckFunction
from verifier.checks import (
    accreditation,
    anchor,
    format,
    holder,
    issuer_key,
    merkle_path,
    proof,
    schema,
    status,
    validity,
)
from verifier.did_web import DidSource
from verifier.facts import facts_of
from verifier.facts_of_claims import facts_of_claims
from verifier.policy import DEFAULT_POLICY, VerificationPolicy
from verifier.report import HOLDER, Check, Finding, Outcome, Report, not_run
from verifier.status_source import StatusSource
from verifier.trust import Trust


@dataclass(frozen=True, slots=True)
class Step:
    """A numbered step. ``fatal``: unless it passes, nothing after it is run. ``needs``: ids of
    steps that must have passed, unless the credential came without a receipt."""

    number: int
    id: str
    check: CheckFunction
    fatal: bool = False
    needs: tuple[str, ...] = ()


STEPS = (
    Step(1, "format", format.check, fatal=True),
    Step(2, "schema", schema.check, fatal=True),
    Step(3, "proof", proof.check, fatal=True),
    Step(4, "issuer-key", issuer_key.check, fatal=True),
    Step(5, "merkle-path", merkle_path.check),
    Step(6, "anchor", anchor.check, needs=("merkle-path",)),
    Step(7, "accreditation", accreditation.check, needs=("merkle-path", "anchor")),
    Step(8, "status", status.check),
    Step(9, "validity", validity.check),
)
HOLDER_STEP = Step(10, HOLDER, holder.check)


def verify(
    evidence: bytes | str | Evidence,
    *,
    trust: Trust,
    chain: Chains,
    status_source: StatusSource | None,
    now: datetime,
    policy: VerificationPolicy = DEFAULT_POLICY,
    nonce: str | None = None,
    audience: str | None = None,
    did_source: DidSource | None = None,
    transactions: Transactions | None = None,
) -> Report:
    """Run the steps on an evidence file, a bare credential or a token, and report every one.

    ``nonce`` and ``audience`` are what the verifier asked the holder with; ``transactions`` looks
    up those that Blockcerts are anchored in.
    ``chain(chain_id)`` is the reader of a chain or None; ``now`` an aware instant; ``did_source``
    is asked for a did:web that no trusted registry knows; without it none is resolved. Whatever
    is presented, the answer is a report; ``ValueError`` is for a naive ``now`` alone.
    """
    if now.tzinfo is None:
        raise ValueError("naive datetime: give the instant a zone")
    case = Case(
        _bytes(evidence),
        trust,
        chain,
        status_source,
        now,
        policy,
        nonce,
        audience,
        did_source,
        transactions,
    )
    findings: dict[str, Finding] = {}
    stopped_by: Step | None = None
    steps = list(STEPS)
    for step in steps:
        blocker = stopped_by or _blocker(step, findings, case)
        finding = step.check(case) if blocker is None else _stopped(blocker)
        findings[step.id] = finding
        if step.number == 1 and holder.concerns(case):
            steps.append(HOLDER_STEP)
        if step.fatal and stopped_by is None and finding.outcome is not Outcome.PASSED:
            stopped_by = step
    required = policy.required_for(
        anchored=case.evidence is None or case.receipt is not None, bound=HOLDER_STEP in steps
    )
    checks = [_check(step, findings[step.id], step.id in required) for step in steps]
    signed = findings["issuer-key"].outcome is Outcome.PASSED
    facts = {}
    if signed:
        claims = case.token is not None and case.token.is_sd_jwt_vc
        facts = facts_of_claims(case.document) if claims else facts_of(case.document)
    return Report.of(checks, required=required, facts=facts, checked_at=now)


def _bytes(evidence: bytes | str | Evidence) -> bytes | Evidence:
    return evidence.encode("utf-8", "surrogatepass") if isinstance(evidence, str) else evidence


def _blocker(step: Step, findings: dict[str, Finding], case: Case) -> Step | None:
    if case.receipt is None:
        return None
    for earlier in STEPS:
        if earlier.id in step.needs and findings[earlier.id].outcome is not Outcome.PASSED:
            return earlier
    return None


def _stopped(blocker: Step) -> Finding:
    return not_run(
        "earlier-step-failed",
        Text(
            f"앞선 {blocker.number}단계를 통과하지 못해 확인하지 않았습니다.",
            f"Not checked, because step {blocker.number} ({blocker.id}) did not pass.",
        ),
        details={"step": blocker.number, "check": blocker.id},
    )


def _check(step: Step, finding: Finding, required: bool) -> Check:
    return Check(
        id=step.id,
        step=step.number,
        outcome=finding.outcome,
        required=required,
        code=finding.code,
        reason=finding.reason,
        remedy=finding.remedy,
        details=finding.details,
        notes=finding.notes,
    )
