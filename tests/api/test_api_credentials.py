"""``/v1/credentials`` for institutions, idempotency, rates; and two tenants over every route."""

from __future__ import annotations

import concurrent.futures
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from doors import quick_passwords
from fastapi.routing import iter_route_contexts
from people import NOW, OURS, THEIRS, Town, served_town, sqlite_town, visitor
from sqlalchemy import select

from api.app import create_app
from api.limits import Limits
from credential import status as bits
from ledger.database import models
from ledger.database.access import AccessLog

__all__ = ["quick_passwords"]
JSON = {"Accept": "application/json"}
REASON = {"reason": "entered by mistake"}
SIZE = 131_072


def issued(town: Town, institution: str, kinds: tuple[str, ...]) -> list[str]:
    """Credentials of an institution as the issuer stores them, with a status list."""
    ids = []
    with town.database.session() as session:
        empty = bytes(SIZE // 8)
        session.add(
            models.StatusList(
                id=f"stl_{institution}"[:40], institution_id=institution, size=SIZE,
                used=len(kinds), allocated=empty, revoked=empty, suspended=empty,
            )
        )  # fmt: skip
        session.flush()
        for n, kind in enumerate(kinds):
            record = models.LearningRecord(
                id=f"rec_{institution}_{n}"[:40], learner_id="lrn_one", institution_id=institution,
                kind=kind, title_ko=f"강좌 {n}", started_at=NOW, ended_at=NOW, exact_interval=True,
                minutes=60, source_key=str(n), status="verified", content_sha256=bytes(32),
                recorded_at=NOW,
            )  # fmt: skip
            session.add(record)
            session.flush()
            one = f"urn:uuid:{institution[:4]}-{n}"
            session.add(
                models.Credential(
                    id=one, record_id=record.id, learner_id="lrn_one", institution_id=institution,
                    kind=kind, document=b"{}", leaf=bytes(32), issued_at=NOW,
                    status_list_id=f"stl_{institution}"[:40], status_index=n,
                )
            )  # fmt: skip
            ids.append(one)
    return ids


@pytest.fixture
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    town = sqlite_town(tmp_path_factory.mktemp("town"))
    issued(town, OURS, ("course", "volunteering", "course", "course"))
    issued(town, THEIRS, ("course",))
    return town


@pytest.fixture
def url(town: Town) -> Iterator[str]:
    with served_town(town) as url:
        yield url


def machine(url: str, secret: str) -> httpx.Client:
    headers = {**JSON, "Authorization": f"Bearer {secret}"}
    return httpx.Client(base_url=url, headers=headers, timeout=60)


def test_a_key_sees_its_institutions_credentials_a_page_at_a_time(url: str, town: Town) -> None:
    with machine(url, town.key(OURS, "credentials-read")) as client:
        first = client.get("/v1/credentials", params={"limit": 3}).json()
        rest = client.get("/v1/credentials", params={"cursor": first["next"]}).json()
        assert "next" not in rest
        found = first["credentials"] + rest["credentials"]
        assert [one["id"] for one in found] == [f"urn:uuid:seou-{n}" for n in range(4)]
        assert found[0]["state"] == "valid"
        only = client.get("/v1/credentials", params={"kind": "volunteering"}).json()
        assert [one["kind"] for one in only["credentials"]] == ["volunteering"]
        assert client.get("/v1/credentials", params={"institution": THEIRS}).status_code == 403
        bad = client.get("/v1/credentials", params={"cursor": "%%%"})
        assert bad.status_code == 400
        assert bad.json()["code"] == "malformed-request"
        assert client.post("/v1/credentials/urn:uuid:seou-0/revoke", json=REASON).status_code == 403


def test_a_key_of_one_kind_sees_and_changes_that_kind(url: str, town: Town) -> None:
    secret = town.key(OURS, "credentials-read", "credentials-status", kinds=["volunteering"])
    with machine(url, secret) as client:
        found = client.get("/v1/credentials").json()["credentials"]
        assert [one["kind"] for one in found] == ["volunteering"]
        assert client.get("/v1/credentials", params={"kind": "course"}).status_code == 404
        assert client.post("/v1/credentials/urn:uuid:seou-0/revoke", json=REASON).status_code == 404
        assert client.post("/v1/credentials/urn:uuid:seou-1/revoke", json=REASON).status_code == 200


def test_revoking_once_under_one_key(url: str, town: Town) -> None:
    secret = town.key(OURS, "credentials-read", "credentials-status")
    path = "/v1/credentials/urn:uuid:seou-0/suspend"
    with machine(url, secret) as client:
        once = {"Idempotency-Key": "change-1"}
        first = client.post(path, json=REASON, headers=once)
        assert first.json() == {"id": "urn:uuid:seou-0", "action": "suspend", "changed": True}
        again = client.post(path, json=REASON, headers=once)
        assert again.json() == first.json()
        assert again.headers["idempotency-replayed"] == "true"
        other = client.post(path, json={"reason": "another"}, headers=once)
        assert other.status_code == 422
        assert other.json()["code"] == "idempotency-key-reused"
        plain = client.post(path, json=REASON)
        assert plain.json()["changed"] is False
        with machine(url, town.key(OURS, "credentials-status")) as second:
            assert second.post(path, json=REASON, headers=once).json()["changed"] is False
        assert client.post(path, json={"reason": ""}).status_code == 400
        gone = client.post("/v1/credentials/urn:uuid:none/revoke", json=REASON, headers=once)
        assert gone.status_code == 422, "another request under the same key"
        states = [one["state"] for one in client.get("/v1/credentials").json()["credentials"]]
        assert states == ["suspended", "valid", "valid", "valid"]
    with town.database.reading() as session:
        rows = session.scalars(select(AccessLog).where(AccessLog.action == "suspend")).all()
        assert [(row.subject, row.institution_id) for row in rows] == [("urn:uuid:seou-0", OURS)]
        assert session.query(models.StatusChange).count() == 1


def test_a_failure_may_be_tried_again_under_its_key(url: str, town: Town) -> None:
    path = "/v1/credentials/urn:uuid:seou-3/reinstate"
    with machine(url, town.key(OURS, "credentials-status")) as client:
        once = {"Idempotency-Key": "again"}
        client.post("/v1/credentials/urn:uuid:seou-3/revoke", json=REASON)
        for _ in range(2):
            refused = client.post(path, json=REASON, headers=once)
            assert refused.status_code == 409
            assert refused.json()["code"] == "revocation-is-final"


def test_many_at_once_under_one_key_are_done_once(url: str, town: Town) -> None:
    secret = town.key(OURS, "credentials-status")

    def send(_: int) -> httpx.Response:
        with machine(url, secret) as client:
            return client.post(
                "/v1/credentials/urn:uuid:seou-2/revoke",
                json=REASON,
                headers={"Idempotency-Key": "x"},
            )

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert {a.status_code for a in answers} <= {200, 409}
    assert {a.json()["changed"] for a in answers if a.status_code == 200} == {True}
    assert all("retry-after" in a.headers for a in answers if a.status_code == 409)
    with town.database.reading() as session:
        assert session.query(models.StatusChange).count() == 1


def test_a_person_must_have_shown_the_password_a_moment_ago(url: str, town: Town) -> None:
    path = "/v1/credentials/urn:uuid:seou-0/revoke"
    with visitor(url, "issuer") as who:
        who.http.headers["Accept"] = "application/json"
        assert who.http.post(path, json=REASON).status_code == 403, "no form key"
        headers = {"X-Baeum-Form-Key": who.form_key()}
        town.clock.move(minutes=6)
        stale = who.http.post(path, json=REASON, headers=headers)
        assert stale.json()["code"] == "confirmation-needed"
        town.clock.move(minutes=-6)
        assert who.http.post(path, json=REASON, headers=headers).json()["changed"] is True


def test_too_many_are_told_when_to_come_back(town: Town) -> None:
    secret = town.key(OURS, "credentials-read")
    limits = replace(Limits(), api_calls_a_minute=3, sign_ins_a_minute=2)
    with served_town(town, limits=limits) as url, machine(url, secret) as client:
        answers = [client.get("/v1/credentials") for _ in range(5)]
        assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
        assert answers[-1].json()["code"] == "too-many-requests"
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
        with machine(url, "baeum_wrong") as guesser:
            guesses = [guesser.get("/v1/credentials").status_code for _ in range(4)]
        assert guesses[:2] == [401, 401]
        assert guesses[2:] == [429, 429]
        with visitor(url) as who:
            tries = [who.sign_in("nobody-here", "wrong wrong wrong") for _ in range(4)]
        assert tries[-1].status_code == 429
        assert int(tries[-1].headers["retry-after"]) >= 1


def _state(town: Town, institution: str) -> dict[str, Any]:
    """Everything that belongs to an institution, and what its people may do."""
    with town.database.reading() as session:
        shard = session.scalars(
            select(models.StatusList).where(models.StatusList.institution_id == institution)
        ).one()
        people = {name: town.who(name) for name in ("issuer", "manager")}
        return {
            "revoked": bits.bit(shard.revoked, 0) or any(shard.revoked),
            "suspended": any(shard.suspended),
            "people": people,
            "log": session.query(AccessLog).filter_by(institution_id=institution).count(),
            "changes": session.query(models.StatusChange).count(),
        }


def test_two_tenants_never_see_or_touch_each_other_over_any_route(url: str, town: Town) -> None:
    """Every route of the application, asked by the other institution's people and key with our
    ids in every place of its address, in its query and in its body."""
    ours = [town.ids["issuer"], town.ids["manager"], "urn:uuid:seou-0", "lrn_one", OURS]
    secret = town.key(OURS, "credentials-read")
    with visitor(url, "manager") as who:
        ours += sorted(set(re.findall(r"key_\w+", who.http.get("/keys").text)))
        hers = {"issuer": town.ids["issuer"], "manager": town.ids["manager"]}
    theirs = town.key(THEIRS, "credentials-read", "credentials-status", "records-submit")
    before = _state(town, OURS)
    asked = 0
    with (
        visitor(url, "their-manager") as manager,
        visitor(url, "their-issuer") as issuer,
        machine(url, theirs) as program,
    ):
        callers: list[tuple[httpx.Client, str | None]] = [
            (manager.http, manager.form_key()),
            (issuer.http, issuer.form_key()),
            (program, None),
        ]
        for context in iter_route_contexts(create_app(town.services).routes):
            path, methods = str(context.path), set(context.methods or ())  # type: ignore[attr-defined]
            if path.startswith(("/static", "/sign", "/account", "/confirm", "/invitation", "/rpc")):
                continue
            for id in ours if "{" in path else ours[:1]:
                address = re.sub(r"\{action\}", "revoke", path)
                address = re.sub(r"\{[^}]*\}", id, address)
                for method in methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}:
                    for client, key in callers:
                        query = {"institution": OURS, "learner": "lrn_one", "id": id}
                        more: dict[str, Any] = {}
                        if method != "GET":
                            more = {"data": {"form_key": key or "", **query, "reason": "x"}}
                            if path.startswith("/v1") or key is None:
                                more = {"json": {"reason": "x", **query}}
                        headers = {"X-Baeum-Form-Key": key} if key else {}
                        answer = client.request(
                            method, address, params=query, headers=headers, **more
                        )
                        asked += 1
                        assert answer.status_code < 500, (method, address, answer.text)
                        shown = answer.text.replace(address, "")
                        for mark in (*hers.values(), "urn:uuid:seou", "기관 " + OURS):
                            assert answer.status_code >= 400 or mark not in shown, (method, address)
    assert asked > 100
    assert _state(town, OURS) == before
    assert town.door.by_token(secret) is not None
