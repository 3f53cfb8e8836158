"""``did.json`` of institutions that sign under a did:web at this server's address."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Path
from starlette.responses import Response

from api.problems import NotFound, NotOffered
from api.routes.given import GivenReading, GivenServices
from api.services import Services
from api.work import Workshop
from credential.text import Text

router = APIRouter(tags=["identifiers"])
_ANSWERS = {
    200: {"content": {"application/did": {}}, "description": "The DID document"},
    404: {"description": "No did:web here"},
}


@router.get(
    "/.well-known/did.json",
    summary="The DID document of the city's registrar",
    response_class=Response,
    responses=_ANSWERS,  # type: ignore[arg-type]
)
async def of_the_city(services: GivenServices, reading: GivenReading) -> Response:
    """did:web Method Specification, section 3.3.1."""
    return await _document(services, reading, None)


@router.get(
    "/institutions/{institution}/did.json",
    summary="The DID document of an institution",
    response_class=Response,
    responses=_ANSWERS,  # type: ignore[arg-type]
)
async def of_an_institution(
    services: GivenServices,
    reading: GivenReading,
    institution: Annotated[str, Path(max_length=64, pattern=r"^[a-z0-9-]+$")],
) -> Response:
    """Every key it signs or signed with; a lost one says since when it is lost."""
    return await _document(services, reading, institution)


async def _document(services: Services, reading: Workshop, institution: str | None) -> Response:
    find = services.did_document
    if find is None:
        raise NotOffered(Text("이 서버는 DID 문서를 싣지 않습니다.", "No DID documents here."))
    found = await reading.run(lambda: find(institution))
    if found is None:
        raise NotFound(
            Text(
                "이 주소의 did:web으로 서명하는 기관이 아닙니다.",
                "No institution signs under a did:web of this address.",
            )
        )
    headers = {
        "Cache-Control": f"public, max-age={services.status_max_age}",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return Response(orjson.dumps(found), headers=headers, media_type="application/did")
