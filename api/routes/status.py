"""``GET /status/{id}/{purpose}``: published status lists, for any verifier anywhere.

``revocation`` and ``suspension`` are Bitstring Status List credentials, ``token`` is the Token
Status List that says the same to verifiers of SD-JWT VCs.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from api.problems import NotFound, NotOffered
from api.routes.given import GivenReading, GivenServices
from credential.text import Text

router = APIRouter(tags=["status lists"])


@router.get(
    "/status/{list_id}/{purpose}",
    summary="A Bitstring Status List credential, or a Token Status List",
    response_class=Response,
    responses={
        200: {
            "content": {"application/vc": {}, "application/statuslist+jwt": {}},
            "description": "The signed list, as published",
        },
        304: {"description": "The copy you have is still the current one"},
        404: {"description": "No such list"},
    },
)
async def status_list(
    request: Request,
    services: GivenServices,
    reading: GivenReading,
    list_id: Annotated[str, Path(max_length=64)],
    purpose: Annotated[str, Path(max_length=32)],
) -> Response:
    """The list covers at least 131,072 certificates, so asking for it does not tell which one
    is being checked. It is signed by the institution: where it was fetched does not matter.
    """
    read = services.status_list
    if read is None:
        raise NotOffered(Text("이 서버는 상태 목록을 싣지 않습니다.", "No status lists here."))
    published = await reading.run(lambda: read(list_id, purpose))
    if published is None:
        raise NotFound(
            Text("그런 상태 목록은 없습니다.", "There is no such status list."),
            facts={"list": list_id, "purpose": purpose},
        )
    tag = f'"{hashlib.sha256(published).hexdigest()}"'
    headers = {
        "ETag": tag,
        "Cache-Control": f"public, max-age={services.status_max_age}",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if _matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    if purpose == "token":
        media_type = "application/statuslist+jwt"
    else:
        media_type = _readable(request.headers.get("accept", "*/*"))
        headers["Vary"] = "Accept"
    return Response(published, headers=headers, media_type=media_type)


def _readable(accept: str) -> str:
    """``application/vc``, or plain JSON for a client that asks for JSON alone (they are many)."""
    named = {part.split(";")[0].strip().lower() for part in accept.split(",")}
    if named & {"*/*", "application/*", "application/vc"}:
        return "application/vc"
    return "application/json" if "application/json" in named else "application/vc"


def _matches(condition: str, tag: str) -> bool:
    """Weak comparison of an ``If-None-Match`` value (RFC 9110, section 13.1.2)."""
    named = [part.strip().removeprefix("W/") for part in condition.split(",")]
    return "*" in named or tag in named
