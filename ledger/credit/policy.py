"""A degree-rules/1 policy as values. The loader builds these; nothing here reads files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from credential.text import Text
from ledger.credit.clock import Clock


@dataclass(frozen=True, slots=True)
class Accept:
    """Which records: every given word must hold (AND); ``either`` holds alternatives (OR), once.

    An empty set means the word was not given. ``since``/``until`` are half-open local days of the
    activity's last day.
    """

    anything: bool = False
    types: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    issuers: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()
    courses: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None
    either: tuple[Accept, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """Minutes this degree consumes: at least ``minimum``; above ``maximum`` nothing counts."""

    id: str
    minimum: int
    maximum: int | None
    accept: Accept
    name: Text


@dataclass(frozen=True, slots=True)
class Overlay:
    """A look at what was counted: ``minimum`` minutes of a set, or ``count`` distinct values of
    ``distinct`` with ``each_min`` minutes each. Consumes nothing."""

    id: str
    accept: Accept
    minimum: int = 0
    distinct: str | None = None
    count: int = 0
    each_min: int = 0
    name: Text = field(default_factory=lambda: Text("", ""))


@dataclass(frozen=True, slots=True)
class Item:
    """A condition that is not minutes: this item must be in this state."""

    id: str
    item: str
    state: str
    name: Text


@dataclass(frozen=True, slots=True)
class Prior:
    """Another way in: a fact about the applicant, with ``at_least`` when it is a number."""

    prior: str
    at_least: int | None = None


@dataclass(frozen=True, slots=True)
class After:
    """The degree below: held in this state for ``wait_days``; or one of the other entries.

    ``hours_from``: ``surplus`` (minutes no earlier degree used), ``none`` (only learning from the
    day of the earlier award on), ``all`` (everything, used or not).
    """

    degree: str | None = None
    state: str = "valid"
    wait_days: int = 0
    hours_from: str = "surplus"
    either: tuple[Prior, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """An admission condition on minutes done, counted or not: looks, consumes nothing."""

    id: str
    minimum: int
    accept: Accept
    name: Text


@dataclass(frozen=True, slots=True)
class Degree:
    """One degree, or one track of it (``doctor/history``; ``base`` is then ``doctor``)."""

    id: str
    base: str
    name: Text
    advertised_hours: int | None
    blocks: tuple[Block, ...]
    overlays: tuple[Overlay, ...]
    items: tuple[Item, ...]
    after: After
    recorded: tuple[Recorded, ...]
    cohort: str

    @property
    def required(self) -> int:
        """Minutes all blocks ask for together."""
        return sum(block.minimum for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``maximum`` minutes of what ``accept`` takes per window (and per ``per``).

    ``ratio`` caps take a share of the minutes the degree requires, never of those earned.
    """

    id: str
    accept: Accept
    window: str
    maximum: int
    ratio: Fraction | None
    per: str | None
    degrees: frozenset[str]
    name: Text

    def limit(self, degree: Degree) -> int:
        if self.ratio is None:
            return self.maximum
        return degree.required * self.ratio.numerator // self.ratio.denominator


@dataclass(frozen=True, slots=True)
class TableRow:
    """What one certificate code is worth between two dates of achievement."""

    code: str
    subject: str
    minutes: int
    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a record of this kind becomes minutes; the first that matches decides.

    ``gives``: ``full``, ``attended`` (minutes times attended of sessions, rounded down),
    ``ratio``, ``per_item`` or ``table``. ``thresholds``: (sessions at least, ratio), widest first;
    ``if_missing``: what happens without attendance figures, ``pass`` or ``fail``.
    """

    id: str
    accept: Accept
    gives: str
    ratio: Fraction | None = None
    per_item: int = 0
    table: tuple[TableRow, ...] = ()
    group_by: str | None = None
    max_items: int | None = None
    thresholds: tuple[tuple[int, Fraction], ...] = ()
    if_missing: str = "fail"


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name of a category between two dates."""

    leaf: str
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The names of subjects this version knows."""

    version: str
    leaves: frozenset[str]
    aliases: Mapping[str, tuple[Alias, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Equivalence:
    """A code of one issuer (or any) that stands for another course or class, with dates."""

    code: str
    issuer: str | None
    course: str | None
    course_class: str | None
    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Which records may count at all."""

    statuses: frozenset[str]
    issuer_registry: str
    issuer_at: str
    late_days: Mapping[str, int]
    late_default: int | None
    late_action: str
    require: Mapping[str, tuple[str, ...]]
    cutoff: str


@dataclass(frozen=True, slots=True)
class Identity:
    """When two records are one learning, and whose clock minutes exclude each other."""

    same: tuple[tuple[str, ...], ...]
    across_type: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy. ``document`` is the parsed YAML as JSON values; ``hash`` is
    ``sha256:`` + hex SHA-256 over its RFC 8785 form; ``lines`` maps a path in it to a line."""

    id: str
    version: str
    name: Text
    effective_from: date
    effective_to: date | None
    clock: Clock
    lesson_minutes: int
    taxonomy: Taxonomy
    evidence: Evidence
    identity: Identity
    conversions: tuple[Conversion, ...]
    equivalences: tuple[Equivalence, ...]
    caps: tuple[Cap, ...]
    degrees: tuple[Degree, ...]
    objective: tuple[str, ...]
    choose_by: str
    moved: Mapping[str, str]
    document: Mapping[str, Any]
    hash: str
    lines: Mapping[tuple[str | int, ...], int] = field(repr=False, compare=False)

    @property
    def key(self) -> str:
        """``id@version``, the name an audit and a decision carry."""
        return f"{self.id}@{self.version}"

    def degree(self, degree_id: str) -> Degree | None:
        """The degree or track of this id, None when there is none."""
        return next((d for d in self.degrees if d.id == degree_id), None)
