"""Signing in, in tests: one good password, and hashing that does not take its real time."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from ledger.access import accounts

PASSWORD = "바다 건너 스물두 마리 새"


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id still, with next to no memory; import it into a module to use it there."""
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(1, 8, 1))
