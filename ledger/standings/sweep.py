"""Verdicts of many learners from the database, in several processes, a stretch of ids at a time.

A stretch is read out of one index, most of its learners are decided by the screen, those it leaves
open by the engine on the same columns, and those with degrees, conditions or revoked credentials by
the engine on everything the database knows of them. Memory does not grow with the number of
learners.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing import get_context
from typing import Any

from sqlalchemy import delete, select, union
from sqlalchemy.orm import Session

from ledger.credit import Context, Policy, Verdict, parse_context, parse_records, verdict
from ledger.credit.screen import Screen
from ledger.database.awards import LearnerPrior, SignedException
from ledger.database.bulk import insert_rows
from ledger.database.models import Award, Credential, Learner, LearnerItem, StatusChange
from ledger.database.session import Database, open_database
from ledger.database.standings import DegreeStanding
from ledger.holds import Hold, holds_in_force
from ledger.standing import context_of, cutoff_of, records_of, register_of
from ledger.standings.reading import Stretch, read_stretch

STRETCH = 2048
COLUMNS = ("learner_id", "degree", "policy", "as_of", "hours_met", "eligible", "missing", "path")


@dataclass(frozen=True, slots=True)
class Standing:
    """A learner's next degree and the verdict on it. ``path``: ``screen``, ``bounds``,
    ``program``."""

    learner: str
    degree: str
    hours_met: bool
    eligible: bool
    missing: int
    path: str

    def row(self, policy: Policy, as_of: date) -> tuple[Any, ...]:
        """Its row in ``degree_standing``."""
        return (
            self.learner,
            self.degree,
            policy.key,
            as_of,
            self.hours_met,
            self.eligible,
            self.missing,
            self.path,
        )


class Sweep:
    """One policy and day, with the register and the learners that need the long way, read once.

    ``more_holds``: orders that are only imagined.
    """

    def __init__(
        self, session: Session, policy: Policy, as_of: date, more_holds: Sequence[Hold] = ()
    ) -> None:
        self.policy, self.as_of, self.more_holds = policy, as_of, tuple(more_holds)
        issuers, self.aliases = register_of(session)
        self.context = parse_context({"issuers": issuers})
        self.holds = [*holds_in_force(session, cutoff_of(as_of)), *more_holds]
        self.ladder = [d.id for d in policy.degrees if d.id == d.base]
        first = policy.degree(self.ladder[0])
        assert first is not None
        self.first = first
        self.screen = Screen(policy, first, self.context, as_of)
        # conditions of the first degree beside hours: the engine looks at whoever has the hours
        self.bare = not (first.items or first.recorded or first.after.degree)
        self.special = _special(session)

    def standings(self, session: Session, stretch: Stretch) -> Iterator[Standing]:
        """The standing of every learner of a stretch."""
        screened = self.screen.missing(stretch.columns)
        decided, missing = screened.decided.tolist(), screened.missing.tolist()
        degree = self.first.id
        for place, learner in enumerate(stretch.ids):
            if learner in self.special:
                yield from self.one(session, learner)
            elif decided[place] and (missing[place] or self.bare):
                met = not missing[place]
                yield Standing(learner, degree, met, met, missing[place], "screen")
            elif stretch.columns.odd[stretch.bounds[place] : stretch.bounds[place + 1]].any():
                yield from self.one(session, learner)
            else:
                records = stretch.records(place)
                found = verdict(self.policy, degree, records, self.context, self.as_of)
                yield _standing(learner, degree, found)

    def one(self, session: Session, learner: str) -> Iterator[Standing]:
        """The standing of one learner, with everything the database knows; none when there is no
        further degree."""
        context = parse_context(context_of(session, learner, self.as_of))
        degree = next((d for d in self.ladder if d not in _bases(context)), None)
        if degree is not None:
            raw = records_of(session, learner, self.as_of, more_holds=self.more_holds)
            found = verdict(self.policy, degree, parse_records(raw)[0], context, self.as_of)
            yield _standing(learner, degree, found)


def _standing(learner: str, degree: str, found: Verdict) -> Standing:
    return Standing(learner, degree, found.hours_met, found.eligible, found.missing, found.path)


def _bases(context: Context) -> set[str]:
    """Degrees held in any track; a withdrawn one can be reached again."""
    return {key.split("/")[0] for key, held in context.held.items() if held.state != "withdrawn"}


def _special(session: Session) -> frozenset[str]:
    """Learners of whom more is known than records: few, compared with all."""
    changed = select(Credential.learner_id).join(
        StatusChange, StatusChange.credential_id == Credential.id
    )
    return frozenset(
        session.scalars(
            union(
                select(Award.learner_id),
                select(LearnerItem.learner_id),
                select(LearnerPrior.learner_id),
                select(SignedException.learner_id),
                changed,
            )
        )
    )


def stretches(session: Session, size: int = STRETCH) -> Iterator[tuple[str, str | None]]:
    """Half-open ranges of learner ids that cover everybody, about ``size`` learners each."""
    ids = session.execute(
        select(Learner.id).order_by(Learner.id).execution_options(yield_per=10_000)
    )
    low = ""
    for n, (learner,) in enumerate(ids):
        if n and n % size == 0:
            yield low, learner
            low = learner
    yield low, None


@dataclass(frozen=True, slots=True)
class Done:
    """What one stretch came to: learners by path, hours met, eligible."""

    screen: int = 0
    bounds: int = 0
    program: int = 0
    hours_met: int = 0
    eligible: int = 0

    def __add__(self, other: Done) -> Done:
        return Done(
            self.screen + other.screen,
            self.bounds + other.bounds,
            self.program + other.program,
            self.hours_met + other.hours_met,
            self.eligible + other.eligible,
        )

    @property
    def learners(self) -> int:
        return self.screen + self.bounds + self.program


def counted(found: Sequence[Standing]) -> Done:
    """Standings by path and answer."""
    done = Done()
    paths = [s.path for s in found]
    return replace(
        done,
        screen=paths.count("screen"),
        bounds=paths.count("bounds"),
        program=paths.count("program"),
        hours_met=sum(s.hours_met for s in found),
        eligible=sum(s.eligible for s in found),
    )


def refresh(sweep: Sweep, database: Database, low: str, high: str | None) -> Done:
    """Read, decide and store one stretch; each is one transaction, and can be done again."""
    with database.reading() as session:
        stretch = read_stretch(
            session.connection(), low, high, sweep.context, sweep.aliases, sweep.holds
        )
        found = list(sweep.standings(session, stretch))
    with database.session() as session:
        old = delete(DegreeStanding).where(DegreeStanding.learner_id >= low)
        session.execute(old if high is None else old.where(DegreeStanding.learner_id < high))
        insert_rows(
            session,
            DegreeStanding.__table__,  # type: ignore[arg-type]
            COLUMNS,
            [standing.row(sweep.policy, sweep.as_of) for standing in found],
        )
    return counted(found)


def refresh_learner(session: Session, sweep: Sweep, learner: str) -> Standing | None:
    """Decide and store one learner again, after a new record; None with nothing to decide."""
    if learner in sweep.special:
        found = list(sweep.one(session, learner))
    else:
        stretch = read_stretch(
            session.connection(), learner, learner, sweep.context, sweep.aliases, sweep.holds
        )
        found = list(sweep.standings(session, stretch))
    session.execute(delete(DegreeStanding).where(DegreeStanding.learner_id == learner))
    insert_rows(
        session,
        DegreeStanding.__table__,  # type: ignore[arg-type]
        COLUMNS,
        [standing.row(sweep.policy, sweep.as_of) for standing in found],
    )
    return found[0] if found else None


# --- several processes ----------------------------------------------------------------------------

_mine: tuple[Database, Sweep] | None = None


def _begin(url: str, policy: Policy, as_of: date) -> None:
    global _mine
    database = open_database(url, wait_seconds=120)
    with database.reading() as session:
        _mine = database, Sweep(session, policy, as_of)


def _stretch(low: str, high: str | None) -> Done:
    assert _mine is not None
    done = refresh(_mine[1], _mine[0], low, high)
    gc.collect()
    return done


def refresh_all(
    url: str,
    policy: Policy,
    as_of: date,
    *,
    workers: int = 2,
    progress: Callable[[Done], None] | None = None,
) -> Done:
    """The standing of every learner with records, decided and stored. ``url``: of the database.

    Killed and run again, it ends in the same table. Raises what the database and the engine raise.
    """
    database = open_database(url)
    total = Done()
    try:
        if workers <= 1:
            with database.reading() as session:
                sweep = Sweep(session, policy, as_of)
                ranges = list(stretches(session))
            for low, high in ranges:
                total += refresh(sweep, database, low, high)
                if progress:
                    progress(total)
            return total
        with (
            ProcessPoolExecutor(
                workers,
                mp_context=get_context("spawn"),
                initializer=_begin,
                initargs=(url, policy, as_of),
            ) as pool,
            database.reading() as session,
        ):
            waiting: set[Future[Done]] = set()
            for low, high in stretches(session):
                waiting.add(pool.submit(_stretch, low, high))
                if len(waiting) >= 3 * workers:
                    ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    total = sum((f.result() for f in ready), total)
                    if progress:
                        progress(total)
            total = sum((f.result() for f in waiting), total)
            if progress:
                progress(total)
        return total
    finally:
        database.close()
