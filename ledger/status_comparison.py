"""Status bits against the journal of who revoked or suspended what, and against the credentials."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential import status
from credential.text import Text
from ledger.database.direct import DirectCredential
from ledger.database.handouts import Handout, HandoutCredential
from ledger.database.models import Credential, StatusChange, StatusList
from ledger.difference import RESTORE, Difference


def compare_statuses(session: Session) -> Iterator[Difference]:
    """Every list: each bit that is set has its entry in the journal and the other way round."""
    revoked: dict[str, set[int]] = {}
    suspended: dict[str, set[int]] = {}
    changes = session.execute(
        select(StatusChange.action, Credential.status_list_id, Credential.status_index)
        .join(Credential, Credential.id == StatusChange.credential_id)
        .order_by(StatusChange.id)
        .execution_options(yield_per=2000)
    )
    for action, list_id, index in changes:
        if action == "revoke":
            revoked.setdefault(list_id, set()).add(index)
        elif action == "suspend":
            suspended.setdefault(list_id, set()).add(index)
        else:
            suspended.get(list_id, set()).discard(index)
    _add_handouts(session, revoked, suspended)
    for row in session.scalars(select(DirectCredential).execution_options(yield_per=2000)):
        if row.revoked_at is not None:
            revoked.setdefault(row.status_list_id, set()).add(row.status_index)
        if row.suspended_at is not None:
            suspended.setdefault(row.status_list_id, set()).add(row.status_index)
    for shard in session.scalars(select(StatusList).execution_options(yield_per=50)):
        gone = revoked.get(shard.id, set())
        # a revoked credential is revoked, whatever its suspension bit says
        held = suspended.get(shard.id, set()) - gone
        for name, bits, expected in (
            ("revocation", _on(shard.revoked), gone),
            ("suspension", _on(shard.suspended) - gone, held),
        ):
            wrong = bits ^ expected
            if wrong:
                shown = ", ".join(map(str, sorted(wrong)[:5]))
                yield Difference(
                    "status-differs",
                    Text(
                        f"상태 목록 {shard.id}의 {name} 비트 {len(wrong)}개가 이력과 다릅니다: "
                        f"{shown}",
                        f"{len(wrong)} {name} bits of status list {shard.id} are not what its "
                        f"journal says: {shown}",
                    ),
                    RESTORE,
                )
        refreshed = _on(shard.refreshed or b"")
        replaced = set(
            session.scalars(
                select(Credential.status_index).where(
                    Credential.status_list_id == shard.id, Credential.replaced_by.is_not(None)
                )
            )
        )
        if refreshed != replaced:
            yield Difference(
                "status-differs",
                Text(
                    f"상태 목록 {shard.id}의 refresh 비트 {len(refreshed ^ replaced)}개가 "
                    "교체된 증명과 다릅니다",
                    f"{len(refreshed ^ replaced)} refresh bits of status list {shard.id} are not "
                    "those of the credentials that were replaced",
                ),
                RESTORE,
            )
        used = {
            index
            for kind in (Credential, Handout, DirectCredential)
            for index in session.scalars(
                select(kind.status_index).where(kind.status_list_id == shard.id)
            )
        }
        unreserved = used - _on(shard.allocated)
        if unreserved:
            yield Difference(
                "status-index-free",
                Text(
                    f"상태 목록 {shard.id}에서 쓰이는 번호 {len(unreserved)}개가 비어 있다고 적혀 "
                    "있습니다",
                    f"{len(unreserved)} indices of status list {shard.id} are used by credentials "
                    "but recorded as free",
                ),
                RESTORE,
            )


def _add_handouts(
    session: Session, revoked: dict[str, set[int]], suspended: dict[str, set[int]]
) -> None:
    """What the registrar handed out has no journal of its own: it follows what it covers."""
    covered = session.execute(
        select(
            Handout.status_list_id.label("list"),
            Handout.status_index.label("place"),
            Credential.status_list_id.label("of_list"),
            Credential.status_index.label("of_place"),
        )
        .join(HandoutCredential, HandoutCredential.handout_id == Handout.id)
        .join(Credential, Credential.id == HandoutCredential.credential_id)
        .execution_options(yield_per=2000)
    )
    found = [
        (state, row.list, row.place)
        for row in covered
        for state in (revoked, suspended)
        if row.of_place in state.get(row.of_list, ())
    ]
    for state, list_id, index in found:
        state.setdefault(list_id, set()).add(index)


def _on(bits: bytes) -> set[int]:
    """The indices of the bits that are set; index 0 is the most significant bit of byte 0."""
    return {
        8 * position + place
        for position, byte in enumerate(bits)
        if byte
        for place in range(8)
        if status.bit(bits, 8 * position + place)
    }
