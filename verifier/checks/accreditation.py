"""Step 7: was the issuer accredited for this kind of credential at the time it was anchored?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from credential.did import bound_name
from credential.text import Text
from verifier.case import Anchored, Case
from verifier.chain_answers import ChainUnavailable, RegistryAnswer, Standing
from verifier.checks.merkle_path import ASK_FOR_EVIDENCE
from verifier.instants import age_seconds, instant, written
from verifier.kinds import REGISTRAR, TRANSCRIPT, kind_hash
from verifier.report import Finding, Note, failed, not_run, passed
from verifier.trust import TrustedNetwork

NO_KIND = "unknown"
PROVISIONAL = Note(
    "provisional",
    Text("임시 인증 상태에서 발급되었습니다.", "It was issued under a provisional accreditation."),
)
TIME_CLAIMED = Note(
    "time-claimed",
    Text(
        "발급 시점은 기관이 적은 날짜일 뿐, 체인으로 확인된 시점이 아닙니다.",
        "The time of issuing is what the issuer wrote; no chain confirms it.",
    ),
)
BY_REGISTRAR = Note(
    "issued-by-registrar",
    Text(
        "등록 대행 기관이 인증된 기관을 대신하여 발급했습니다. 기관 이름은 가릴 수 있습니다.",
        "A registrar issued it for an accredited institution, whose name may be withheld.",
    ),
)
_ASK_ISSUER = Text(
    "발급 기관에 문의하거나, 서울시 평생교육 담당 부서에 기관 인증 이력을 확인해 주십시오.",
    "Ask the issuer, or ask the city's lifelong-education office for its accreditation history.",
)
_REFUSALS: dict[Standing, tuple[str, Text]] = {
    Standing.UNKNOWN: (
        "issuer-not-registered",
        Text(
            "발급 기관이 신뢰하는 등록부 어디에도 없습니다. 위조라는 뜻은 아닙니다.",
            "The issuer is registered nowhere you trust. This does not mean forged.",
        ),
    ),
    Standing.OTHER_KIND: (
        "not-for-this-kind",
        Text(
            "발급 기관은 등록되어 있지만, 이 종류의 증명을 발급할 인증은 없습니다.",
            "The issuer is registered, but not accredited for this kind of credential.",
        ),
    ),
    Standing.SUSPENDED: (
        "suspended-then",
        Text(
            "발급 당시 기관 인증이 정지되어 있었습니다.",
            "The issuer's accreditation was suspended at that time.",
        ),
    ),
    Standing.ENDED: (
        "ended-then",
        Text(
            "발급 당시 기관 인증이 이미 끝났거나 취소되어 있었습니다.",
            "The issuer's accreditation had ended or been withdrawn by then.",
        ),
    ),
    Standing.KEY_NOT_VALID: (
        "key-not-valid-then",
        Text(
            "발급 당시 그 서명 키는 기관의 유효한 키가 아니었습니다.",
            "The signing key was not a valid key of the institution at that time.",
        ),
    ),
}


def check(case: Case) -> Finding:
    """As of the block time of the anchor: accreditation that ended later does not matter. The
    registry must also say that the DID is the institution's whose place the leaf commits to."""
    if case.issuer is None:
        raise AssertionError("step 4 stops the later ones")
    if case.receipt is None:
        return _without_receipt(case, case.issuer)
    if case.anchored is None:
        return not_run(
            "time-not-established",
            Text(
                "체인 기록을 확인하지 못해, 어느 시점의 기관 인증을 볼지 정할 수 없습니다.",
                "The record on the chain was not confirmed, so the time to judge by is unknown.",
            ),
            remedy=Text("위의 '체인 기록' 항목을 먼저 해결해 주십시오.", "See the check 'anchor'."),
        )
    return _as_anchored(case, case.issuer, case.anchored, case.receipt.institution)


def _as_anchored(case: Case, issuer: str, anchored: Anchored, institution: bytes) -> Finding:
    asked = _ask(case, anchored.network, issuer, anchored.time)
    if isinstance(asked, Finding):
        return asked
    answer, details = asked
    refusal = _refusal(case, answer, details)
    if refusal is not None:
        return refusal
    if answer.institution != institution:
        return failed(
            "another-institution",
            Text(
                "서명한 기관과 체인 기록에 적힌 발급 기관이 다릅니다.",
                "The institution that signed is not the one the record on the chain names.",
            ),
            remedy=_ASK_ISSUER,
            details=details,
        )
    registrar = _registrar_problem(case, anchored, institution)
    if registrar is not None:
        return registrar
    return passed(
        "accredited-then",
        Text(
            "발급 당시 이 종류의 증명을 발급하도록 인증된 기관이었습니다.",
            "The issuer was accredited for this kind of credential at that time.",
        ),
        details=details,
        notes=[PROVISIONAL] if answer.standing is Standing.PROVISIONAL else [],
    )


