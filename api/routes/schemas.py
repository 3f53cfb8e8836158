"""OpenAPI 3.1 descriptions of bodies that are read by hand, because their bytes matter."""

from __future__ import annotations

from typing import Any

_TEXT = {
    "type": "object",
    "required": ["ko", "en"],
    "properties": {"ko": {"type": "string"}, "en": {"type": "string"}},
}

CHECK = {
    "type": "object",
    "required": ["id", "step", "outcome", "required", "code", "reason"],
    "properties": {
        "id": {
            "enum": [
                "format",
                "schema",
                "proof",
                "issuer-key",
                "merkle-path",
                "anchor",
                "accreditation",
                "status",
                "validity",
            ]
        },
        "step": {"type": "integer", "minimum": 1},
        "outcome": {"enum": ["passed", "failed", "warning", "not_run"]},
        "required": {"type": "boolean"},
        "code": {"type": "string"},
        "reason": _TEXT,
        "remedy": _TEXT,
        "details": {"type": "object"},
        "notes": {"type": "array", "items": {"type": "object"}},
    },
}

REPORT = {
    "type": "object",
    "required": ["verdict", "summary", "checkedAt", "facts", "checks"],
    "properties": {
        "verdict": {
            "enum": ["valid", "invalid", "undetermined"],
            "description": "`undetermined`: a required check could not be made, for example "
            "because the chain cannot be reached. It does not mean false.",
        },
        "summary": _TEXT,
        "checkedAt": {"type": "string", "format": "date-time"},
        "facts": {"type": "object", "description": "Only what a checked signature covers"},
        "checks": {"type": "array", "items": CHECK},
    },
}

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri"},
        "code": {"type": "string"},
        "remedy": {"type": "string"},
    },
}

_W3C_PROBLEM = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
    },
}


def _json(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problem(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": PROBLEM}},
    }


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: _problem("What was sent cannot be read"),
    413: _problem("More bytes than are accepted"),
    415: _problem("A content type that is not read here"),
    503: _problem("Busy, or not finished in time; says nothing about the credential"),
}

REPORT_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: _json(REPORT, "The report, whatever its verdict"),
    **PROBLEMS,
}

VERIFY_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: _json(
        {
            "type": "object",
            "required": ["verified"],
            "properties": {
                "verified": {"type": "boolean"},
                "mediaType": {"type": "string"},
                "checks": {"type": "array", "items": {"type": "string"}},
                "warnings": {"type": "array", "items": _W3C_PROBLEM},
                "errors": {"type": "array", "items": _W3C_PROBLEM},
                "problemDetails": {"type": "array", "items": _W3C_PROBLEM},
                "credential": {"type": "object"},
                "results": {"type": "object"},
                "report": REPORT,
            },
        },
        "The check was made; `verified` says what came of it",
    ),
    **PROBLEMS,
}


def _request(required: list[str], **members: Any) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "properties": members}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


PRESENTATION_REQUEST = _request(
    ["verifiablePresentation"],
    verifiablePresentation={"type": "object"},
    options={
        "type": "object",
        "properties": {
            "challenge": {"type": "string"},
            "domain": {"type": "string"},
            "checks": {"type": "array", "items": {"type": "string"}},
        },
    },
)
ISSUE_REQUEST = _request(
    ["credential"],
    credential={"type": "object", "description": "An unsecured credential (VC 2.0)"},
    options={
        "type": "object",
        "properties": {
            "credentialId": {"type": "string", "format": "uri"},
            "cryptosuite": {"type": "string", "enum": ["eddsa-rdfc-2022", "eddsa-jcs-2022"]},
        },
    },
)
STATUS_REQUEST = _request(
    ["credentialId", "credentialStatus"],
    credentialId={"type": "string"},
    credentialStatus={
        "type": "object",
        "required": ["type", "statusPurpose"],
        "properties": {
            "type": {"const": "BitstringStatusListEntry"},
            "statusPurpose": {"type": "string", "enum": ["revocation", "suspension"]},
        },
    },
    status={"type": "boolean", "default": True},
)
_REFUSED: dict[int | str, dict[str, Any]] = {
    401: _problem("No token, or one that opens nothing"),
    403: _problem("A token that may not issue for an institution"),
    404: _problem("Issuing over the VC-API is off, or no such credential was issued here"),
}
ISSUE_ANSWERS: dict[int | str, dict[str, Any]] = {
    201: _json(
        {
            "type": "object",
            "required": ["verifiableCredential"],
            "properties": {"verifiableCredential": {"type": "object"}},
        },
        "The secured credential",
    ),
    409: _problem("A credential has this id already"),
    **_REFUSED,
    **PROBLEMS,
}
STATUS_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: _json({"type": "object"}, "The status is as asked, and published"),
    409: _problem("A revocation is final"),
    **_REFUSED,
    **PROBLEMS,
}

VERIFY_REQUEST: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["verifiableCredential"],
                "properties": {
                    "verifiableCredential": {
                        "type": "object",
                        "description": "A secured credential, or a Baeum evidence file",
                    },
                    "options": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "returnResults": {"type": "boolean", "default": False},
                            "returnProblemDetails": {"type": "boolean", "default": True},
                            "returnCredential": {"type": "boolean", "default": False},
                            "checks": {"type": "array", "items": {"type": "string"}},
                            "receipt": {
                                "type": "object",
                                "description": "The receipt of the credential (ours)",
                            },
                        },
                    },
                },
            }
        }
    },
}

ANYTHING: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "description": "An evidence file, a bare credential, or the text of a QR code",
                "properties": {"paper": {"type": "string"}},
            }
        },
        "text/plain": {
            "schema": {"type": "string", "description": "The text or link of a QR code, or a JWT"}
        },
        "application/vc+jwt": {"schema": {"type": "string"}},
        "application/dc+sd-jwt": {"schema": {"type": "string"}},
        "image/*": {"schema": {"type": "string", "format": "binary"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "text": {"type": "string"},
                },
            }
        },
    },
}
