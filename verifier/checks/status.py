"""Step 8: has it been revoked or suspended?

By a Bitstring Status List (v1.0, section 3.2), or by a Token Status List, as the credential names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from credential import status, token_status
from credential.errors import BaeumError
from credential.text import Text
from verifier.case import Case
from verifier.chain_answers import ChainUnavailable
from verifier.instants import age_seconds, written
from verifier.kinds import as_list
from verifier.replaced import replaced
from verifier.report import Finding, Outcome, failed, not_run, passed, warning
from verifier.status_list import ListUnacceptable, ListUnreadable, StatusList, read_list
from verifier.status_source import SourceAbsent, SourceError
from verifier.token_status_list import read_token_list
from verifier.trust import TrustedNetwork

MAX_ENTRIES = 8
PURPOSES = ("revocation", "suspension")

_INDEX = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_LATER = Text(
    "네트워크를 확인하고 잠시 뒤 다시 검증해 주십시오.",
    "Check the network and verify again a little later.",
)
_ASK_ISSUER = Text("발급 기관에 문의해 주십시오.", "Ask the issuer.")


def check(case: Case) -> Finding:
    """Every entry is looked up; one that is set decides, then one that is wrong, then one that
    could not be looked up. A list that could not be had never counts as "not revoked"."""
    entries = as_list(case.document.get("credentialStatus"))
    token = [] if case.token is None else as_list(case.token.payload.get("status"))
    if not entries and not token:
        return warning(
            "no-status-entry",
            Text(
                "취소 여부를 확인할 방법이 증명에 적혀 있지 않습니다.",
                "The credential names no way to see whether it was revoked.",
            ),
            remedy=_ASK_ISSUER,
        )
    if len(entries) + len(token) > MAX_ENTRIES:
        return failed(
            "too-many-status-entries",
            Text("상태 항목이 너무 많습니다.", "There are too many status entries."),
        )
    findings = [_entry(case, entry) for entry in entries]
    findings += [_token_entry(case, entry) for entry in token]
    for code in ("revoked", "suspended"):
        for finding in findings:
            if finding.code == code:
                found = _explained(case, finding) if code == "revoked" else finding
                return _with_all(found, findings)
    for outcome in (Outcome.FAILED, Outcome.NOT_RUN):
        for finding in findings:
            if finding.outcome is outcome:
                return _with_all(finding, findings)
    return _with_all(
        passed(
            "in-force",
            Text("취소되거나 정지되지 않았습니다.", "It has been neither revoked nor suspended."),
        ),
        findings,
    )


def _with_all(finding: Finding, findings: list[Finding]) -> Finding:
    lists = [dict(one.details) | {"code": one.code} for one in findings]
    details: dict[str, Any] = {"lists": lists}
    if "replaced" in finding.details:
        details["replaced"] = finding.details["replaced"]
    return Finding(finding.outcome, finding.code, finding.reason, finding.remedy, details)


def _explained(case: Case, revoked: Finding) -> Finding:
    """A revoked credential with a newer one in its place says so, and where to get that."""
    newer = replaced(case, _require_right_list)
    if newer is None:
        return revoked
    day = "" if newer.by is None else newer.by.date().isoformat()
    return failed(
        "revoked",
        Text(
            f"이 증명은 고쳐 발급된 새 증명으로 바뀌었습니다(발급 기관의 {day} 자 목록).",
            f"It was replaced by a corrected credential (issuer's list of {day}).",
        ),
        remedy=Text(
            f"{newer.where} 에서 새 증명을 받아 제출해 주십시오.",
            f"Get the new credential at {newer.where} and present that one.",
        ),
        details={"replaced": {"listOf": day, "getNewAt": newer.where}},
    )


def _entry(case: Case, entry: object) -> Finding:
    if not isinstance(entry, Mapping):
        return _malformed({})
    purpose, url = entry.get("statusPurpose"), entry.get("statusListCredential")
    details: dict[str, Any] = {"purpose": purpose if isinstance(purpose, str) else None}
    if entry.get("type") != "BitstringStatusListEntry":
        return _unknown_kind(details)
    index = entry.get("statusListIndex")
    if (
        not isinstance(purpose, str)
        or not isinstance(url, str)
        or not isinstance(index, str)
        or not _INDEX.fullmatch(index)
    ):
        return _malformed(details)
    if purpose not in PURPOSES or entry.get("statusSize", 1) not in (1, "1"):
        return _unknown_kind(details)
    return _looked_up(case, _bitstring(case, purpose, url, int(index)), url, details)


def _token_entry(case: Case, entry: object) -> Finding:
    """The ``status`` claim (draft-ietf-oauth-status-list, section 6.2)."""
    named = entry.get("status_list") if isinstance(entry, Mapping) else None
    details: dict[str, Any] = {"purpose": None}
    if named is None:
        return _unknown_kind(details)
    index, uri = (
        (named.get("idx"), named.get("uri")) if isinstance(named, Mapping) else (None, None)
    )
    if type(index) is not int or index < 0 or not isinstance(uri, str):
        return _malformed(details)
    return _looked_up(case, _token_list(case, uri, index), uri, details)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a list says of one entry. ``purpose`` is what is set, or would be."""

    purpose: str
    is_set: bool
    valid_from: datetime | None
    valid_until: datetime | None
    max_age: timedelta | None = None


