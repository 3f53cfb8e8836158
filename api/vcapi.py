"""The answer of ``POST /credentials/verify`` in the shape of the W3C VC-API (VCALM) 1.0.

`verified` is true only for the verdict ``valid``. A check that could not be made is an error too,
because VCALM knows two values only; our report, with three, travels along as an extension.
"""

from __future__ import annotations

from typing import Any

from api import language
from api.problems import TYPE_PREFIX
from verifier.report import Check, Report

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
    report: Report, credential: dict[str, Any], options: dict[str, Any], lang: language.Language
) -> dict[str, Any]:
    """The response body. ``options`` are VCALM's; `OPTIONS` lists the ones we know."""
    errors = [_problem(check, lang) for check in report.checks if _is_error(check)]
    warnings = [_problem(check, lang) for check in report.checks if _is_warning(check)]
    body: dict[str, Any] = {
        "verified": report.verdict == "valid",
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
