"""A compiled contract as data, read from the committed files beside this module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


class ArtifactUnreadable(Exception):
    """There is no artifact of that name, or the file is not one."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One contract as the pinned compiler built it.

    ``creation`` and ``runtime`` are bytecode; ``immutables`` are the (start, length) places of the
    runtime bytecode that the constructor fills in, zero in the artifact. ``sources_sha256`` maps
    every source the contract was compiled from, OpenZeppelin's included, to its SHA-256 in hex.
    ``storage`` names the storage slots, for storage proofs. An abstract contract or an interface
    has empty bytecode.
    """

    name: str
    abi: tuple[Mapping[str, Any], ...]
    creation: bytes
    runtime: bytes
    immutables: tuple[tuple[int, int], ...]
    compiler: str
    settings: Mapping[str, Any]
    sources_sha256: Mapping[str, str]
    storage: tuple[Mapping[str, Any], ...]

    def same_code(self, code: bytes) -> bool:
        """Whether code found on a chain is this contract's, whatever its immutables hold."""
        return len(code) == len(self.runtime) and self._blanked(code) == self._blanked(self.runtime)

    def _blanked(self, code: bytes) -> bytes:
        blank = bytearray(code)
        for start, length in self.immutables:
            blank[start : start + length] = bytes(length)
        return bytes(blank)

    def to_json(self) -> dict[str, Any]:
        """The form the artifact files have."""
        return {
            "name": self.name,
            "compiler": self.compiler,
            "settings": dict(self.settings),
            "sources": dict(self.sources_sha256),
            "storage": [dict(place) for place in self.storage],
            "immutables": [list(place) for place in self.immutables],
            "abi": [dict(entry) for entry in self.abi],
            "creation": "0x" + self.creation.hex(),
            "runtime": "0x" + self.runtime.hex(),
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Artifact:
        """The inverse of :meth:`to_json`. Raises ArtifactUnreadable."""
        try:
            return cls(
                name=body["name"],
                abi=tuple(body["abi"]),
                creation=bytes.fromhex(body["creation"].removeprefix("0x")),
                runtime=bytes.fromhex(body["runtime"].removeprefix("0x")),
                immutables=tuple((start, length) for start, length in body["immutables"]),
                compiler=body["compiler"],
                settings=body["settings"],
                sources_sha256=body["sources"],
                storage=tuple(body["storage"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ArtifactUnreadable(f"not a contract artifact: {error!r}") from error


@cache
def load(name: str) -> Artifact:
    """The committed artifact of a contract, for instance ``CredentialAnchor``.

    Raises ArtifactUnreadable when there is none or the file is damaged.
    """
    if name not in names():
        raise ArtifactUnreadable(f"no artifact {name!r}; there are: {', '.join(names())}")
    text = files("contracts").joinpath("artifacts", f"{name}.json").read_text(encoding="utf-8")
    try:
        body = json.loads(text)
    except ValueError as error:
        raise ArtifactUnreadable(f"artifact {name} is not JSON: {error}") from error
    return Artifact.from_json(body)


def names() -> tuple[str, ...]:
    """Names of the contracts there are artifacts of."""
    folder = files("contracts").joinpath("artifacts")
    return tuple(
        sorted(
            entry.name.removesuffix(".json")
            for entry in folder.iterdir()
            if entry.name.endswith(".json")
        )
    )
