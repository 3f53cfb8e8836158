"""A contract of two of three owners holds the highest role, hands it on, and signs.

The multisig is a small one made for the tests (``contracts/test/Multisig.sol``); a city takes an
audited one, which makes the same calls.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import solcx
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from evm import BACKENDS, COURSE, ROOT, Bench, bench_on, h, missing, typed

from baeum.cli import run as command
from baeum.home import Home
from baeum.settings import load
from contracts import build
from ledger.chain.abi import call_data
from ledger.chain.network import HANDOVER_DELAY, deploy
from ledger.chain.transactions import ContractRefused, transact

AUTHORITY, SCHOOL = h("AUTHORITY_ROLE"), h("school")
CONFIRM = "confirm(address,bytes,uint256)"
ANCHOR_FOR = "anchorFor(bytes32,bytes32,address,uint256,bytes)"

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def creation() -> bytes:
    """The test multisig as the pinned compiler builds it."""
    if shutil.which("node") is None or not (build.PACKAGES / "solc").is_dir():
        missing("node or the npm packages of contracts/")
    key = "test/Multisig.sol"
    sources = build.gather(["CredentialAnchor"]) | {key: (build.ROOM / key).read_text()}
    sources["@openzeppelin/contracts/interfaces/IERC1271.sol"] = (
        build.PACKAGES / "@openzeppelin/contracts/interfaces/IERC1271.sol"
    ).read_text()
    wanted = {key: {"Multisig": ["evm.bytecode.object"]}}
    answer = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in sources.items()},
            "settings": {**build.SETTINGS, "outputSelection": wanted},
        },
        solc_binary=build.ROOM / "solc-wasm.js",
    )
    return bytes.fromhex(answer["contracts"][key]["Multisig"]["evm"]["bytecode"]["object"])


class TwoOfThree:
    """A multisig on the bench's chain and the accounts that own it."""

    def __init__(self, bench: Bench, creation: bytes) -> None:
        self.bench = bench
        self.owners = sorted(
            (bench.account_with_funds() for _ in range(3)), key=lambda owner: owner.address.lower()
        )
        data = encode(["address[]", "uint256"], [[owner.address for owner in self.owners], 2])
        receipt = transact(
            bench.endpoint,
            bench.account,
            chain_id=int(bench.endpoint.call("eth_chainId", []), 16),
            to=None,
            data=creation + data,
        )
        self.address = str(receipt["contractAddress"]).lower()

    def confirm(self, owner: LocalAccount, to: str, data: bytes, number: int = 0) -> dict[str, Any]:
        return self.bench.send(CONFIRM, to, data, number, to=self.address, by=owner)

    def call(self, to: str, signature: str, *values: Any) -> None:
        """Two owners confirm; the second confirmation makes the call."""
        data, number = call_data(signature, values), secrets.randbits(64)
        first = self.confirm(self.owners[0], to, data, number)
        assert first["logs"] == []
        self.confirm(self.owners[2], to, data, number)

    def sign(self, data: dict[str, Any], *by: LocalAccount) -> bytes:
        message = encode_typed_data(full_message=data)
        return b"".join(bytes(owner.sign_message(message).signature) for owner in by)


