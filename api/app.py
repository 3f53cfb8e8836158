"""The application: routes, errors, limits and pages around the services it is given."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.staticfiles import StaticFiles

from api import problems
from api.access import turn_to_sign_in
from api.guard import Guard
from api.pages import STATIC, Pages
from api.rates import Rates
from api.routes import (
    access,
    awards,
    credentials,
    degrees,
    dids,
    docs,
    health,
    learners,
    learning,
    network,
    office,
    pages,
    people,
    rpc,
    schemas,
    status,
    types,
    vc_api,
    verification,
)
from api.services import Services
from api.work import Workshop

_DESCRIPTION = """
Baeum (배움), the learning ledger of a city: check a learning certificate, read the chain it is
recorded on, fetch the lists of withdrawn certificates.

Errors are RFC 9457 problem details in Korean or English (`Accept-Language`, or `?lang=`).
"""


ROUTES = (
    *(pages, access, people, learning, office),  # what people see
    *(learners, awards, degrees),  # what programs of the office and its citizens use
    *(verification, vc_api, credentials, status, types, dids, network, rpc, health, docs),
)


def create_app(services: Services) -> FastAPI:
    """The ASGI application. Opens nothing by itself; all it uses is in ``services``."""
    limits = services.limits
    workshop, reading = (
        Workshop(workers=limits.workers, waiting=limits.waiting, seconds=limits.seconds)
        for _ in range(2)
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        workshop.close()
        reading.close()

    app = FastAPI(
        title="Baeum",
        version=services.version,
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.services = services
    app.state.workshop = workshop
    app.state.reading = reading
    app.state.pages = Pages(services)
    app.state.rates = Rates()
    app.state.turn = turn_to_sign_in
    problems.install(app)
    app.add_middleware(Guard, limits=limits)
    for module in ROUTES:
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.openapi = functools.cache(functools.partial(_schema, app))  # type: ignore[method-assign]
    return app


def _schema(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=app.description,
        license_info=app.license_info,
        routes=app.routes,
    )
    schemas_of = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas_of["RpcCall"] = rpc.CALL_SCHEMA
    # the framework documents its own 422; what really comes is a problem with 400
    for name in ("HTTPValidationError", "ValidationError"):
        schemas_of.pop(name, None)
    for operations in schema["paths"].values():
        for operation in operations.values():
            if operation["responses"].pop("422", None):
                operation["responses"].setdefault("400", schemas.PROBLEMS[400])
    return schema
