"""Gas, measured on the embedded chain and compared with the committed report.

Set BAEUM_WRITE_GAS=1 to write the report anew. The bounds are the project's own promises.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from evm import COURSE, REGISTRAR, Bench, Template, h, typed

import contracts
from contracts.build import ROOM

REPORT = ROOM / "gas.json"
BOUNDS = {
    "anchor, root as calldata": 40_000,
    "anchor, ABI call": 40_000,
    "revoke 256 in one word": 55_000,
    "register an institution with DID and kind": 200_000,
    "register an institution with DID, kind and signer": 200_000,
}
# No zero byte: zeros are cheaper, and a report should not hang on luck.
ROOTS = [bytes([n]) * 32 for n in range(1, 20)]


def used(receipt: dict[str, Any]) -> int:
    return int(receipt["gasUsed"], 16)


def measure(bench: Bench) -> dict[str, int]:
    """What each of our calls costs, the accreditation check included."""
    me, status = bench.account.address, bench.network.status
    kind, roots = b"\x77" * 32, iter(ROOTS)
    gas = {
        f"deploy {name}": int(
            bench.endpoint.call(
                "eth_getTransactionReceipt",
                [
                    bench.endpoint.call("eth_getBlockByNumber", [hex(block), False])[
                        "transactions"
                    ][0]
                ],
            )["gasUsed"],
            16,
        )
        for block, name in enumerate(("CredentialAnchor", "StatusRegistry", "PolicyRegistry"), 1)
    }
    did, other = b"\x81" * 32, b"\x82" * 32
    since = 1_700_000_000
    gas["register an institution with DID and kind"] = used(
        bench.register(b"\x91" * 32, did=did, kinds=[COURSE], since=since)
    )
    gas["register an institution with DID, kind and signer"] = used(
        bench.register(b"\x92" * 32, did=other, signer=me, kinds=[REGISTRAR], since=since)
    )
    gas["accredit for one more kind"] = used(
        bench.send(
            "accredit(bytes32,bytes32,uint64,uint64,bool)", b"\x92" * 32, kind, since, 0, False
        )
    )
    gas["anchor, root as calldata"] = used(bench.send_raw(next(roots)))
    gas["anchor, ABI call"] = used(bench.send("anchor(bytes32,bytes32)", next(roots), kind))
    gas["anchor, ABI call with expected sequence"] = used(
        bench.send("anchorAt(bytes32,bytes32,uint64)", next(roots), kind, 3)
    )
    for turn in ("first", "next"):
        data = typed(bench, root=next(roots), kind=kind, nonce=int(turn == "next"))
        signed = bytes(bench.account.sign_message(encode_typed_data(full_message=data)).signature)
        message = data["message"]
        gas[f"anchor, relayed, {turn} of a signer"] = used(
            bench.send(
                "anchorFor(bytes32,bytes32,address,uint256,bytes)",
                message["root"],
                kind,
                me,
                message["deadline"],
                signed,
            )
        )
    bench.register(b"\x93" * 32)
    bench.send(
        "delegate(bytes32,bytes32,bytes32,uint64,uint64)",
        b"\x93" * 32,
        kind,
        b"\x92" * 32,
        since,
        2**35,
    )
    delegate = bench.account_with_funds()
    bench.send("addSigner(bytes32,address)", b"\x93" * 32, delegate.address)
    gas["anchor, ABI call by a delegate"] = used(
        bench.send("anchor(bytes32,bytes32)", next(roots), kind, by=delegate)
    )
    full = 2**256 - 1
    gas["revoke 256 in one word"] = used(
        bench.send("revoke(bytes32,uint256,uint256)", b"\x71" * 32, 511, full, to=status)
    )
    bench.send("revoke(bytes32,uint256,uint256)", b"\x71" * 32, 3, 1, to=status)
    gas["revoke more in a word"] = used(
        bench.send("revoke(bytes32,uint256,uint256)", b"\x71" * 32, 3, full, to=status)
    )
    gas["publish a status list, first"] = used(
        bench.send("publish(bytes32,bytes32)", b"\x71" * 32, b"\x55" * 32, to=status)
    )
    gas["publish a status list, next"] = used(
        bench.send("publish(bytes32,bytes32)", b"\x71" * 32, b"\x56" * 32, to=status)
    )
    gas["publish a policy version"] = used(
        bench.send(
            "publish(bytes32,bytes32,uint64)",
            b"\x61" * 32,
            b"\x62" * 32,
            since,
            to=bench.network.policy,
        )
    )
    gas["suspend an institution of two kinds"] = used(bench.send("suspend(bytes32)", b"\x92" * 32))
    return gas


def test_gas_is_what_the_report_says_and_within_the_bounds(scratch: Path) -> None:
    # Zero bytes in an address or a signature are cheaper: everything is the same each time.
    account = Account.from_key(h("the account of the gas report"))
    template = Template(scratch / "gas", account, chain_id=0x6261_6575_6D, start=1_800_000_000)
    with template.copy(scratch / "gas-copy") as bench:
        found = measure(bench)
    report = {
        "compiler": contracts.load("CredentialAnchor").compiler,
        "fork": "prague",
        "bounds": BOUNDS,
        "gas": found,
    }
    if os.environ.get("BAEUM_WRITE_GAS") == "1":
        REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    assert json.loads(REPORT.read_text(encoding="utf-8")) == report
    assert {name: gas for name, gas in found.items() if gas > BOUNDS.get(name, gas)} == {}


def test_the_cost_of_an_anchor_does_not_grow_with_their_number(bench: Bench) -> None:
    bench.register(h("city"), signer=bench.account.address, kinds=[REGISTRAR], since=1000)
    costs = {used(bench.send_raw(root)) for root in ROOTS}
    # What little it differs by is the way through the dispatcher, which hangs on the first bytes.
    assert max(costs) - min(costs) < 64
    assert max(costs) < 40_000
