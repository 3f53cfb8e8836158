"""``GET /v1/network``: which chains this installation believes, and what that is worth."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.routes.given import GivenServices
from credential.text import Text

router = APIRouter(tags=["chain"])

SELF_RUN = Text(
    "이 기록 장부는 한 기관이 혼자 운영합니다. 운영자가 기록을 바꿀 수 있으므로, "
    "다른 사람에게는 아무것도 증명하지 못합니다. 시험이나 내부 확인에만 쓰세요.",
    "The record book behind this is run by one party alone. Whoever runs it could rewrite it, "
    "so it proves nothing to anyone else. Use it for trials and internal checks only.",
)
"""The notice for a chain run by one party; the page and the command line say the same."""


@router.get("/v1/network", summary="The chains this installation trusts")
async def network(services: GivenServices) -> dict[str, Any]:
    """Chain ids, contract addresses and confirmations; `notice` is there when one party runs
    the chain alone.
    """
    networks = []
    for trusted in services.trust.networks:
        entry: dict[str, Any] = {
            "name": trusted.name.to_json(),
            "chainId": trusted.chain_id,
            "registry": trusted.registry,
            "anchor": trusted.anchor,
            "confirmations": trusted.confirmations,
            "selfRun": trusted.self_run,
        }
        if trusted.self_run:
            entry["notice"] = SELF_RUN.to_json()
        networks.append(entry)
    return {
        "networks": networks,
        "rpc": f"{services.public_url}/rpc" if services.rpc is not None else None,
    }
