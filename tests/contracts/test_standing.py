"""The registry recomputed from its storage says what the deployed registry says."""

from __future__ import annotations

from evm import COURSE, REGISTRAR, Bench, h

from contracts.standing import standing, standing_of

CITY, SCHOOL, CENTRE, TEAM, LATE = (h(n) for n in ("city", "school", "centre", "team", "late"))
DIDS = {
    CITY: h("did:1"),
    SCHOOL: h("did:2"),
    CENTRE: h("did:3"),
    TEAM: h("did:4"),
    LATE: h("did:5"),
}


def test_every_answer_at_every_edge_of_every_period(bench: Bench) -> None:
    start = bench.now
    moments = {0, 1, 999, 1000, 2**40 - 1, 2**40, 2**63}

    def mark() -> int:
        moments.update({bench.now - 1, bench.now, bench.now + 1})
        return bench.now

    for institution, did in DIDS.items():
        bench.register(institution, did=did, kinds=[COURSE], since=1000)
    accredit = "accredit(bytes32,bytes32,uint64,uint64,bool)"
    bench.send(accredit, CITY, REGISTRAR, 1000, start + 500, False)
    bench.send(accredit, SCHOOL, COURSE, bench.now + 40, bench.now + 80, True)  # provisional later
    bench.send(accredit, SCHOOL, COURSE, bench.now + 120, 0, False)  # with a gap before it
    moments.update(range(bench.now + 20, bench.now + 140, 10))
    bench.send(
        "delegate(bytes32,bytes32,bytes32,uint64,uint64)",
        TEAM,
        COURSE,
        CENTRE,
        bench.now + 10,
        bench.now + 10_000,
    )
    for _ in range(3):
        bench.send("suspend(bytes32)", CENTRE)
        mark()
        bench.advance(30)
        bench.send("reinstate(bytes32)", CENTRE)
        mark()
        bench.advance(30)
    bench.send("suspend(bytes32)", CENTRE)
    mark()
    bench.send("endDid(bytes32,uint64)", DIDS[LATE], bench.now + 60)
    bench.send("withdraw(bytes32,uint64,bytes32)", CITY, bench.now + 90, SCHOOL)
    moments.update(range(bench.now, bench.now + 200, 15))

    registry = bench.network.registry

    def storage(slot: int) -> int:
        return int(bench.endpoint.call("eth_getStorageAt", [registry, hex(slot), "latest"]), 16)

    codes = set()
    for did in (*DIDS.values(), h("did:nobody")):
        for kind in (COURSE, REGISTRAR, h("project")):
            for time in sorted(moments):
                if time >= 2**64:
                    continue
                said = bench.ask(
                    "standing(bytes32,bytes32,uint64)", ["bytes32", "uint8"], did, kind, time
                )
                assert standing(storage, did, kind, time) == said
                codes.add(said[1])
    assert codes == set(range(7))
    for institution in (*DIDS, h("nobody")):
        for time in sorted(moments):
            said = bench.ask(
                "standingOf(bytes32,bytes32,uint64)", ["uint8"], institution, COURSE, time
            )
            assert (standing_of(storage, institution, COURSE, time),) == said
