"""Several nodes behind one endpoint: reads need k of them to agree, writes go to all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from credential.errors import BaeumError
from credential.quorum import Quorum, TooFewAnswers, majority
from ledger.chain.endpoint import Endpoint, EndpointError, EndpointUnreachable, HttpEndpoint


class QuorumEndpoint:
    """An endpoint that says what ``required`` of the named endpoints say.

    Raises NodesDisagree; EndpointUnreachable when too few answer; EndpointError when enough of
    them refuse alike (a revert by its data, anything else whatever its words).
    """

    def __init__(self, endpoints: Sequence[tuple[str, Endpoint]], required: int) -> None:
        self._ask = Quorum([(name, e.call) for name, e in endpoints], required, _refusal)

    def call(self, method: str, params: list[Any]) -> Any:
        try:
            return self._ask(method, params)
        except TooFewAnswers as few:
            raise EndpointUnreachable(few.detail, few.remedy, few.facts) from few


def endpoint_at(urls: Sequence[str], required: int | None = None) -> Endpoint:
    """The node at one address, or those at several; more than half must agree unless it is said
    how many. Raises EndpointUnreachable for what is not an address."""
    nodes = [HttpEndpoint(url) for url in urls]
    if len(nodes) == 1:
        return nodes[0]
    return QuorumEndpoint(
        [(node.place, node) for node in nodes],
        majority(len(nodes)) if required is None else required,
    )


def _refusal(error: Exception) -> str | None:
    if not isinstance(error, EndpointError):
        return None if isinstance(error, (EndpointUnreachable, OSError)) else _code(error)
    return f"reverted {error.revert_data().hex()}" if error.reverted else "error"


def _code(error: Exception) -> str | None:
    return error.code if isinstance(error, BaeumError) else None
