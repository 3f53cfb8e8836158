"""The rest of the W3C VC-API: presentations for everybody, issuing and status for an institution.

Issuing signs whatever well-formed credential is handed in, with the key of the institution whose
token comes along. It is off unless the installation turns it on: learning credentials come from
records and are anchored (``baeum issue``), these are not.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from api import language, vcapi
from api.access import Acting, require
from api.problems import NotOffered
from api.routes import schemas
from api.routes.given import GivenServices, GivenWorkshop
from api.routes.verification import expect_json
from api.services import DirectIssuing, Services
from credential.evidence import strict_json
from credential.text import Text
from ledger.access.errors import NotPermitted
from ledger.access.permissions import Permission

router = APIRouter(tags=["VC-API"])

_PRIVATE = {"Cache-Control": "no-store"}
Issuer = Annotated[Acting, require(Permission.CREDENTIALS_ISSUE)]


@router.post(
    "/presentations/verify",
    summary="Verify a presentation (W3C VC-API)",
    responses=schemas.VERIFY_ANSWERS,
    openapi_extra={"requestBody": schemas.PRESENTATION_REQUEST},
)
async def verify_presentation(
    request: Request, services: GivenServices, workshop: GivenWorkshop
) -> JSONResponse:
    """`verified` says whether the presentation and every credential in it hold. `options.challenge`
    and `options.domain` must be the ones the proof names.
    """
    expect_json(request)
    data = await request.body()
    lang = language.of(request)

    def job() -> dict[str, Any]:
        document, options = vcapi.presentation_request(strict_json(data))
        return vcapi.presentation_answer(document, options, services.verify, lang)

    body = await workshop.run(job)
    status = 200 if body["verified"] else services.failed_status
    return JSONResponse(body, status, headers={**_PRIVATE, "Content-Language": lang})


@router.post(
    "/credentials/issue",
    status_code=201,
    summary="Issue a credential (W3C VC-API)",
    responses=schemas.ISSUE_ANSWERS,
    openapi_extra={"requestBody": schemas.ISSUE_REQUEST},
)
async def issue_credential(
    request: Request, services: GivenServices, workshop: GivenWorkshop, acting: Issuer
) -> JSONResponse:
    """Signs the credential with the key of the token's institution. `options.cryptosuite` is
    `eddsa-rdfc-2022` (the default) or `eddsa-jcs-2022`.
    """
    expect_json(request)
    data = await request.body()
    issuing, institution = _issuing(services), _institution(acting)

    def job() -> dict[str, Any]:
        credential, suite = vcapi.issue_request(strict_json(data))
        return issuing.issue(institution, credential, suite)

    body = {"verifiableCredential": await workshop.run(job)}
    return JSONResponse(body, 201, headers=_PRIVATE)


@router.post(
    "/credentials/status",
    summary="Change the status of a credential issued here (W3C VC-API)",
    responses=schemas.STATUS_ANSWERS,
    openapi_extra={"requestBody": schemas.STATUS_REQUEST},
)
async def change_status(
    request: Request, services: GivenServices, workshop: GivenWorkshop, acting: Issuer
) -> JSONResponse:
    """Sets (`status` true, the default) or clears the bit of the purpose. A revocation is final."""
    expect_json(request)
    data = await request.body()
    issuing, institution = _issuing(services), _institution(acting)

    def job() -> None:
        issuing.set_status(institution, *vcapi.status_request(strict_json(data)))

    await workshop.run(job)
    return JSONResponse({}, headers=_PRIVATE)


def _issuing(services: Services) -> DirectIssuing:
    if services.direct is None:
        raise NotOffered(
            Text(
                "이 서버는 VC-API로 발급하지 않습니다.",
                "This server does not issue over the VC-API.",
            ),
            Text(
                "BAEUM_VC_API_ISSUER=true로 켤 수 있습니다.",
                "BAEUM_VC_API_ISSUER=true turns it on.",
            ),
        )
    return services.direct


def _institution(acting: Acting) -> str:
    if acting.person.institution_id is None:
        raise NotPermitted(Permission.CREDENTIALS_ISSUE)
    return acting.person.institution_id
