"""What the steps of one verification share: what was handed in, and what was established so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from credential.did import bound_name
from credential.errors import BaeumError
from credential.evidence import Evidence
from credential.receipt import Receipt
from credential.text import Text
from verifier.blockcerts import Transactions
from verifier.cache import Aged
from verifier.chain import ChainReader
from verifier.chain_answers import AnchorEvent, ChainUnavailable, KeyPeriod, NoEndpoint
from verifier.did_web import DidSource
from verifier.kinds import KIND_OF_TYPE, kind_of
from verifier.policy import VerificationPolicy
from verifier.report import Finding
from verifier.signature import SignedBy, issuer_of
from verifier.status_source import StatusSource
from verifier.tokens import Token
from verifier.trust import Trust, TrustedNetwork

_KINDS = {*KIND_OF_TYPE.values(), "transcript"}

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
    nonce: str | None = None
    audience: str | None = None
    did_source: DidSource | None = None
    transactions: Transactions | None = None
    # ---
    evidence: Evidence | None = None  # step 1
    token: Token | None = None  # step 1, when it came as a JWT or SD-JWT
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

    @property
    def named_issuer(self) -> str | None:
        """Whom the credential names as its issuer, whoever signed it."""
        return issuer_of(self.document) if self.token is None else self.token.issuer

    @property
    def kind(self) -> str | None:
        """The record kind it is about, e.g. ``"course"``; None when it cannot be told."""
        if self.token is None or not self.token.is_sd_jwt_vc:
            return kind_of(self.document)
        kind = self.token.document.get("kind")
        return kind if isinstance(kind, str) and kind in _KINDS else None

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

    def key_period(self, network: TrustedNetwork, method: str) -> Aged[KeyPeriod]:
        """Whose the key of a verification method is, by the network's registry. Raises
        ``ChainUnavailable``."""
        return self.reader(network).key_period(
            network.registry, bound_name(method), now=self.now, max_age=self.policy.max_chain_age
        )

    @property
    def receipt(self) -> Receipt | None:
        return None if self.evidence is None else self.evidence.receipt


class CheckFunction(Protocol):
    """The one protocol behind which every check stands."""

    def __call__(self, case: Case) -> Finding: ...
