"""The contracts on a chain: where they are, putting them there, and making sure they are ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from eth_abi.abi import encode
from eth_hash.auto import keccak

import contracts
from credential.errors import BaeumError
from credential.text import Text
from ledger.chain.abi import call_data
from ledger.chain.endpoint import Endpoint, EndpointError, require_chain
from ledger.chain.names import first_head
from ledger.chain.transactions import require_funds, transact

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

# Between announcing and accepting a new holder of the highest role.
HANDOVER_DELAY = 2 * 24 * 3600
# Contracts the account created among its first this many transactions are found again.
_LOOK_BACK = 64


class CodeDiffers(BaeumError):
    """What stands at an address is not the contract this version was built with."""

    code: ClassVar[str] = "contract-code-differs"
    title: ClassVar[Text] = Text(
        "체인의 계약이 다릅니다", "The contract on the chain is another one"
    )
    status: ClassVar[int] = 503


class AdminDiffers(BaeumError):
    """The contracts are there already, and another account holds their highest role."""

    code: ClassVar[str] = "highest-role-elsewhere"
    title: ClassVar[Text] = Text(
        "최고 권한을 다른 주소가 가지고 있습니다", "Another address holds the highest role"
    )
    status: ClassVar[int] = 409


class NetworkUnreadable(BaeumError):
    """A network description that is not one."""

    code: ClassVar[str] = "network-unreadable"
    title: ClassVar[Text] = Text("network.json을 읽을 수 없습니다", "network.json cannot be read")


@dataclass(frozen=True, slots=True)
class Network:
    """A chain and our contracts on it. Addresses are lower-case 0x-hex.

    ``registry`` and ``anchor`` are the same contract (docs/decisions/0001); both are kept so that a
    later version may part them. ``self_run``: one party runs the chain, so it proves nothing to
    others. ``deployed_block``: no event of ours is older.
    """

    chain_id: int
    registry: str
    anchor: str
    status: str
    policy: str
    self_run: bool
    deployed_block: int

    def to_json(self) -> dict[str, Any]:
        return {
            "chainId": self.chain_id,
            "registry": self.registry,
            "anchor": self.anchor,
            "status": self.status,
            "policy": self.policy,
            "selfRun": self.self_run,
            "deployedBlock": self.deployed_block,
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_json`; other members are ignored. Raises NetworkUnreadable."""
        try:
            return cls(
                chain_id=_integer(body["chainId"]),
                registry=_address(body["registry"]),
                anchor=_address(body["anchor"]),
                status=_address(body["status"]),
                policy=_address(body["policy"]),
                self_run=body["selfRun"] is True,
                deployed_block=_integer(body["deployedBlock"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise NetworkUnreadable(
                Text(f"network.json에서 잘못된 곳: {error}", f"Wrong in network.json: {error}"),
                Text(
                    "백업에서 되돌리거나 다시 초기화해 주세요",
                    "Restore it from a backup, or set up again",
                ),
            ) from error


def _integer(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is not a number")
    return value


def _address(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 42 or not value.startswith("0x"):
        raise ValueError(f"{value!r} is not an address")
    return "0x" + bytes.fromhex(value[2:]).hex()


def deploy(
    endpoint: Endpoint,
    account: LocalAccount,
    *,
    self_run: bool = True,
    admin: str | None = None,
    delay: int = HANDOVER_DELAY,
) -> Network:
    """Put the contracts on the chain, or find those this account put there before.

    Safe to repeat after a crash at any point: a contract of this account with the committed code
    and the wanted admin is taken as it is. ``admin`` (default: the account) holds the highest role;
    the account gets the working roles. ``delay`` is in seconds. Raises AccountEmpty.
    """
    chain_id = int(endpoint.call("eth_chainId", []), 16)
    own = _own_contracts(endpoint, account.address)
    if not own:
        require_funds(endpoint, account.address)
    blocks: list[int] = []

    def contract(name: str, arguments: bytes, question: str, answer: str) -> str:
        artifact = contracts.load(name)
        for address, code in own.items():
            if artifact.same_code(code) and _answers(endpoint, address, question, answer):
                return address
        receipt = transact(
            endpoint, account, chain_id=chain_id, to=None, data=artifact.creation + arguments
        )
        blocks.append(int(receipt["blockNumber"], 16))
        return str(receipt["contractAddress"]).lower()

    holder = admin or account.address
    roles = encode(["uint48", "address", "address"], [delay, holder, account.address])
    anchor = contract("CredentialAnchor", roles, "defaultAdmin()", holder)
    pointer = encode(["address"], [anchor])
    status = contract("StatusRegistry", pointer, "REGISTRY()", anchor)
    policy = contract("PolicyRegistry", pointer, "REGISTRY()", anchor)
    return Network(
        chain_id=chain_id,
        registry=anchor,
        anchor=anchor,
        status=status,
        policy=policy,
        self_run=self_run,
        # Found again rather than made: when is not worth a search, the start of the chain will do.
        deployed_block=min(blocks) if len(blocks) == 3 else 0,
    )


def check_code(endpoint: Endpoint, network: Network) -> None:
    """Compare the code on the chain with the committed artifacts, immutables included.

    Raises CodeDiffers, WrongChain, EndpointUnreachable.
    """
    require_chain(endpoint, network.chain_id)
    for name, address in (
        ("CredentialAnchor", network.anchor),
        ("StatusRegistry", network.status),
        ("PolicyRegistry", network.policy),
    ):
        code = _code(endpoint, address)
        if not contracts.load(name).same_code(code):
            raise _differs(name, address, "no contract" if not code else "other code")
    if network.registry != network.anchor:
        raise _differs("InstitutionRegistry", network.registry, "not the anchor contract")
    head = endpoint.call(
        "eth_call",
        [{"to": network.anchor, "data": "0x" + call_data("FIRST_HEAD()").hex()}, "latest"],
    )
    if bytes.fromhex(head[2:]) != first_head(network.chain_id, network.anchor):
        raise _differs("CredentialAnchor", network.anchor, "made for another chain or address")
    for name, address in (("StatusRegistry", network.status), ("PolicyRegistry", network.policy)):
        if not _answers(endpoint, address, "REGISTRY()", network.registry):
            raise _differs(name, address, "asks another registry")


def require_admin(endpoint: Endpoint, network: Network, admin: str) -> None:
    """Compare who holds the highest role with who is meant to. Raises AdminDiffers."""
    if not _answers(endpoint, network.anchor, "defaultAdmin()", admin):
        raise AdminDiffers(
            Text(
                f"{network.anchor} 계약의 최고 권한은 {admin}에 있지 않습니다",
                f"{admin} does not hold the highest role of {network.anchor}",
            ),
            Text(
                "지금 가진 주소가 beginDefaultAdminTransfer로 넘기고, 유예 기간이 지난 뒤 "
                "받는 주소가 acceptDefaultAdminTransfer를 호출해야 합니다",
                "Its holder hands it over with beginDefaultAdminTransfer, and the new one accepts "
                "with acceptDefaultAdminTransfer once the delay has passed",
            ),
            {"admin": admin},
        )


def no_contract(name: str, address: str) -> CodeDiffers:
    """What a call to an address without code shows: another chain, or one begun anew."""
    return _differs(name, address, "no contract")


def _differs(name: str, address: str, why: str) -> CodeDiffers:
    return CodeDiffers(
        Text(f"{address}에 {name} 계약이 없습니다 ({why})", f"{name} is not at {address}: {why}"),
        Text(
            "network.json의 주소와 노드를 확인해 주세요. 맞다면 Baeum 버전이 다릅니다",
            "Check the addresses in network.json and the node; if they are right, "
            "the contracts are of another version of Baeum",
        ),
        {"contract": name, "address": address},
    )


def _own_contracts(endpoint: Endpoint, owner: str) -> dict[str, bytes]:
    """Contracts the account created with its first transactions, by address."""
    nonce = int(endpoint.call("eth_getTransactionCount", [owner, "latest"]), 16)
    found = {}
    for number in range(min(nonce, _LOOK_BACK)):
        address = _created(bytes.fromhex(owner[2:]), number)
        code = _code(endpoint, address)
        if code:
            found[address] = code
    return found


def _created(owner: bytes, nonce: int) -> str:
    """The address CREATE gives: keccak256(rlp([owner, nonce])), for a nonce below 128."""
    encoded = b"\x80" if nonce == 0 else bytes([nonce])
    return "0x" + bytes(keccak(b"\xd6\x94" + owner + encoded))[12:].hex()


def _answers(endpoint: Endpoint, address: str, question: str, expected: str) -> bool:
    """Whether a contract answers a question with an address."""
    request = {"to": address, "data": "0x" + call_data(question).hex()}
    try:
        answer = endpoint.call("eth_call", [request, "latest"])
    except EndpointError:
        return False
    return bool(answer[-40:].lower() == expected[2:].lower())


def _code(endpoint: Endpoint, address: str) -> bytes:
    return bytes.fromhex(endpoint.call("eth_getCode", [address, "latest"])[2:])
