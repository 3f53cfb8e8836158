"""A set of records under one root, any part of which can be shown and the rest kept hidden.

What a degree was computed from is one Merkle tree (RFC 9162 shapes, the size bound in): first a
*frame* (which degree, policy, day), then the *context* (accreditations, degrees held, conditions),
then every *record*. Each of these has parts, each part a salt of its own:

    part = SHA-256("baeum/part/1" ‖ salt, 32 bytes ‖ RFC 8785 of [kind, name, value])
    leaf = SHA-256(0x00 ‖ "baeum/record-set/1" ‖ kind ‖ 0x00 ‖ the parts in the order of PARTS)

The allocation (which minutes of which leaf went where) is one more salted part beside the tree.
A holder shows a leaf whole, some of its parts, or its hash alone: a hidden part or leaf gives
nothing away that could be guessed, and none can be left out, changed or added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, ClassVar, Final, Literal

from credential import merkle
from credential.errors import BaeumError
from credential.jcs import canonical
from credential.multibase import base64url, from_base64url
from credential.text import Text

FORMAT: Final = "baeum-record-set/1"
PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "frame": ("frame",),
    "context": ("issuers", "held", "items", "priors", "used", "exceptions"),
    "record": ("what", "when", "where"),
}
_WHAT: Final = ("type", "category", "level", "minutes", "status", "approved")
_WHEN: Final = (
    *("start", "end", "date", "intervals", "lessons", "attended", "sessions"),
    *("verified_at", "late_approved"),
)
MOST_LEAVES: Final = 5_000
View = Literal["full", "counted", "categories"]


class DisclosureInvalid(BaeumError):
    """The disclosed records are not those the credential commits to. ``reason`` fact: ``shape``,
    ``root``, ``allocation``, ``allocation-lines``."""

    code: ClassVar[str] = "disclosure-invalid"
    title: ClassVar[Text] = Text(
        "공개한 학습이력이 학위증과 맞지 않습니다",
        "The disclosed records are not those of the degree",
    )
    status: ClassVar[int] = 422

    def __init__(self, ko: str, en: str, reason: str) -> None:
        super().__init__(
            Text(ko, en),
            Text(
                "수여 기관에서 받은 공개 자료를 고치지 말고 제출하십시오.",
                "Present the disclosure exactly as the awarding institution gave it.",
            ),
            {"reason": reason},
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """A disclosure whose every hash was checked. Records are by leaf index; a hidden part's
    members are missing, and its name is in ``hidden``; a hidden leaf's index is in ``unseen``."""

    frame: dict[str, Any]
    context: dict[str, Any]
    hidden_context: frozenset[str]
    records: dict[int, dict[str, Any]]
    hidden: dict[int, frozenset[str]]
    unseen: frozenset[int]
    allocation: list[dict[str, Any]] = field(default_factory=list)


def seal(
    frame: Mapping[str, Any],
    context: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
    allocation: Sequence[Mapping[str, Any]],
    salt: Callable[[], bytes],
) -> dict[str, Any]:
    """The full disclosure of a record set, to be kept for the holder.

    ``allocation`` lines are ``{record, block, minutes}`` with the records' ids; ``salt()`` gives
    32 fresh random bytes at each call.
    """

    def part(value: Any) -> dict[str, Any]:
        return {"salt": base64url(salt()), "value": value}

    ordered = sorted(records, key=lambda r: str(r.get("id")))
    leaves = [
        {"kind": "frame", "parts": {"frame": part({**frame, "records": len(ordered)})}},
        {
            "kind": "context",
            "parts": {name: part(context.get(name)) for name in PARTS["context"]},
        },
        *(
            {
                "kind": "record",
                "parts": {n: part(v) for n, v in _split(record).items()},
            }
            for record in ordered
        ),
    ]
    place = {str(record.get("id")): n + 2 for n, record in enumerate(ordered)}
    lines = [
        {"leaf": place[line["record"]], "block": line["block"], "minutes": line["minutes"]}
        for line in allocation
    ]
    lines.sort(key=lambda line: (line["leaf"], line["block"]))
    return {"format": FORMAT, "allocation": part(lines), "leaves": leaves}


def commitments(disclosure: Mapping[str, Any]) -> tuple[str, str]:
    """The record-set root and the allocation's hash, each ``sha256:`` and hex.

    Raises ``DisclosureInvalid`` when it is not a disclosure.
    """
    try:
        leaves = disclosure["leaves"]
        if disclosure["format"] != FORMAT or not 2 <= len(leaves) <= MOST_LEAVES:
            raise ValueError("format")
        tree = merkle.Tree([_leaf(leaf) for leaf in leaves])
        allocation = _part("allocation", "allocation", disclosure["allocation"])
    except (KeyError, TypeError, ValueError, AttributeError, BaeumError) as error:
        raise _shape() from error
    return f"sha256:{tree.commitment.hex()}", f"sha256:{allocation.hex()}"


