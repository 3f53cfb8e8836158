"""``POST /rpc``: the embedded chain as read-only JSON-RPC 2.0, so that other tools can look."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.limits import Limits
from api.problems import NotOffered
from api.routes.given import GivenReading, GivenServices
from api.services import Rpc
from credential.errors import BaeumError
from credential.evidence import EvidenceUnreadable, strict_json
from credential.text import Text
from ledger.chain.endpoint import EndpointError, EndpointUnreachable

router = APIRouter(tags=["chain"])

READS = frozenset(
    {
        "web3_clientVersion",
        "net_version",
        "eth_chainId",
        "eth_syncing",
        "eth_blockNumber",
        "eth_getBlockByNumber",
        "eth_getBlockByHash",
        "eth_getBlockTransactionCountByNumber",
        "eth_getBlockTransactionCountByHash",
        "eth_getTransactionByHash",
        "eth_getTransactionReceipt",
        "eth_getTransactionCount",
        "eth_getBalance",
        "eth_getCode",
        "eth_getStorageAt",
        "eth_getLogs",
        "eth_getProof",
        "eth_call",
        "eth_gasPrice",
        "eth_maxPriorityFeePerGas",
        "eth_feeHistory",
    }
)
"""Everything else, above all what sends, signs or mines, is answered -32601."""

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND = -32700, -32600, -32601
INVALID_PARAMS, SERVER_ERROR, LIMIT_EXCEEDED = -32602, -32000, -32005


@router.post(
    "/rpc",
    summary="Read the chain (JSON-RPC 2.0)",
    responses={
        200: {"description": "One JSON-RPC answer, or an array of them for a batch"},
        204: {"description": "Only notifications were sent"},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "oneOf": [
                            {"$ref": "#/components/schemas/RpcCall"},
                            {"type": "array", "items": {"$ref": "#/components/schemas/RpcCall"}},
                        ]
                    },
                    "example": {
                        "jsonrpc": "2.0",
                        "id": 1,
                        "method": "eth_blockNumber",
                        "params": [],
                    },
                }
            },
        }
    },
)
async def rpc(request: Request, services: GivenServices, reading: GivenReading) -> Response:
    """Only methods that read are served; the answer's error code is -32601 for all others."""
    call = services.rpc
    if call is None:
        raise NotOffered(Text("이 서버는 체인을 싣지 않습니다.", "This server serves no chain."))
    limits, data = services.limits, await request.body()
    answer = await reading.run(lambda: _answer(data, call, limits))
    if answer is None:
        return Response(status_code=204)
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


def _answer(data: bytes, call: Rpc, limits: Limits) -> Any:
    try:
        sent = strict_json(data)
    except EvidenceUnreadable as error:
        return _error(None, PARSE_ERROR, error.detail.en)
    if not isinstance(sent, list):
        return _one(sent, call, limits)
    if not sent:
        return _error(None, INVALID_REQUEST, "an empty batch")
    if len(sent) > limits.rpc_batch:
        return _error(None, LIMIT_EXCEEDED, f"a batch holds at most {limits.rpc_batch} calls")
    answers = [_one(entry, call, limits) for entry in sent]
    return [answer for answer in answers if answer is not None] or None


def _one(sent: Any, call: Rpc, limits: Limits) -> dict[str, Any] | None:
    """The answer to one call; None for a notification."""
    if not isinstance(sent, dict):
        return _error(None, INVALID_REQUEST, "a call is an object")
    identity = sent.get("id")
    if isinstance(identity, (dict, list, bool)):
        return _error(None, INVALID_REQUEST, "id is a string or a number")
    method, params = sent.get("method"), sent.get("params", [])
    if sent.get("jsonrpc") != "2.0" or not isinstance(method, str):
        return _error(identity, INVALID_REQUEST, "jsonrpc must be 2.0 and method a string")
    answer = _run(identity, method, params, call, limits)
    return answer if "id" in sent else None


def _run(identity: Any, method: str, params: Any, call: Rpc, limits: Limits) -> dict[str, Any]:
    if method not in READS:
        return _error(identity, METHOD_NOT_FOUND, "only methods that read are served here")
    if not isinstance(params, list):
        return _error(identity, INVALID_PARAMS, "params is an array")
    if method == "eth_getLogs" and _span(params) > limits.rpc_log_blocks:
        text = f"at most {limits.rpc_log_blocks} blocks in one call"
        return _error(identity, LIMIT_EXCEEDED, text)
    try:
        result = call(method, params)
    except EndpointUnreachable:
        return _error(identity, SERVER_ERROR, "the chain cannot be reached")
    except EndpointError as error:
        return _error(identity, error.rpc_code, error.message, error.data)
    except BaeumError as error:
        return _error(identity, SERVER_ERROR, error.detail.en)
    return {"jsonrpc": "2.0", "id": identity, "result": result}


def _span(params: list[Any]) -> int:
    """How many blocks a log filter names with two numbers; 0 when it does not."""
    wanted = params[0] if params and isinstance(params[0], dict) else {}
    try:
        return int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16)
    except (KeyError, TypeError, ValueError):
        return 0


def _error(identity: Any, code: int, message: str, data: Any = None) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return {"jsonrpc": "2.0", "id": identity, "error": error}


CALL_SCHEMA = {
    "type": "object",
    "required": ["jsonrpc", "method"],
    "properties": {
        "jsonrpc": {"const": "2.0"},
        "id": {"type": ["string", "number", "null"]},
        "method": {"enum": sorted(READS)},
        "params": {"type": "array"},
    },
}
