"""Makes the fixtures of conftest_intake available here."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from conftest_intake import hand_in, identities, register  # noqa: F401