@pytest.fixture(params=BACKENDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(request.param, tmp_path) as bench:
        yield bench


def admin_of(bench: Bench) -> str:
    (admin,) = bench.ask("defaultAdmin()", ["address"])
    return str(admin)


def test_a_multisig_holds_the_highest_role_from_the_start(bench: Bench, creation: bytes) -> None:
    city = TwoOfThree(bench, creation)
    network = deploy(bench.endpoint, bench.account, admin=city.address)
    bench._network = network
    assert admin_of(bench) == city.address
    newcomer = bench.account_with_funds()
    grant = ("grantRole(bytes32,address)", AUTHORITY, newcomer.address)
    assert bench.refusal(*grant) == "AccessControlUnauthorizedAccount"  # who deployed it included
    # One owner is not enough, nor is the same one twice, nor somebody else.
    data = call_data(grant[0], grant[1:])
    city.confirm(city.owners[0], network.anchor, data)
    for other in (city.owners[0], newcomer):
        with pytest.raises(ContractRefused):
            city.confirm(other, network.anchor, data)
    assert bench.ask("hasRole(bytes32,address)", ["bool"], AUTHORITY, newcomer.address) == (False,)
    city.confirm(city.owners[1], network.anchor, data)
    bench.send("register(bytes32,bytes32,address,bytes32[],uint64,uint64)", SCHOOL, bytes(32),
               "0x" + "00" * 20, [COURSE], 1, 0, by=newcomer)  # fmt: skip


def test_the_highest_role_goes_from_a_person_to_a_multisig_and_on_to_another(
    bench: Bench, creation: bytes
) -> None:
    old, new = TwoOfThree(bench, creation), TwoOfThree(bench, creation)
    anchor = bench.network.anchor
    bench.send("beginDefaultAdminTransfer(address)", old.address)
    with pytest.raises(ContractRefused) as caught:
        old.call(anchor, "acceptDefaultAdminTransfer()")
    assert h("AccessControlEnforcedDefaultAdminDelay(uint48)")[:4] in caught.value.data
    bench.advance(HANDOVER_DELAY + 1)
    old.call(anchor, "acceptDefaultAdminTransfer()")
    assert admin_of(bench) == old.address
    refused = bench.refusal("beginDefaultAdminTransfer(address)", bench.account.address)
    assert refused == "AccessControlUnauthorizedAccount"

    old.call(anchor, "beginDefaultAdminTransfer(address)", new.address)
    bench.advance(HANDOVER_DELAY + 1)
    assert admin_of(bench) == old.address  # begun is not done: the new one has to accept
    new.call(anchor, "acceptDefaultAdminTransfer()")
    assert admin_of(bench) == new.address
    with pytest.raises(ContractRefused):
        old.call(anchor, "grantRole(bytes32,address)", AUTHORITY, old.address)


def test_a_multisig_signs_for_an_institution_and_a_relayer_pays(
    bench: Bench, creation: bytes
) -> None:
    school = TwoOfThree(bench, creation)
    bench.register(SCHOOL, signer=school.address, kinds=[COURSE], since=1000)
    relayer = bench.account_with_funds()

    def relay(*by: LocalAccount, nonce: int = 0) -> dict[str, Any]:
        data = typed(bench, signer=school.address, nonce=nonce, deadline=bench.now + 600)
        message = data["message"]
        signed = school.sign(data, *by)
        return bench.send(ANCHOR_FOR, message["root"], COURSE, school.address,
                          message["deadline"], signed, by=relayer)  # fmt: skip

    one, two, three = school.owners
    for too_few in ((one,), (one, one), (two, Account.create()), (three, one)):
        with pytest.raises(ContractRefused, match="SignatureInvalid"):
            relay(*too_few)
    relay(one, three)
    assert bench.ask("sequence()", ["uint64"]) == (1,)
    with pytest.raises(ContractRefused, match="SignatureInvalid"):
        relay(two, three)
    with pytest.raises(ContractRefused, match="DuplicateRoot"):
        relay(two, three, nonce=1)  # a good signature; the root is known


def test_setup_gives_the_highest_role_to_the_address_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAEUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BAEUM_LANG", "en")
    monkeypatch.chdir(tmp_path)
    city = "0x" + "ab" * 20
    setup = ["setup", "--institutions", str(ROOT / "scripts" / "sample" / "institutions.yaml")]
    assert command([*setup, "--admin", "0x12"]) == 2
    assert command([*setup, "--admin", "0x" + "00" * 20]) == 2
    assert command([*setup, "--admin", city]) == 0
    assert command([*setup, "--admin", city]) == 0
    capsys.readouterr()
    assert command([*setup, "--admin", "0x" + "cd" * 20]) == 2
    assert "beginDefaultAdminTransfer" in "".join(capsys.readouterr())
    with Home(load()) as home:
        network = home.network()
        request = {"to": network.anchor, "data": "0x" + call_data("defaultAdmin()").hex()}
        answer = home.endpoint(write=False).call("eth_call", [request, "latest"])
    assert answer[-40:] == city[2:]
