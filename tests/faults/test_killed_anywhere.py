"""The whole life of credentials, issue → seal → sign → send → mine → final, killed at every effect:
each statement that writes, each commit, each call to the chain, before and after it happened.

Whatever the moment, doing the same again issues the rest, anchors every root once, and leaves
nothing that ``baeum audit`` would name.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from population import IDENTITIES, NOW, PUBLIC_URL, keystore, learners, record, records
from population import found as found_institutions
from sqlalchemy import func, select
from town import REGISTRAR, Countdown, FaultyDatabase, FaultyEndpoint, Killed, Template, Town, drive

from issuer.batches import seal
from issuer.issuance import issue
from issuer.place import AnchorPlace
from ledger.anchoring import Anchorer, AnchorPolicy
from ledger.database.models import Batch, ChainTransaction, Credential
from ledger.database.session import open_database
from ledger.reconciliation import reconcile

RECORDS = 12
PARTS = 8
ALIKE = {"kind": "course", "category": None, "level": None, "title_en": None, "code": None}
TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def city(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A town with institutions, keys and records, and nothing issued yet."""
    folder = tmp_path_factory.mktemp("city")
    shutil.copytree(template.folder / "chain", folder / "chain")
    database = open_database(f"sqlite:///{folder / 'db'}")
    database.migrate()
    found_institutions(database, keystore(folder))
    learners(database, RECORDS)
    # One shape: compiling others is no effect, and each would be compiled anew after each kill.
    records(database, [record(number, **ALIKE) for number in range(RECORDS)])
    database.close()
    return Template(folder, template.office, template.sender, template.network)


@contextmanager
def copy_of(city: Template, folder: Path) -> Iterator[Town]:
    shutil.copytree(city.folder, folder)
    town = Town(folder, city)
    try:
        yield town
    finally:
        town.close()
        shutil.rmtree(folder)


def live(town: Town, countdown: Countdown) -> None:
    """All of it, as the commands would."""
    database = FaultyDatabase(town.database, countdown)
    for limit in (RECORDS // 2, None):  # two batches
        issue(
            database,  # type: ignore[arg-type]
            keystore(town.folder),
            place=AnchorPlace(town.network.chain_id, town.network.anchor, REGISTRAR),
            public_url=PUBLIC_URL,
            now=NOW,
            identities=IDENTITIES,
            workers=1,
            chunk=1,
            limit=limit,
        )
        seal(database, NOW)  # type: ignore[arg-type]
    anchorer = Anchorer(
        database,
        town.gateway(FaultyEndpoint(town.chain, countdown)),
        chain_id=town.network.chain_id,
        policy=AnchorPolicy(),
        clock=lambda: town.now,
    )
    drive(anchorer)


def check(town: Town) -> None:
    """None lost, none twice, and the audit finds nothing."""
    with town.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Credential)) == RECORDS
        batches = list(session.scalars(select(Batch)))
        assert sum(batch.size for batch in batches) == RECORDS
        assert {batch.state for batch in batches} == {"final"}
        anchored = select(func.count()).where(ChainTransaction.block_hash.is_not(None))
        assert session.scalar(anchored) == len(batches)
    assert town.anchors() == len(batches)
    outcome = reconcile(town.database, town.gateway(), now=NOW)
    assert outcome.exit_code == 0, outcome.to_json()
    assert outcome.credentials == RECORDS


@pytest.fixture(scope="module")
def effects(city: Template, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The moments there are to be killed at in one undisturbed run, by name."""
    countdown = Countdown(None)
    with copy_of(city, tmp_path_factory.mktemp("whole") / "town") as town:
        live(town, countdown)
        check(town)
    return countdown.names


def test_there_are_at_least_200_moments_of_every_kind_to_be_killed_at(effects: list[str]) -> None:
    """Each moment is another place in one run; each part below kills at its share of them all."""
    assert len(effects) >= 200
    shares = [moment for part in range(PARTS) for moment in range(part, len(effects), PARTS)]
    assert sorted(shares) == list(range(len(effects)))
    assert {
        "before INSERT INTO credential",  # issue
        "before INSERT INTO batch",
        "before UPDATE status_list SET",
        "before UPDATE batch SET",  # seal, and each later arrow
        "before INSERT INTO chain_transaction",  # sign
        "before UPDATE chain_account SET",
        "before UPDATE chain_transaction SET",
        "before commit",
        "after commit",
        *(
            f"{when} {method}"
            for when in ("before", "after")
            for method in (
                "eth_chainId",
                "eth_maxPriorityFeePerGas",
                "eth_getBalance",
                "eth_getTransactionCount",
                "eth_call",
                "eth_sendRawTransaction",  # send
                "eth_getTransactionReceipt",  # mine
                "eth_blockNumber",  # final
                "eth_getBlockByNumber",
            )
        ),
    } <= set(effects)


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_every_effect_nothing_is_lost_and_nothing_twice(
    part: int, effects: list[str], city: Template, tmp_path: Path
) -> None:
    for moment in range(part, len(effects), PARTS):
        with copy_of(city, tmp_path / "town") as town:
            with pytest.raises(Killed):
                live(town, Countdown(moment))
            live(town, Countdown(None))
            check(town)


VICTIM = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = {paths!r}
import town, test_killed_anywhere as test
from eth_account import Account
from ledger.chain.network import Network

class Countdown(town.Countdown):
    def tick(self, name):
        if self.seen == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.seen += 1

template = town.Template(Path({folder!r}), Account.from_key({office!r}),
    Account.from_key({sender!r}), Network.from_json({network!r}))
for moment in {moments!r}:
    if os.fork() == 0:
        test.live(town.Town(Path({folder!r}) / str(moment), template), Countdown(moment))
        os._exit(0)
    _, status = os.wait()
    print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, flush=True)
"""


def test_sigkill_on_the_way_is_resumed_by_another_process(
    effects: list[str], city: Template, tmp_path: Path
) -> None:
    """The same with the real signal: the database's and the chain's files are left as they are."""
    moments = list(range(3, len(effects), len(effects) // 12))
    for moment in moments:
        shutil.copytree(city.folder, tmp_path / str(moment))
    victim = VICTIM.format(
        paths=[str(TESTS.parent), str(TESTS), str(TESTS / "faults")],
        folder=str(tmp_path),
        office=city.office.key.hex(),
        sender=city.sender.key.hex(),
        network=city.network.to_json(),
        moments=moments,
    )
    result = subprocess.run(
        [sys.executable, "-c", victim], capture_output=True, text=True, check=False, timeout=200
    )
    assert result.stdout.split() == [str(int(signal.SIGKILL))] * len(moments), result.stderr
    for moment in moments:
        town = Town(tmp_path / str(moment), city)
        try:
            live(town, Countdown(None))
            check(town)
        finally:
            town.close()
