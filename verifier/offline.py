"""Everything checked from an evidence bundle, with no network.

The bundle's proofs stand in for the node: a ``ProvenChain`` answers the same questions a node is
asked, but only with what follows from a block that is trusted, because its hash was given by
whoever verifies or because the configured validators sealed it. What the bundle does not prove is
``not_run``, as if a node had been down; it can never turn into a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from credential.chain_proof import NotProven
from credential.errors import BaeumError
from credential.evidence import Evidence
from credential.jcs import canonical
from credential.text import Text
from verifier.cache import Aged
from verifier.chain import ChainReader
from verifier.chain_answers import (
    AnchorSighting,
    KeyPeriod,
    RegistryAnswer,
)
from verifier.instants import instant
from verifier.policy import VerificationPolicy
from verifier.proofs import Proofs, ProvenChain
from verifier.report import Report
from verifier.source_errors import SourceUnreachable
from verifier.status_source import Fetched
from verifier.trust import Trust
from verifier.verify import verify

POLICY = VerificationPolicy(max_status_age=timedelta(days=7))
"""A snapshot of a status list is taken for as long as our lists say that they hold."""


class NoBundle(BaeumError):
    """The file carries no proofs, or nothing here says which block to believe."""

    code: ClassVar[str] = "no-evidence-bundle"
    title: ClassVar[Text] = Text("증거 묶음이 아닙니다", "Not an evidence bundle")
    status: ClassVar[int] = 422


class ProvenReader(ChainReader):
    """A reader whose facts are as old as the trusted block, not as the question."""

    def __init__(self, chain: ProvenChain, chain_id: int) -> None:
        super().__init__(chain, chain_id)
        self._as_of = chain.as_of

    def anchor(self, *args: Any, **kwargs: Any) -> Aged[AnchorSighting]:
        return Aged(super().anchor(*args, **kwargs).value, self._as_of)

    def standing(self, *args: Any, **kwargs: Any) -> Aged[RegistryAnswer]:
        return Aged(super().standing(*args, **kwargs).value, self._as_of)

    def key_period(self, *args: Any, **kwargs: Any) -> Aged[KeyPeriod]:
        return Aged(super().key_period(*args, **kwargs).value, self._as_of)

    def standing_of(self, *args: Any, **kwargs: Any) -> Aged[RegistryAnswer]:
        return Aged(super().standing_of(*args, **kwargs).value, self._as_of)


@dataclass(frozen=True, slots=True)
class BundledLists:
    """The bundle's status lists. Their age is that of their own signature: when somebody says to
    have fetched them proves nothing."""

    lists: Mapping[str, Mapping[str, Any]]

    def fetch(self, url: str) -> Fetched:
        found = self.lists.get(url)
        if found is None:
            raise SourceUnreachable(
                Text("증거 묶음에 이 상태 목록이 없습니다.", "The bundle lacks this status list."),
                None,
                {"url": url},
            )
        proof = found.get("proof")
        try:
            signed_at = instant(proof.get("created") if isinstance(proof, dict) else None)
        except ValueError:
            signed_at = datetime.fromtimestamp(0, UTC)
        try:
            return Fetched(canonical(dict(found)), signed_at)
        except BaeumError as wrong:
            raise SourceUnreachable(wrong.detail, None, {"url": url}) from wrong


def verify_offline(
    evidence: Evidence,
    *,
    trust: Trust,
    trusted_block: bytes | None,
    now: datetime,
    policy: VerificationPolicy = POLICY,
) -> Report:
    """The nine steps on an evidence bundle, opening no socket and reading no file.

    ``trusted_block``: the 32-byte hash of a block the caller believes; without it the trusted
    network's validators must have sealed the bundle's blocks. Who trusts a block has settled its
    finality, so confirmations are not counted again. Raises ``NoBundle``.
    """
    if evidence.receipt is None or evidence.proofs is None:
        raise NoBundle(
            Text("파일에 오프라인 증거가 없습니다.", "The file carries no proofs."),
            Text(
                "발급 기관에 `baeum evidence --bundle`로 만든 파일을 요청해 주십시오.",
                "Ask the issuer for a file made with `baeum evidence --bundle`.",
            ),
        )
    receipt, body = evidence.receipt, evidence.proofs
    settled = Trust(
        tuple(
            replace(network, confirmations=1, name=_settled(network.name))
            for network in trust.networks
        )
    )
    network = settled.find(receipt.chain_id, _hex(receipt.contract))

    def reader(chain_id: int) -> ChainReader | None:
        if network is None or chain_id != network.chain_id:
            return None
        chain = ProvenChain(Proofs.from_json(body), network, trusted_block)
        return ProvenReader(chain, chain_id)

    try:
        lists = Proofs.from_json(body).lists
    except NotProven:
        lists = {}
    return verify(
        evidence,
        trust=settled,
        chain=reader,
        status_source=BundledLists(lists),
        now=now,
        policy=policy,
    )


def _settled(name: Text) -> Text:
    return Text(
        f"{name.ko}, 네트워크 없이 증거 묶음으로 확인",
        f"{name.en}, from the evidence bundle without a network",
    )


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
