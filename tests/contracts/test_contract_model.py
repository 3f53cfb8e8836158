"""The registry and the anchor against a model of them in plain Python, step by step.

The model keeps histories as lists and answers by looking through them; it shares nothing with the
contract but the rules. Hypothesis draws the steps, the contract must accept exactly what the model
accepts (and refuse the rest for the same reason), and both must answer alike at any time.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from evm import COURSE, REGISTRAR, Bench, Template, h
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.chain.abi import error_name
from ledger.chain.names import first_head, next_head
from ledger.chain.transactions import ContractRefused

INSTITUTIONS = [h(f"institution {number}") for number in range(3)]
KINDS = [COURSE, REGISTRAR]
FOREVER = 2**40 - 1
ACCREDITED, PROVISIONAL, NOT_ACCREDITED, SUSPENDED, ENDED = 1, 2, 3, 4, 5

institutions = st.sampled_from(INSTITUTIONS)
kinds = st.sampled_from(KINDS)
accounts = st.integers(0, 2)
# Few values, so that one step often meets the very second of another.
offsets = st.sampled_from([-20, -1, 0, 1, 10, 20, 40])


class Refused(Exception):
    """What the model says a contract must refuse with."""


@dataclass
class Spell:
    start: int
    end: int
    provisional: bool = False


@dataclass
class Institution:
    spells: dict[bytes, list[Spell]] = field(default_factory=dict)
    suspensions: list[Spell] = field(default_factory=list)
    withdrawn: int | None = None

    @property
    def suspended(self) -> bool:
        return bool(self.suspensions) and self.suspensions[-1].end == FOREVER


class Model:
    def __init__(self, first: bytes) -> None:
        self.institutions: dict[bytes, Institution] = {}
        self.signers: dict[int, bytes] = {}
        self.used: set[int] = set()
        self.head, self.roots = first, list[tuple[bytes, bytes]]()
        self.paused = False

    def existing(self, institution: bytes, now: int) -> Institution:
        found = self.institutions.get(institution)
        if found is None:
            raise Refused("UnknownInstitution")
        if found.withdrawn is not None and now >= found.withdrawn:
            raise Refused("InstitutionGone")
        return found

    def register(self, institution: bytes) -> None:
        if institution in self.institutions:
            raise Refused("AlreadyRegistered")
        self.institutions[institution] = Institution()

    def accredit(self, institution: bytes, kind: bytes, spell: Spell, now: int) -> None:
        found = self.existing(institution, now)
        if spell.end <= spell.start:
            raise Refused("EmptyPeriod")
        spells = found.spells.setdefault(kind, [])
        if not spells:
            spells.append(spell)
            return
        last = spells[-1]
        if spell.start > last.start:
            if spell.start < last.end:
                if spell.start < now:
                    raise Refused("PastIsFixed")
                last.end = spell.start
            spells.append(spell)
            return
        if last.start <= now or (len(spells) > 1 and spell.start < spells[-2].end):
            raise Refused("PastIsFixed")
        spells[-1] = spell

    def end(self, institution: bytes, kind: bytes, when: int, now: int) -> None:
        if when < now:
            raise Refused("PastIsFixed")
        found = self.institutions.get(institution)
        spells = found.spells.get(kind, []) if found else []
        if not spells or when >= spells[-1].end:
            raise Refused("NothingToEnd")
        spells[-1].end = max(when, spells[-1].start)

    def suspend(self, institution: bytes, now: int) -> None:
        found = self.existing(institution, now)
        if found.suspended:
            raise Refused("AlreadySuspended")
        found.suspensions.append(Spell(now, FOREVER))

    def reinstate(self, institution: bytes, now: int) -> None:
        found = self.existing(institution, now)
        if not found.suspended:
            raise Refused("NotSuspended")
        found.suspensions[-1].end = now

    def withdraw(self, institution: bytes, when: int, now: int) -> None:
        found = self.existing(institution, now)
        if when < now:
            raise Refused("PastIsFixed")
        found.withdrawn = when

    def add_signer(self, institution: bytes, account: int, now: int) -> None:
        self.existing(institution, now)
        if account in self.used:
            raise Refused("SignerTaken")
        self.used.add(account)
        self.signers[account] = institution

    def remove_signer(self, account: int) -> None:
        if self.signers.pop(account, None) is None:
            raise Refused("UnknownSigner")

    def standing(self, institution: bytes, kind: bytes, time: int) -> int:
        found = self.institutions.get(institution)
        spells = found.spells.get(kind, []) if found else []
        if found is None or not spells:
            return NOT_ACCREDITED
        current = [spell for spell in spells if spell.start <= time < spell.end]
        if not current:
            # An empty spell that was cut away leaves its end behind, like any other.
            return ENDED if any(time >= spell.end for spell in spells) else NOT_ACCREDITED
        if found.withdrawn is not None and time >= found.withdrawn:
            return ENDED
        if any(spell.start <= time < spell.end for spell in found.suspensions):
            return SUSPENDED
        return PROVISIONAL if current[-1].provisional else ACCREDITED

    def anchor(self, account: int, root: bytes, kind: bytes, now: int) -> None:
        if root == bytes(32):
            raise Refused("ZeroRoot")
        institution = self.signers.get(account)
        if institution is None:
            raise Refused("SignerUnknown")
        if self.standing(institution, kind, now) not in (ACCREDITED, PROVISIONAL):
            raise Refused("NotAccredited")
        if self.paused:
            raise Refused("AnchoringIsPaused")
        if (root, institution) in self.roots[-6:]:
            raise Refused("DuplicateRoot")
        self.roots.append((root, institution))
        self.head = next_head(self.head, root, institution, len(self.roots))


class Contracts(RuleBasedStateMachine):
    template: ClassVar[Template]
    accounts: ClassVar[list[LocalAccount]]
    scratch: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        self.stack.callback(shutil.rmtree, folder)
        self.bench: Bench = self.stack.enter_context(self.template.copy(folder / "chain"))
        network = self.bench.network
        self.model = Model(first_head(network.chain_id, network.anchor))

    def teardown(self) -> None:
        with self.stack:
            self._ask_at_every_turn()

    @property
    def now(self) -> int:
        return self.bench.now

    def both(self, expected: Any, signature: str, *values: Any, **options: Any) -> None:
        """Take a step in the model and on the chain; both must say the same."""
        reason = self._refusal(expected)
        if reason is None:
            self.bench.send(signature, *values, **options)
            return
        with pytest.raises(ContractRefused) as caught:
            self.bench.send(signature, *values, **options)
        assert error_name(caught.value.data) == reason

    @staticmethod
    def _refusal(step: Any) -> str | None:
        try:
            step()
        except Refused as refused:
            return str(refused)
        return None

    @initialize()
    def begin(self) -> None:
        for account, institution in enumerate(INSTITUTIONS[:2]):
            self.model.register(institution)
            self.model.add_signer(institution, account, self.now)
            for kind in KINDS[: account + 1]:
                self.model.accredit(institution, kind, Spell(1000, FOREVER), self.now)
            self.bench.register(
                institution,
                signer=self.accounts[account].address,
                kinds=KINDS[: account + 1],
                since=1000,
            )

    @rule(institution=institutions)
    def register(self, institution: bytes) -> None:
        self.both(
            lambda: self.model.register(institution),
            "register(bytes32,bytes32,address,bytes32[],uint64,uint64)",
            institution,
            bytes(32),
            "0x" + "00" * 20,
            [],
            1,
            0,
        )

    @rule(
        institution=institutions,
        kind=kinds,
        start=offsets,
        length=st.sampled_from([0, 1, 20, 40, FOREVER]),
        provisional=st.booleans(),
    )
    def accredit(
        self, institution: bytes, kind: bytes, start: int, length: int, provisional: bool
    ) -> None:
        spell = Spell(self.now + start, min(self.now + start + length, FOREVER), provisional)
        self.both(
            lambda: self.model.accredit(institution, kind, spell, self.now),
            "accredit(bytes32,bytes32,uint64,uint64,bool)",
            institution,
            kind,
            spell.start,
            spell.end,
            provisional,
        )

    @rule(institution=institutions, kind=kinds, offset=offsets)
    def end(self, institution: bytes, kind: bytes, offset: int) -> None:
        self.both(
            lambda: self.model.end(institution, kind, self.now + offset, self.now),
            "endAccreditation(bytes32,bytes32,uint64)",
            institution,
            kind,
            self.now + offset,
        )

    @rule(institution=institutions)
    def suspend(self, institution: bytes) -> None:
        self.both(
            lambda: self.model.suspend(institution, self.now), "suspend(bytes32)", institution
        )

    @rule(institution=institutions)
    def reinstate(self, institution: bytes) -> None:
        self.both(
            lambda: self.model.reinstate(institution, self.now), "reinstate(bytes32)", institution
        )

    @rule(institution=institutions, offset=offsets)
    def withdraw(self, institution: bytes, offset: int) -> None:
        when = self.now + offset
        self.both(
            lambda: self.model.withdraw(institution, when, self.now),
            "withdraw(bytes32,uint64,bytes32)",
            institution,
            when,
            bytes(32),
        )

    @rule(institution=institutions, account=accounts)
    def add_signer(self, institution: bytes, account: int) -> None:
        self.both(
            lambda: self.model.add_signer(institution, account, self.now),
            "addSigner(bytes32,address)",
            institution,
            self.accounts[account].address,
        )

    @rule(account=accounts)
    def remove_signer(self, account: int) -> None:
        self.both(
            lambda: self.model.remove_signer(account),
            "removeSigner(address)",
            self.accounts[account].address,
        )

    @rule(account=accounts, kind=kinds, number=st.integers(0, 2))
    def anchor(self, account: int, kind: bytes, number: int) -> None:
        self._anchor(account, kind, h(f"root {number}") if number else bytes(32))

    @rule(account=accounts, salt=st.integers(0, 2**32), between=st.sampled_from([0, 5, 6]))
    def anchor_again(self, account: int, salt: int, between: int) -> None:
        for number in [0, *range(1, between + 1), 0]:
            self._anchor(account, COURSE, h(f"salted {salt} {number}"))

    def _anchor(self, account: int, kind: bytes, root: bytes) -> None:
        self.both(
            lambda: self.model.anchor(account, root, kind, self.now),
            "anchor(bytes32,bytes32)",
            root,
            kind,
            by=self.accounts[account],
        )

    @precondition(lambda self: not self.model.paused)
    @rule()
    def pause(self) -> None:
        self.bench.send("pause()")
        self.model.paused = True

    @precondition(lambda self: self.model.paused)
    @rule()
    def resume(self) -> None:
        self.bench.send("resume()")
        self.model.paused = False

    @rule(seconds=st.sampled_from([1, 10, 20]))
    def wait(self, seconds: int) -> None:
        self.bench.advance(seconds)

    def _ask_at_every_turn(self) -> None:
        """Whatever was recorded, the answers change exactly when the model's do."""
        for institution, found in self.model.institutions.items():
            turns = {found.withdrawn or self.now, self.now}
            for spell in [*found.suspensions, *(s for each in found.spells.values() for s in each)]:
                turns |= {spell.start, spell.end}
            for kind in KINDS:
                for time in sorted({turn + step for turn in turns for step in (-1, 0)}):
                    (code,) = self.bench.ask(
                        "standingOf(bytes32,bytes32,uint64)", ["uint8"], institution, kind, time
                    )
                    assert code == self.model.standing(institution, kind, time), (kind, time)

    @invariant()
    def same_head(self) -> None:
        (head,) = self.bench.ask("head()", ["bytes32"])
        (sequence,) = self.bench.ask("sequence()", ["uint64"])
        assert (sequence, head) == (len(self.model.roots), self.model.head)


def test_the_contracts_do_what_the_model_does(template: Template, scratch: Path) -> None:
    with template.copy(scratch / "funded") as bench:
        Contracts.accounts = [Account.create() for _ in range(3)]
        for account in Contracts.accounts:
            bench.pay(account.address, 10**20)
        funded = Template.of(bench, scratch / "funded")
    Contracts.template = funded
    Contracts.scratch = scratch
    run_state_machine_as_test(
        Contracts,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.generate],  # a counterexample is made smaller by hand: each step is slow
            suppress_health_check=list(HealthCheck),
        ),
    )
