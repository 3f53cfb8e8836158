"""Records of a stretch of learners from the database as columns, straight from the driver.

The columns say what ``ledger.standing.records_of`` says in JSON; a test holds the two equal. What
they cannot say (a record nobody would understand) is marked odd and read the long way.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import numpy
from sqlalchemy import Connection

from ledger.credit import Context, Record
from ledger.credit.clock import Clock
from ledger.credit.columns import NEVER, Columns, Flags, Ints, Words
from ledger.credit.records import LONGEST_SPAN_DAYS, MOST_MINUTES
from ledger.holds import Hold

SEOUL = Clock("Asia/Seoul")
_MICRO = 60_000_000
_SQL = (
    "SELECT learner_id, institution_id, kind, category, level, code, offering, course_class, "
    "status, {start}, {end}, {recorded}, exact_interval, minutes, attended, sessions, approved "
    "FROM learning_record WHERE {where} AND status <> 'superseded' AND kind <> 'degree' "
    "ORDER BY learner_id"
)


@dataclass(slots=True)
class Stretch:
    """``ids``: learners with records, in order; ``columns`` numbers them by place."""

    ids: list[str]
    columns: Columns
    bounds: Ints = field(default_factory=lambda: numpy.zeros(0, numpy.int64))
    known: list[str] = field(default_factory=list)

    def records(self, place: int) -> list[Record]:
        """The records of one learner as the engine knows them, under names of their own."""
        low, high = self.bounds[place], self.bounds[place + 1]
        return [_record(self.columns, self.listed, int(i)) for i in range(low, high)]

    def kinds(self, place: int) -> set[str]:
        """The kinds of records one learner has."""
        low, high = self.bounds[place], self.bounds[place + 1]
        listed = self.listed
        return {listed[n] for n in self.columns.coded["type"][low:high]}

    @property
    def listed(self) -> list[str]:
        if len(self.known) != len(self.columns.words) - 1:
            self.known = self.columns.words.listed()
        return self.known


def read_stretch(
    connection: Connection,
    low: str,
    high: str | None,
    context: Context,
    aliases: Collection[tuple[str, str]],
    holds: Sequence[Hold] = (),
) -> Stretch:
    """The learners with ``low <= id < high``, without ``high`` all from ``low`` on, and of two
    equal ones that one. ``aliases``: (institution, kind) pairs whose
    accreditation is listed under the institution's own name (see ``ledger.standing``)."""
    rows = _rows(connection, low, high)
    return stretch_of(rows, connection.dialect.name, context, aliases, holds)


def stretch_of(
    rows: Sequence[tuple[Any, ...]],
    dialect: str,
    context: Context,
    aliases: Collection[tuple[str, str]],
    holds: Sequence[Hold] = (),
) -> Stretch:
    """Columns of rows in order of learner."""
    words = Words()
    if not rows:
        return Stretch([], _columns(0, words, [()] * 17, dialect, context, aliases, holds, []))
    parts = list(zip(*rows, strict=True))
    ids: list[str] = []
    counts: list[int] = []
    for learner, group in itertools.groupby(parts[0]):
        ids.append(learner)
        counts.append(len(list(group)))
    columns = _columns(len(ids), words, parts, dialect, context, aliases, holds, counts)
    return Stretch(ids, columns, numpy.concatenate([[0], numpy.cumsum(counts)]).astype(numpy.int64))


def _rows(connection: Connection, low: str, high: str | None) -> list[tuple[Any, ...]]:
    driver: Any = connection.connection.driver_connection
    sqlite = connection.dialect.name == "sqlite"
    where, values = "learner_id >= ? AND learner_id < ?", (low, high)
    if high is None or high == low:
        where, values = f"learner_id {'=' if high else '>='} ?", (low,)  # type: ignore[assignment]
    names = {"start": "started_at", "end": "ended_at", "recorded": "recorded_at"}
    if sqlite:
        return list(driver.execute(_SQL.format(**names, where=where), values).fetchall())
    names = {k: f"(extract(epoch from {v}) * 1000000)::bigint" for k, v in names.items()}
    with driver.cursor(binary=True) as cursor:
        cursor.execute(_SQL.format(**names, where=where.replace("?", "%s")), values)
        return list(cursor.fetchall())


def micros(column: Sequence[Any], dialect: str) -> Ints:
    """Instants in microseconds since 1970Z; SQLite keeps ``YYYY-MM-DD HH:MM:SS.ffffff``."""
    if dialect != "sqlite":
        return numpy.array(column, numpy.int64)
    text = "".join(column)
    if len(text) != 26 * len(column):
        return numpy.array(list(column), "datetime64[us]").astype(numpy.int64)
    digits = numpy.frombuffer(text.encode(), numpy.uint8).reshape(-1, 26).astype(numpy.int64) - 48

    def number(start: int, stop: int) -> Ints:
        value = digits[:, start]
        for place in range(start + 1, stop):
            value = value * 10 + digits[:, place]
        return value

    months = (number(0, 4) - 1970) * 12 + number(5, 7) - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]").astype(numpy.int64)
    seconds = (number(11, 13) * 60 + number(14, 16)) * 60 + number(17, 19)
    return ((days + number(8, 10) - 1) * 86_400 + seconds) * 1_000_000 + number(20, 26)


def _numbers(column: Sequence[int | None]) -> Ints:
    return numpy.array([-1 if value is None else value for value in column], numpy.int64)


