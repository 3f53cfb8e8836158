"""A bounded memory whose entries know when they were learnt.

Ages are judged by the caller's ``now``: nothing here reads a clock. Safe under threads.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Aged(Generic[V]):
    """A value and the instant it was learnt."""

    value: V
    learnt_at: datetime


class AgedCache(Generic[K, V]):
    """Least recently used entries leave first when ``capacity`` is exceeded."""

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("a cache holds at least one entry")
        self._capacity = capacity
        self._entries: OrderedDict[K, Aged[V]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K, *, now: datetime, max_age: timedelta) -> Aged[V] | None:
        """The entry, unless it is older than ``max_age`` or claims to come from the future."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or not timedelta(0) <= now - entry.learnt_at <= max_age:
                return None
            self._entries.move_to_end(key)
            return entry

    def put(self, key: K, value: V, now: datetime) -> Aged[V]:
        entry = Aged(value, now)
        with self._lock:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)
        return entry

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)
