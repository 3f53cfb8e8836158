"""Fixtures every room shares."""

from __future__ import annotations

import sys
from pathlib import Path

# tests/vectors.py is imported by name from every folder under tests/; the repository comes first,
# or the folder tests/ledger would be taken for the package ledger.
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from databases import (  # noqa: E402, F401  (fixtures for every room)
    database,
    database_url,
    migrated_sqlite,
    postgres_server,
)
