"""The answer of ``POST /credentials/verify`` in the shape of the W3C VC-API (VCALM) 1.0.

`verified` is true only for the verdict ``valid``. A check that could not be made is an error too,
because VCALM knows two values only; our report, with three, travels along as an extension.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api import language
from api.problems import TYPE_PREFIX, MalformedRequest, UnknownOption
from credential import integrity
from credential.evidence import Evidence
from credential.text import Text
from verifier.presentation import verify_presentation
from verifier.report import CHECK_IDS, Check, Report, verdict_of

_VC = "https://www.w3.org/TR/vc-data-model-2.0#"
_SECURITY = "https://w3id.org/security#"
_STATUS = "https://www.w3.org/ns/credentials/status-list#"

# our check -> the problem type the W3C specifications define for its failure
_FAILED = {
    "format": _VC + "PARSING_ERROR",
    "schema": _VC + "MALFORMED_VALUE_ERROR",
    "proof": _SECURITY + "PROOF_VERIFICATION_ERROR",
    "issuer-key": _SECURITY + "INVALID_VERIFICATION_METHOD",
    "status": _STATUS + "STATUS_VERIFICATION_ERROR",
    "validity": _VC + "RANGE_ERROR",
}
_NOT_RUN = {"status": _STATUS + "STATUS_RETRIEVAL_ERROR"}

OPTIONS = frozenset(
    {"returnResults", "returnProblemDetails", "returnCredential", "checks", "receipt"}
)


def answer(
    report: Report,
    credential: dict[str, Any],
    options: dict[str, Any],
    lang: language.Language,
    required: frozenset[str] | None = None,
) -> dict[str, Any]:
    """The response body. ``options`` are VCALM's; `OPTIONS` lists the ones we know. ``required``
    are the checks asked for alone, None for those of the policy."""
    judged = [check for check in report.checks if required is None or check.id in required]
    errors = [_problem(check, lang) for check in judged if _is_error(check)]
    warnings = [_problem(check, lang) for check in judged if _is_warning(check)]
    verdict = report.verdict if required is None else verdict_of(report.checks, required)
    body: dict[str, Any] = {
        "verified": verdict == "valid",
        "mediaType": "application/vc",
        "checks": [check.id for check in report.checks if check.outcome != "not_run"],
        "warnings": warnings,
        "errors": errors,
    }
    if options.get("returnProblemDetails", True):
        body["problemDetails"] = errors + warnings
    if options.get("returnCredential", False):
        body["credential"] = credential
    if options.get("returnResults", False):
        body["results"] = _results(report, credential)
    body["report"] = report.to_json()
    return body


def _is_error(check: Check) -> bool:
    return check.outcome == "failed" or (check.required and check.outcome == "not_run")


def _is_warning(check: Check) -> bool:
    return check.outcome == "warning"


def _problem(check: Check, lang: language.Language) -> dict[str, Any]:
    known = _NOT_RUN if check.outcome == "not_run" else _FAILED
    own = f"{TYPE_PREFIX}check:{check.id}:{check.outcome.replace('_', '-')}"
    return {
        "type": known.get(check.id, own),
        "title": check.code or check.id,
        "detail": language.say(check.reason, lang),
        "check": check.id,
        "outcome": check.outcome,
    }


def _results(report: Report, credential: dict[str, Any]) -> dict[str, Any]:
    """VCALM's verbose output: one entry per property of the credential that was checked."""
    passed = {check.id: check.outcome in ("passed", "warning") for check in report.checks}
    results: dict[str, Any] = {}
    for name in ("validFrom", "validUntil"):
        if isinstance(credential.get(name), str):
            results[name] = {"verified": passed.get("validity", False), "input": credential[name]}
    for name, check in (
        ("credentialSchema", "schema"),
        ("credentialStatus", "status"),
        ("proof", "proof"),
    ):
        entries = credential.get(name)
        if entries is not None:
            listed = entries if isinstance(entries, list) else [entries]
            results[name] = [
                {"verified": passed.get(check, False), "input": entry} for entry in listed
            ]
    return results


# --- requests -------------------------------------------------------------------------------------

