"""What runs on the chain: Solidity sources, their compiled artifacts and a thin loader.

The artifacts are committed with the digest of the sources they were built from, so whoever
installs the Python package needs neither a compiler nor Node.js. This room imports nothing of ours.
"""

from __future__ import annotations

from contracts.artifact import Artifact, ArtifactUnreadable, load, names

__all__ = ["Artifact", "ArtifactUnreadable", "load", "names"]
