"""Degrees over HTTP: roles, steps, problems, papers, and a citizen who sees their own alone."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from doors import PASSWORD, quick_passwords
from office import REGISTRAR, found
from office import place as give_place
from served import served
from world import World

from api.app import create_app
from ledger.access import accounts, sessions
from ledger.access.door import Door
from ledger.access.permissions import granted
from ledger.awards.office import Office
from ledger.database.models import LearnerItem
from ledger.database.session import Database, open_database

__all__ = ["quick_passwords"]

PEOPLE = {
    "kim": ["reviewer"],
    "lee": ["reviewer"],
    "choi": ["committee"],
    "park": ["registrar"],
    "song": ["registrar"],
    "jung": ["clerk"],
    "goo": ["auditor"],
    "citizen": ["citizen"],
}


class Portal:
    """One HTTP client whose requests carry the token of whoever acts."""

    def __init__(self, client: httpx.Client, tokens: dict[str, str]) -> None:
        self._client, self._tokens = client, tokens
        self.moved = timedelta()

    def __call__(self, who: str, method: str, path: str, **body: Any) -> tuple[int, Any]:
        answer = self.raw(who, method, path, **body)
        kind = answer.headers["content-type"]
        return answer.status_code, answer.json() if "json" in kind else answer.content

    def raw(self, who: str, method: str, path: str, **body: Any) -> httpx.Response:
        token = self._tokens.get(who)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        sent = {"json": body} if method != "GET" else {}
        return self._client.request(method, path, headers=headers, **sent)  # type: ignore[arg-type]


@pytest.fixture
def database(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Database]:
    shutil.copy(migrated_sqlite, tmp_path / "db")
    opened = open_database(f"sqlite:///{tmp_path / 'db'}")
    found(opened)
    yield opened
    opened.close()


@pytest.fixture
def portal(world: World, database: Database) -> Iterator[Portal]:
    tokens: dict[str, str] = {}
    portal = Portal(httpx.Client(), tokens)

    def clock() -> datetime:
        return datetime(2026, 5, 1, 3, tzinfo=UTC) + portal.moved

    with database.session() as session:
        for name, roles in PEOPLE.items():
            learner = "lrn_b" if name == "citizen" else None
            code = accounts.invite(session, name, roles, clock(), shown=name, learner_id=learner)
            accounts.accept(session, code, PASSWORD, clock())
            account = accounts.by_name(session, name)
            permitted = granted(account.roles)
            _, tokens[name] = sessions.create_token(session, account, "test", permitted, clock())
    app = create_app(
        replace(world.services, door=Door(database, clock), office=Office(database, clock))
    )
    with served(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        portal._client = client
        yield portal


def review(portal: Portal, who: str, application: str, **changes: Any) -> tuple[int, Any]:
    body = {"recommends": True, "conflict": False, "reason": "확인"} | changes
    return portal(who, "POST", f"/v1/awards/applications/{application}/review", **body)


def given(portal: Portal) -> str:
    """The citizen's bachelor, step by step; the application's id."""
    code, taken = portal("citizen", "POST", "/v1/awards/applications", degree="bachelor")
    assert (code, taken["state"], taken["changed"]) == (201, "applied", True)
    application = str(taken["id"])
    for who in ("kim", "lee"):
        assert review(portal, who, application)[0] == 200
    base = f"/v1/awards/applications/{application}"
    code, taken = portal(
        "choi", "POST", f"{base}/decision", approve=True, meeting="3", members=["han"],
        reason="결정",
    )  # fmt: skip
    assert (code, taken["state"]) == (200, "approved")
    code, taken = portal("park", "POST", f"{base}/conferral", reason="수여식")
    assert (code, taken["state"]) == (200, "conferred")
    return application


def test_a_degree_over_http(portal: Portal) -> None:
    application = given(portal)
    base = f"/v1/awards/applications/{application}"
    code, shown = portal("goo", "GET", base)
    assert code == 200
    assert [step["by"] for step in shown["history"]] == ["citizen", "kim", "lee", "choi", "park"]
    assert shown["decision"]["recordSetRoot"].startswith("sha256:")
    assert shown["audit"]["records"][0]["code"] == "OK"
    code, own = portal("citizen", "GET", base)
    assert code == 200
    assert own["reviews"] == []
    assert "chair" not in own["decision"]
    assert not any("by" in step for step in own["history"])
    code, listed = portal("goo", "GET", "/v1/awards/applications?state=conferred")
    assert [a["id"] for a in listed["applications"]] == [application]
    code, awards = portal("goo", "GET", "/v1/awards")
    assert [(a["degree"], a["basis"]) for a in awards["awards"]] == [("bachelor", "ledger")]
    code, chain = portal("goo", "GET", "/v1/awards/history")
    assert (chain["rows"], chain["brokenAt"]) == (5, None)
    assert portal("goo", "GET", "/v1/awards/history?head=" + "0" * 64)[1]["brokenAt"] == 6
    code, again = portal("park", "POST", f"{base}/conferral", reason="수여식")
    assert (code, again["changed"]) == (200, False)
    code, problem = portal("citizen", "GET", "/v1/awards/1/evidence")
    assert (code, problem["code"]) == (409, "degree-not-issued")


def test_each_step_is_for_its_role(portal: Portal) -> None:
    code, taken = portal(
        "jung", "POST", "/v1/awards/applications", learner="lrn_a", degree="bachelor"
    )
    assert code == 201
    base = f"/v1/awards/applications/{taken['id']}"
    steps = {
        f"{base}/review": ({"recommends": True, "conflict": False, "reason": "r"}, {"kim", "lee"}),
        f"{base}/decision": (
            {"approve": True, "meeting": "1", "members": ["x"], "reason": "r"},
            {"choi"},
        ),
        f"{base}/conferral": ({"reason": "r"}, {"park", "song"}),
        "/v1/awards/1/cases": (
            {"cause": "error", "grounds": "g", "suspend": True},
            {"park", "song"},
        ),
    }
    for path, (body, may) in steps.items():
        for who in ("nobody", *PEOPLE):
            if who not in may:
                code, _ = portal(who, "POST", path, **body)
                assert code == (401 if who == "nobody" else 403), (who, path)
    for path in (base, "/v1/awards", "/v1/awards/applications", "/v1/awards/roll.pdf"):
        assert portal("citizen", "GET", path)[0] == 403, path
        assert portal("nobody", "GET", path)[0] == 401, path


def test_a_citizen_sees_their_own_learning_alone(portal: Portal) -> None:
    for path in ("audit", "awards", "suggestions?degree=bachelor"):
        assert portal("citizen", "GET", f"/v1/learners/me/{path}")[0] == 200
        assert portal("citizen", "GET", f"/v1/learners/lrn_b/{path}")[0] == 200
        assert portal("citizen", "GET", f"/v1/learners/lrn_a/{path}")[0] == 403
        assert portal("kim", "GET", f"/v1/learners/lrn_a/{path}")[0] == 200
        assert portal("kim", "GET", f"/v1/learners/me/{path}")[0] == 403
    other = {"learner": "lrn_a", "degree": "bachelor"}
    assert portal("citizen", "POST", "/v1/awards/applications", **other)[0] == 403
    policy = {"degree": "bachelor", "policy": "seoul.citizen-degree@2018.1"}
    assert portal("citizen", "POST", "/v1/awards/applications", **policy)[0] == 403
    _, audit = portal("citizen", "GET", "/v1/learners/me/audit?degree=bachelor")
    assert audit["audits"][0]["eligible"]
    assert portal("kim", "GET", "/v1/learners/lrn_z/audit")[0] == 404
    assert portal("kim", "GET", "/v1/learners/lrn_a/audit?degree=knight")[0] in (400, 404, 422)


def test_what_if_over_http(portal: Portal) -> None:
    course = {
        "id": "HIST-1", "institution": "uni", "kind": "course", "title_ko": "서울의 역사",
        "starts_on": "2026-06-01", "ends_on": "2026-07-31", "minutes": 1200,
    }  # fmt: skip
    assert portal("kim", "POST", "/v1/courses", courses=[course])[0] == 403
    assert portal("jung", "POST", "/v1/courses", courses=[course])[1]["added"] == 1
    bad = portal("jung", "POST", "/v1/courses", courses=[course | {"minutes": "many"}])
    assert (bad[0], bad[1]["field"]) == (400, "minutes")
    assert [c["id"] for c in portal("citizen", "GET", "/v1/courses")[1]["courses"]] == ["HIST-1"]
    path = "/v1/learners/lrn_c/what-if"
    code, then = portal("jung", "POST", path, degree="bachelor", take=["HIST-1"])
    assert (code, then["difference"]["eligible"]) == (200, [False, True])
    code, less = portal(
        "citizen", "POST", "/v1/learners/me/what-if", degree="bachelor", without=["rec_b0"]
    )
    assert less["difference"]["missing"] == [0, 6000]
    code, near = portal("jung", "GET", "/v1/learners/lrn_c/suggestions?degree=bachelor")
    assert near["plan"]["enough"]
    assert portal("jung", "POST", path, degree="bachelor", take=["NO"])[0] == 404
    assert portal("jung", "POST", path, degree="bachelor", took=["HIST-1"])[0] == 400


def test_problems_say_what_to_do_instead(portal: Portal) -> None:
    code, taken = portal("citizen", "POST", "/v1/awards/applications", degree="bachelor")
    base = f"/v1/awards/applications/{taken['id']}"
    code, problem = portal("park", "POST", f"{base}/conferral", reason="r")
    assert (code, problem["code"], problem["state"]) == (409, "award-step-not-now", "applied")
    assert problem["remedy"]
    code, problem = portal("citizen", "POST", "/v1/awards/applications", degree="master")
    assert (code, problem["code"]) == (409, "award-cohort-needed")
    assert portal("kim", "POST", "/v1/awards/applications/app_x/review", recommends=True,
                  conflict=False, reason="r")[0] == 404  # fmt: skip
    assert review(portal, "kim", taken["id"])[0] == 200
    code, problem = review(portal, "kim", taken["id"], recommends=False)
    assert (code, problem["code"]) == (409, "award-same-person")
    code, back = portal("citizen", "POST", f"{base}/cancellation", reason="마음이 바뀜")
    assert (code, back["state"]) == (200, "cancelled")


def test_cases_and_papers_over_http(portal: Portal) -> None:
    given(portal)
    code, case = portal(
        "park", "POST", "/v1/awards/1/cases", cause="fraud", grounds="허위", suspend=True
    )
    assert code == 200
    base = f"/v1/awards/cases/{case['id']}"
    assert portal("goo", "GET", "/v1/awards")[1]["awards"][0]["state"] == "suspended"
    assert portal("park", "POST", f"{base}/outcome", withdraw=True, reason="r")[0] == 409
    assert portal("park", "POST", f"{base}/hearing", on="2026-05-11", reason="통지")[0] == 200
    portal.moved = timedelta(days=11)
    assert portal("park", "POST", f"{base}/statement", statement="진술")[0] == 200
    assert portal("park", "POST", f"{base}/outcome", withdraw=True, reason="r")[0] == 409
    assert portal("song", "POST", f"{base}/outcome", withdraw=True, reason="r")[0] == 200
    assert portal("goo", "GET", "/v1/awards/cases")[1]["cases"] == []
    assert len(portal("goo", "GET", "/v1/awards/cases?all=true")[1]["cases"]) == 1
    assert portal("goo", "GET", "/v1/awards/affected")[1] == {"affected": []}
    sheet = portal.raw("goo", "GET", "/v1/awards/roll.xlsx?since=2026-05-01")
    assert sheet.headers["cache-control"] == "no-store"
    rows = list(openpyxl.load_workbook(io.BytesIO(sheet.content)).active.values)  # type: ignore[union-attr]
    assert len(rows) == 2
    assert portal("goo", "GET", "/v1/awards/roll.pdf")[1].startswith(b"%PDF")
    assert portal("goo", "GET", "/v1/awards/roll.doc")[0] == 400


def test_cohorts_entries_and_exceptions_over_http(portal: Portal, database: Database) -> None:
    cohort = {
        "id": "m1", "degree": "master", "ko": "과정", "en": "Cohort", "opensOn": "2026-04-01",
        "closesOn": "2026-06-01", "places": 1,
    }  # fmt: skip
    assert portal("kim", "POST", "/v1/awards/cohorts", **cohort)[0] == 403
    assert portal("jung", "POST", "/v1/awards/cohorts", **cohort)[1]["changed"]
    assert portal("citizen", "POST", "/v1/awards/cohorts/m1/places/me")[1]["state"] == "waiting"
    assert portal("citizen", "POST", "/v1/awards/cohorts/m1/places/lrn_a")[0] == 403
    assert portal("jung", "POST", "/v1/awards/cohorts/m1/places/lrn_a")[1]["state"] == "waiting"
    admit = {"admit": True, "rank": 1, "reason": "1순위"}
    assert portal("jung", "PUT", "/v1/awards/cohorts/m1/places/lrn_a", **admit)[0] == 200
    code, full = portal("jung", "PUT", "/v1/awards/cohorts/m1/places/lrn_b", **admit)
    assert (code, full["code"]) == (409, "award-places-taken")
    free = {"admit": False, "reason": "포기"}
    assert portal("jung", "PUT", "/v1/awards/cohorts/m1/places/lrn_a", **free)[0] == 200
    (shown,) = portal("goo", "GET", "/v1/awards/cohorts")[1]["cohorts"]
    assert shown["free"] == 1
    exempt = {
        "learner": "lrn_c", "kind": "reduce_block", "target": "B-HOURS", "minutes": 1,
        "expiresOn": "2026-06-01", "reason": "정전",
    }  # fmt: skip
    assert portal("jung", "POST", "/v1/awards/exceptions", **exempt)[0] == 403
    assert portal("choi", "POST", "/v1/awards/exceptions", **exempt)[0] == 200
    entry = {
        "learner": "lrn_a", "prior": "related_career_years", "value": 3, "evidence": "경력증명서",
    }  # fmt: skip
    assert portal("jung", "POST", "/v1/awards/entries", **entry)[0] == 200
    with database.session() as session:
        assert session.get(LearnerItem, ("lrn_a", "learning_output")) is not None
        give_place(session)
    assert REGISTRAR