def _registrar_problem(case: Case, anchored: Anchored, institution: bytes) -> Finding | None:
    """An anchor by another institution than the issuer needs that one to have been a registrar."""
    event, network = anchored.event, anchored.network
    if event.institution == institution:
        return None
    try:
        answer = (
            case.reader(network)
            .standing_of(
                network.registry,
                event.institution,
                REGISTRAR,
                anchored.time,
                now=case.now,
                max_age=case.policy.max_chain_age,
            )
            .value
        )
    except ChainUnavailable as unavailable:
        return not_run(unavailable.code, unavailable.detail, remedy=unavailable.remedy)
    if answer.standing in (Standing.ACCREDITED, Standing.PROVISIONAL):
        return None
    return failed(
        "registrar-not-accredited",
        Text(
            "체인에 대신 기록한 기관이 그 당시 등록 대행 기관이 아니었습니다.",
            "The institution that recorded it for the issuer was not a registrar at that time.",
        ),
        remedy=_ASK_ISSUER,
    )


def _without_receipt(case: Case, issuer: str) -> Finding:
    """Registered nowhere is a plain answer. For the rest a time nobody can prove is needed, so it
    counts only if the policy allows it, and if the issuer was accredited both then and now."""
    moments = [case.now]
    claimed = case.signed_by.proof.get("created") if case.signed_by is not None else None
    try:
        moments.append(instant(claimed))
        claim_usable = True
    except ValueError:
        claim_usable = False
    registered = False
    unavailable: Finding | None = None
    # A registrar may issue for an institution whose name is withheld; a Data Integrity credential
    # names its institution, so there only the institution's own standing counts.
    as_registrar = case.token is not None and case.token.is_sd_jwt_vc
    asked = [(network, False) for network in case.trust.networks]
    asked += [(network, True) for network in case.trust.networks if as_registrar]
    for network, registrar in asked:
        answers = [_ask(case, network, issuer, moment, registrar=registrar) for moment in moments]
        broken = next((answer for answer in answers if isinstance(answer, Finding)), None)
        if broken is not None:
            unavailable = unavailable or broken
            continue
        told = [answer for answer in answers if not isinstance(answer, Finding)]
        if all(answer.standing is Standing.UNKNOWN for answer, _ in told):
            continue
        registered = True
        good = all(a.standing in (Standing.ACCREDITED, Standing.PROVISIONAL) for a, _ in told)
        if good and claim_usable and case.policy.allow_missing_anchor and case.kind:
            return passed(
                "accredited-now",
                Text(
                    "지금, 그리고 적힌 발급일에 인증된 기관입니다.",
                    "The issuer is accredited now and was on the date it wrote.",
                ),
                details=told[0][1],
                notes=[TIME_CLAIMED, BY_REGISTRAR] if registrar else [TIME_CLAIMED],
            )
    if registered:
        return not_run(
            "time-not-proven",
            Text(
                "발급 시점을 증명하는 영수증이 없어, 그때의 기관 인증을 판단할 수 없습니다.",
                "No receipt proves when it was issued, so the accreditation then is unknown.",
            ),
            remedy=ASK_FOR_EVIDENCE,
        )
    if unavailable is not None:
        return unavailable
    code, reason = _REFUSALS[Standing.UNKNOWN]
    return failed(code, reason, remedy=_ASK_ISSUER, details={"issuer": issuer})


def _ask(
    case: Case,
    network: TrustedNetwork,
    issuer: str,
    time: datetime,
    *,
    registrar: bool = False,
) -> tuple[RegistryAnswer, dict[str, Any]] | Finding:
    kind = case.kind
    try:
        answer = case.reader(network).standing(
            network.registry,
            _key_name(case, issuer),
            REGISTRAR if registrar or kind == TRANSCRIPT else kind_hash(kind or NO_KIND),
            time,
            now=case.now,
            max_age=case.policy.max_chain_age,
        )
    except ChainUnavailable as unavailable:
        return not_run(unavailable.code, unavailable.detail, remedy=unavailable.remedy)
    details = {
        "issuer": issuer,
        "kind": kind,
        "asOf": written(time),
        "standing": answer.value.standing.name.lower().replace("_", "-"),
        "readAt": written(answer.learnt_at),
        "ageSeconds": age_seconds(case.now, answer.learnt_at),
    }
    return answer.value, details


def _key_name(case: Case, issuer: str) -> str:
    """What the registry knows the key that signed by."""
    return issuer if case.signed_by is None else bound_name(case.signed_by.verification_method)


def _refusal(case: Case, answer: RegistryAnswer, details: dict[str, Any]) -> Finding | None:
    known = answer.standing is not Standing.UNKNOWN
    if known and case.kind is None:
        return failed(
            "kind-unknown",
            Text(
                "어떤 종류의 증명인지 알 수 없어 기관 인증과 견줄 수 없습니다.",
                "It does not say what kind of credential it is, so no accreditation covers it.",
            ),
            remedy=_ASK_ISSUER,
            details=details,
        )
    if answer.standing in _REFUSALS:
        code, reason = _REFUSALS[answer.standing]
        return failed(code, reason, remedy=_ASK_ISSUER, details=details)
    return None