def reduce(disclosure: Mapping[str, Any], view: View) -> dict[str, Any]:
    """Less of a full disclosure: ``counted`` keeps the records that count and hides the others;
    ``categories`` keeps of those only type, category, level and minutes, and hides the rest.

    The commitments stay what they were. Raises ``DisclosureInvalid``.
    """
    opened = open_disclosure(disclosure, *commitments(disclosure))
    counted = {line["leaf"] for line in opened.allocation}
    leaves: list[dict[str, Any]] = []
    for number, leaf in enumerate(disclosure["leaves"]):
        if view == "full" or leaf.get("kind") == "frame":
            leaves.append(leaf)
        elif leaf.get("kind") == "context":
            hide = {"issuers", "used"} if view == "categories" else set()
            leaves.append(_hide(leaf, hide))
        elif number not in counted:
            leaves.append({"leaf": _leaf(leaf).hex()})
        else:
            hide = {"when", "where"} if view == "categories" else set()
            leaves.append(_hide(leaf, hide))
    return {**disclosure, "leaves": leaves}


def open_disclosure(disclosure: Mapping[str, Any], root: str, allocation_hash: str) -> Opened:
    """What is shown, after every hash was found to lead to the two commitments.

    Raises ``DisclosureInvalid``: a record that was changed, left out or added, or another
    allocation, does not get past here.
    """
    found_root, found_allocation = commitments(disclosure)
    if found_root != root:
        raise DisclosureInvalid(
            "학습이력이 바뀌었거나 빠졌거나 더해졌습니다.",
            "A record was changed, left out or added: the records do not lead to the root.",
            "root",
        )
    if found_allocation != allocation_hash:
        raise DisclosureInvalid(
            "시간 배분이 학위증에 적힌 것과 다릅니다.",
            "The allocation is not the one the degree commits to.",
            "allocation",
        )
    leaves = disclosure["leaves"]
    try:
        if [leaf.get("kind") for leaf in leaves[:2]] != ["frame", "context"]:
            raise ValueError("order")
        frame = dict(leaves[0]["parts"]["frame"]["value"])
        context, hidden_context = _shown(leaves[1])
        records: dict[int, dict[str, Any]] = {}
        hidden: dict[int, frozenset[str]] = {}
        unseen = set()
        for number, leaf in enumerate(leaves[2:], start=2):
            if "leaf" in leaf:
                unseen.add(number)
                continue
            if leaf["kind"] != "record":
                raise ValueError("kind")
            parts, missing = _shown(leaf)
            records[number] = {k: v for part in parts.values() for k, v in part.items()}
            hidden[number] = missing
        lines: list[dict[str, Any]] = [
            {"leaf": int(x["leaf"]), "block": str(x["block"]), "minutes": int(x["minutes"])}
            for x in disclosure["allocation"]["value"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _shape() from error
    places = [(line["leaf"], line["block"]) for line in lines]
    if len(set(places)) != len(places) or any(
        not 2 <= line["leaf"] < len(leaves) or line["minutes"] <= 0 for line in lines
    ):
        raise DisclosureInvalid(
            "시간 배분이 없는 기록을 가리키거나 같은 칸을 두 번 적었습니다.",
            "The allocation names a record that is not there, or one place twice.",
            "allocation-lines",
        )
    return Opened(
        frame, context, hidden_context, records, hidden, frozenset(unseen), lines
    )  # fmt: skip


def _split(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A record's members by part; what no part names is a matter of place."""
    parts: dict[str, dict[str, Any]] = {"what": {}, "when": {}, "where": {}}
    for name, value in record.items():
        part = "what" if name in _WHAT else "when" if name in _WHEN else "where"
        parts[part][name] = value
    return parts


def _shown(leaf: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    parts = leaf["parts"]
    shown = {name: part["value"] for name, part in parts.items() if "value" in part}
    return shown, frozenset(parts.keys() - shown.keys())


def _hide(leaf: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    kind = leaf["kind"]
    return {
        "kind": kind,
        "parts": {
            name: {"digest": _part(kind, name, part).hex()} if name in names else part
            for name, part in leaf["parts"].items()
        },
    }


def _leaf(leaf: Mapping[str, Any]) -> bytes:
    if leaf.keys() == {"leaf"}:
        return _digest(leaf["leaf"])
    kind, parts = leaf["kind"], leaf["parts"]
    if leaf.keys() != {"kind", "parts"} or parts.keys() != set(PARTS[kind]):
        raise ValueError("parts")
    digests = b"".join(_part(kind, name, parts[name]) for name in PARTS[kind])
    return merkle.leaf_hash(FORMAT_TAG + kind.encode() + b"\0" + digests)


FORMAT_TAG: Final = b"baeum/record-set/1"


def _part(kind: str, name: str, part: Mapping[str, Any]) -> bytes:
    if part.keys() == {"digest"}:
        return _digest(part["digest"])
    if part.keys() != {"salt", "value"}:
        raise ValueError("part")
    salt = from_base64url(part["salt"])
    if len(salt) != 32:
        raise ValueError("salt")
    return sha256(b"baeum/part/1" + salt + canonical([kind, name, part["value"]])).digest()


def _digest(text: str) -> bytes:
    value = bytes.fromhex(text)
    if len(value) != 32 or value.hex() != text:
        raise ValueError("digest")
    return value


def _shape() -> DisclosureInvalid:
    return DisclosureInvalid(
        "공개 자료의 형식이 올바르지 않습니다.", "This is not a disclosure of records.", "shape"
    )
