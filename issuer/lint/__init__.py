"""Lint before signing: one rule a file, each citing the clause it enforces.

``check_shape`` runs once for a template's variant, on a filled sample; ``check_values`` runs for
every record. A finding means: this is not signed, and the report says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from issuer.lint import (
    contexts,
    durations,
    exact_minutes,
    nfc,
    no_contact_data,
    no_official_level,
    no_resident_number,
    not_in_the_future,
    plain_text,
    salt,
    schema,
    status_entries,
    subject_id,
    terms_defined,
)
from issuer.lint.rule import Finding, Rule

__all__ = ["SHAPE_RULES", "VALUE_RULES", "Finding", "Rule", "check_shape", "check_values"]

SHAPE_RULES: Final[tuple[Rule, ...]] = (
    contexts.RULE,
    terms_defined.RULE,
    schema.RULE,
    status_entries.RULE,
    exact_minutes.RULE,
    durations.RULE,
    no_official_level.RULE,
)

VALUE_RULES: Final[tuple[Rule, ...]] = (
    plain_text.RULE,
    nfc.RULE,
    no_resident_number.RULE,
    no_contact_data.RULE,
    not_in_the_future.RULE,
    subject_id.RULE,
    salt.RULE,
)


def check_shape(document: Mapping[str, Any]) -> list[Finding]:
    """Every shape rule on a filled sample of a template's variant (the unsecured credential)."""
    return [finding for rule in SHAPE_RULES for finding in rule.findings(document)]


def check_values(
    values: Mapping[str, Any], nonce: str, *, hours: bool = True, ongoing: bool = False
) -> list[Finding]:
    """Every value rule on what one record puts into its shape, and on the salt of its proof.

    ``hours`` and ``ongoing`` as its template says.
    """
    subject = {
        **values,
        salt.NONCE: nonce,
        not_in_the_future.HOURS: hours,
        not_in_the_future.ONGOING: ongoing,
    }
    return [finding for rule in VALUE_RULES for finding in rule.findings(subject)]
