"""``/people``, ``/keys``, ``/log``: who works here, what programs may do, what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api import language, problems
from api.access import Acting, door_of, require
from api.routes.access import PRIVATE, ROLE_NAMES, field, go
from api.routes.given import GivenReading
from api.routes.pages import GivenPages
from api.view import moment
from api.work import Workshop
from credential.errors import BaeumError
from ledger.access import keys, log, people
from ledger.access.errors import NotYours
from ledger.access.permissions import OF_KEYS, PLACED, Permission, Role
from ledger.database.access import AccessToken, Account, Site
from ledger.database.models import Institution
from ledger.database.session import Database

router = APIRouter(include_in_schema=False)
Result = TypeVar("Result")

Manager = Annotated[Acting, require(Permission.PEOPLE_MANAGE)]
ManagerNow = Annotated[Acting, require(Permission.PEOPLE_MANAGE, fresh=True)]
KeyKeeper = Annotated[Acting, require(Permission.KEYS_MANAGE)]
KeyKeeperNow = Annotated[Acting, require(Permission.KEYS_MANAGE, fresh=True)]
LogReader = Annotated[Acting, require(Permission.LOG_READ)]

_ACTIONS = {
    Permission.RECORDS_SUBMIT: ("학습 기록 제출", "Hand in learning records"),
    Permission.CREDENTIALS_READ: ("증명 보기", "Read credentials"),
    Permission.CREDENTIALS_ISSUE: ("증명 발급", "Issue credentials"),
    Permission.CREDENTIALS_STATUS: ("증명 취소·정지", "Revoke and suspend credentials"),
}
_STATES = {
    "active": ("사용 중", "In use"),
    "ending": ("곧 끝남", "Ending"),
    "expired": ("기한 지남", "Expired"),
    "revoked": ("취소됨", "Revoked"),
}
PAGE = 50


async def _written(request: Request, pool: Workshop, act: Callable[[Session], Result]) -> Result:
    database = door_of(request).database

    def work() -> Result:
        with database.session() as session:
            return act(session)

    return await pool.run(work)


async def _looked_up(request: Request, pool: Workshop, look: Callable[[Session], Result]) -> Result:
    database = door_of(request).database

    def work() -> Result:
        with database.reading() as session:
            return look(session)

    return await pool.run(work)


def _names(session: Session, lang: language.Language) -> dict[str, str]:
    rows = session.scalars(select(Institution).order_by(Institution.id))
    return {row.id: row.name_ko if lang == "ko" else row.name_en for row in rows}


# --- people ---------------------------------------------------------------------------------------


async def _people(
    request: Request,
    pages: GivenPages,
    pool: Workshop,
    acting: Acting,
    error: BaeumError | None = None,
    made: tuple[str, str] | None = None,
) -> Response:
    lang, by = language.of(request), acting.person
    after = request.query_params.get("after", "")

    def look(session: Session) -> dict[str, Any]:
        names = _names(session, lang)
        found = people.listed(session, by, after, PAGE + 1)
        reach = by.reach(Permission.PEOPLE_MANAGE)
        places = session.scalars(select(Site).order_by(Site.id))
        return {
            "people": found[:PAGE],
            "more": found[PAGE - 1].name if len(found) > PAGE else None,
            "names": names,
            "institutions": [(i, n) for i, n in names.items() if reach is None or i in reach],
            "sites": [s for s in places if reach is None or s.institution_id in reach],
        }

    found = await _looked_up(request, pool, look)
    choices = [
        (role.value, language.say(ROLE_NAMES[role], lang), role in PLACED)
        for role in people.givable(by)
        if role is not Role.CITIZEN  # bound to a learner: baeum access invite --learner
    ]
    return pages.page(
        request,
        "people.html",
        lang,
        status=201 if made is not None else 200 if error is None else error.status,
        headers=PRIVATE,
        acting=acting,
        problem=None if error is None else problems.body(error, lang),
        made=made,
        choices=choices,
        city=by.reach(Permission.PEOPLE_MANAGE) is None,
        role_names={role.value: language.say(said, lang) for role, said in ROLE_NAMES.items()},
        **found,
    )


def _link(request: Request, code: str) -> str:
    return f"{request.app.state.services.public_url}/invitation?code={code}"


@router.get("/people")
async def people_page(
    request: Request, acting: Manager, pages: GivenPages, pool: GivenReading
) -> Response:
    """Everybody one may manage, and the form to invite."""
    return await _people(request, pages, pool, acting)


@router.post("/people")
async def invite(
    request: Request, acting: ManagerNow, pages: GivenPages, pool: GivenReading
) -> Response:
    """Invite somebody; the link is shown once."""
    name = (await field(request, "name")).strip().lower()
    shown = (await field(request, "shown")).strip()[:100]
    role, site = await field(request, "role"), await field(request, "site")
    wanted = await field(request, "institution") or acting.person.institution_id
    placed = role in {r.value for r in PLACED}
    now = door_of(request).now()

    def act(session: Session) -> str:
        return people.invite(
            session,
            acting.person,
            name,
            [role],
            now,
            shown=shown or name,
            institution_id=wanted if placed else None,
            site_id=(site or None) if placed else None,
        )

    try:
        code = await _written(request, pool, act)
    except BaeumError as error:
        return await _people(request, pages, pool, acting, error)
    return await _people(request, pages, pool, acting, made=(shown or name, _link(request, code)))


@router.post("/people/{account}/invitation")
async def invite_again(
    request: Request, acting: ManagerNow, pages: GivenPages, pool: GivenReading, account: str
) -> Response:
    """A new link for a forgotten password or a lost invitation."""
    now = door_of(request).now()

    def act(session: Session) -> tuple[str, str]:
        code = people.invite_again(session, acting.person, account, now)
        return session.get_one(Account, account).shown, code

    shown, code = await _written(request, pool, act)
    return await _people(request, pages, pool, acting, made=(shown, _link(request, code)))


@router.post("/people/{account}/roles")
async def set_roles(
    request: Request, acting: ManagerNow, pages: GivenPages, pool: GivenReading, account: str
) -> Response:
    """The roles somebody has from now on."""
    form = await request.form(max_files=0, max_fields=50)
    wanted = [str(role) for role in form.getlist("roles")]
    now = door_of(request).now()
    try:
        await _written(
            request, pool, lambda s: people.set_roles(s, acting.person, account, wanted, now)
        )
    except NotYours:
        raise
    except BaeumError as error:
        return await _people(request, pages, pool, acting, error)
    return go(request, "/people")


@router.post("/people/{account}/disable")
async def disable(
    request: Request, acting: ManagerNow, pages: GivenPages, pool: GivenReading, account: str
) -> Response:
    """Shut somebody out at once."""
    now = door_of(request).now()
    try:
        await _written(request, pool, lambda s: people.disable(s, acting.person, account, now))
    except NotYours:
        raise
    except BaeumError as error:
        return await _people(request, pages, pool, acting, error)
    return go(request, "/people")


# --- keys -----------------------------------------------------------------------------------------


async def _keys(
    request: Request,
    pages: GivenPages,
    pool: Workshop,
    acting: Acting,
    error: BaeumError | None = None,
    made: str | None = None,
) -> Response:
    lang, by, now = language.of(request), acting.person, door_of(request).now()

    def look(session: Session) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
        names = _names(session, lang)
        reach = by.reach(Permission.KEYS_MANAGE)
        mine = [(i, name) for i, name in names.items() if reach is None or i in reach]
        return [_key(row, names, now, lang) for row in keys.listed(session, by)], mine

    rows, mine = await _looked_up(request, pool, look)
    return pages.page(
        request,
        "keys.html",
        lang,
        status=201 if made is not None else 200 if error is None else error.status,
        headers=PRIVATE,
        acting=acting,
        problem=None if error is None else problems.body(error, lang),
        made=made,
        keys=rows,
        institutions=mine,
        actions=[(p.value, _ACTIONS[p][lang == "en"]) for p in Permission if p in OF_KEYS],
    )


def _key(
    row: AccessToken, names: dict[str, str], now: datetime, lang: language.Language
) -> dict[str, Any]:
    state = keys.state(row, now)
    return {
        "id": row.id,
        "label": row.label,
        "institution": names.get(row.institution_id or "", row.institution_id),
        "actions": ", ".join(_ACTIONS[Permission(a)][lang == "en"] for a in row.permissions),
        "kinds": ", ".join(row.kinds),
        "state": state,
        "said": _STATES[state][lang == "en"],
        "expires": moment(row.expires_at, lang),
        "used": moment(row.used_at, lang) if row.used_at is not None else None,
    }


@router.get("/keys")
async def keys_page(
    request: Request, acting: KeyKeeper, pages: GivenPages, pool: GivenReading
) -> Response:
    """The keys, when each was last used, and the form for a new one."""
    return await _keys(request, pages, pool, acting)


@router.post("/keys")
async def create_key(
    request: Request, acting: KeyKeeperNow, pages: GivenPages, pool: GivenReading
) -> Response:
    """A new key, shown once."""
    form = await request.form(max_files=0, max_fields=50)
    label, institution = await field(request, "label"), await field(request, "institution")
    kinds = (await field(request, "kinds")).replace(",", " ").split()
    days = await field(request, "days")
    now = door_of(request).now()

    def act(session: Session) -> str:
        if not acting.person.may(Permission.KEYS_MANAGE, institution):
            raise NotYours("institution")
        return keys.create(
            session,
            acting.person,
            institution,
            label=label,
            permissions=[str(p) for p in form.getlist("permissions")],
            kinds=kinds,
            days=int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0,
            now=now,
        )[1]

    return await _shown_once(request, pages, pool, acting, act)


@router.post("/keys/{key}/rotate")
async def rotate_key(
    request: Request, acting: KeyKeeperNow, pages: GivenPages, pool: GivenReading, key: str
) -> Response:
    """A successor; the old key lives a week longer."""
    now = door_of(request).now()
    return await _shown_once(
        request, pages, pool, acting, lambda s: keys.rotate(s, acting.person, key, now)[1]
    )


async def _shown_once(
    request: Request,
    pages: GivenPages,
    pool: Workshop,
    acting: Acting,
    act: Callable[[Session], str],
) -> Response:
    try:
        made = await _written(request, pool, act)
    except NotYours:
        raise
    except BaeumError as error:
        return await _keys(request, pages, pool, acting, error)
    return await _keys(request, pages, pool, acting, made=made)


@router.post("/keys/{key}/revoke")
async def revoke_key(
    request: Request, acting: KeyKeeperNow, pool: GivenReading, key: str
) -> Response:
    """End a key at once."""
    now = door_of(request).now()
    await _written(request, pool, lambda s: keys.revoke(s, acting.person, key, now))
    return go(request, "/keys")


# --- log ------------------------------------------------------------------------------------------


@router.get("/log")
async def log_page(
    request: Request, acting: LogReader, pages: GivenPages, pool: GivenReading
) -> Response:
    """The newest acts first."""
    lang = language.of(request)
    asked = request.query_params.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    reach = acting.person.reach(Permission.LOG_READ)

    def look(session: Session) -> tuple[list[dict[str, Any]], dict[str, str]]:
        rows = log.rows(session, reach, before=before, limit=PAGE + 1)
        ids = {row["actor"] for row in rows} | {row["subject"] for row in rows}
        names = session.execute(select(Account.id, Account.shown).where(Account.id.in_(ids)))
        return rows, {row.id: row.shown for row in names}

    rows, names = await _looked_up(request, pool, look)
    for row in rows:
        row["when"] = moment(row["at"], lang)
    return pages.page(
        request,
        "log.html",
        lang,
        headers=PRIVATE,
        acting=acting,
        rows=rows[:PAGE],
        more=rows[PAGE - 1]["sequence"] if len(rows) > PAGE else None,
        names=names,
    )


@router.get("/log/export")
async def log_export(request: Request, acting: LogReader) -> Response:
    """JSON lines with hashes; an auditor checks them with ``baeum access log --file``."""
    reach = acting.person.reach(Permission.LOG_READ)
    return StreamingResponse(
        _lines(door_of(request).database, reach),
        media_type="application/x-ndjson",
        headers={
            **PRIVATE,
            "Content-Disposition": 'attachment; filename="baeum-access-log.ndjson"',
        },
    )


def _lines(database: Database, reach: frozenset[str] | None) -> Iterator[bytes]:
    with database.reading() as session:
        for row in log.export(session, reach):
            yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
