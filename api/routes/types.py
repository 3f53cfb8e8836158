"""``GET /vct/{name}``: metadata of our SD-JWT VC types, where the credentials say it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from api.problems import NotFound
from api.routes.given import GivenServices
from credential.text import Text

router = APIRouter(tags=["types"])


@router.get(
    "/vct/{name}",
    summary="Type metadata of an SD-JWT VC",
    response_class=Response,
    responses={
        200: {"content": {"application/json": {}}, "description": "The metadata, byte for byte"},
        404: {"description": "No such type"},
    },
)
async def type_metadata(
    services: GivenServices, name: Annotated[str, Path(max_length=64)]
) -> Response:
    """A credential names the digest of this document in `vct#integrity`."""
    from issuer.handouts import metadata

    try:
        body = metadata(services.public_url, name)
    except KeyError as unknown:
        raise NotFound(
            Text("그런 증명 유형은 없습니다.", "There is no such type."), facts={"type": name}
        ) from unknown
    headers = {"Cache-Control": "public, max-age=86400", "Access-Control-Allow-Origin": "*"}
    return Response(body, headers=headers, media_type="application/json")
