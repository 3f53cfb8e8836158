"""Anchoring killed at every effect: each database commit and each call to the chain, before and
after it happened. Whatever the moment, going on from the database alone anchors the root once.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.anchoring import Anchorer, AnchorPolicy, AnchorRefused, BatchState, FeeAboveCap
from ledger.chain.embedded import EmbeddedChain
from ledger.chain.endpoint import Endpoint, EndpointUnreachable, HttpEndpoint
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

    @contextmanager
    def effect(self) -> Iterator[None]:
        self._tick()
        yield
        self._tick()

    def _tick(self) -> None:
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
        with self._countdown.effect():
            return self._endpoint.call(method, params)


class FaultyDatabase:
    """The database behind the countdown: it can be killed around each commit."""

    def __init__(self, database: Database, countdown: Countdown) -> None:
        self._database = database
        self._countdown = countdown

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self._database.session() as session:
            yield session
            with self._countdown.effect():
                session.commit()

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
    now = datetime.now(UTC)
    with database.session() as session:
        session.add(Institution(id=REGISTRAR, name_ko="진흥원", name_en="SILE", created_at=now))
        session.flush()
        session.add(
            Batch(
                institution_id=REGISTRAR,
                chain_id=network.chain_id,
                contract=network.anchor,
                state="sealed",
                size=1,
                root=ROOT,
                subtree_roots=ROOT,
                opened_at=now,
                sealed_at=now,
            )
        )
    database.close()
    return Template(folder, office, sender, network)


def fund(chain: EmbeddedChain, payer: LocalAccount, address: str, value: int = 10**17) -> None:
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


def effects_of_one_run(make: Make) -> int:
    countdown = Countdown(None)
    drive(make().anchorer(countdown))
    return countdown.seen


def test_a_batch_goes_through_every_state_in_order(town: Town) -> None:
    anchorer = town.anchorer()
    (batch_id,) = anchorer.pending()
    seen = [anchorer.step(batch_id) for _ in range(4)]
    assert [(step.before, step.after) for step in seen] == [
        (BatchState.SEALED, BatchState.SIGNED),
        (BatchState.SIGNED, BatchState.BROADCAST),
        (BatchState.BROADCAST, BatchState.MINED),
        (BatchState.MINED, BatchState.FINAL),
    ]
    (transaction,) = town.transactions()
    assert transaction.gas_used is not None
    assert transaction.gas_used <= 40_000
    assert transaction.raw
    assert town.gateway().anchors(0)[0].root == ROOT


def test_killed_at_every_effect_it_anchors_once(make: Make) -> None:
    effects = effects_of_one_run(make)
    assert effects >= 30
    for moment in range(effects):
        town = make()
        with pytest.raises(Killed):
            drive(town.anchorer(Countdown(moment)))
        drive(town.anchorer())
        assert town.state() == "final", moment
        assert town.anchors() == 1, moment
        live = [t for t in town.transactions() if t.failure is None]
        assert len(live) == 1, moment
        assert live[0].block_hash is not None
        town.close()


def test_killed_twice_in_a_row(make: Make) -> None:
    effects = effects_of_one_run(make)
    for moment in range(0, effects, 5):
        town = make()
        for again in (moment, 3, 7):
            try:
                drive(town.anchorer(Countdown(again)))
            except Killed:
                continue
        drive(town.anchorer())
        assert town.anchors() == 1
        town.close()


def test_two_workers_anchor_it_once(town: Town) -> None:
    one, other = town.anchorer(), town.anchorer()
    (batch_id,) = one.pending()
    one.step(batch_id)
    # the other saw the batch sealed before the first one signed
    other._sign(batch_id)
    for _ in range(5):
        one.step(batch_id)
        other.step(batch_id)
    assert town.state() == "final"
    assert town.anchors() == 1
    assert len(town.transactions()) == 1


def test_a_node_that_is_down_changes_nothing(town: Town) -> None:
    anchorer = Anchorer(
        town.database,
        town.gateway(HttpEndpoint("http://127.0.0.1:9")),
        chain_id=town.network.chain_id,
        policy=AnchorPolicy(),
        clock=lambda: town.now,
    )
    (batch_id,) = anchorer.pending()
    with pytest.raises(EndpointUnreachable):
        anchorer.step(batch_id)
    assert town.state() == "sealed"
    assert town.transactions() == []
    drive(town.anchorer())
    assert town.anchors() == 1


def test_a_fee_above_the_cap_is_not_paid(town: Town) -> None:
    anchorer = town.anchorer(max_fee_per_gas=1)
    (batch_id,) = anchorer.pending()
    with pytest.raises(FeeAboveCap) as raised:
        anchorer.step(batch_id)
    assert raised.value.remedy is not None
    assert town.state() == "sealed"


def test_a_suspended_institution_is_refused_before_a_nonce_is_spent(town: Town) -> None:
    gateway = town.gateway()
    town.office().suspend(REGISTRAR)
    nonce = gateway.nonce(gateway.address)
    anchorer = town.anchorer()
    (batch_id,) = anchorer.pending()
    with pytest.raises(AnchorRefused):
        anchorer.step(batch_id)
    assert town.state() == "sealed"
    assert gateway.nonce(gateway.address) == nonce
    town.office().reinstate(REGISTRAR)
    drive(town.anchorer())
    assert town.anchors() == 1


def test_suspended_between_signing_and_mining_it_is_sealed_again(town: Town) -> None:
    """The stored transaction reverts; the batch waits and is signed anew when it may be."""
    anchorer = town.anchorer()
    (batch_id,) = anchorer.pending()
    anchorer.step(batch_id)
    town.office().suspend(REGISTRAR)
    anchorer.step(batch_id)  # sent, mined, reverted
    with pytest.raises(AnchorRefused):
        anchorer.step(batch_id)
    assert town.state() == "sealed"
    assert town.transactions()[0].failure is not None
    with pytest.raises(AnchorRefused):
        anchorer.step(batch_id)
    town.office().reinstate(REGISTRAR)
    drive(anchorer)
    assert town.state() == "final"
    assert town.anchors() == 1


def test_a_nonce_spent_elsewhere_is_given_up_and_the_root_anchored_with_the_next(
    town: Town,
) -> None:
    anchorer = town.anchorer()
    (batch_id,) = anchorer.pending()
    anchorer.step(batch_id)  # signed with the next nonce, not sent
    fund(town.chain, town.template.sender, "0x" + "11" * 20, 1)  # another tool spends it
    drive(anchorer)
    assert town.anchors() == 1
    lost, kept = town.transactions()
    assert lost.failure is not None
    assert kept.block_hash is not None
    assert kept.nonce > lost.nonce


def test_a_transaction_that_waits_too_long_is_replaced_under_the_same_nonce(town: Town) -> None:
    anchorer = town.anchorer()
    (batch_id,) = anchorer.pending()
    anchorer.step(batch_id)
    with town.database.session() as session:  # as if sent, then dropped by every node
        session.get_one(Batch, batch_id).state = "broadcast"
    town.now += timedelta(minutes=10)
    (first,) = town.transactions()
    anchorer._replace(batch_id, first)
    _, second = town.transactions()
    assert second.nonce == first.nonce
    assert second.max_fee_per_gas * 10 >= first.max_fee_per_gas * 11
    drive(anchorer)
    assert town.anchors() == 1


def test_enough_confirmations_before_it_is_final(town: Town) -> None:
    anchorer = town.anchorer(confirmations=3)
    (batch_id,) = anchorer.pending()
    for _ in range(5):
        anchorer.step(batch_id)
    assert town.state() == "mined"
    town.office().suspend(REGISTRAR)  # two more blocks
    town.office().reinstate(REGISTRAR)
    anchorer.step(batch_id)
    assert town.state() == "final"


def test_a_block_that_a_reorganisation_took_away_is_mined_again(town: Town) -> None:
    anchorer = town.anchorer()
    (batch_id,) = anchorer.pending()
    for _ in range(3):
        anchorer.step(batch_id)
    assert town.state() == "mined"
    with town.database.session() as session:  # what was written down is no longer canonical
        row = session.scalars(select(ChainTransaction)).one()
        row.block_hash = "0x" + "ab" * 32
    step = anchorer.step(batch_id)
    assert step.after is BatchState.BROADCAST
    drive(anchorer)
    assert town.state() == "final"
    assert town.anchors() == 1
    with town.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ChainTransaction)) == 1
