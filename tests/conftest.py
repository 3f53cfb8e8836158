"""Fixtures every room shares."""

from __future__ import annotations

import sys
from pathlib import Path

# tests/vectors.py is imported by name from every folder under tests/
sys.path.insert(0, str(Path(__file__).parent))
