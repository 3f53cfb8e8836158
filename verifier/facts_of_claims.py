"""What an SD-JWT VC says, for the person who reads the report: only what its holder disclosed.

Claims of our own types are named as in other reports (``verifier.facts``); of a type we do not
know, the plain claims are listed as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from credential.sd_jwt_vc import numeric_date
from verifier.facts import KIND_NAMES, text_of
from verifier.instants import written

_TEXTS = {
    "title": "title",
    "description": "description",
    "category": "field",
    "level": "level",
    "credential_id": "id",
}
_PLAIN = ("minutes", "year", "accredited", "age_over_65", "resident_of_seoul", "total_minutes")
_SHOWN = {"started_at": "startedAt", "ended_at": "endedAt", "awarded_at": "awardedAt"}


def facts_of_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data under the names of ``facts_of``, and predicates under their own."""
    institution = claims.get("institution")
    learner = claims.get("learner")
    kind = claims.get("kind")
    facts: dict[str, Any] = {
        "type": text_of(claims.get("vct")),
        "issuer": _present(
            {
                "id": text_of(claims.get("iss")),
                "name": text_of(institution.get("name"))
                if isinstance(institution, Mapping)
                else None,
            }
        ),
        "learner": _present(
            {
                "id": text_of(claims.get("sub")),
                "name": text_of(learner.get("name")) if isinstance(learner, Mapping) else None,
            }
        ),
        "kind": kind if isinstance(kind, str) else None,
        "kindName": KIND_NAMES.get(kind) if isinstance(kind, str) else None,
    }
    facts |= {name: text_of(claims.get(claim)) for claim, name in _TEXTS.items()}
    facts |= {name: text_of(claims.get(claim)) for claim, name in _SHOWN.items()}
    facts |= {
        name: claims[name]
        for name in _PLAIN
        if isinstance(claims.get(name), int)  # a bool is one too
    }
    for claim, name in (("nbf", "validFrom"), ("exp", "validUntil")):
        seconds = numeric_date(claims.get(claim))
        if seconds is not None:
            facts[name] = written(datetime.fromtimestamp(seconds, UTC))
    records = claims.get("records")
    if isinstance(records, list):
        facts["records"] = [facts_of_claims(one) for one in records if isinstance(one, Mapping)]
    return _present(facts)


def _present(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value not in (None, {})}