def _columns(
    learners: int,
    words: Words,
    parts: Sequence[Sequence[Any]],
    dialect: str,
    context: Context,
    aliases: Collection[tuple[str, str]],
    holds: Sequence[Hold],
    counts: list[int],
) -> Columns:
    coded = {
        name: numpy.array([words[word] for word in parts[n]], numpy.int64)
        for name, n in (
            ("type", 2),
            ("category", 3),
            ("level", 4),
            ("code", 5),
            ("offering", 6),
            ("course_class", 7),
            ("status", 8),
        )
    }
    institution = numpy.array([words[word] for word in parts[1]], numpy.int64)
    start, end, recorded = (micros(parts[n], dialect) for n in (9, 10, 11))
    exact = numpy.array(parts[12], bool)
    minutes, attended, sessions = (_numbers(parts[n]) for n in (13, 14, 15))
    approved = _numbers(parts[16])
    first, last = _local_days(start // _MICRO), _local_days(end // _MICRO)
    _name_issuers(coded, institution, words, context, aliases)
    for hold in holds:
        coded["status"] = _held(hold, coded, institution, last, words)
    begin = -(-start // _MICRO)
    over = end // _MICRO
    odd = numpy.where(
        exact,
        (begin >= over)
        | (minutes > over - begin)
        | (over - begin > LONGEST_SPAN_DAYS * 1440)
        | (begin < _YEAR_1900)
        | (over >= _YEAR_2200),
        (last < first) | (last - first > LONGEST_SPAN_DAYS),
    )
    odd |= (minutes < 0) | (minutes > MOST_MINUTES) | (attended > sessions) & (sessions >= 0)
    odd |= (attended > 10_000) | (sessions > 10_000)
    # the database knows one standing record an entry of an institution's books
    coded["issuer_record"] = numpy.full(len(start), -1, numpy.int64)
    return Columns(
        learners=learners,
        words=words,
        learner=numpy.repeat(numpy.arange(learners), counts),
        coded=coded,
        timed=exact,
        start=numpy.where(exact, begin, 0),
        end=numpy.where(exact, over, 0),
        first=first,
        last=last,
        minutes=minutes,
        attended=attended,
        sessions=sessions,
        verified=-(-recorded // _MICRO),
        approved=approved,
        late_approved=numpy.zeros(len(start), bool),
        numbered=numpy.zeros(len(start), bool),
        odd=odd,
    )


_YEAR_1900, _YEAR_2200 = (
    SEOUL.midnight(date(1900, 1, 2).toordinal()),
    SEOUL.midnight(date(2200, 12, 30).toordinal()),
)


@cache
def _midnights() -> Ints:
    days = range(date(1899, 12, 1).toordinal(), date(2201, 2, 1).toordinal())
    usual = numpy.array([d * 1440 for d in days], numpy.int64)
    origin = date(1970, 1, 1).toordinal() * 1440
    # since 1989 Seoul has been nine hours ahead all year; before, the tz database decides
    settled = date(1989, 1, 1).toordinal() - days.start
    found = usual - origin - 540
    found[:settled] = [SEOUL.midnight(d) for d in days[:settled]]
    return found


def _local_days(minute: Ints) -> Ints:
    """The ordinals of the days in Seoul that hold these minutes."""
    low = date(1899, 12, 1).toordinal() - 1
    return low + numpy.searchsorted(_midnights(), minute, "right")


def _name_issuers(
    coded: dict[str, Ints],
    institution: Ints,
    words: Words,
    context: Context,
    aliases: Collection[tuple[str, str]],
) -> None:
    """Columns ``issuer`` and ``group``: a kind accredited apart is an issuer of its own."""
    listed = words.listed()
    pair = institution * (len(listed) + 1) + coded["type"]
    pairs, place = numpy.unique(pair, return_inverse=True)
    issuers, groups = [], []
    for one in pairs:
        name, kind = (listed[n] for n in divmod(int(one), len(listed) + 1))
        issuer = name if (name, kind) in aliases else f"{name}:{kind}"
        standing = (context.issuers or {}).get(issuer)
        issuers.append(words[issuer])
        groups.append(words[None if standing is None else standing.group])
    coded["issuer"] = numpy.array(issuers, numpy.int64)[place]
    coded["group"] = numpy.array(groups, numpy.int64)[place]


def _held(
    hold: Hold, coded: Mapping[str, Ints], institution: Ints, last: Ints, words: Words
) -> Ints:
    covered: Flags = institution == words[hold.institution]
    if hold.kind is not None:
        covered = covered & (coded["type"] == words[hold.kind])
    if hold.since is not None:
        covered = covered & (last >= hold.since.toordinal())
    if hold.until is not None:
        covered = covered & (last < hold.until.toordinal())
    return numpy.where(covered, words["suspended"], coded["status"])


def _record(columns: Columns, listed: Sequence[str], i: int) -> Record:
    def word(name: str) -> str | None:
        place = int(columns.coded[name][i])
        return None if place < 0 else listed[place]

    def number(column: Ints) -> int | None:
        return None if column[i] < 0 else int(column[i])

    timed = bool(columns.timed[i])
    start, end, minutes = int(columns.start[i]), int(columns.end[i]), int(columns.minutes[i])
    return Record(
        id=f"r{i}",
        type=word("type") or "",
        issuer=word("issuer") or "",
        status=word("status") or "",
        spans=((start, end),) if timed else (),
        first=None if timed else date.fromordinal(int(columns.first[i])),
        last=None if timed else date.fromordinal(int(columns.last[i])),
        minutes=minutes,
        exact=timed and minutes == end - start,
        category=word("category"),
        issuer_group=word("group"),
        attended=number(columns.attended),
        sessions=number(columns.sessions),
        offering=word("offering"),
        course_class=word("course_class"),
        code=word("code"),
        level=word("level"),
        verified_at=None if columns.verified[i] == NEVER else int(columns.verified[i]),
        approved=None if columns.approved[i] < 0 else bool(columns.approved[i]),
    )
