"""What the registrar handed out follows the credentials it covers.

A hand-out is revoked when one of its credentials is, and suspended while one of them is. Its bits
change in the same transaction as theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential import status
from ledger.database.handouts import Handout, HandoutCredential
from ledger.database.models import Credential, StatusList

_LOOK_UP: Final = 500


def follow(session: Session, credential_ids: Sequence[str]) -> int:
    """Bring the hand-outs of these credentials up to date; how many changed."""
    touched: set[str] = set()
    for start in range(0, len(credential_ids), _LOOK_UP):
        part = credential_ids[start : start + _LOOK_UP]
        touched.update(
            session.scalars(
                select(HandoutCredential.handout_id).where(
                    HandoutCredential.credential_id.in_(part)
                )
            )
        )
    changed = 0
    ordered = sorted(touched)
    for start in range(0, len(ordered), _LOOK_UP):
        changed += _bring_up_to_date(session, ordered[start : start + _LOOK_UP])
    return changed


def _bring_up_to_date(session: Session, handout_ids: Sequence[str]) -> int:
    covered = session.execute(
        select(HandoutCredential.handout_id, Credential.status_list_id, Credential.status_index)
        .join(Credential, Credential.id == HandoutCredential.credential_id)
        .where(HandoutCredential.handout_id.in_(handout_ids))
    ).all()
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for row in covered:
        places[row.handout_id].append((row.status_list_id, row.status_index))
    of_list: dict[str, list[Handout]] = defaultdict(list)
    for handout in session.scalars(select(Handout).where(Handout.id.in_(handout_ids))):
        of_list[handout.status_list_id].append(handout)
    changed = 0
    for list_id, handouts in sorted(of_list.items()):
        shard = session.get_one(StatusList, list_id, with_for_update=True)
        before = shard.revoked, shard.suspended
        for handout in handouts:
            lists = [(session.get_one(StatusList, one), index) for one, index in places[handout.id]]
            for name in ("revoked", "suspended"):
                on = any(status.bit(getattr(one, name), index) for one, index in lists)
                place = handout.status_index
                if status.bit(getattr(shard, name), place) != on:
                    setattr(shard, name, status.with_bits(getattr(shard, name), [place], on))
                    changed += 1
        if before != (shard.revoked, shard.suspended):
            shard.changed += 1
    return changed
