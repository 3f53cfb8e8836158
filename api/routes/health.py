"""``/healthz``: the process is alive. ``/readyz``: what it depends on answers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from api.routes.given import GivenServices

router = APIRouter(tags=["operation"])
_log = logging.getLogger("baeum.api")


@router.get("/healthz", summary="Whether the process is alive")
async def healthz(services: GivenServices) -> dict[str, str]:
    """Answers as long as the process serves requests; looks at nothing else."""
    return {"status": "alive", "version": services.version}


@router.get(
    "/readyz",
    summary="Whether everything it depends on can be reached",
    responses={503: {"description": "At least one dependency cannot be reached"}},
)
async def readyz(services: GivenServices) -> JSONResponse:
    """Each dependency with `reachable` or `unreachable` and the milliseconds it took."""
    names = list(services.probes)
    seconds = services.limits.probe_seconds
    found = await asyncio.gather(*(_probe(name, services.probes[name], seconds) for name in names))
    ready = all(entry["status"] == "reachable" for entry in found)
    return JSONResponse(
        {
            "status": "ready" if ready else "not-ready",
            "dependencies": dict(zip(names, found, strict=True)),
        },
        status_code=200 if ready else 503,
        headers={"Cache-Control": "no-store"},
    )


async def _probe(name: str, probe: Callable[[], object], seconds: float) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        await asyncio.wait_for(asyncio.to_thread(probe), seconds)
    # any failure of a dependency means the same here, and is logged: it cannot be used
    except Exception:  # noqa: BLE001
        _log.warning("dependency %s is out of reach", name, exc_info=True)
        status = "unreachable"
    else:
        status = "reachable"
    return {"status": status, "milliseconds": round((time.perf_counter() - started) * 1000)}
