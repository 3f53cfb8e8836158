"""web3.py on any endpoint, the embedded chain included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.chain.endpoint import Endpoint, EndpointError, EndpointUnreachable

if TYPE_CHECKING:
    from web3.providers.base import BaseProvider


def provider_for(endpoint: Endpoint) -> BaseProvider:
    """A web3 provider: ``Web3(provider_for(endpoint))``. web3 is imported here, not before."""
    from web3.providers.base import JSONBaseProvider
    from web3.types import RPCEndpoint, RPCResponse

    class EndpointProvider(JSONBaseProvider):
        def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
            try:
                result = endpoint.call(method, list(params))
            except EndpointError as error:
                failure: dict[str, Any] = {"code": error.rpc_code, "message": error.message}
                if error.data is not None:
                    failure["data"] = error.data
                return {"jsonrpc": "2.0", "id": 1, "error": failure}  # type: ignore[typeddict-item]
            return {"jsonrpc": "2.0", "id": 1, "result": result}

        def is_connected(self, show_traceback: bool = False) -> bool:
            try:
                endpoint.call("web3_clientVersion", [])
            except EndpointUnreachable:
                if show_traceback:
                    raise
                return False
            return True

    return EndpointProvider()
