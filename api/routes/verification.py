"""``POST /credentials/verify`` (W3C VC-API) and ``POST /v1/verifications`` (anything we read).

Both answer 200 with a report whenever there was something to check, whatever came of it. A node
that is down gives the verdict `undetermined`: never an error, never `invalid`.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from api import language, presented, vcapi
from api.limits import Limits
from api.problems import MalformedRequest, UnknownOption, UnsupportedMedia
from api.routes import schemas
from api.routes.given import GivenServices, GivenWorkshop
from api.services import Services
from credential.evidence import Evidence, strict_json
from credential.text import Text
from verifier.report import Report

router = APIRouter(tags=["verification"])

_PRIVATE = {"Cache-Control": "no-store"}
_TOKENS = {
    "application/octet-stream",
    "application/jwt",
    "application/vc+jwt",
    "application/sd-jwt",
    "application/dc+sd-jwt",
}


@router.post(
    "/credentials/verify",
    summary="Verify a credential (W3C VC-API)",
    responses=schemas.VERIFY_ANSWERS,
    openapi_extra={"requestBody": schemas.VERIFY_REQUEST},
)
async def verify_credential(
    request: Request, services: GivenServices, workshop: GivenWorkshop
) -> JSONResponse:
    """`verified` says whether every required check passed; `errors` and `warnings` say what did
    not; `report` is the full report with three outcomes per check. `options.checks` narrows what
    `verified` depends on (`proof`, `credentialStatus`, or our own names). `options.receipt` takes
    the receipt of a credential that is not sent as an evidence file.
    """
    expect_json(request)
    data = await request.body()
    lang = language.of(request)

    def job() -> dict[str, Any]:
        credential, options = _vc_api_request(strict_json(data))
        required = vcapi.required_checks(options)
        evidence = presented.from_value(credential)
        report = services.verify(evidence)
        return vcapi.answer(report, evidence.credential, options, lang, required)

    body = await workshop.run(job)
    status = 200 if body["verified"] else services.failed_status
    return JSONResponse(body, status, headers={**_PRIVATE, "Content-Language": lang})


@router.post(
    "/v1/verifications",
    summary="Verify a file, a credential, the text of a QR code or a picture of one",
    responses=schemas.REPORT_ANSWERS,
    openapi_extra={"requestBody": schemas.ANYTHING},
)
async def verify_anything(
    request: Request, services: GivenServices, workshop: GivenWorkshop
) -> JSONResponse:
    """Nothing that is sent is kept. The report carries every sentence in Korean and English."""
    data = await presented_bytes(request, services.limits)
    _, report = await workshop.run(lambda: check(data, services))
    return JSONResponse(report.to_json(), headers=_PRIVATE)


def check(data: bytes, services: Services) -> tuple[Evidence, Report]:
    """Read and verify; blocks, so it runs in the workshop. Raises for what cannot be read."""
    evidence = presented.from_bytes(data, services.limits)
    return evidence, services.verify(evidence)


async def presented_bytes(request: Request, limits: Limits) -> bytes:
    """The bytes that were presented: the body, or the file or text of a multipart form."""
    kind = media_type(request)
    if kind == "multipart/form-data":
        return await form_bytes(request, limits)
    if kind.startswith(("image/", "text/")) or kind in _TOKENS:
        return await request.body()
    expect_json(request)
    return await request.body()


async def form_bytes(request: Request, limits: Limits) -> bytes:
    """The file of a form when there is one, else its text. Field names: `file`, `text`."""
    try:
        async with request.form(max_files=1, max_fields=8, max_part_size=limits.json_bytes) as form:
            file, text = form.get("file"), form.get("text")
            if isinstance(file, UploadFile):
                data = await file.read()
                if data:
                    return data
            if isinstance(text, str) and text.strip():
                return text.encode()
    except (HTTPException, UnicodeError, ValueError) as error:
        raise MalformedRequest(
            Text("보낸 양식을 읽을 수 없습니다.", "The form that was sent cannot be read."),
            Text(
                "파일 하나(`file`)나 글(`text`) 하나를 보내 주세요.",
                "Send one file (`file`) or one text (`text`).",
            ),
        ) from error
    raise presented.nothing()


def media_type(request: Request) -> str:
    """The content type without parameters, in lower case."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def expect_json(request: Request) -> None:
    kind = media_type(request)
    if kind in ("application/json", "application/vc") or (
        kind.startswith("application/") and kind.endswith("+json")
    ):
        return
    raise UnsupportedMedia(
        Text("이 형식은 읽을 수 없습니다.", "This content type cannot be read."),
        Text("Content-Type을 application/json으로 해 주세요.", "Send it as application/json."),
    )


def _vc_api_request(sent: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The credential (with its receipt when `options` has one) and the options."""
    if not isinstance(sent, dict) or not isinstance(sent.get("verifiableCredential"), dict):
        raise MalformedRequest(
            Text(
                "`verifiableCredential`에 증명서 객체가 있어야 합니다.",
                "`verifiableCredential` must be a credential object.",
            )
        )
    credential: dict[str, Any] = sent["verifiableCredential"]
    options = sent.get("options", {})
    if not isinstance(options, dict):
        raise MalformedRequest(Text("`options`는 객체여야 합니다.", "`options` must be an object."))
    unknown = sorted(set(options) - vcapi.OPTIONS)
    if unknown:
        raise UnknownOption(
            Text("모르는 옵션이 있습니다.", "There is an option this service does not know."),
            facts={"options": [name[:64] for name in unknown[:20]]},
        )
    for name in ("returnResults", "returnProblemDetails", "returnCredential"):
        if not isinstance(options.get(name, False), bool):
            raise MalformedRequest(
                Text(f"`{name}`은 참 또는 거짓이어야 합니다.", f"`{name}` must be true or false.")
            )
    if "receipt" in options:
        receipt = options["receipt"]
        credential = {
            "type": "BaeumEvidence",
            "version": 1,
            "credential": credential,
            "receipt": receipt,
        }
    return credential, options
