"""Who gets in: sign-in, form keys, step-up, tokens, and that no route is open by mistake."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from doors import PASSWORD, quick_passwords
from fastapi import FastAPI
from fastapi.routing import APIRoute
from served import served
from starlette.routing import Mount
from world import World

from api.access import Acting, Guard, next_page, require
from api.app import create_app
from ledger.access import accounts, sessions
from ledger.access.door import Door
from ledger.access.permissions import Permission
from ledger.database.session import Database, open_database

__all__ = ["quick_passwords"]
HTML = {"Accept": "text/html"}

PUBLIC = {
    *("/", "/verify", "/sign-in", "/invitation", "/docs", "/openapi.json", "/healthz", "/readyz"),
    *("/credentials/verify", "/presentations/verify", "/v1/verifications", "/v1/network", "/rpc"),
    *("/status/{list_id}/{purpose}", "/vct/{name}"),
    *("/.well-known/did.json", "/institutions/{institution}/did.json"),
}
"""Routes for everybody. Whoever adds one here says that it shows nothing of anybody."""


class Clock:
    moved = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.moved


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'door.db'}")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def code(database: Database) -> str:
    with database.session() as session:
        return accounts.invite(
            session, "kim.review", ["reviewer"], datetime.now(UTC), shown="김심사"
        )


@pytest.fixture
def app(world: World, database: Database, clock: Clock) -> FastAPI:
    services = replace(
        world.services, door=Door(database, clock), public_url="http://127.0.0.1:8780"
    )
    app = create_app(services)

    @app.get("/test/reading")
    async def reading(acting: Annotated[Acting, require(Permission.AWARDS_READ)]) -> str:
        return acting.person.name

    @app.post("/test/reviewing")
    async def reviewing(
        acting: Annotated[Acting, require(Permission.AWARDS_REVIEW, fresh=True)],
    ) -> str:
        return acting.person.name

    @app.get("/test/deciding")
    async def deciding(acting: Annotated[Acting, require(Permission.AWARDS_DECIDE)]) -> str:
        return acting.person.name

    return app


@pytest.fixture
def visitor(app: FastAPI) -> Iterator[httpx.Client]:
    with served(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture
def signed(visitor: httpx.Client, code: str) -> httpx.Client:
    form = {"code": code, "password": PASSWORD, "again": PASSWORD}
    answer = visitor.post("/invitation", data=form)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/account"
    return visitor


def key(client: httpx.Client) -> str:
    found = re.search(r'name="form_key" value="([^"]+)"', client.get("/account").text)
    assert found is not None
    return found[1]


def routes_of(routes: Iterable[Any]) -> Iterator[Any]:
    """Every route, those of included routers too."""
    for route in routes:
        router = getattr(route, "original_router", None)
        if router is None:
            yield route
        else:
            yield from routes_of(router.routes)


def guards(route: Any) -> list[Guard]:
    found = route.dependant.dependencies if isinstance(route, APIRoute) else []
    return [d.call for d in found if isinstance(d.call, Guard)]


def test_every_route_is_guarded_or_public_by_name(world: World, database: Database) -> None:
    app = create_app(replace(world.services, door=Door(database, lambda: datetime.now(UTC))))
    routes = [route for route in routes_of(app.routes) if not isinstance(route, Mount)]
    assert len(routes) > 15
    unguarded = {route.path for route in routes if not guards(route)}
    assert unguarded - PUBLIC == set(), "guard these with api.access.require"
    assert PUBLIC - unguarded == set(), "these are no routes any more, or are guarded"


def test_a_guard_is_seen_by_that_test(app: FastAPI) -> None:
    seen = {
        route.path: [guard.permission for guard in guards(route)]
        for route in routes_of(app.routes)
        if route.path.startswith("/test/")
    }
    assert seen == {
        "/test/reading": [Permission.AWARDS_READ],
        "/test/reviewing": [Permission.AWARDS_REVIEW],
        "/test/deciding": [Permission.AWARDS_DECIDE],
    }


def test_nobody_gets_in_without_signing_in(visitor: httpx.Client) -> None:
    answer = visitor.get("/test/reading")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "sign-in-needed"
    turned = visitor.get("/test/reading?a=1", headers=HTML)
    assert turned.status_code == 303
    assert turned.headers["location"] == "/sign-in?next=/test/reading%3Fa%3D1"


def test_signing_in_leads_to_the_page_that_was_asked_for(signed: httpx.Client) -> None:
    signed.cookies.clear()
    form = {"name": "kim.review", "password": PASSWORD, "next": "/test/reading"}
    answer = signed.post("/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/test/reading")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert signed.get("/test/reading").json() == "kim.review"
    wrong = signed.post("/sign-in", data=form | {"password": "no, not this"}, headers=HTML)
    assert wrong.status_code == 401
    assert "이름이나 비밀번호가 맞지 않습니다" in wrong.text


def test_too_many_wrong_passwords(signed: httpx.Client) -> None:
    form = {"name": "kim.review", "password": "no, not this"}
    for _ in range(accounts.FREE_TRIES):
        assert signed.post("/sign-in", data=form).status_code == 401
    answer = signed.post("/sign-in", data=form)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


def test_a_role_opens_its_own_doors_only(signed: httpx.Client) -> None:
    assert signed.get("/test/reading").status_code == 200
    refused = signed.get("/test/deciding")
    assert refused.status_code == 403
    assert refused.json()["code"] == "not-permitted"


def test_a_form_from_elsewhere_is_refused(signed: httpx.Client) -> None:
    assert signed.post("/test/reviewing").json()["code"] == "form-expired"
    other = {"form_key": "x" * 43}
    assert signed.post("/test/reviewing", data=other).status_code == 403
    assert signed.post("/sign-out", data=other).status_code == 403
    assert signed.post("/test/reviewing", data={"form_key": key(signed)}).status_code == 200
    header = {"X-Baeum-Form-Key": key(signed)}
    assert signed.post("/test/reviewing", headers=header, json={}).status_code == 200


def test_an_important_step_asks_for_the_password_again(signed: httpx.Client, clock: Clock) -> None:
    clock.moved = sessions.FRESH
    form = {"form_key": key(signed)}
    assert signed.post("/test/reviewing", data=form).json()["code"] == "confirmation-needed"
    assert "비밀번호" in signed.get("/confirm?next=/account").text
    confirmed = signed.post("/confirm", data=form | {"password": PASSWORD, "next": "/account"})
    assert (confirmed.status_code, confirmed.headers["location"]) == (303, "/account")
    # a new session, so a new form key
    assert signed.post("/test/reviewing", data=form).json()["code"] == "form-expired"
    assert signed.post("/test/reviewing", data={"form_key": key(signed)}).status_code == 200


def test_signing_out_ends_the_session_itself(signed: httpx.Client) -> None:
    stolen = "; ".join(f"{name}={value}" for name, value in signed.cookies.items())
    signed.post("/sign-out", data={"form_key": key(signed)})
    assert signed.get("/test/reading", headers={"Cookie": stolen}).status_code == 401


def test_the_account_page_changes_the_password(signed: httpx.Client) -> None:
    form = {"form_key": key(signed), "old": PASSWORD, "password": PASSWORD + "!"}
    differ = signed.post("/account/password", data=form | {"again": "x"})
    assert differ.status_code == 422
    assert "비밀번호 두 개가 다릅니다" in differ.text
    changed = signed.post("/account/password", data=form | {"again": PASSWORD + "!"})
    assert changed.status_code == 303
    assert "김심사" in signed.get("/account").text
    signed.post("/account/sign-out-everywhere", data={"form_key": key(signed)})
    assert signed.get("/test/reading").status_code == 401


def test_a_used_invitation_is_gone(signed: httpx.Client, code: str) -> None:
    answer = signed.get(f"/invitation?code={code}", headers=HTML)
    assert answer.status_code == 410


def test_a_token_acts_for_its_account(visitor: httpx.Client, database: Database, code: str) -> None:
    with database.session() as session:
        account = accounts.by_name(session, "kim.review")
        _, token = sessions.create_token(
            session, account, "roll", ["awards-read"], datetime.now(UTC)
        )
    bearer = {"Authorization": f"Bearer {token}"}
    assert visitor.get("/test/reading", headers=bearer).json() == "kim.review"
    assert visitor.post("/test/reviewing", headers=bearer).status_code == 403
    for wrong in ("Bearer", "Bearer nothing", f"Basic {token}", f"Bearer {token}x"):
        assert visitor.get("/test/reading", headers={"Authorization": wrong}).status_code == 401


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", None, "/a\nb"],
)
def test_nobody_is_sent_to_another_server(wanted: str | None) -> None:
    assert next_page(wanted) == "/account"


def test_a_verifier_alone_has_no_door(client: httpx.Client) -> None:
    for path in ("/sign-in", "/account", "/invitation?code=x"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.json()["code"] == "not-offered"
    assert "/sign-in" not in client.get("/", headers=HTML).text


def test_over_https_the_cookie_is_bound_to_the_host(
    world: World, database: Database, code: str
) -> None:
    services = replace(world.services, door=Door(database, lambda: datetime.now(UTC)))
    assert services.public_url.startswith("https://")
    with served(create_app(services)) as url, httpx.Client(base_url=url, timeout=60) as client:
        form = {"code": code, "password": PASSWORD, "again": PASSWORD}
        cookie = client.post("/invitation", data=form).headers["set-cookie"]
    assert cookie.startswith("__Host-baeum=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
