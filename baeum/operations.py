"""The main job, step by step, as functions over one home; commands and the demo call these.

Every step is safe to repeat: what is already there is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from baeum.home import Home, now
from credential.errors import BaeumError
from credential.text import Text

if TYPE_CHECKING:
    from issuer.issuance import IssueReport
    from issuer.status import PublishReport
    from ledger.anchoring import Step
    from ledger.institutions import Entry
    from ledger.reconciliation import Reconciliation

Progress = Callable[[int, int | None], None]


class AnchoringUnfinished(BaeumError):
    """Batches are on their way but the chain has not answered in the time given."""

    code = "anchoring-unfinished"
    title = Text("아직 기록 중입니다", "Anchoring has not finished yet")
    status: ClassVar[int] = 503


@dataclass(frozen=True, slots=True)
class SetUp:
    """What ``set_up`` found or made."""

    chain_id: int
    self_run: bool
    account: str
    new_institutions: tuple[str, ...]
    registered_on_chain: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "chainId": self.chain_id,
            "selfRun": self.self_run,
            "account": self.account,
            "newInstitutions": list(self.new_institutions),
            "registeredOnChain": list(self.registered_on_chain),
        }


def set_up(
    home: Home,
    entries: Iterable[Entry],
    progress: Progress | None = None,
    admin: str | None = None,
) -> SetUp:
    """Keys, contracts and the register of institutions: made when missing, checked when there.

    ``admin`` is the address that holds the highest role, by default the paying account. Raises
    ``CodeDiffers`` when the contracts on the chain are not the committed ones, ``AdminDiffers``
    when they are there and another address holds that role.
    """
    from credential.did import bound_name
    from issuer.issuers import give_key
    from ledger.chain.gateway import Gateway
    from ledger.chain.network import check_code, deploy, require_admin
    from ledger.institutions import register

    entries = list(entries)
    keystore = home.keystore
    if not keystore.has_chain_account():
        keystore.create_chain_account()
    account = keystore.chain_account()
    endpoint = home.endpoint(write=True)
    if home.network_file.exists():
        network = home.network()
        check_code(endpoint, network)
        if admin is not None:
            require_admin(endpoint, network, admin)
    else:
        network = deploy(endpoint, account, self_run=home.settings.embedded_chain, admin=admin)
        home.write_network(network)
    with home.database.session() as session:
        fresh = register(session, entries, now())
    gateway = Gateway(endpoint, network, account)
    registered: list[str] = []
    for done, entry in enumerate(entries):
        did = home.web_did(entry.id) if entry.did == "web" else None
        method = give_key(home.database, keystore, entry.id, did)
        if not gateway.institution_registered(entry.id):
            registered.append(entry.id)
        gateway.register(entry, bound_name(method))
        if progress is not None:
            progress(done + 1, len(entries))
    return SetUp(
        network.chain_id, network.self_run, account.address, tuple(fresh), tuple(registered)
    )


def issue(home: Home, progress: Progress | None = None, limit: int | None = None) -> IssueReport:
    """Sign what is ready, into the open batch."""
    from issuer.issuance import issue as run

    report = run(
        home.database,
        home.signers,
        place=home.place(),
        public_url=home.settings.public_url,
        now=now(),
        identities=home.identities,
        progress=progress,
        workers=home.settings.workers if home.settings.signing == "here" else 1,
        limit=limit,
        cryptosuites=home.settings.cryptosuites,
    )
    if _lists_behind(home):
        publish(home)  # what was replaced says so at once
    return report


def _lists_behind(home: Home) -> bool:
    """Whether a list that was published before has changed since."""
    from sqlalchemy import exists, select

    from ledger.database.models import StatusList

    behind = exists().where(StatusList.changed > StatusList.published, StatusList.published >= 0)
    with home.database.reading() as session:
        return bool(session.scalar(select(behind)))


def seal(home: Home) -> int:
    """Seal every open batch that holds something; how many."""
    from issuer.batches import seal as run

    sealed = 0
    while run(home.database, now()) is not None:
        sealed += 1
    return sealed


def anchor(
    home: Home, *, patience: float = 600.0, on_step: Callable[[Step], None] | None = None
) -> list[int]:
    """Drive every sealed batch to final; returns their ids.

    First those that a reorganisation took away after they were final are taken back, to be driven
    again: ``on_step`` hears of them as ``final → broadcast``.

    When another process (a server) owns the embedded chain, that one drives and this one watches.
    Waits at most ``patience`` seconds, then raises ``AnchoringUnfinished``: the batches stay where
    they are and the next call goes on.
    """
    from ledger.chain.embedded import ChainOwned

    take: Callable[[int], Step]
    try:
        anchorer = home.anchorer()
    except ChainOwned:
        take = partial(_watch, home)
    else:
        take = anchorer.step
        for step in anchorer.recover():
            if on_step is not None:
                on_step(step)
    return _drive(home, take, patience, on_step)


def _drive(
    home: Home,
    take: Callable[[int], Step],
    patience: float,
    on_step: Callable[[Step], None] | None,
) -> list[int]:
    from ledger.anchoring import BatchState, pending_batches
    from ledger.chain.endpoint import EndpointUnreachable

    chain_id = home.network().chain_id
    driven: set[int] = set()
    known: dict[int, str] = {}
    deadline = time.monotonic() + patience
    pause = 0.05
    while pending := pending_batches(home.database, chain_id):
        moved = False
        refusals: list[BaeumError] = []
        for batch_id in pending:
            try:
                step = take(batch_id)
            except EndpointUnreachable:
                raise
            except BaeumError as error:
                refusals.append(error)  # this batch waits for the operator, the others go on
                continue
            if on_step is not None:
                on_step(step)
            moved |= step.after != known.get(batch_id, step.before)
            known[batch_id] = step.after
            if step.after is BatchState.FINAL:
                driven.add(batch_id)
        if moved:
            pause = 0.05
            continue
        if refusals:
            raise refusals[0]
        if time.monotonic() > deadline:
            raise AnchoringUnfinished(
                Text(
                    f"묶음 {len(pending)}개가 아직 확정되지 않았습니다",
                    f"{len(pending)} batches are not final yet",
                ),
                Text(
                    "잠시 뒤 baeum anchor를 다시 실행하면 이어서 진행합니다",
                    "Run baeum anchor again later; it goes on where it stopped",
                ),
                {"pending": pending},
            )
        time.sleep(pause)
        pause = min(pause * 2, 5.0)
    driven.update(known)
    return sorted(driven)


def _watch(home: Home, batch_id: int) -> Step:
    """What another process made of the batch meanwhile."""
    from ledger.anchoring import BatchState, Step
    from ledger.database.models import Batch

    with home.database.reading() as session:
        state = BatchState(session.get_one(Batch, batch_id).state)
    return Step(batch_id, state, state)


def publish(home: Home) -> PublishReport:
    """Publish the status lists that changed or grow old."""
    from issuer.status import publish as run

    return run(
        home.database,
        home.signers,
        home.status_directory,
        home.settings.public_url,
        now(),
    )


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """What anchored a batch, in numbers."""

    batch_id: int
    size: int
    root: str
    transaction: str
    block_number: int
    gas_used: int

    @property
    def gas_per_credential(self) -> float:
        return self.gas_used / self.size

    @property
    def sentence(self) -> Text:
        return Text(
            f"묶음 {self.batch_id}: 증명 {self.size:,}건, 거래 {self.transaction} "
            f"(블록 {self.block_number:,}), 가스 {self.gas_used:,}, "
            f"증명 1건당 {self.gas_per_credential:.2f}",
            f"Batch {self.batch_id}: {self.size:,} credentials, transaction {self.transaction} "
            f"(block {self.block_number:,}), gas {self.gas_used:,}, "
            f"{self.gas_per_credential:.2f} per credential",
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "batch": self.batch_id,
            "size": self.size,
            "root": self.root,
            "transaction": self.transaction,
            "blockNumber": self.block_number,
            "gasUsed": self.gas_used,
            "gasPerCredential": round(self.gas_per_credential, 4),
        }


def batch_summary(home: Home, batch_id: int) -> BatchSummary:
    """The numbers of a batch that is mined."""
    from sqlalchemy import select

    from ledger.database.models import Batch, ChainTransaction

    with home.database.reading() as session:
        batch = session.get_one(Batch, batch_id)
        mined = session.scalars(
            select(ChainTransaction).where(
                ChainTransaction.batch_id == batch_id, ChainTransaction.block_hash.is_not(None)
            )
        ).one()
    if batch.root is None or mined.block_number is None or mined.gas_used is None:
        raise ValueError(f"batch {batch_id} is not mined")
    return BatchSummary(
        batch_id,
        batch.size,
        "0x" + batch.root.hex(),
        mined.hash,
        mined.block_number,
        mined.gas_used,
    )


def audit(home: Home, progress: Progress | None = None) -> Reconciliation:
    """Database against chain."""
    from ledger.reconciliation import reconcile

    gateway = home.gateway(write=False) if home.network_file.exists() else None
    return reconcile(home.database, gateway, now=now(), progress=progress)
