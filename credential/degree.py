"""What a degree credential commits to, read back from the credential.

The commitments are results of the achievement (Open Badges 3.0, class Result): each has a
ResultDescription whose ``resultType`` is one of the ``ext:`` values below. No term of our own is
needed, so any verifier of Open Badges sees what was signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

RESULT_TYPES: Final[Mapping[str, str]] = {
    "policy": "ext:DegreePolicy",
    "policy_hash": "ext:DegreePolicyHash",
    "record_set_root": "ext:RecordSetRoot",
    "allocation_hash": "ext:AllocationHash",
    "trace_hash": "ext:AuditTraceHash",
    "taxonomy": "ext:TaxonomyVersion",
}


@dataclass(frozen=True, slots=True)
class DegreeClaims:
    """``policy`` is ``id@version``; the hashes and the root are ``sha256:`` and hex; ``degree``
    is the degree's id in the policy, ``minutes`` what was counted."""

    degree: str
    minutes: int
    policy: str
    policy_hash: str
    record_set_root: str
    allocation_hash: str
    trace_hash: str
    taxonomy: str


def claims_of(credential: Mapping[str, Any]) -> DegreeClaims | None:
    """The commitments, or None when the credential is not a degree that has them all."""
    try:
        subject = credential["credentialSubject"]
        achievement = subject["achievement"]
        named = {d["id"]: d["resultType"] for d in achievement["resultDescription"]}
        found = [(named[r["resultDescription"]], str(r["value"])) for r in subject["result"]]
        values = dict(found)
        if len(values) != len(found) or achievement["achievementType"] != "ext:HonoraryDegree":
            return None
        return DegreeClaims(
            degree=str(achievement["humanCode"]),
            minutes=int(values["ext:CreditedMinutes"]),
            **{name: values[kind] for name, kind in RESULT_TYPES.items()},
        )
    except (KeyError, TypeError, ValueError):
        return None
