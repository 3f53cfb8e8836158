"""What the routes of degrees and learning share: the office, who acts, whose learning it is."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import JSONResponse

from api import problems
from api.access import Acting
from api.routes.given import services
from credential.text import Text
from ledger.access.errors import NotPermitted
from ledger.access.permissions import Permission
from ledger.awards.office import Office
from ledger.awards.people import Actor

OWN = "me"
_PRIVATE = {"Cache-Control": "no-store"}


class Sent(BaseModel):
    """A body: what is not known is refused, so that a misspelt member is not passed over."""

    model_config = ConfigDict(
        extra="forbid", str_strip_whitespace=True, alias_generator=to_camel, validate_by_alias=True
    )


def office(request: Request) -> Office:
    """The degree office of this application. Raises ``NotOffered`` where there is none."""
    found = services(request).office
    if found is None:
        raise problems.NotOffered(
            Text("이 서버에는 학위 업무가 없습니다.", "This server has no degree office."),
            Text("학위 담당 부서의 서버를 쓰세요.", "Use the degree office's server."),
        )
    return found


GivenOffice = Annotated[Office, Depends(office)]


def actor(acting: Acting) -> Actor:
    """Who acts, with what could be a conflict of interest."""
    person = acting.person
    return Actor(person.name, person.institution_id, person.learner_id)


def whose(acting: Acting, learner: str, own: Permission, anybodys: Permission) -> str:
    """The learner's id, ``me`` for one's own. Raises ``NotPermitted``: one's own learning takes
    ``own``, anybody else's ``anybodys``."""
    mine = acting.person.learner_id
    if learner in (OWN, mine) and mine is not None and acting.may(own):
        return mine
    if learner == OWN or not acting.may(anybodys):
        raise NotPermitted(anybodys)
    return learner


def answer(body: Any, status: int = 200) -> JSONResponse:
    """JSON that no cache keeps: it is about people."""
    return JSONResponse(body, status, _PRIVATE)
