"""A town for anchoring tests: a database with a sealed batch, a chain with the contracts, and
faults to put between anchoring and both.

``Countdown`` kills at one effect: each statement that writes, each commit and each call to the
chain, before and after it happened.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from ledger.anchoring import Anchorer, AnchorPolicy
from ledger.chain.embedded import EmbeddedChain
from ledger.chain.endpoint import Endpoint
from ledger.chain.gateway import Gateway
from ledger.chain.network import Network, deploy
from ledger.database.models import Batch, ChainTransaction, Institution
from ledger.database.session import Database, open_database

REGISTRAR = "seoul-lifelong-education"
ROOT = bytes(range(32))


class Killed(BaseException):
    """Stands for kill -9: nothing catches it, nothing is cleaned up."""


@dataclass
class Countdown:
    """Kills at one effect, counted from 0: even numbers before it happens, odd ones after."""

    at: int | None
    seen: int = 0
    names: list[str] = field(default_factory=list)

    @contextmanager
    def effect(self, name: str) -> Iterator[None]:
        self.tick(f"before {name}")
        yield
        self.tick(f"after {name}")

    def tick(self, name: str) -> None:
        self.names.append(name)
        if self.seen == self.at:
            self.seen += 1
            raise Killed
        self.seen += 1


class FaultyEndpoint:
    """The chain behind the countdown."""

    def __init__(self, endpoint: Endpoint, countdown: Countdown) -> None:
        self._endpoint = endpoint
        self._countdown = countdown

    def call(self, method: str, params: list[Any]) -> Any:
        with self._countdown.effect(method):
            return self._endpoint.call(method, params)


class FaultyDatabase:
    """The database behind the countdown: every statement that writes, and every commit."""

    def __init__(self, database: Database, countdown: Countdown) -> None:
        self._database = database
        self._countdown = countdown

    @contextmanager
    def session(self) -> Iterator[Session]:
        def before(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith("SELECT"):
                self._countdown.tick("before " + " ".join(statement.split()[:3]))

        engine = self._database.engine
        event.listen(engine, "before_cursor_execute", before)
        try:
            with self._database.session() as session:
                yield session
                with self._countdown.effect("commit"):
                    session.commit()
        finally:
            event.remove(engine, "before_cursor_execute", before)

    def reading(self) -> Any:
        return self._database.reading()


@dataclass(frozen=True)
class Template:
    """What every town is a copy of."""

    folder: Path
    office: LocalAccount
    sender: LocalAccount
    network: Network


class Town:
    """One database and one chain with a sealed batch, in a folder of their own."""

    def __init__(self, folder: Path, template: Template) -> None:
        self.folder = folder
        self.template = template
        self.network = template.network
        self.database = open_database(f"sqlite:///{folder / 'db'}")
        self.chain = EmbeddedChain.open(folder / "chain", operator=template.office.address)
        self.now = datetime.now(UTC)

    def close(self) -> None:
        self.database.close()
        self.chain.close()

    def gateway(self, endpoint: Endpoint | None = None) -> Gateway:
        """The registrar's: it anchors."""
        return Gateway(endpoint or self.chain, self.network, self.template.sender)

    def office(self) -> Gateway:
        """The city's: it suspends and reinstates, from an account of its own."""
        return Gateway(self.chain, self.network, self.template.office)

    def anchorer(self, countdown: Countdown | None = None, **policy: Any) -> Anchorer:
        countdown = countdown or Countdown(None)
        return Anchorer(
            FaultyDatabase(self.database, countdown),
            self.gateway(FaultyEndpoint(self.chain, countdown)),
            chain_id=self.network.chain_id,
            policy=AnchorPolicy(**policy),
            clock=lambda: self.now,
        )

    def state(self) -> str:
        with self.database.reading() as session:
            return session.scalars(select(Batch.state)).one()

    def transactions(self) -> list[ChainTransaction]:
        with self.database.reading() as session:
            return list(session.scalars(select(ChainTransaction).order_by(ChainTransaction.id)))

    def anchors(self) -> int:
        return len(self.gateway().anchors(0))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A town on the embedded chain, to be copied."""
    folder = tmp_path_factory.mktemp("town")
    office, sender = Account.create(), Account.create()
    chain = EmbeddedChain.open(folder / "chain", operator=office.address)
    network = deploy(chain, office)
    Gateway(chain, network, office).register_institution(
        REGISTRAR,
        None,
        ["registrar"],
        datetime(2020, 1, 1, tzinfo=UTC),
        signer=sender.address,
    )
    fund(chain, office, sender.address)
    chain.close()
    database = open_database(f"sqlite:///{folder / 'db'}")
    database.migrate()
    seal_one(database, network)
    database.close()
    return Template(folder, office, sender, network)


def seal_one(database: Database, network: Network, root: bytes = ROOT) -> int:
    """Another sealed batch of the registrar; its id."""
    now = datetime.now(UTC)
    with database.session() as session:
        if session.get(Institution, REGISTRAR) is None:
            session.add(Institution(id=REGISTRAR, name_ko="진흥원", name_en="SILE", created_at=now))
            session.flush()
        batch = Batch(
            institution_id=REGISTRAR,
            chain_id=network.chain_id,
            contract=network.anchor,
            state="sealed",
            size=1,
            root=root,
            subtree_roots=root,
            opened_at=now,
            sealed_at=now,
        )
        session.add(batch)
        session.flush()
        return int(batch.id)


def fund(chain: Endpoint, payer: LocalAccount, address: str, value: int = 10**17) -> None:
    """A plain transfer, enough for thousands of anchors."""
    transfer = payer.sign_transaction(
        {
            "type": 2,
            "chainId": int(chain.call("eth_chainId", []), 16),
            "nonce": int(chain.call("eth_getTransactionCount", [payer.address, "latest"]), 16),
            "to": address,
            "value": value,
            "gas": 21_000,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 10**9,
        }
    )
    chain.call("eth_sendRawTransaction", ["0x" + transfer.raw_transaction.hex()])


Make = Callable[[], Town]


@pytest.fixture
def make(template: Template, tmp_path: Path) -> Iterator[Make]:
    towns: list[Town] = []

    def build() -> Town:
        folder = tmp_path / str(len(towns))
        shutil.copytree(template.folder, folder)
        towns.append(Town(folder, template))
        return towns[-1]

    yield build
    for town in towns:
        town.close()


@pytest.fixture
def town(make: Make) -> Town:
    return make()


def drive(anchorer: Anchorer, *, steps: int = 20) -> None:
    for _ in range(steps):
        if not anchorer.pending():
            return
        for _step in anchorer.advance():
            pass
    raise AssertionError("does not come to an end")
