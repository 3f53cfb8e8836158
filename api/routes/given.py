"""What every route may ask for: the services and the workshop of its application."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from api.services import Services
from api.work import Workshop


def services(request: Request) -> Services:
    """The services this application was created with."""
    return cast(Services, request.app.state.services)


def workshop(request: Request) -> Workshop:
    """The bounded pool in which everything that blocks runs."""
    return cast(Workshop, request.app.state.workshop)


def reading(request: Request) -> Workshop:
    """A pool of its own for reads of chain and status lists: they never hold up verification."""
    return cast(Workshop, request.app.state.reading)


GivenServices = Annotated[Services, Depends(services)]
GivenWorkshop = Annotated[Workshop, Depends(workshop)]
GivenReading = Annotated[Workshop, Depends(reading)]
