"""``/v1/credentials``: an institution's own credentials, listed, revoked, suspended, reinstated."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.access import Acting, door_of, require
from api.idempotency import GivenOnce
from api.problems import MalformedRequest
from api.routes.given import GivenReading
from api.routes.schemas import PROBLEM
from credential.text import Text
from issuer import search, status
from ledger.access import log
from ledger.access.errors import NotYours
from ledger.access.permissions import Permission
from ledger.database.models import Credential

router = APIRouter(prefix="/v1/credentials", tags=["credentials"])

Reader = Annotated[Acting, require(Permission.CREDENTIALS_READ)]
Changer = Annotated[Acting, require(Permission.CREDENTIALS_STATUS, fresh=True)]
Id = Annotated[str, Path(max_length=64, description="`urn:uuid:…`")]


def _problem(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": PROBLEM}},
    }


REFUSALS: dict[int | str, dict[str, Any]] = {
    401: _problem("Nobody is signed in, or the key is not good"),
    403: _problem("Not permitted, or (for people) the password is asked for again"),
    404: _problem("No such credential of this institution"),
    429: _problem("Too many requests; see Retry-After"),
}


class Reason(BaseModel):
    """Why; kept with the change."""

    reason: str = Field(min_length=1, max_length=status.MAX_REASON)


@router.get("", summary="One's own credentials, a page at a time", responses=REFUSALS)
async def listed(
    request: Request,
    acting: Reader,
    pool: GivenReading,
    kind: Annotated[str | None, Query(max_length=32)] = None,
    institution: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Annotated[str | None, Query(max_length=120)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> JSONResponse:
    """By id. `next` is the cursor of the following page, absent on the last. An institution's key
    sees that institution's credentials, and of those only the kinds it was given.
    """
    person = acting.person
    reach = person.reach(Permission.CREDENTIALS_READ)
    if institution is None and reach is not None:
        institution = next(iter(reach), "")
    if institution is not None:
        person.insist(Permission.CREDENTIALS_READ, institution)
    wanted = person.kinds if kind is None else {kind}
    if person.kinds and not wanted <= person.kinds:
        raise NotYours("kind")
    after = _read(cursor)

    def look() -> list[search.Found]:
        with door_of(request).database.reading() as session:
            found: list[search.Found] = []
            kinds: list[str | None] = [*sorted(wanted)] or [None]
            for one in kinds:
                found += search.credentials(
                    session, institution=institution, kind=one, after=after, limit=limit + 1
                )
            return sorted(found, key=lambda one: one.id)[: limit + 1]

    found = await pool.run(look)
    body: dict[str, Any] = {"credentials": [one.to_json() for one in found[:limit]]}
    if len(found) > limit:
        body["next"] = _written(found[limit - 1].id)
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


@router.post(
    "/{credential}/{action}",
    summary="Revoke, suspend or reinstate one's own credential",
    responses=REFUSALS,
)
async def change(
    request: Request,
    acting: Changer,
    pool: GivenReading,
    once: GivenOnce,
    credential: Id,
    action: Literal["revoke", "suspend", "reinstate"],
    body: Reason,
) -> Response:
    """`changed` is false when it was so already. The published status list says so within its
    update interval. Send an `Idempotency-Key` to be safe to repeat.
    """
    person, door = acting.person, door_of(request)

    def act() -> dict[str, Any]:
        now = door.now()
        with door.database.session() as session:
            row = session.execute(
                select(Credential.institution_id, Credential.kind).where(
                    Credential.id == credential
                )
            ).one_or_none()
            if (
                row is None
                or not person.may(Permission.CREDENTIALS_STATUS, row.institution_id)
                or (person.kinds and row.kind not in person.kinds)
            ):
                raise NotYours("credential")
            report = status.change(session, action, [credential], body.reason, now)
            if report.changed:
                log.note(session, now, person.account_id, action, credential, row.institution_id)
        return {"id": credential, "action": action, "changed": bool(report.changed)}

    async def work() -> Response:
        return JSONResponse(await pool.run(act), headers={"Cache-Control": "no-store"})

    return await once(person.account_id, work)


def _written(id: str) -> str:
    return base64.urlsafe_b64encode(id.encode()).rstrip(b"=").decode()


def _read(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise MalformedRequest(
            Text("`cursor`가 올바르지 않습니다.", "`cursor` is not one of ours."),
            Text("앞선 답의 `next`를 그대로 보내 주세요.", "Send `next` of the answer before."),
        ) from error
