"""How often one caller may ask: a bucket that refills steadily, for each caller and purpose.

Counted in this process: several processes allow as many times more. What must hold exactly, the
attempts at one account's password, is counted in the database (``ledger.access.accounts``).
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict

from ledger.access.errors import TooManyRequests

_MOST_CALLERS = 50_000


class Rates:
    """Buckets of ``limit`` requests that refill within ``seconds``."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, purpose: str, caller: str, limit: int, seconds: float = 60.0) -> None:
        """Count one request. Raises ``TooManyRequests`` with the seconds to wait."""
        moment = time.monotonic()
        with self._lock:
            left, since = self._buckets.pop((purpose, caller), (float(limit), moment))
            left = min(float(limit), left + (moment - since) * limit / seconds)
            allowed = left >= 1
            self._buckets[purpose, caller] = (left - 1 if allowed else left, moment)
            while len(self._buckets) > _MOST_CALLERS:
                self._buckets.popitem(last=False)
        if not allowed:
            raise TooManyRequests(math.ceil((1 - left) * seconds / limit))
