"""``eth_getLogs`` answered from the log table instead of by a walk over the blocks."""

from __future__ import annotations

from typing import Any

from eth.abc import BlockHeaderAPI

from ledger.chain.embedded.answers import log_answer
from ledger.chain.embedded.node import Node
from ledger.chain.embedded.values import LIMIT_EXCEEDED, invalid, to_bytes
from ledger.chain.endpoint import EndpointError

MOST_LOGS = 50_000
_COLUMNS = (
    "SELECT block, position, tx_position, tx, address, "
    "topic0, topic1, topic2, topic3, data FROM log"
)


def find_logs(node: Node, wanted: Any, first: int, last: int) -> list[dict[str, Any]]:
    """The logs of blocks ``first`` to ``last`` that match the filter's addresses and topics."""
    clauses, values = ["block BETWEEN ? AND ?"], [first, last]
    arguments: list[Any] = values
    addresses = wanted.get("address")
    if addresses is not None:
        addresses = addresses if isinstance(addresses, list) else [addresses]
        _one_of(clauses, arguments, "address", [to_bytes(a, "address", 20) for a in addresses])
    topics = wanted.get("topics") or []
    if not isinstance(topics, list) or len(topics) > 4:
        raise invalid("topics must be a list of at most four")
    for position, topic in enumerate(topics):
        if topic is None:
            continue
        choices = topic if isinstance(topic, list) else [topic]
        found = [to_bytes(choice, "topic", 32) for choice in choices if choice is not None]
        if len(found) == len(choices):  # a null among the choices matches anything
            _one_of(clauses, arguments, f"topic{position}", found)
    # Only fixed column names and question marks are put into the query.
    query = f"{_COLUMNS} WHERE {' AND '.join(clauses)} ORDER BY block, position LIMIT ?"
    rows = node.store.rows(query, [*arguments, MOST_LOGS + 1])
    if len(rows) > MOST_LOGS:
        raise EndpointError(LIMIT_EXCEEDED, f"query returned more than {MOST_LOGS} results")
    headers: dict[int, BlockHeaderAPI] = {}
    answers = []
    for block, index, position, transaction, address, *kept, data in rows:
        if block not in headers:
            header = node.header(block)
            assert header is not None, "an indexed block has a header"
            headers[block] = header
        found_topics = [topic for topic in kept if topic is not None]
        answers.append(
            log_answer(headers[block], transaction, position, index, address, found_topics, data)
        )
    return answers


def _one_of(clauses: list[str], arguments: list[Any], column: str, choices: list[bytes]) -> None:
    # An empty list of choices matches anything, as with other nodes.
    if choices:
        clauses.append(f"{column} IN ({', '.join('?' * len(choices))})")
        arguments.extend(choices)
