"""Records of many learners as columns of numbers, for the screen that decides most of them at once.

Words (types, issuers, codes …) are places in ``words``; -1 stands for none. A row that the columns
cannot hold exactly is ``odd``: its learner goes to the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy
from numpy.typing import NDArray

from ledger.credit.records import Context, Record

Ints = NDArray[numpy.int64]
Flags = NDArray[numpy.bool_]

NEVER = -(1 << 40)
WORDS = (
    "type",
    "category",
    "issuer",
    "group",
    "level",
    "code",
    "offering",
    "course_class",
    "issuer_record",
    "status",
)


class Words(dict[str | None, int]):
    """A word's place, given when it is first asked for; ``None`` is -1."""

    def __init__(self) -> None:
        super().__init__()
        self[None] = -1

    def __missing__(self, word: str | None) -> int:
        place = self[word] = len(self) - 1
        return place

    def listed(self) -> list[str]:
        """The words by place."""
        return [word for word in self if word is not None]


@dataclass(slots=True)
class Columns:
    """``learners`` many learners; every array has one entry a record. ``start``/``end``: half-open
    UTC minutes where ``timed``, else zero; ``first``/``last``: local day ordinals where not;
    ``minutes``, ``attended``, ``sessions`` -1 for none; ``verified`` ``NEVER`` for none;
    ``approved`` -1 unknown, 0 no, 1 yes."""

    learners: int
    words: Words
    learner: Ints
    coded: dict[str, Ints]
    timed: Flags
    start: Ints
    end: Ints
    first: Ints
    last: Ints
    minutes: Ints
    attended: Ints
    sessions: Ints
    verified: Ints
    approved: Ints
    late_approved: Flags
    numbered: Flags
    odd: Flags = field(default_factory=lambda: numpy.zeros(0, bool))

    def __len__(self) -> int:
        return len(self.learner)

    def take(self, rows: Any) -> Columns:
        """The same columns of some rows; learners keep their numbers."""
        return Columns(
            self.learners,
            self.words,
            self.learner[rows],
            {name: column[rows] for name, column in self.coded.items()},
            *(getattr(self, name)[rows] for name in _ARRAYS),
        )


_ARRAYS = (
    "timed",
    "start",
    "end",
    "first",
    "last",
    "minutes",
    "attended",
    "sessions",
    "verified",
    "approved",
    "late_approved",
    "numbered",
    "odd",
)


def columns_of(people: Sequence[Iterable[Record]], context: Context) -> Columns:
    """Columns of records that are already understood, one sequence a learner."""
    rows = [(n, record) for n, records in enumerate(people) for record in records]
    words = Words()
    standings = context.issuers or {}

    def group(record: Record) -> str | None:
        standing = standings.get(record.issuer)
        known = None if standing is None else standing.group
        return record.issuer_group if known is None else known

    def coded(name: str) -> Ints:
        if name == "group":
            return numpy.array([words[group(r)] for _, r in rows], numpy.int64)
        return numpy.array([words[getattr(r, name)] for _, r in rows], numpy.int64)

    def numbers(values: Iterable[int]) -> Ints:
        return numpy.array(list(values), numpy.int64)

    def flags(values: Iterable[bool]) -> Flags:
        return numpy.array(list(values), bool)

    records = [r for _, r in rows]
    return Columns(
        learners=len(people),
        words=words,
        learner=numbers(n for n, _ in rows),
        coded={name: coded(name) for name in WORDS},
        timed=flags(bool(r.spans) for r in records),
        start=numbers(r.spans[0][0] if r.spans else 0 for r in records),
        end=numbers(r.spans[-1][1] if r.spans else 0 for r in records),
        first=numbers(r.first.toordinal() if r.first else 0 for r in records),
        last=numbers(r.last.toordinal() if r.last else 0 for r in records),
        minutes=numbers(-1 if r.minutes is None else r.minutes for r in records),
        attended=numbers(-1 if r.attended is None else r.attended for r in records),
        sessions=numbers(-1 if r.sessions is None else r.sessions for r in records),
        verified=numbers(NEVER if r.verified_at is None else r.verified_at for r in records),
        approved=numbers(-1 if r.approved is None else int(r.approved) for r in records),
        late_approved=flags(r.late_approved for r in records),
        numbered=flags(r.number is not None for r in records),
        odd=flags(
            len(r.spans) > 1
            or r.about is not None
            or (r.lessons is not None and r.minutes is None)
            or not (r.spans or (r.first and r.last))
            for r in records
        ),
    )
