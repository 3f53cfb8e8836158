"""Trust is read strictly, kinds and facts are read as the issuer's templates write them, and the
room stands alone."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from verifier import Trust
from verifier.facts import credited_minutes, facts_of, learner_name
from verifier.instants import instant, spoken, written
from verifier.kinds import kind_of
from verifier.rpc import HttpRpc, RpcRefused
from verifier.trust import TrustUnreadable

NETWORK = {
    "chainId": 20260,
    "registry": "0x" + "B2" * 20,
    "anchor": "0x" + "a1" * 20,
    "name": {"ko": "서울 배움 체인", "en": "Seoul Baeum chain"},
    "selfRun": True,
    "confirmations": 1,
    "rpc": ["http://127.0.0.1:8545"],
}


def test_trust_is_read_from_files(tmp_path):
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    one.write_text(json.dumps({"networks": [NETWORK]}), encoding="utf-8")
    two.write_text(json.dumps({"networks": [NETWORK, NETWORK | {"chainId": 1}]}), encoding="utf-8")
    trust = Trust.load([one, two])
    assert [network.chain_id for network in trust.networks] == [20260, 1]
    network = trust.find(20260, "0x" + "A1" * 20)
    assert network is not None
    assert network.registry == "0x" + "b2" * 20
    assert network.self_run
    assert network.rpc == ("http://127.0.0.1:8545",)
    assert network.name.ko == "서울 배움 체인"
    assert trust.find(20260, "0x" + "b2" * 20) is None
    assert trust.find(2, "0x" + "a1" * 20) is None


@pytest.mark.parametrize(
    "change",
    [
        {"chainId": "20260"},
        {"chainId": 0},
        {"chainId": True},
        {"registry": "0x12"},
        {"anchor": None},
        {"confirmations": 0},
        {"confirmations": "1"},
        {"selfRun": "yes"},
        {"rpc": "http://x"},
        {"name": {"ko": "x"}},
    ],
)
def test_a_trust_file_that_is_wrong_is_not_half_believed(change):
    with pytest.raises(TrustUnreadable) as caught:
        Trust.from_json({"networks": [NETWORK, NETWORK | change]})
    assert caught.value.facts["where"] == f"networks[1].{next(iter(change))}"


@pytest.mark.parametrize("body", [None, [], {}, {"networks": {}}, {"networks": [7]}])
def test_a_trust_file_of_another_shape(body):
    with pytest.raises(TrustUnreadable):
        Trust.from_json(body)


def test_a_trust_file_that_is_missing(tmp_path):
    with pytest.raises(TrustUnreadable) as caught:
        Trust.load([tmp_path / "network.json"])
    assert caught.value.remedy is not None


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["Course"], "course"),
        (["CommunityService"], "volunteering"),
        (["Certification"], "certificate"),
        (["Certificate"], "certificate"),
        (["License"], "certificate"),
        (["Project"], "project"),
        (["ext:Project"], "project"),
        (["ext:Mentoring"], "mentoring"),
        (["Course", "ext:Course"], "course"),
        (["Course", "Project"], None),
        (["Course", "Unheard"], None),
        (["course"], None),
        ([7], None),
        ([], None),
    ],
)
def test_kind_of(types, kind):
    achievements = [{"achievementType": name} for name in types]
    assert kind_of({"credentialSubject": {"achievement": achievements}}) == kind
    subjects = [{"achievement": achievement} for achievement in achievements]
    assert kind_of({"credentialSubject": subjects}) == kind


def test_every_template_of_the_issuer_has_the_kind_it_says():
    folder = Path(__file__).parents[2] / "issuer" / "templates"
    templates = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    assert templates
    for template in templates:
        assert kind_of(template["document"]) == template["kind"]


def test_minutes_come_from_the_result_or_from_hours():
    assert credited_minutes({"creditsEarned": 20}) == 1200
    assert credited_minutes({"creditsEarned": 1.5}) == 90
    assert credited_minutes({"creditsEarned": 1.0001}) is None
    assert credited_minutes({"creditsEarned": True}) is None
    assert credited_minutes({}) is None
    subject = {
        "creditsEarned": 1,
        "result": [{"resultDescription": "#m", "value": "95"}],
        "achievement": {"resultDescription": [{"id": "#m", "resultType": "ext:CreditedMinutes"}]},
    }
    assert credited_minutes(subject) == 95
    subject["result"] = [{"resultDescription": "#m", "value": "-5"}]
    assert credited_minutes(subject) == 60


def test_a_hashed_name_is_not_shown_as_a_name():
    identity = {"identityType": "name", "hashed": True, "identityHash": "sha256$abc"}
    assert learner_name({"identifier": [identity]}) is None
    assert learner_name({"identifier": identity | {"hashed": False}}) == "sha256$abc"


def test_facts_of_strange_documents_are_few_and_do_not_raise():
    for strange in ({}, {"issuer": 7, "credentialSubject": [7], "name": {}}, {"issuer": None}):
        assert "learner" not in facts_of(strange)


def test_instants():
    moment = instant("2026-11-02T00:30:00.5+09:00")
    assert written(moment) == "2026-11-01T15:30:00Z"
    assert spoken(moment).ko == "2026년 11월 2일 00:30"
    assert spoken(moment).en == "2 November 2026, 00:30 KST"
    for wrong in ("2026-11-02", "2026-11-02T00:00:00", "2026-W45-1T00:00:00Z", 7, None):
        with pytest.raises(ValueError, match="dateTimeStamp"):
            instant(wrong)


class Node(http.server.BaseHTTPRequestHandler):
    answer: tuple[int, bytes] = (200, b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = type(self).answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args) -> None:
        return


@pytest.fixture
def node_url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Node)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_rpc_over_http(node_url):
    rpc = HttpRpc(node_url)
    Node.answer = (200, b'{"jsonrpc":"2.0","id":1,"result":"0x1"}')
    assert rpc("eth_chainId", []) == "0x1"
    for answer in (
        (200, b'{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}'),
        (200, b"[]"),
        (200, b"<html>"),
        (403, b"forbidden"),
        (200, b"[" * 1_000_000),
    ):
        Node.answer = answer
        with pytest.raises(RpcRefused):
            rpc("eth_chainId", [])
    Node.answer = (503, b"")
    with pytest.raises(OSError, match="503"):
        rpc("eth_chainId", [])
    rpc.close()


def test_rpc_to_nobody():
    with pytest.raises(ConnectionError):
        HttpRpc("http://127.0.0.1:1", timeout=1)("eth_chainId", [])


def test_the_verifier_stands_alone():
    """Importing it brings in no database, no ledger, no issuer and not the heavy web3."""
    script = (
        "import sys, verifier, verifier.rpc, verifier.status_source;"
        "print(sorted({name.split('.')[0] for name in sys.modules}"
        " & {'sqlalchemy', 'web3', 'ledger', 'issuer', 'wallet', 'api', 'baeum', 'fastapi'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
