"""A presentation: is it well formed, did its holder sign it, for this verifier, now, and do its
credentials hold?

1. ``structure``: the rules of ``credential.presentation``.
2. ``proof``: every proof verifies under a key its DID lists for authentication.
3. ``challenge`` and ``domain``: the proof names the ones that were asked for, if any were.
4. ``holder``: the holder the presentation names is the one who signed it.
5. each credential is verified as any other (``verifier.verify``).

A step is ``not_run`` when the one before it did not pass. (VC Data Integrity 1.0 section 4.4)
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from credential import contexts, did, integrity, presentation
from credential.errors import BaeumError
from credential.evidence import Evidence
from credential.text import Text
from verifier.report import Check, Outcome, Report, Verdict, verdict_of
from verifier.signature import SignatureUnknown, did_document

STEPS = ("structure", "proof", "challenge", "domain", "holder")
MAX_CREDENTIALS = 100


@dataclass(frozen=True, slots=True)
class PresentationReport:
    """``checks`` are of the presentation itself, ``credentials`` the reports on what it holds."""

    checks: tuple[Check, ...]
    credentials: tuple[Report, ...]

    @property
    def verdict(self) -> Verdict:
        """Of the presentation itself; its credentials have verdicts of their own."""
        return verdict_of(self.checks, STEPS)

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.value,
            "checks": [check.to_json() for check in self.checks],
            "credentials": [report.to_json() for report in self.credentials],
        }


def verify_presentation(
    document: dict[str, Any],
    *,
    verify: Callable[[Evidence], Report],
    challenge: str | None,
    domain: str | None,
    load: contexts.Loader = contexts.load,
) -> PresentationReport:
    """The report, whatever is presented. ``verify`` judges each credential."""
    problems = presentation.check(document, load=load)
    held = presentation.credentials(document)
    if problems or len(held) > MAX_CREDENTIALS:
        reason = problems[0].reason if problems else Text("너무 많습니다.", "Too many credentials.")
        details = {"problems": [problem.to_json() for problem in problems[:10]]}
        first = _check("structure", Outcome.FAILED, "structure-wrong", reason, details)
        return PresentationReport((first, *_not_run(STEPS[1:])), ())
    checks = [
        _check(
            "structure",
            Outcome.PASSED,
            "structure-right",
            Text("구조가 표준에 맞습니다.", "The structure is that of the standard."),
        )
    ]
    try:
        signers = [_signer(document, proof, load) for proof in integrity.proofs(document)]
    except SignatureUnknown as unknown:
        checks.append(_check("proof", Outcome.NOT_RUN, "proof-unknown", unknown.detail))
        checks.extend(_not_run(STEPS[2:]))
    except BaeumError as wrong:
        checks.append(_check("proof", Outcome.FAILED, wrong.code, wrong.detail))
        checks.extend(_not_run(STEPS[2:]))
    else:
        checks.append(
            _check(
                "proof",
                Outcome.PASSED,
                "signature-right",
                Text("제시한 사람의 서명이 맞습니다.", "The holder's signature holds."),
                {"signers": signers},
            )
        )
        proofs = integrity.proofs(document)
        checks.append(_asked("challenge", challenge, [[p.get("challenge")] for p in proofs]))
        checks.append(_asked("domain", domain, [_list(p.get("domain")) for p in proofs]))
        checks.append(_holder(presentation.holder(document), signers))
    reports = tuple(verify(Evidence(credential)) for credential in held)
    return PresentationReport(tuple(checks), reports)


def _signer(document: dict[str, Any], proof: dict[str, Any], load: contexts.Loader) -> str:
    """The DID that made the proof for authentication; raises what says why it does not hold."""
    method = proof.get("verificationMethod")
    identifier = did.subject_of(method)
    key = did.verification_key(did_document(identifier), str(method), "authentication")
    integrity.verify(document, proof, key, purpose="authentication", load=load)
    return identifier


def _asked(name: str, wanted: str | None, named: list[list[Any]]) -> Check:
    """Whether every proof names what was asked for; nothing asked is nothing to compare."""
    if wanted is None:
        reason = Text("요구한 값이 없습니다.", "None was asked for.")
        return _check(name, Outcome.PASSED, f"{name}-not-asked", reason)
    right = all(
        any(
            isinstance(value, str) and hmac.compare_digest(value.encode(), wanted.encode())
            for value in values
        )
        for values in named
    )
    if right:
        reason = Text("요구한 값과 같습니다.", "It is the one that was asked for.")
        return _check(name, Outcome.PASSED, f"{name}-right", reason)
    return _check(
        name,
        Outcome.FAILED,
        f"{name}-mismatch",
        Text(
            f"서명의 {name} 값이 요구한 것과 다릅니다. 다른 곳에 제시한 것일 수 있습니다.",
            f"The proof's {name} is not the one asked for: it may have been made for another.",
        ),
    )


def _holder(named: str | None, signers: list[str]) -> Check:
    if named is None or all(signer == named for signer in signers):
        reason = Text("제시한 사람이 서명했습니다.", "The holder signed it.")
        return _check("holder", Outcome.PASSED, "holder-signed", reason)
    return _check(
        "holder",
        Outcome.FAILED,
        "holder-did-not-sign",
        Text("적힌 제시자가 아닌 사람이 서명했습니다.", "Another than its holder signed it."),
        {"holder": named},
    )


def _check(
    name: str, outcome: Outcome, code: str, reason: Text, details: dict[str, Any] | None = None
) -> Check:
    return Check(name, STEPS.index(name) + 1, outcome, True, code, reason, None, details or {})


def _not_run(names: tuple[str, ...]) -> list[Check]:
    reason = Text("앞 단계를 통과하지 못했습니다.", "An earlier step did not pass.")
    return [_check(name, Outcome.NOT_RUN, "earlier-step-failed", reason) for name in names]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
