"""Status lists as shards, and the random, unused index each credential gets in one.

An index is reserved, durably, before the credential that names it is signed. A crash between the
two leaves an index that nobody uses, which costs one bit; no index is ever given to two.
Order and number of credentials do not show: indices are random and a shard is never filled beyond
one half (Bitstring Status List 1.0 section 5.2, herd privacy).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.database.models import StatusList
from ledger.identifiers import random_id

SHARD_BITS = 131_072
"""The least a list may have (Bitstring Status List 1.0 section 3.1); fixed when it is made."""


def reserve(session: Session, institution: str, count: int) -> tuple[str, list[int]]:
    """``count`` random unused indices in one shard of the institution: ``(list id, indices)``.

    Takes the shard's row lock until the transaction ends. A new shard is begun when the fullest
    one that is not yet half full has no room for all. ``count`` is at most half a shard.
    """
    if not 0 < count <= SHARD_BITS // 2:
        raise ValueError(f"cannot reserve {count} indices in one shard")
    shard = session.scalars(
        select(StatusList)
        .where(
            StatusList.institution_id == institution,
            StatusList.used + count <= StatusList.size / 2,
        )
        .order_by(StatusList.used.desc(), StatusList.id)
        .limit(1)
        .with_for_update()
    ).first()
    if shard is None:
        empty = bytes(SHARD_BITS // 8)
        shard = StatusList(
            id=random_id("stl"),
            institution_id=institution,
            size=SHARD_BITS,
            used=0,
            allocated=empty,
            revoked=empty,
            suspended=empty,
            changed=0,
            published=-1,
        )
        session.add(shard)
    taken = bytearray(shard.allocated)
    indices = _unused(taken, shard.size, count)
    shard.allocated = bytes(taken)
    shard.used += count
    session.flush()
    return shard.id, indices


def release(session: Session, status_list_id: str, indices: Iterable[int]) -> None:
    """Give back indices that no credential took after all, in the transaction that knows it."""
    shard = session.get_one(StatusList, status_list_id, with_for_update=True)
    taken = bytearray(shard.allocated)
    for index in indices:
        taken[index >> 3] &= ~(0x80 >> (index & 7))
        shard.used -= 1
    shard.allocated = bytes(taken)
    session.flush()


def _unused(taken: bytearray, size: int, count: int) -> list[int]:
    # Rejection sampling: below half full a draw succeeds at least every other time. The size is a
    # power of two, so masking random bytes is uniform.
    if size & (size - 1):
        raise ValueError("a shard's size is a power of two")
    found: list[int] = []
    while len(found) < count:
        noise = secrets.token_bytes(4 * (count - len(found)))
        for start in range(0, len(noise), 4):
            index = int.from_bytes(noise[start : start + 4], "big") & (size - 1)
            place, bit = index >> 3, 0x80 >> (index & 7)
            if not taken[place] & bit:
                taken[place] |= bit
                found.append(index)
    return found
