"""Several nodes of one chain that must agree: what at least k of n say is the answer.

Here because issuer and verifier both need it and share nothing else. Does no I/O of its own: the
nodes are callables. What is compared is what consensus fixes (hashes, numbers, logs), written one
way; what a client adds of its own is left out. Nodes are never at the same block, so a question
about the newest block is asked about the newest one that k of them have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any, ClassVar

from credential.errors import BaeumError
from credential.text import Text

Call = Callable[[str, list[Any]], Any]
"""``call(method, params)``: the result of one JSON-RPC request to one node."""

Refusal = Callable[[Exception], str | None]
"""What a node's exception says, as a key to be compared; None when it is no answer at all."""

_WRITE = "eth_sendRawTransaction"
# Numbers that differ from node to node by nature; the second column is what k of n vouch for.
_LEAST = frozenset({"eth_maxPriorityFeePerGas", "eth_gasPrice", "eth_estimateGas"})
_BLOCK_PARAMETER = {
    "eth_call": 1,
    "eth_estimateGas": 1,
    "eth_getBalance": 1,
    "eth_getBlockByNumber": 0,
    "eth_getCode": 1,
    "eth_getProof": 2,
    "eth_getStorageAt": 2,
    "eth_getTransactionCount": 1,
}
_COMPARED = frozenset(
    {
        *("accountProof", "address", "balance", "baseFeePerGas", "blockHash", "blockNumber"),
        *("codeHash", "contractAddress", "data", "gasUsed", "hash", "input", "key", "logIndex"),
        *("logs", "logsBloom", "nonce", "number", "parentHash", "proof", "receiptsRoot"),
        *("stateRoot", "status", "storageHash", "storageProof", "timestamp", "to", "topics"),
        *("transactionHash", "transactionIndex", "transactions", "transactionsRoot", "value"),
    }
)


class NodesDisagree(BaeumError):
    """The nodes answer differently and no answer has enough of them behind it."""

    code: ClassVar[str] = "nodes-disagree"
    title: ClassVar[Text] = Text("체인 노드들의 답이 서로 다릅니다", "The chain nodes disagree")
    status: ClassVar[int] = 503


class TooFewAnswers(BaeumError):
    """Fewer nodes answered than must agree. Says nothing about the chain."""

    code: ClassVar[str] = "too-few-nodes"
    title: ClassVar[Text] = Text("답하는 체인 노드가 모자랍니다", "Too few chain nodes answer")
    status: ClassVar[int] = 503


def majority(nodes: int) -> int:
    """How many of ``nodes`` are more than half."""
    return nodes // 2 + 1


