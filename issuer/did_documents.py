"""The DID documents of institutions that sign under a did:web, from the history of their keys.

Every key that ever signed stays listed, for issuing too, or its credentials could no longer be
checked by who resolves the DID. A lost key carries ``revoked``, the time since when it is lost
(Controlled Identifiers 1.0, section 2.2). A key that was followed in turn carries no ``expires``:
its proofs hold for good, and verifiers read that member as the end of checking them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential.did import MULTIKEY_CONTEXT
from issuer.key_history import NEXT, history
from issuer.templates.facts import instant
from ledger.database.models import Accreditation, Institution


def document(session: Session, institution: str | None) -> dict[str, Any] | None:
    """The document of an institution, of the city's registrar for None; None when it has none."""
    institution = (
        institution
        or session.scalars(
            select(Accreditation.institution_id)
            .where(Accreditation.kind == "registrar")
            .order_by(Accreditation.id)
            .limit(1)
        ).first()
    )
    found = None if institution is None else session.get(Institution, institution)
    if found is None or found.did is None or not found.did.startswith("did:web:"):
        return None
    methods = [
        {
            "id": entry.method,
            "type": "Multikey",
            "controller": entry.did,
            "publicKeyMultibase": entry.method.partition("#")[2],
        }
        | ({"revoked": instant(entry.compromised_at)} if entry.compromised_at else {})
        for entry in history(session, found.id)
        if entry.did == found.did and entry.state != NEXT
    ]
    return {
        "@context": MULTIKEY_CONTEXT,
        "id": found.did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }
