"""What the application is given. The composition root fills it; this room opens nothing itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from api.limits import Limits

if TYPE_CHECKING:
    from credential.evidence import Evidence
    from ledger.access.door import Door
    from ledger.awards.office import Office
    from verifier.report import Report
    from verifier.trust import Trust

_LIST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FILES = {
    "revocation": "revocation.json",
    "suspension": "suspension.json",
    "refresh": "refresh.json",
    "token": "token.jwt",
}


class Rpc(Protocol):
    """One JSON-RPC call to a chain. Raises ``ledger.chain.endpoint``'s two errors."""

    def __call__(self, method: str, params: list[Any]) -> Any: ...


class DirectIssuing(Protocol):
    """Issuing over the VC-API. Raises ``BaeumError`` saying what is wrong with the request."""

    def issue(
        self, institution: str, credential: dict[str, Any], cryptosuite: str
    ) -> dict[str, Any]:
        """The secured credential, signed with the institution's key."""

    def set_status(self, institution: str, credential_id: str, purpose: str, on: bool) -> None:
        """Set or clear the status of a credential issued here by the institution."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the routes use. All callables are called from worker threads.

    Only ``verify`` and ``trust`` are needed: what is left out answers 404 `not-offered`, so the
    same application runs as a verifier alone.
    """

    verify: Callable[[Evidence], Report]
    """The report on one piece of evidence. Never raises for a bad credential or a dead node."""
    trust: Trust
    """The networks whose registries count."""
    public_url: str = "http://localhost:8000"
    """Where others reach this application, without a slash at the end."""
    version: str = "0"
    door: Door | None = None
    """Who is signed in and what they may do; without it nobody is and nothing is theirs."""
    office: Office | None = None
    """Degrees and the ways to them: steps with ``take``, views with ``look``."""
    rpc: Rpc | None = None
    """The chain served at ``/rpc``, reads only."""
    status_list: Callable[[str, str], bytes | None] | None = None
    """The published status list for (list id, purpose), byte for byte, or ``None``."""
    did_document: Callable[[str | None], dict[str, Any] | None] | None = None
    """The did:web document of an institution, of the city for ``None``; ``None``: it has none."""
    probes: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    """Named dependencies of ``/readyz``; a probe raises when its dependency is out of reach."""
    direct: DirectIssuing | None = None
    """Issues what is handed in over the VC-API; None where that is off."""
    failed_status: int = 200
    """The HTTP status of a VC-API verification that did not succeed; W3C's test suites want 400."""
    status_max_age: int = 300
    """Seconds a status list may be kept by caches."""
    limits: Limits = field(default_factory=Limits)


def lists_in(directory: Path) -> Callable[[str, str], bytes | None]:
    """Status lists as published in ``{directory}/{id}/``, read at each request."""

    def read(list_id: str, purpose: str) -> bytes | None:
        if not _LIST_ID.fullmatch(list_id) or purpose not in _FILES:
            return None
        try:
            return (directory / list_id / _FILES[purpose]).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    return read