class Quorum:
    """``Quorum(nodes, k, refusal)(method, params)`` is what k of the named nodes answer.

    Writes go to every node and succeed when one takes them. Raises ``NodesDisagree``,
    ``TooFewAnswers``, and the nodes' own exception when k of them refuse alike.
    """

    def __init__(self, nodes: Sequence[tuple[str, Call]], required: int, refusal: Refusal) -> None:
        if not 1 <= required <= len(nodes):
            raise ValueError(f"{required} of {len(nodes)} nodes cannot agree")
        self._nodes = list(nodes)
        self._required = required
        self._refusal = refusal
        self._pool = ThreadPoolExecutor(len(self._nodes), thread_name_prefix="quorum")

    def __call__(self, method: str, params: list[Any]) -> Any:
        if method == _WRITE:
            return self._write(params)
        if method == "eth_blockNumber":
            numbers = sorted((int(n, 16) for n in self._numbers(method, params)), reverse=True)
            return hex(numbers[self._required - 1])
        if method in _LEAST:
            return hex(
                sorted(int(n, 16) for n in self._numbers(method, params))[self._required - 1]
            )
        return self._agreed(method, self._pinned(method, params))

    def _pinned(self, method: str, params: list[Any]) -> list[Any]:
        place = _BLOCK_PARAMETER.get(method)
        if place is None or params[place : place + 1] != ["latest"]:
            return params
        number = self("eth_blockNumber", [])
        return [*params[:place], number, *params[place + 1 :]]

    def _agreed(self, method: str, params: list[Any]) -> Any:
        votes: dict[str, list[str]] = {}
        silent: list[str] = []
        for name, result, error in self._ask(method, params):
            key = json.dumps(normal(result), sort_keys=True)
            if error is not None:
                refusal = self._refusal(error)
                if refusal is None:
                    silent.append(name)
                    continue
                key = f"refused: {refusal}"
            votes.setdefault(key, []).append(name)
            if len(votes[key]) == self._required:
                if error is not None:
                    raise error
                return result
        if len(votes) < 2:
            raise self._too_few(silent)
        if sum(map(len, votes.values())) < self._required:
            raise self._too_few(silent)
        if len(votes) == 2 and "null" in votes and not any(v.startswith("refused") for v in votes):
            return None  # some have not heard of it yet: what fewer than k know is not there
        raise self._disagree(method, votes)

    def _numbers(self, method: str, params: list[Any]) -> list[str]:
        found: list[str] = []
        silent: list[str] = []
        failure: Exception | None = None
        for name, result, error in self._ask(method, params):
            if error is None and isinstance(result, str) and result.startswith("0x"):
                found.append(result)
                continue
            silent.append(name)
            if error is not None and self._refusal(error) is not None:
                failure = error
        if len(found) >= self._required:
            return found
        raise failure or self._too_few(silent)

    def _write(self, params: list[Any]) -> Any:
        taken: Any = None
        refused: Exception | None = None
        silent: list[str] = []
        for name, result, error in self._ask(_WRITE, params):
            if error is None:
                taken = result
            elif self._refusal(error) is not None:
                refused = refused or error
            else:
                silent.append(name)
        if taken is not None:
            return taken
        raise refused or self._too_few(silent)

    def _ask(self, method: str, params: list[Any]) -> Iterator[tuple[str, Any, Exception | None]]:
        asked: dict[Future[Any], str] = {
            self._pool.submit(call, method, params): name for name, call in self._nodes
        }
        for future in as_completed(asked):
            error = future.exception()
            if error is not None and not isinstance(error, (BaeumError, OSError)):
                raise error  # a fault of this program, not of a node
            yield asked[future], None if error else future.result(), error

    def _too_few(self, silent: Sequence[str]) -> TooFewAnswers:
        names = ", ".join(sorted(silent))
        return TooFewAnswers(
            Text(
                f"노드 {len(self._nodes)}개 중 {self._required}개가 답해야 합니다. "
                f"답하지 않은 노드: {names}",
                f"{self._required} of {len(self._nodes)} nodes must answer; silent: {names}",
            ),
            Text(
                "노드를 켜거나 BAEUM_CHAIN_URL의 주소를 고친 뒤 다시 시도해 주세요",
                "Start the nodes or correct the addresses in BAEUM_CHAIN_URL, then try again",
            ),
            {"silent": sorted(silent), "required": self._required},
        )

    def _disagree(self, method: str, votes: dict[str, list[str]]) -> NodesDisagree:
        camps = " | ".join(", ".join(sorted(names)) for names in votes.values())
        return NodesDisagree(
            Text(
                f"{method}에 대한 답이 갈립니다: {camps}",
                f"They differ about {method}: {camps}",
            ),
            Text(
                "모두 같은 체인에 있고 최신 상태인지 확인해 주세요. 계속되면 어느 노드가 "
                "잘못된 답을 하는지 밝히기 전에는 기록하지 마세요",
                "Check that all are on the same chain and up to date; if it lasts, do not anchor "
                "until it is known which one is wrong",
            ),
            {"method": method, "camps": [sorted(names) for names in votes.values()]},
        )


def normal(value: Any) -> Any:
    """An answer written one way: lower-case text, and only what consensus fixes."""
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, list):
        return [normal(entry) for entry in value]
    if isinstance(value, dict):
        return {
            name: normal(entry)
            for name, entry in value.items()
            if name in _COMPARED and entry is not None
        }
    return value