_Reader = Callable[[bytes], _Said]
"""Reads one entry out of a list's bytes. Raises ``ListUnacceptable``, ``StatusListInvalid``."""


def _bitstring(case: Case, purpose: str, url: str, index: int) -> _Reader:
    def read(body: bytes) -> _Said:
        listed = read_list(body)
        _require_right_list(case, listed, purpose, url)
        is_set = status.bit(listed.bits, index)
        return _Said(purpose, is_set, listed.valid_from, listed.valid_until)

    return read


def _token_list(case: Case, uri: str, index: int) -> _Reader:
    def read(body: bytes) -> _Said:
        listed = read_token_list(body)
        _require_key(case, listed.issuer, listed.method, listed.issued_at)
        if listed.uri != uri:
            raise _not_this(
                "status-list-other-list",
                "다른 곳에 게시된 상태 목록입니다.",
                "It is the status list of another place.",
            )
        value = listed.entries[index]
        purpose = _PURPOSE_OF_VALUE.get(value)
        if purpose is None:
            raise ListUnreadable(
                Text(f"모르는 상태값입니다: {value}", f"An unknown status value: {value}"),
                None,
                {"reason": "status-value-unknown"},
            )
        return _Said(
            purpose,
            value != token_status.VALID,
            listed.issued_at,
            listed.expires_at,
            listed.ttl,
        )

    return read


_PURPOSE_OF_VALUE = {
    token_status.VALID: "revocation",
    token_status.INVALID: "revocation",
    token_status.SUSPENDED: "suspension",
}


def _looked_up(case: Case, read: _Reader, url: str, details: dict[str, Any]) -> Finding:
    details["list"] = url
    if case.status_source is None:
        return not_run(
            "no-status-source",
            Text(
                "상태 목록을 가져올 곳이 설정되어 있지 않습니다.",
                "Nothing is set up to fetch status lists from.",
            ),
            details=details,
        )
    try:
        fetched = case.status_source.fetch(url)
    except SourceAbsent as absent:
        return failed("status-list-absent", absent.detail, remedy=absent.remedy, details=details)
    except SourceError as unreachable:
        code = "status-" + unreachable.code.removeprefix("source-")
        return not_run(
            code,
            Text(
                f"취소 여부를 확인하지 못했습니다: {unreachable.detail.ko}",
                f"Whether it was revoked could not be seen: {unreachable.detail.en}",
            ),
            remedy=unreachable.remedy or _LATER,
            details=details,
        )
    age = case.now - fetched.fetched_at
    details |= {
        "fetchedAt": written(fetched.fetched_at),
        "ageSeconds": max(0, age_seconds(case.now, fetched.fetched_at)),
    }
    try:
        said = read(fetched.body)
    except ListUnreadable as unreadable:
        return not_run("status-list-unreadable", unreadable.detail, details=details)
    except ListUnacceptable as wrong:
        return failed(str(wrong.facts["reason"]), wrong.detail, remedy=_ASK_ISSUER, details=details)
    except (BaeumError, IndexError):
        return failed(
            "status-index-out-of-range",
            Text(
                "상태 목록에 이 증명의 자리가 없습니다.",
                "The status list has no place for this credential.",
            ),
            remedy=_ASK_ISSUER,
            details=details,
        )
    details["purpose"] = said.purpose
    return _judged(case, said, age, details)


