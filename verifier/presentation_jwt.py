"""A presentation that its holder signed as a JWT (``vp+jwt``) to a report on each credential in it.

VC-JOSE-COSE section 3.1.2 secures a VC 2.0 presentation as a JWS; what is inside meets the numbered
steps by itself, and the tenth step, ``holder``, is answered by the presentation: its signer is whom
the credential is about.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from credential import contexts, did, envelope, jose, sd_jwt_vc
from credential.errors import BaeumError
from credential.evidence import MAX_BYTES
from credential.jose import Jws, JwsUnsupported
from credential.text import Text
from verifier.did_web import DidSource
from verifier.kinds import as_list
from verifier.policy import DEFAULT_POLICY, VerificationPolicy
from verifier.report import (
    HOLDER,
    Check,
    Finding,
    Outcome,
    Report,
    Verdict,
    failed,
    not_run,
    passed,
)
from verifier.signature import SignatureUnknown, resolved
from verifier.tokens import read_token
from verifier.verify import HOLDER_STEP, verify

TYP: Final = "vp+jwt"
MAX_CREDENTIALS: Final = 32

_AGAIN = Text(
    "제시하는 사람에게 지갑에서 다시 제시해 달라고 요청해 주십시오.",
    "Ask the holder to present it again from the wallet.",
)


class PresentationWrong(BaeumError):
    """It is not what the verifier asked for; ``facts["reason"]`` says how."""

    code: ClassVar[str] = "presentation-wrong"
    title: ClassVar[Text] = Text("제시가 올바르지 않습니다", "The presentation is wrong")


@dataclass(frozen=True, slots=True)
class JwtPresentationReport:
    """``presented``: who presented it, to whom, when; ``reports`` on the credentials in their
    order, each with that as its tenth step."""

    presented: Check
    reports: tuple[Report, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all; a presentation of nothing that could be read is never valid."""
        verdicts = {report.verdict for report in self.reports}
        if self.presented.required and self.presented.outcome is not Outcome.PASSED:
            wrong = self.presented.outcome is Outcome.FAILED
            verdicts.add(Verdict.INVALID if wrong else Verdict.UNDETERMINED)
        for verdict in (Verdict.INVALID, Verdict.UNDETERMINED):
            if verdict in verdicts:
                return verdict
        return Verdict.VALID if self.reports else Verdict.INVALID

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.value,
            "presentation": self.presented.to_json(),
            "credentials": [report.to_json() for report in self.reports],
        }


def is_presentation_jwt(presented: bytes) -> bool:
    """Whether what was handed in says that it is a ``vp+jwt``."""
    text = presented[: MAX_BYTES + 1].decode("ascii", "replace").strip()
    try:
        return jose.looks_compact(text) and jose.parse(text).typ == TYP
    except BaeumError:
        return False


def verify_presentation_jwt(
    presented: bytes,
    *,
    now: datetime,
    policy: VerificationPolicy = DEFAULT_POLICY,
    nonce: str | None = None,
    audience: str | None = None,
    did_source: DidSource | None = None,
    **sources: Any,
) -> JwtPresentationReport:
    """Check the presentation, then each credential in it; ``sources`` as ``verify`` takes them.

    1. Its form: VC 2.0, one holder, 1 to 32 credentials. 2. The holder's key, for authentication,
    signed it. 3. Its audience and nonce are those asked with, its times fit. 4. Each credential
    verifies, and is about that holder. Without a nonce and audience 3 is ``not_run``.
    """
    holder: str | None = None
    credentials: list[dict[str, Any]] = []
    try:
        signed = jose.parse(presented.decode("ascii", "replace").strip())
        claims = signed.claims()
        holder, credentials = _read(signed, claims)
        _check_signature(signed, holder, did_source)
        finding = _check_request(claims, nonce, audience, now, policy)
    except (JwsUnsupported, SignatureUnknown) as unknown:
        code = str(unknown.facts.get("reason", unknown.code))
        finding = not_run(code, unknown.detail, remedy=unknown.remedy or _AGAIN)
    except BaeumError as wrong:
        code = str(wrong.facts.get("reason", wrong.code))
        finding = failed(code, wrong.detail, remedy=_AGAIN)
    reports = []
    for credential in credentials:
        text = envelope.unwrap(credential)
        bound = text is not None and "~" in text  # an SD-JWT has a key binding of its own
        asked: dict[str, Any] = {"nonce": nonce, "audience": audience} if bound else {}
        body = json.dumps(credential).encode()
        report = verify(body, now=now, policy=policy, did_source=did_source, **asked, **sources)
        if not bound:
            theirs = finding
            if finding.outcome is Outcome.PASSED:
                theirs = _bound(credential, report, str(holder), finding)
            report = report.with_check(_check(theirs, policy))
        reports.append(report)
    return JwtPresentationReport(_check(finding, policy), tuple(reports))


