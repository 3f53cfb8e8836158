"""From the checked document (JSON values) to the values of ``policy``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from credential.text import Text
from ledger.credit.clock import Clock
from ledger.credit.policy import (
    Accept,
    After,
    Alias,
    Block,
    Cap,
    Conversion,
    Degree,
    Equivalence,
    Evidence,
    Identity,
    Item,
    Overlay,
    Policy,
    Prior,
    Recorded,
    TableRow,
    Taxonomy,
)

Json = Mapping[str, Any]


def _date(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)


def _words(value: str | list[str] | None) -> frozenset[str]:
    return frozenset() if value is None else frozenset([value] if isinstance(value, str) else value)


def _name(raw: Json) -> Text:
    name = raw.get("name")
    return Text(name["ko"], name["en"]) if name else Text(raw["id"], raw["id"])


def _month_day(value: str) -> tuple[int, int]:
    return int(value[:2]), int(value[3:])


def accept(raw: Json) -> Accept:
    """An ``accept``/``match`` object."""
    return Accept(
        anything=bool(raw.get("any")),
        types=_words(raw.get("type")),
        categories=_words(raw.get("category")),
        groups=_words(raw.get("issuer_group")),
        issuers=_words(raw.get("issuer")),
        levels=_words(raw.get("level")),
        courses=_words(raw.get("course")),
        since=_date(raw.get("from")),
        until=_date(raw.get("to")),
        either=tuple(accept(option) for option in raw.get("or", ())),
    )


def _clock(raw: Json) -> Clock:
    year = raw.get("year", "calendar")
    return Clock(
        zone=raw["timezone"],
        year_start=(1, 1) if year == "calendar" else _month_day(year.removeprefix("academic:")),
        term_starts=tuple(sorted(_month_day(t) for t in raw.get("terms", ()))),
        count_first_day=raw.get("period_rule") == "include_first_day",
        roll=raw.get("period_end", "as_is"),
        holidays=frozenset(date.fromisoformat(d) for d in raw.get("holidays", ())),
    )


def _degrees(raws: list[Json]) -> tuple[Degree, ...]:
    found = []
    for raw in raws:
        found.append(_degree(raw, raw["id"], raw["id"]))
        for track in raw.get("tracks", ()):
            found.append(_degree({**raw, **track}, f"{raw['id']}/{track['id']}", raw["id"]))
    return tuple(found)


def _degree(raw: Json, ident: str, base: str) -> Degree:
    after = raw.get("after") or {}
    admission = raw.get("admission") or {}
    return Degree(
        id=ident,
        base=base,
        name=_name(raw),
        advertised_hours=raw.get("advertised_hours"),
        blocks=tuple(
            Block(b["id"], b["min"], b.get("max"), accept(b["accept"]), _name(b))
            for b in raw["blocks"]
        ),
        overlays=tuple(
            Overlay(
                o["id"],
                accept(o["accept"]),
                o.get("min", 0),
                o.get("distinct"),
                o.get("count", 0),
                o.get("each_min", 0),
                _name(o),
            )
            for o in raw.get("overlays", ())
        ),
        items=tuple(Item(i["id"], i["item"], i["state"], _name(i)) for i in raw.get("items", ())),
        after=After(
            after.get("degree"),
            after.get("state", "valid"),
            after.get("wait_days", 0),
            after.get("hours_from", "surplus"),
            tuple(Prior(p["prior"], p.get("at_least")) for p in after.get("or", ())),
        ),
        recorded=tuple(
            Recorded(r["id"], r["min"], accept(r["accept"]), _name(r))
            for r in admission.get("recorded", ())
        ),
        cohort=admission.get("cohort", "none"),
    )


def _conversion(raw: Json, tables: Mapping[str, list[Json]]) -> Conversion:
    gives = raw.get("gives", "table")
    rule = raw.get("pass_if") or {}
    wanted = rule.get("attended_ratio_at_least")
    thresholds: tuple[tuple[int, Fraction], ...] = ()
    if isinstance(wanted, str):
        thresholds = ((0, Fraction(wanted)),)
    elif wanted:
        steps = [
            (0 if k == "else" else int(k.removeprefix("sessions_ge_")), Fraction(v))
            for k, v in wanted.items()
        ]
        thresholds = tuple(sorted(steps, reverse=True))
    return Conversion(
        id=raw["id"],
        accept=accept(raw["match"]),
        gives=gives if isinstance(gives, str) else next(iter(gives)),
        ratio=Fraction(gives["ratio"]) if isinstance(gives, dict) and "ratio" in gives else None,
        per_item=gives.get("per_item", 0) if isinstance(gives, dict) else 0,
        table=tuple(
            TableRow(
                r["code"],
                r.get("subject", r["code"]),
                r["minutes"],
                _date(r.get("from")),
                _date(r.get("to")),
            )
            for r in tables.get(raw.get("table", ""), ())
        ),
        group_by=raw.get("group_by"),
        max_items=raw.get("max_items"),
        thresholds=thresholds,
        if_missing=rule.get("if_missing", "fail"),
    )


def _taxonomy(raw: Json) -> Taxonomy:
    aliases = {}
    for name, value in (raw.get("alias") or {}).items():
        rows = [{"leaf": value}] if isinstance(value, str) else value
        aliases[name] = tuple(
            Alias(r["leaf"], _date(r.get("from")), _date(r.get("to"))) for r in rows
        )
    return Taxonomy(raw["version"], frozenset(raw["leaves"]), aliases)


def _evidence(raw: Json) -> Evidence:
    late = {k: v for k, v in (raw.get("late_after_days") or {}).items() if k != "basis"}
    return Evidence(
        statuses=frozenset(raw["count_status"]),
        issuer_registry=raw["issuer"]["registry"],
        issuer_at=raw["issuer"].get("valid_at", "activity_end"),
        late_days={k: v for k, v in late.items() if k != "default"},
        late_default=late.get("default"),
        late_action=raw.get("late_action", "review"),
        require={k: tuple(v) for k, v in (raw.get("require") or {}).items()},
        cutoff=raw.get("cutoff", "verification"),
    )


def build(document: Json, digest: str, lines: Mapping[tuple[str | int, ...], int]) -> Policy:
    """The policy of a document that passed the schema."""
    head, identity = document["policy"], document["identity"]
    tables = document.get("tables") or {}
    return Policy(
        id=head["id"],
        version=head["version"],
        name=_name(head),
        effective_from=date.fromisoformat(head["effective"]["from"]),
        effective_to=_date(head["effective"]["to"]),
        clock=_clock(document["clock"]),
        lesson_minutes=document["units"].get("lesson_minutes", 60),
        taxonomy=_taxonomy(document["taxonomy"]),
        evidence=_evidence(document["evidence"]),
        identity=Identity(
            tuple(tuple(key) for key in identity.get("same_learning", ())),
            (identity.get("overlap") or {}).get("across_type", "one_minute_once"),
        ),
        conversions=tuple(_conversion(c, tables) for c in document.get("conversions", ())),
        equivalences=tuple(
            Equivalence(
                e["code"],
                e.get("issuer"),
                e.get("course"),
                e.get("course_class"),
                _date(e.get("from")),
                _date(e.get("to")),
            )
            for e in document.get("equivalences", ())
        ),
        caps=tuple(
            Cap(
                c["id"],
                accept(c.get("match", c)),
                c["window"],
                c.get("max", 0),
                Fraction(c["max_ratio"]) if "max_ratio" in c else None,
                c.get("per"),
                frozenset(c.get("degrees", ())),
                _name(c),
            )
            for c in document.get("caps", ())
        ),
        degrees=_degrees(document["degrees"]),
        objective=tuple(
            (document.get("allocation") or {}).get(
                "objective", ("meet_degree", "keep_flexible_minutes", "oldest_first", "record_id")
            )
        ),
        choose_by=document["transition"]["choose_by"],
        moved=dict(document["transition"].get("moved") or {}),
        document=document,
        hash=digest,
        lines=lines,
    )
