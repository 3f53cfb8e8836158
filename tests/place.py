"""A place for anchoring tests on nodes of others: a database with a sealed batch, a node with the
contracts that mines when told to, and a hand to put between anchoring and the node.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from nodes import NODES, Node, shared
from sqlalchemy import select
from town import REGISTRAR, seal_one

from ledger.anchoring import Anchorer, AnchorPolicy
from ledger.chain.abi import call_data
from ledger.chain.endpoint import Endpoint
from ledger.chain.gateway import Gateway
from ledger.chain.network import Network, deploy
from ledger.chain.transactions import transact
from ledger.database.models import Batch, ChainTransaction
from ledger.database.session import Database, open_database


class Ground(NamedTuple):
    """What every place on one node finds there: two accounts with funds, the contracts."""

    office: LocalAccount
    sender: LocalAccount
    network: Network


@cache
def ground(name: str) -> Ground:
    node, office, sender = shared(name), Account.create(), Account.create()
    for account in (office, sender):
        node.fund(account.address)
    network = deploy(node, office)
    Gateway(node, network, office).register_institution(
        REGISTRAR, None, ["registrar"], datetime(2020, 1, 1, tzinfo=UTC), signer=sender.address
    )
    return Ground(office, sender, network)


class Place:
    """A database with a sealed batch and anvil with the contracts."""

    def __init__(self, node: Node, database: Database, ground: Ground) -> None:
        self.node = node
        self.database = database
        self.office, self.sender, self.network = ground
        self.batch = seal_one(database, self.network)
        self.now = datetime.now(UTC)
        node.automine(False)

    def gateway(self, endpoint: Endpoint | None = None) -> Gateway:
        return Gateway(endpoint or self.node, self.network, self.sender)

    def anchorer(self, endpoint: Endpoint | None = None, **policy: Any) -> Anchorer:
        return Anchorer(
            self.database,
            self.gateway(endpoint),
            chain_id=self.network.chain_id,
            policy=AnchorPolicy(**policy),
            clock=lambda: self.now,
        )

    def mine(self, blocks: int = 1) -> None:
        self.node.mine(blocks)

    def drive(self, anchorer: Anchorer, rounds: int = 30) -> None:
        for _ in range(rounds):
            if not anchorer.pending():
                return
            for _step in anchorer.advance():
                pass
            self.mine()
        raise AssertionError(f"does not come to an end: {self.state()}")

    def state(self, batch: int | None = None) -> str:
        with self.database.reading() as session:
            return session.get_one(Batch, batch or self.batch).state

    def transactions(self) -> list[ChainTransaction]:
        with self.database.reading() as session:
            return list(session.scalars(select(ChainTransaction).order_by(ChainTransaction.id)))

    def roots(self) -> list[bytes]:
        return [event.root for event in self.gateway().anchors(0)]

    def to(self, state: str, anchorer: Anchorer) -> None:
        """Drive until the batch is there, mining nothing unless it has to be."""
        for _ in range(8):
            if self.state() == state:
                return
            if self.state() == "broadcast":
                self.mine()
            anchorer.step(self.batch)
        assert self.state() == state

    def pause(self, signature: str) -> None:
        self.node.automine(True)
        transact(
            self.node,
            self.office,
            chain_id=self.network.chain_id,
            to=self.network.anchor,
            data=call_data(signature),
        )
        self.node.automine(False)


@pytest.fixture(params=NODES)
def place(request: pytest.FixtureRequest, migrated_sqlite: Path, tmp_path: Path) -> Iterator[Place]:
    shutil.copy(migrated_sqlite, tmp_path / "db")
    database = open_database(f"sqlite:///{tmp_path / 'db'}")
    found = ground(request.param)
    with shared(request.param).undone() as node:
        yield Place(node, database, found)
    database.close()


class Between:
    """A node behind a hand that may answer first: what ``hand`` returns, or None to pass it on."""

    def __init__(self, node: Endpoint, hand: Callable[[str, list[Any]], Any]) -> None:
        self._node = node
        self._hand = hand

    def call(self, method: str, params: list[Any]) -> Any:
        answer = self._hand(method, params)
        return self._node.call(method, params) if answer is None else answer