def _read(signed: Jws, claims: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The holder, and each credential."""
    if signed.typ != TYP:
        raise _wrong("typ-wrong", "제시(vp+jwt)가 아닙니다.", "Not a presentation (vp+jwt).")
    first = as_list(claims.get("@context"))[:1]
    if first != [contexts.VC_V2] or "VerifiablePresentation" not in as_list(claims.get("type")):
        raise _wrong(
            "presentation-malformed",
            "VC 2.0의 제시가 아닙니다.",
            "Not a presentation of VC 2.0.",
        )
    holder = claims.get("holder", claims.get("iss"))
    holder = holder.get("id") if isinstance(holder, Mapping) else holder
    if not isinstance(holder, str) or claims.get("iss", holder) != holder:
        raise _wrong(
            "holder-absent",
            "제시한 사람(holder)이 적혀 있지 않거나 서로 다릅니다.",
            "It names no holder, or two.",
        )
    entries = as_list(claims.get("verifiableCredential"))
    if not 0 < len(entries) <= MAX_CREDENTIALS or not all(isinstance(e, dict) for e in entries):
        raise _wrong(
            "credentials-malformed",
            f"증명이 1개에서 {MAX_CREDENTIALS}개까지 객체로 들어 있어야 합니다.",
            f"It must hold 1 to {MAX_CREDENTIALS} credentials, as objects.",
        )
    return holder, entries


def _check_signature(signed: Jws, holder: str, did_source: DidSource | None) -> None:
    kid = signed.kid or ""
    method = f"{holder}{kid}" if kid.startswith("#") else kid
    if method.partition("#")[0] != holder or "#" not in method:
        raise _wrong(
            "another-signer",
            "제시한 사람의 키(kid)로 서명한 것이 아닙니다.",
            "It is not signed with a key (kid) of its holder.",
        )
    # always from the DID's own document: no registry vouches for the keys of holders
    key = did.verification_key(resolved(holder, did_source), method, "authentication")
    jose.verify(signed, key)


def _check_request(
    claims: Mapping[str, Any],
    nonce: str | None,
    audience: str | None,
    now: datetime,
    policy: VerificationPolicy,
) -> Finding:
    moment, skew = now.timestamp(), policy.clock_skew.total_seconds()
    times = {name: sd_jwt_vc.numeric_date(claims.get(name)) for name in ("iat", "nbf", "exp")}
    if any(name in claims and seconds is None for name, seconds in times.items()):
        raise _wrong("time-malformed", "시각의 형식이 잘못되었습니다.", "A malformed time.")
    made, since, until = times["iat"], times["nbf"], times["exp"]
    if (
        any(start is not None and start > moment + skew for start in (made, since))
        or (made is not None and made < moment - policy.max_presentation_age.total_seconds())
        or (until is not None and until <= moment)
    ):
        raise _wrong("not-fresh", "방금 제시한 것이 아닙니다.", "It was not presented just now.")
    if nonce is None or audience is None:
        return not_run(
            "nonce-not-given",
            Text(
                "이 검증기가 보낸 요청값(nonce)과 수신자(audience)를 몰라, 방금 제시된 것인지 "
                "판단할 수 없습니다.",
                "Without the nonce and audience this verifier asked with, nobody can tell "
                "whether it was presented just now.",
            ),
            remedy=Text(
                "요청할 때 쓴 --nonce와 --audience를 함께 주십시오.",
                "Give the --nonce and --audience you asked with.",
            ),
        )
    if audience not in as_list(claims.get("aud")):
        raise _wrong("audience", "다른 곳에 제시한 것입니다.", "It was presented to another.")
    if claims.get("nonce") != nonce:
        raise _wrong("nonce", "이번 요청에 대한 것이 아닙니다.", "It does not answer this request.")
    return passed(
        "holder-presented",
        Text(
            "증명의 보유자가 이번 요청에 직접 제시했습니다.",
            "The holder of the credential presented it for this request.",
        ),
        details={"audience": audience},
    )


def _bound(entry: dict[str, Any], report: Report, holder: str, presented: Finding) -> Finding:
    """Whether the credential is about who presented it. Only a checked one says whom."""
    if report.check("issuer-key").outcome is not Outcome.PASSED:
        return not_run(
            "holder-unknown",
            Text(
                "증명의 서명이 확인되지 않아 누구의 것인지 알 수 없습니다.",
                "Whose it is cannot be told, because its signature was not confirmed.",
            ),
        )
    subjects = _subjects(entry)
    if subjects == {holder}:
        return presented
    if any(isinstance(subject, str) and subject.startswith("did:") for subject in subjects):
        return failed(
            "another-holder",
            Text("제시한 사람의 증명이 아닙니다.", "It is not about who presented it."),
            remedy=_AGAIN,
        )
    return not_run(
        "not-bound",
        Text(
            "보유자의 DID에 묶이지 않은 증명이어서, 제시한 사람의 것인지 알 수 없습니다.",
            "It is bound to no DID, so whether it is the presenter's cannot be told.",
        ),
        remedy=_AGAIN,
    )


def _subjects(entry: dict[str, Any]) -> set[object]:
    """The identifiers of everybody the credential is about, None for one without."""
    inner = entry["credential"] if entry.get("type") == "BaeumEvidence" else entry
    text = envelope.unwrap(inner)
    document = inner if text is None else read_token(text).document
    people = as_list(document.get("credentialSubject"))
    return {one.get("id") if isinstance(one, Mapping) else None for one in people}


def _check(finding: Finding, policy: VerificationPolicy) -> Check:
    return Check(
        id=HOLDER,
        step=HOLDER_STEP.number,
        outcome=finding.outcome,
        required=policy.holder_binding,
        code=finding.code,
        reason=finding.reason,
        remedy=finding.remedy,
        details=finding.details,
        notes=finding.notes,
    )


def _wrong(reason: str, ko: str, en: str) -> PresentationWrong:
    return PresentationWrong(Text(ko, en), None, {"reason": reason})
