"""Builds the artifacts from the sources, or checks that they still are what the sources give.

``python -m contracts.build`` writes ``contracts/artifacts/*.json``; ``--check`` recompiles and
compares byte for byte, exit code 1 when anything differs. Both need ``npm ci`` in ``contracts/``
(OpenZeppelin and the compiler, which the registry of npm has as WebAssembly) and ``py-solc-x``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import posixpath
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts.artifact import Artifact

ROOM = Path(__file__).parent
ARTIFACTS = ROOM / "artifacts"
PACKAGES = ROOM / "node_modules"
CONTRACTS = ("CredentialAnchor", "InstitutionRegistry", "PolicyRegistry", "StatusRegistry")

COMPILER = "0.8.37"
# Cancun runs on py-evm, anvil, Besu and geth; the compiler's own default is newer than some.
SETTINGS: dict[str, Any] = {
    "evmVersion": "cancun",
    "optimizer": {"enabled": True, "runs": 1000},
    "metadata": {"bytecodeHash": "ipfs"},
}
_OUTPUT = [
    "abi",
    "evm.bytecode.object",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
    "storageLayout",
]
_IMPORT = re.compile(r'^\s*import\s+(?:[^"\';]*?from\s+)?["\']([^"\']+)["\']', re.MULTILINE)


class BuildFailed(Exception):
    """The contracts could not be compiled; says what is missing or what the compiler said."""


def gather(names: Sequence[str] = CONTRACTS) -> dict[str, str]:
    """The sources of the named contracts with everything they import, by source key.

    Keys never hold a path of this machine, because the bytecode depends on them.
    """
    found: dict[str, str] = {}
    wanted = [f"src/{name}.sol" for name in names]
    while wanted:
        key = wanted.pop()
        if key in found:
            continue
        path = (PACKAGES if key.startswith("@") else ROOM) / key
        if not path.is_file():
            raise BuildFailed(f"{key} is missing; run `npm ci` in {ROOM.name}/ first")
        found[key] = path.read_text(encoding="utf-8")
        for target in _IMPORT.findall(found[key]):
            near = target.startswith(".")
            wanted.append(
                posixpath.normpath(posixpath.join(posixpath.dirname(key), target))
                if near
                else target
            )
    return dict(sorted(found.items()))


def compile_all() -> dict[str, Artifact]:
    """Compile every contract with the pinned compiler. Raises BuildFailed."""
    return {name: _compile(name) for name in CONTRACTS}


def _compile(name: str) -> Artifact:
    # One run each, so that a contract's settings and sources are its own and no other's.
    try:
        import solcx
        from solcx.exceptions import SolcError
        from solcx.wrapper import get_version_str_from_solc_binary
    except ImportError as error:
        raise BuildFailed("py-solc-x is missing; install the dev extra") from error
    sources = gather((name,))
    key = f"src/{name}.sol"
    request = {
        "language": "Solidity",
        "sources": {source: {"content": text} for source, text in sources.items()},
        "settings": {**SETTINGS, "outputSelection": {key: {name: _OUTPUT}}},
    }
    wrapper = ROOM / "solc-wasm.js"
    try:
        answer = solcx.compile_standard(request, solc_binary=wrapper)
        compiler = get_version_str_from_solc_binary(wrapper)
    except SolcError as error:
        raise BuildFailed(f"{name}: {_complaints(error.stdout_data) or error}") from error
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise BuildFailed(f"{name}: {error}") from error
    if compiler.split("+")[0] != COMPILER:
        raise BuildFailed(f"the compiler is {compiler}, not the pinned {COMPILER}")
    warnings = [note["formattedMessage"] for note in answer.get("errors", ())]
    if warnings:
        raise BuildFailed("\n".join(warnings))
    built = answer["contracts"][key][name]
    code = built["evm"]["deployedBytecode"]
    return Artifact(
        name=name,
        abi=tuple(built["abi"]),
        creation=bytes.fromhex(built["evm"]["bytecode"]["object"]),
        runtime=bytes.fromhex(code["object"]),
        immutables=tuple(
            sorted(
                (place["start"], place["length"])
                for places in code.get("immutableReferences", {}).values()
                for place in places
            )
        ),
        compiler=compiler,
        settings=SETTINGS,
        sources_sha256={
            source: hashlib.sha256(text.encode()).hexdigest() for source, text in sources.items()
        },
        storage=tuple(_places(built["storageLayout"])),
    )


def _complaints(output: str | None) -> str:
    """What the compiler found wrong, without the rest of its answer."""
    try:
        notes = json.loads(output or "{}").get("errors", ())
    except ValueError:
        return ""
    return "\n".join(note["formattedMessage"] for note in notes if note["severity"] == "error")


def _places(layout: Mapping[str, Any]) -> list[dict[str, Any]]:
    types = layout["types"] or {}
    return [
        {
            "label": place["label"],
            "slot": int(place["slot"]),
            "offset": place["offset"],
            "type": types[place["type"]]["label"],
        }
        for place in layout["storage"]
    ]


def text_of(artifact: Artifact) -> str:
    """The exact text of an artifact's file."""
    return json.dumps(artifact.to_json(), indent=1, ensure_ascii=True) + "\n"


def build(folder: Path = ARTIFACTS) -> None:
    """Compile and write every artifact. Raises BuildFailed before anything is written."""
    texts = {name: text_of(artifact) for name, artifact in compile_all().items()}
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def differences(folder: Path = ARTIFACTS) -> list[str]:
    """Compile and compare with what is committed: one line for each artifact that differs."""
    found = []
    built = compile_all()
    for name, artifact in built.items():
        path = folder / f"{name}.json"
        if not path.is_file():
            found.append(f"{path.name}: missing")
        elif path.read_text(encoding="utf-8") != text_of(artifact):
            found.append(f"{path.name}: differs from what {artifact.compiler} builds")
    strangers = {path.stem for path in folder.glob("*.json")} - set(built)
    return found + [f"{name}.json: no source builds it" for name in sorted(strangers)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m contracts.build", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args(arguments)
    try:
        if options.check:
            found = differences()
            print("\n".join(found) or "artifacts are what the sources give")
            return 1 if found else 0
        build()
    except BuildFailed as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
