"""The two verification addresses, over HTTP, on a real chain."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pytest
import segno
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import World, bare

NINE = [
    "format",
    "schema",
    "proof",
    "issuer-key",
    "merkle-path",
    "anchor",
    "accreditation",
    "status",
    "validity",
]
JSON = {"Content-Type": "application/json"}


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {check["id"]: check["outcome"] for check in report["checks"]}


def verified(client: httpx.Client, data: bytes, kind: str = "application/json") -> dict[str, Any]:
    answer = client.post("/v1/verifications", content=data, headers={"Content-Type": kind})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


def test_a_valid_certificate_passes_all_nine(client: httpx.Client, world: World) -> None:
    report = verified(client, world.valid)
    assert report["verdict"] == "valid"
    assert [check["id"] for check in report["checks"]] == NINE
    assert set(outcomes(report).values()) == {"passed"}
    assert report["facts"]["achievement"] == "생활 속 인공지능"


def test_one_character_changed_fails_at_the_proof(client: httpx.Client, world: World) -> None:
    report = verified(client, world.tampered)
    assert report["verdict"] == "invalid"
    assert outcomes(report)["proof"] == "failed"
    assert outcomes(report)["schema"] == "passed"
    assert report["facts"] == {}, "nothing that is not signed may be repeated"


@pytest.mark.parametrize(("which", "code"), [("revoked", "revoked"), ("suspended", "suspended")])
def test_withdrawn_fails_at_the_status(
    client: httpx.Client, world: World, which: str, code: str
) -> None:
    report = verified(client, getattr(world, which))
    assert report["verdict"] == "invalid"
    failed = [check for check in report["checks"] if check["outcome"] != "passed"]
    assert [(check["id"], check["code"]) for check in failed] == [("status", code)]


def test_a_dead_node_is_undetermined_never_forged(node_down: httpx.Client, world: World) -> None:
    report = verified(node_down, world.valid)
    assert report["verdict"] == "undetermined"
    assert outcomes(report)["anchor"] == "not_run"
    assert outcomes(report)["proof"] == "passed"
    assert "failed" not in outcomes(report).values()


def test_a_dead_node_does_not_hide_a_forgery(node_down: httpx.Client, world: World) -> None:
    assert verified(node_down, world.tampered)["verdict"] == "invalid"


def test_the_text_of_a_qr_code(client: httpx.Client, world: World) -> None:
    body = json.dumps({"paper": world.paper}).encode()
    assert verified(client, body)["verdict"] == "valid"
    assert verified(client, world.paper.encode(), "text/plain")["verdict"] == "valid"
    link = f"https://baeum.example/verify#{world.paper}"
    assert verified(client, link.encode(), "text/plain")["verdict"] == "valid"


def test_a_picture_of_the_qr_code(client: httpx.Client, world: World) -> None:
    picture = io.BytesIO()
    segno.make(f"https://baeum.example/verify#{world.paper}", error="l").save(
        picture, kind="png", scale=4
    )
    assert verified(client, picture.getvalue(), "image/png")["verdict"] == "valid"
    upload = client.post("/v1/verifications", files={"file": ("qr.png", picture.getvalue())})
    assert upload.status_code == 200
    assert upload.json()["verdict"] == "valid"


def test_a_file_or_text_of_a_form(client: httpx.Client, world: World) -> None:
    file = client.post("/v1/verifications", files={"file": ("a.json", world.valid)})
    text = client.post(
        "/v1/verifications", files={"text": (None, world.valid.decode()), "file": ("", b"")}
    )
    assert file.json()["verdict"] == text.json()["verdict"] == "valid"


def test_a_bare_credential_lacks_only_its_receipt(client: httpx.Client, world: World) -> None:
    report = verified(client, json.dumps(bare(world.valid)).encode(), "application/vc")
    assert report["verdict"] == "undetermined"
    assert outcomes(report)["proof"] == "passed"
    assert outcomes(report)["anchor"] != "passed"


# ---- W3C VC-API


def vc_api(client: httpx.Client, credential: object, **options: object) -> httpx.Response:
    body = {"verifiableCredential": credential, "options": options}
    return client.post("/credentials/verify", json=body)


def test_vc_api_says_verified(client: httpx.Client, world: World) -> None:
    evidence = json.loads(world.valid)
    answer = vc_api(client, evidence["credential"], receipt=evidence["receipt"])
    assert answer.status_code == 200
    body = answer.json()
    assert body["verified"] is True
    assert body["errors"] == body["problemDetails"] == []
    assert body["checks"] == NINE
    assert body["report"]["verdict"] == "valid"
    assert "credential" not in body
    assert "results" not in body


def test_vc_api_takes_an_evidence_file_in_place_of_the_credential(
    client: httpx.Client, world: World
) -> None:
    assert vc_api(client, json.loads(world.valid)).json()["verified"] is True


def test_vc_api_names_the_problem_as_the_standards_do(client: httpx.Client, world: World) -> None:
    body = vc_api(client, json.loads(world.tampered), returnResults=True).json()
    assert body["verified"] is False
    assert body["errors"][0]["type"] == "https://w3id.org/security#PROOF_VERIFICATION_ERROR"
    assert body["results"]["proof"][0]["verified"] is False
    revoked = vc_api(client, json.loads(world.revoked), returnCredential=True).json()
    assert [error["type"] for error in revoked["errors"]] == [
        "https://www.w3.org/ns/credentials/status-list#STATUS_VERIFICATION_ERROR"
    ]
    assert revoked["credential"] == bare(world.revoked)


def test_vc_api_has_no_third_value_so_undetermined_is_not_verified(
    node_down: httpx.Client, world: World
) -> None:
    body = vc_api(node_down, json.loads(world.valid)).json()
    assert body["verified"] is False
    assert {error["outcome"] for error in body["errors"]} == {"not_run"}
    assert body["report"]["verdict"] == "undetermined"


def test_vc_api_refuses_an_option_it_does_not_know(client: httpx.Client, world: World) -> None:
    answer = vc_api(client, bare(world.valid), skipEverything=True)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "https://www.w3.org/TR/vcalm#UNKNOWN_OPTION_PROVIDED"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"verifiableCredential": "eyJ"}',
        b'{"verifiableCredential": {}}',
        b'{"verifiableCredential": {"@context": []}, "options": []}',
        b'{"verifiableCredential": {"@context": []}, "options": {"returnResults": 1}}',
        b'{"verifiableCredential": {"@context": []}, "options": {"receipt": {"path": 1}}}',
        b'{"verifiableCredential": {"@context": []}, "verifiableCredential": {}}',
        b'{"verifiableCredential": ' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}",
    ],
)
def test_malformed_is_a_400_problem(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/credentials/verify", content=body, headers=JSON)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["status"] == 400
    assert problem["instance"].startswith("urn:uuid:")


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"", "application/json", "nothing-presented"),
        (b"hello", "text/plain", "not-a-certificate"),
        (b"https://example.org/", "text/plain", "not-a-certificate"),
        (b"v1.!!!!", "text/plain", None),
        (b"v1.AAAA", "text/plain", None),
        (b"\xff\xfe\x00", "application/octet-stream", "not-a-certificate"),
        (b"{", "application/json", "evidence-unreadable"),
        (b'{"a": 1}', "application/json", "evidence-unreadable"),
        (b"\x89PNG\r\n\x1a\n", "image/png", "picture-unreadable"),
        (b"%PDF-1.7", "application/octet-stream", "not-a-certificate"),
    ],
)
def test_what_is_no_certificate_is_a_400_problem(
    client: httpx.Client, body: bytes, kind: str, code: str | None
) -> None:
    answer = client.post("/v1/verifications", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    problem = answer.json()
    assert code in (None, problem["code"])
    assert problem["remedy"]


def test_other_content_types_are_415(client: httpx.Client) -> None:
    for path in ("/credentials/verify", "/v1/verifications"):
        answer = client.post(path, content=b"<a/>", headers={"Content-Type": "application/xml"})
        assert answer.status_code == 415


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["2026-01-01T00:00:00Z", "did:key:z6Mk", "https://www.w3.org/ns/x", "urn:x"])
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "@context",
                    "id",
                    "type",
                    "issuer",
                    "proof",
                    "credentialSubject",
                    "credentialStatus",
                    "validFrom",
                    "paper",
                    "receipt",
                    "credential",
                    "version",
                    "@graph",
                    "@id",
                ]
            )
            | st.text(max_size=8),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(anything, st.booleans())
def test_no_json_makes_the_server_fail(client: httpx.Client, value: Any, wrapped: bool) -> None:
    direct = client.post("/v1/verifications", content=json.dumps(value).encode(), headers=JSON)
    assert direct.status_code in (200, 400, 413, 422), direct.text
    body = {"verifiableCredential": value, "options": value} if wrapped else value
    asked = client.post("/credentials/verify", content=json.dumps(body).encode(), headers=JSON)
    assert asked.status_code in (200, 400, 413, 422), asked.text
    for answer in (direct, asked):
        if answer.status_code == 200:
            assert answer.json().get("verdict") != "valid"
            assert answer.json().get("verified") is not True


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_real_certificate_with_one_member_replaced_is_never_valid(
    client: httpx.Client, world: World, data: st.DataObject
) -> None:
    evidence = json.loads(world.valid)
    place: Any = evidence
    while True:
        key = data.draw(
            st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place))))
        )
        deeper = place[key]
        if isinstance(deeper, (dict, list)) and deeper and data.draw(st.booleans()):
            place = deeper
            continue
        break
    replaced = data.draw(anything)
    if replaced == place[key]:
        return
    place[key] = replaced
    answer = client.post("/v1/verifications", content=json.dumps(evidence).encode(), headers=JSON)
    assert answer.status_code in (200, 400, 413, 422), answer.text
    if answer.status_code == 200:
        assert answer.json()["verdict"] != "valid"