def _judged(case: Case, said: _Said, age: timedelta, details: dict[str, Any]) -> Finding:
    """A revocation is for good, so even an old list proves it; everything else needs a list of
    today."""
    if said.valid_until is not None:
        details["validUntil"] = written(said.valid_until)
    if said.is_set and said.purpose == "revocation":
        return failed(
            "revoked",
            Text("발급 기관이 이 증명을 취소했습니다.", "The issuer has revoked this credential."),
            remedy=_ASK_ISSUER,
            details=details,
        )
    if said.valid_until is not None and said.valid_until < case.now:
        return not_run(
            "status-list-expired",
            Text(
                "상태 목록의 유효 기간이 지나 지금의 상태를 알 수 없습니다.",
                "The status list has expired, so the state of today is unknown.",
            ),
            remedy=Text(
                "발급 기관이 새 목록을 게시한 뒤 다시 검증해 주십시오.",
                "Verify again once the issuer has published a new list.",
            ),
            details=details,
        )
    early = said.valid_from is not None and (said.valid_from > case.now + case.policy.clock_skew)
    max_age = min(case.policy.max_status_age, said.max_age or case.policy.max_status_age)
    if early or age > max_age or age < -case.policy.clock_skew:
        return not_run(
            "status-list-too-old",
            Text(
                "가지고 있는 상태 목록이 정해진 기간보다 오래되었습니다.",
                "The status list at hand is not of the time the policy asks for.",
            ),
            remedy=_LATER,
            details=details,
        )
    if said.is_set:
        return failed(
            "suspended",
            Text(
                "발급 기관이 이 증명의 효력을 정지했습니다.",
                "The issuer has suspended this credential.",
            ),
            remedy=_ASK_ISSUER,
            details=details,
        )
    return passed("not-set", Text("표시되어 있지 않습니다.", "Not set."), details=details)


def _require_right_list(case: Case, listed: StatusList, purpose: str, url: str) -> None:
    _require_key(case, listed.issuer, listed.method, listed.valid_from)
    if purpose not in listed.purposes:
        raise _not_this(
            "status-list-other-purpose",
            "상태 목록의 용도가 다릅니다.",
            "The status list is for another purpose.",
        )
    if listed.id is not None and listed.id != url:
        raise _not_this(
            "status-list-other-list",
            "같은 기관의 다른 상태 목록입니다.",
            "It is another status list of the same issuer.",
        )


def _require_key(case: Case, issuer: str, method: str, valid_from: datetime | None) -> None:
    """The list is signed with a key the registry binds to the issuer's institution *today*: a key
    that was given up, because its time was over or because it was lost, says nothing of today.

    Where the registry cannot be asked, or knows neither, the list must be of the very same DID; a
    did:web says of its key what it likes, so there the registry must have spoken.
    """
    same = issuer == case.issuer and not issuer.startswith("did:web:")
    networks = case.trust.networks if case.anchored is None else (case.anchored.network,)
    later = False
    for network in networks:
        try:
            asked = case.key_period(network, method)
            theirs = asked.value
            if not theirs.known:
                later |= valid_from is not None and asked.learnt_at < valid_from
                continue
            ours = _institution(case, network)
        except ChainUnavailable as unavailable:
            if same:
                continue
            raise ListUnreadable(unavailable.detail, unavailable.remedy, {}) from unavailable
        if theirs.institution != ours:
            continue
        if theirs.holds_at(case.now):
            return
        raise ListUnreadable(
            Text(
                "상태 목록이 이제 쓰지 않는 키로 서명되어 있습니다.",
                "The status list is signed with a key that is no longer in use.",
            ),
            Text(
                "발급 기관이 새 목록을 게시한 뒤 다시 검증해 주십시오.",
                "Verify again once the issuer has published a new list.",
            ),
            {},
        )
    if later and not same:
        raise ListUnreadable(
            Text(
                "상태 목록의 키가 등록부를 읽은 뒤에 등록되었을 수 있습니다.",
                "The key of the status list may be newer than what is known of the registry.",
            ),
            _LATER,
            {},
        )
    if not same:
        raise _not_this(
            "status-list-other-issuer",
            "상태 목록이 이 증명의 발급 기관이 아닌 곳에서 나왔습니다.",
            "The status list comes from another than the issuer of this credential.",
        )


def _institution(case: Case, network: TrustedNetwork) -> bytes:
    """The issuer's institution, by the key that signed the credential."""
    if case.signed_by is None:
        raise AssertionError("step 3 stops the later ones")
    return case.key_period(network, case.signed_by.verification_method).value.institution


def _not_this(reason: str, ko: str, en: str) -> ListUnacceptable:
    return ListUnacceptable(Text(ko, en), None, {"reason": reason})


def _unknown_kind(details: dict[str, Any]) -> Finding:
    return not_run(
        "status-kind-unknown",
        Text(
            "이 검증기가 모르는 방식의 상태 항목입니다.",
            "A status entry of a kind this verifier does not know.",
        ),
        remedy=_ASK_ISSUER,
        details=details,
    )


def _malformed(details: dict[str, Any]) -> Finding:
    return failed(
        "status-entry-malformed",
        Text("상태 항목의 형식이 잘못되었습니다.", "A status entry is malformed."),
        remedy=_ASK_ISSUER,
        details=details,
    )
