"""From something presented to a report: resolvers, checks, trust, evidence.

An employer can install and run this room alone: it never touches the issuer or the database.
Imports credential and contracts.
"""

from __future__ import annotations

from verifier.chain import ChainReader
from verifier.policy import VerificationPolicy
from verifier.report import Check, Outcome, Report, Verdict
from verifier.trust import Trust, TrustedNetwork
from verifier.verify import verify

__all__ = [
    "ChainReader",
    "Check",
    "Outcome",
    "Report",
    "Trust",
    "TrustedNetwork",
    "Verdict",
    "VerificationPolicy",
    "verify",
]
