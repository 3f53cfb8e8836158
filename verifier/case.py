"""What the steps of one verification share: what was handed in, and what was established so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from credential.errors import BaeumError
from credential.evidence import Evidence
from credential.receipt import Receipt
from credential.text import Text
from verifier.chain import ChainReader
from verifier.chain_answers import AnchorEvent, ChainUnavailable, NoEndpoint
from verifier.policy import VerificationPolicy
from verifier.report import Finding
from verifier.signature import SignedBy
from verifier.status_source import StatusSource
from verifier.trust import Trust, TrustedNetwork

Chains = Callable[[int], ChainReader | None]
"""The reader of a chain by its id; None, or an error, when there is nobody to ask."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """Step 6 passed: this network, this event, at this block time."""

    network: TrustedNetwork
    event: AnchorEvent
    time: datetime


@dataclass(slots=True)
class Case:
    """Inputs above the line, established by the steps below it.

    A field below the line is set only by a step that passed, so reading one that is None means
    that the step it belongs to did not pass.
    """

    presented: bytes | Evidence
    trust: Trust
    chain: Chains
    status_source: StatusSource | None
    now: datetime
    policy: VerificationPolicy
    # ---
    evidence: Evidence | None = None  # step 1
    signed_by: SignedBy | None = None  # step 3
    issuer: str | None = None  # step 4: the issuer's DID
    path_leads_to_root: bool = False  # step 5
    anchored: Anchored | None = None  # step 6

    @property
    def document(self) -> Mapping[str, Any]:
        """The credential; only after step 1."""
        if self.evidence is None:
            raise RuntimeError("step 1 has not passed")
        return self.evidence.credential

    def reader(self, network: TrustedNetwork) -> ChainReader:
        """The reader of a network's chain. Raises ``ChainUnavailable``, ``NoEndpoint``."""
        try:
            reader = self.chain(network.chain_id)
        except BaeumError as failure:
            raise ChainUnavailable(failure.detail, failure.remedy, failure.facts) from failure
        except OSError as failure:
            raise ChainUnavailable(
                Text(
                    f"{network.name.ko}에 접속하지 못했습니다.",
                    f"{network.name.en} cannot be reached.",
                ),
                Text("네트워크 설정을 확인해 주십시오.", "Check the settings of the network."),
            ) from failure
        if reader is None:
            raise NoEndpoint(
                Text(
                    f"{network.name.ko}에 접속할 주소가 설정되어 있지 않습니다.",
                    f"No endpoint is configured for {network.name.en}.",
                ),
                Text("체인 접속 주소를 설정해 주십시오.", "Configure an rpc address."),
            )
        return reader

    @property
    def receipt(self) -> Receipt | None:
        return None if self.evidence is None else self.evidence.receipt


class CheckFunction(Protocol):
    """The one protocol behind which every check stands."""

    def __call__(self, case: Case) -> Finding: ...
