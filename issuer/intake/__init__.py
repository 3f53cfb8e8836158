"""Intake: what an institution hands in, row by row, into learning records.

``ingest`` reads a spreadsheet through a mapping (YAML data) and gives every row a verdict:
accepted, duplicate of another, to be reviewed (with the question) or rejected (with the remedy).
"""

from issuer.intake.export import export_report
from issuer.intake.ingestion import ingest
from issuer.intake.mapping import Mapping, mapping_by_id, ready_mappings
from issuer.intake.verdicts import Problem, RowVerdict, SubmissionReport, Total

__all__ = [
    "Mapping",
    "Problem",
    "RowVerdict",
    "SubmissionReport",
    "Total",
    "export_report",
    "ingest",
    "mapping_by_id",
    "ready_mappings",
]