# VCALM's names of checks, and our own: what `options.checks` may ask for.
_ASKED: dict[str, frozenset[str]] = {
    "proof": frozenset({"format", "schema", "proof", "issuer-key"}),
    "credentialStatus": frozenset({"status"}),
    "credentialSchema": frozenset({"schema"}),
    "validityPeriod": frozenset({"validity"}),
} | {check: frozenset({check}) for check in CHECK_IDS if check != "proof"}


def required_checks(options: dict[str, Any]) -> frozenset[str] | None:
    """The checks `options.checks` asks for; None for all of the policy's.

    Raises ``MalformedRequest`` and ``UnknownOption``.
    """
    asked = options.get("checks", [])
    if not isinstance(asked, list) or not all(isinstance(name, str) for name in asked):
        raise _malformed("checks")
    unknown = [name[:64] for name in asked if name not in _ASKED]
    if unknown:
        raise UnknownOption(
            Text("모르는 검사가 있습니다.", "There is a check this service does not know."),
            facts={"checks": unknown[:20]},
        )
    return frozenset().union(*(_ASKED[name] for name in asked)) if asked else None


def presentation_request(sent: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The presentation and the options. Raises ``MalformedRequest``."""
    if not isinstance(sent, dict) or not isinstance(sent.get("verifiablePresentation"), dict):
        raise _malformed("verifiablePresentation")
    options = _options(sent)
    for name in ("challenge", "domain"):
        if not isinstance(options.get(name, ""), str):
            raise _malformed(name)
    return sent["verifiablePresentation"], options


def issue_request(sent: Any) -> tuple[dict[str, Any], str]:
    """The credential (with the id of `options.credentialId`, if any) and the cryptosuite."""
    if not isinstance(sent, dict) or not isinstance(sent.get("credential"), dict):
        raise _malformed("credential")
    options = _options(sent)
    suite = options.get("cryptosuite", integrity.RDFC)
    if suite not in integrity.SUITES:
        raise _malformed("cryptosuite")
    credential: dict[str, Any] = sent["credential"]
    if "credentialId" in options and "id" not in credential:
        credential = {**credential, "id": options["credentialId"]}
    return credential, suite


def status_request(sent: Any) -> tuple[str, str, bool]:
    """Credential id, purpose, and whether the bit is to be set. Raises ``MalformedRequest``."""
    if not isinstance(sent, dict) or not isinstance(sent.get("credentialId"), str):
        raise _malformed("credentialId")
    entry = sent.get("credentialStatus")
    if isinstance(entry, list) and len(entry) == 1:
        entry = entry[0]
    if not isinstance(entry, dict) or entry.get("type") != "BitstringStatusListEntry":
        raise _malformed("credentialStatus")
    purpose = entry.get("statusPurpose")
    if purpose not in ("revocation", "suspension"):
        raise _malformed("credentialStatus.statusPurpose")
    on = sent.get("status", entry.get("status", True))
    if on not in (True, False, "0", "1"):
        raise _malformed("status")
    return sent["credentialId"], purpose, on in (True, "1")


def _options(sent: dict[str, Any]) -> dict[str, Any]:
    options = sent.get("options", {})
    if not isinstance(options, dict):
        raise _malformed("options")
    return options


def _malformed(member: str) -> MalformedRequest:
    return MalformedRequest(
        Text(f"`{member}`이(가) 없거나 잘못되었습니다.", f"`{member}` is missing or wrong."),
        facts={"member": member},
    )


def presentation_answer(
    document: dict[str, Any],
    options: dict[str, Any],
    verify: Callable[[Evidence], Report],
    lang: language.Language,
) -> dict[str, Any]:
    """The response body: the presentation's own checks, and one answer for each credential."""
    required = required_checks(options)
    found = verify_presentation(
        document,
        verify=verify,
        challenge=options.get("challenge"),
        domain=options.get("domain"),
    )
    errors = [_problem(check, lang) for check in found.checks if check.outcome != "passed"]
    held = [answer(report, {}, {}, lang, required) for report in found.credentials]
    for one in held:
        errors.extend(one["errors"])
    return {
        "verified": found.verdict == "valid" and all(one["verified"] for one in held),
        "checks": [check.id for check in found.checks if check.outcome != "not_run"],
        "warnings": [warning for one in held for warning in one["warnings"]],
        "errors": errors,
        "problemDetails": errors,
        "credentialResults": held,
        "report": found.to_json(),
    }
