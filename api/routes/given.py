"""What every route may ask for: the services and the workshop of its application."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from api.problems import NotOffered
from api.services import Services
from api.work import Workshop
from credential.text import Text
from ledger.awards.office import Office


def services(request: Request) -> Services:
    """The services this application was created with."""
    return cast(Services, request.app.state.services)


def workshop(request: Request) -> Workshop:
    """The bounded pool in which everything that blocks runs."""
    return cast(Workshop, request.app.state.workshop)


def reading(request: Request) -> Workshop:
    """A pool of its own for reads of chain and status lists: they never hold up verification."""
    return cast(Workshop, request.app.state.reading)


def office(request: Request) -> Office:
    """The degree office. Raises ``NotOffered`` where there is none."""
    found = services(request).office
    if found is None:
        raise NotOffered(
            Text("이 서버에는 학위 업무가 없습니다.", "This server has no degree office."),
            Text("학위 담당 부서의 서버를 쓰세요.", "Use the degree office's server."),
        )
    return found


GivenServices = Annotated[Services, Depends(services)]
GivenWorkshop = Annotated[Workshop, Depends(workshop)]
GivenReading = Annotated[Workshop, Depends(reading)]
GivenOffice = Annotated[Office, Depends(office)]
