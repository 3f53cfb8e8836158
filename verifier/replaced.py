"""Whether a revoked credential was replaced by a newer one, as its issuer's lists say.

Beside ``…/revocation`` our issuers publish ``…/refresh``: a Bitstring Status List whose bit says
that a newer credential is there (Bitstring Status List 1.0 section 2.1, purpose ``refresh``). It
is as large and as shared as the other, so looking tells nobody which credential is meant. It
explains a refusal and decides nothing: whatever is wrong with it, there is just no explanation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from credential import status
from credential.errors import BaeumError
from verifier.case import Case
from verifier.kinds import as_list
from verifier.status_list import StatusList, read_list

PURPOSE = "refresh"
Require = Callable[[Case, StatusList, str, str], None]
"""Refuses a list that is not this one of this issuer."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """``by``: the issuer's signed statement is of that day; ``where`` a newer one is to be had."""

    by: datetime | None
    where: str


def replaced(case: Case, require: Require) -> Replaced | None:
    """What is known of a newer credential; None when there is none, or nothing is known."""
    for entry in as_list(case.document.get("credentialStatus")):
        if not isinstance(entry, Mapping) or entry.get("statusPurpose") != "revocation":
            continue
        url, index = entry.get("statusListCredential"), entry.get("statusListIndex")
        if not isinstance(url, str) or not isinstance(index, str) or case.status_source is None:
            continue
        base, _, last = url.rpartition("/")
        if last != "revocation" or not index.isascii() or not index.isdigit():
            continue
        try:
            listed = read_list(case.status_source.fetch(f"{base}/{PURPOSE}").body)
            require(case, listed, PURPOSE, f"{base}/{PURPOSE}")
            if status.bit(listed.bits, int(index[:16])):
                parts = urlsplit(url)
                return Replaced(listed.valid_from, f"{parts.scheme}://{parts.netloc}")
        except (BaeumError, IndexError, ValueError):
            continue
    return None
