"""Degrees from learning records: rules as data, exact allocation, an explanation for every record.

Pure: no database, no chain, no clock. The one question is ``audit(policy, degree, records,
context, as_of)``; ``files.audit_files`` asks it of plain files.
"""

from __future__ import annotations

from ledger.credit.audit import Audit, Verdict, audit, verdict
from ledger.credit.choose import choose
from ledger.credit.files import audit_files, read_context, read_records
from ledger.credit.lint import Finding, lint
from ledger.credit.loader import bundled, load_policy, parse_policy
from ledger.credit.policy import Policy
from ledger.credit.records import Context, Record, Unreadable, parse_context, parse_records

__all__ = [
    "Audit",
    "Context",
    "Finding",
    "Policy",
    "Record",
    "Unreadable",
    "Verdict",
    "audit",
    "audit_files",
    "bundled",
    "choose",
    "lint",
    "load_policy",
    "parse_context",
    "parse_policy",
    "parse_records",
    "read_context",
    "read_records",
    "verdict",
]
