"""People and roles, keys, and the log, over HTTP; another institution gets nowhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from doors import PASSWORD, quick_passwords
from people import OURS, THEIRS, Town, served_town, sqlite_town, visitor

from ledger.access import log
from ledger.access.permissions import Permission

__all__ = ["quick_passwords"]
PAGES = {
    "/people": Permission.PEOPLE_MANAGE,
    "/keys": Permission.KEYS_MANAGE,
    "/log": Permission.LOG_READ,
    "/log/export": Permission.LOG_READ,
}


@pytest.fixture
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return sqlite_town(tmp_path_factory.mktemp("town"))


@pytest.fixture
def url(town: Town) -> Iterator[str]:
    with served_town(town) as url:
        yield url


def test_each_role_opens_the_pages_its_permissions_say(url: str, town: Town) -> None:
    for name in town.ids:
        with visitor(url, name) as who:
            for path, permission in PAGES.items():
                status = who.http.get(path).status_code
                assert status == (200 if permission in town.who(name).permissions else 403)
            menu = who.http.get("/account").text
            for path in ("/people", "/keys", "/log"):
                shown = f'href="{path}?' in menu
                assert shown is (PAGES[path] in town.who(name).permissions)


def test_a_manager_invites_changes_roles_and_disables(url: str, town: Town) -> None:
    with visitor(url, "manager") as manager:
        page = manager.send("/people", name="Park.Issue", shown="박", role="issuer")
        assert page.status_code == 201
        link = re.search(r"/invitation\?code=([\w-]+)", page.text)
        assert link is not None
        assert link[0] not in manager.http.get("/people").text, "it is shown once"
        taken = manager.send("/people", name="park.issue", shown="박", role="issuer")
        assert taken.status_code == 409
        assert "이미 있는 이름" in taken.text
        with visitor(url) as invited:
            form = {"code": link[1], "password": PASSWORD, "again": PASSWORD}
            assert invited.http.post("/invitation", data=form).status_code == 303
            assert invited.http.get("/people").status_code == 403
            who = town.door.invited  # noqa: F841 - the door is the same one
            account = re.search(r"/people/(acc_\w+)/roles", manager.http.get("/people").text)
            ids = set(re.findall(r"/people/(acc_\w+)/roles", manager.http.get("/people").text))
            assert account is not None
            fresh = (ids - set(town.ids.values())).pop()
            done = manager.send(f"/people/{fresh}/roles", roles=["issuer", "manager"])
            assert done.status_code == 303
            assert invited.http.get("/people").status_code == 200, "at the next request"
            again = manager.send(f"/people/{fresh}/invitation")
            assert again.status_code == 201
            assert manager.send(f"/people/{fresh}/disable").status_code == 303
            assert invited.http.get("/people").status_code == 303, "shut out at once"
        nobody = manager.send(f"/people/{town.ids['manager']}/roles")
        assert nobody.status_code == 422


def test_an_old_proof_is_not_enough(url: str, town: Town) -> None:
    with visitor(url, "manager") as who:
        town.clock.move(minutes=6)
        assert who.http.get("/people").status_code == 200
        refused = who.send("/people", name="new.one", shown="새", role="issuer")
        assert refused.status_code == 403
        assert "/confirm?lang=ko" in refused.text
        assert "new.one" not in who.http.get("/people").text


def test_another_site_cannot_sign_a_browser_in(url: str) -> None:
    with visitor(url) as who:
        who.http.headers["Sec-Fetch-Site"] = "cross-site"
        assert who.sign_in("manager").status_code == 403
        who.http.headers["Sec-Fetch-Site"] = "same-origin"
        assert who.sign_in("manager").status_code == 303


def test_another_institutions_manager_gets_nowhere(url: str, town: Town) -> None:
    secret = town.key(OURS, "credentials-read")
    key = next(iter(re.findall(r"key_\w+", _page(url, "manager", "/keys"))))
    with visitor(url, "their-manager") as who:
        for path in PAGES:
            shown = who.http.get(path).text
            assert OURS not in shown, path
            assert key not in shown, path
            for name in ("issuer", "manager", "reviewer"):
                assert town.ids[name] not in shown, path
        target = town.ids["issuer"]
        for path, fields in (
            (f"/people/{target}/disable", {}),
            (f"/people/{target}/invitation", {}),
            (f"/people/{target}/roles", {"roles": "manager"}),
            (f"/keys/{key}/revoke", {}),
            (f"/keys/{key}/rotate", {}),
            ("/keys", {"label": "x", "institution": OURS, "permissions": "credentials-read"}),
        ):
            assert who.send(path, **fields).status_code == 404, path
        foreign = who.send("/people", name="x.y.z", shown="x", role="issuer", institution=OURS)
        assert foreign.status_code == 403
        for role in ("administrator", "auditor", "reviewer", "citizen"):
            assert who.send("/people", name="x.y.z", shown="x", role=role).status_code == 403
    assert town.door.by_token(secret) is not None
    assert town.who("issuer").roles == ("issuer",)


def _page(url: str, name: str, path: str) -> str:
    with visitor(url, name) as who:
        return who.http.get(path).text


def test_a_key_is_shown_once_and_works_until_it_is_revoked(url: str, town: Town) -> None:
    with visitor(url, "manager") as who:
        form = {"label": "LMS", "institution": OURS, "permissions": "credentials-read"}
        made = who.send("/keys", **form, days="30")
        assert made.status_code == 201
        secret = re.search(r"baeum_[\w-]{43}", made.text)
        assert secret is not None
        assert secret[0] not in who.http.get("/keys").text
        assert town.door.by_token(secret[0]) is not None
        id = re.search(r"/keys/(key_\w+)/revoke", made.text)
        assert id is not None
        rotated = who.send(f"/keys/{id[1]}/rotate")
        assert rotated.status_code == 201
        assert "곧 끝남" in rotated.text
        assert who.send(f"/keys/{id[1]}/rotate").status_code == 409
        assert who.send(f"/keys/{id[1]}/revoke").status_code == 303
        assert town.door.by_token(secret[0]) is None
        assert who.send("/keys", **form, days="0").status_code == 422


def test_a_key_opens_no_page_of_people(url: str, town: Town) -> None:
    secret = town.key(OURS, "credentials-read", "credentials-status")
    headers = {"Authorization": f"Bearer {secret}"}
    for path in PAGES:
        assert httpx.get(url + path, headers=headers).status_code == 403


def test_the_log_is_exported_and_checked(url: str, town: Town) -> None:
    with visitor(url, "auditor") as who:
        answer = who.http.get("/log/export")
        assert answer.headers["content-type"] == "application/x-ndjson"
        rows = [json.loads(line) for line in answer.text.splitlines()]
        found = log.check_rows(
            (
                {k: v for k, v in row.items() if k not in ("previous", "hash")},
                row["previous"],
                row["hash"],
            )
            for row in rows
        )
        assert found.whole
        assert rows[-1]["action"] == "sign-in"
        assert rows[-1]["actor"] == town.ids["auditor"]
        page = who.http.get("/log", params={"lang": "en"}).text
        assert "signed in" in page
    with visitor(url, "their-manager") as who:
        lines = who.http.get("/log/export").text.splitlines()
        assert {json.loads(line)["institution_id"] for line in lines} == {THEIRS}
