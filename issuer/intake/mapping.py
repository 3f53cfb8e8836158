"""Mappings: YAML that says which column is which field. Data, so a new institution needs no code.

``ready_mappings()`` come with the package; ``fit`` finds the header row and the mapping that reads
it. The format is in ``mapping.schema.json`` and explained in ``docs/intake.md``.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import jsonschema
import yaml

from credential.text import Text
from issuer.intake import residents
from issuer.intake.quantities import Unit
from issuer.intake.refusals import (
    ColumnMissing,
    ColumnTwice,
    MappingInvalid,
    MappingUnknown,
    ResidentNumberFound,
    listed,
)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one field is read. ``columns`` and the keys of the tables are in normal form."""

    name: str
    columns: tuple[str, ...]
    headings: tuple[str, ...]  # as written in the mapping, for people
    column_required: bool
    cell_required: bool
    default: str | None
    values: MappingOf[str, str] | None
    listed_values: tuple[str, ...]
    other: Literal["keep", "review", "reject"]
    corrections: MappingOf[str, str]
    unit: Unit
    lesson_minutes: int


@dataclass(frozen=True, slots=True)
class ItemRule:
    """A row whose fields have these values also decides a condition of a degree."""

    item: str
    state: str
    when: tuple[tuple[str, frozenset[str]], ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """One kind of file."""

    id: str
    version: str
    name: Text
    makes: Literal["record", "award"]
    series: str
    kind: str | None
    scheme: str
    sheet: str | None
    header_within: int
    fields: MappingOf[str, FieldRule]
    items: tuple[ItemRule, ...]

    @property
    def label(self) -> str:
        """``id@version``, as stored with a submission."""
        return f"{self.id}@{self.version}"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A mapping laid over a header: the column of each field, and what no field reads."""

    mapping: Mapping
    header_row: int
    columns: MappingOf[str, int]
    headings: MappingOf[str, str]
    unused: tuple[str, ...]
    width: int


def plain(text: str) -> str:
    """The form in which headings and listed values are compared: NFKC, no spaces, no case."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(folded.split()).strip("*:※")


@cache
def ready_mappings() -> tuple[Mapping, ...]:
    """The ready mappings, by id."""
    folder = files("issuer.intake") / "mappings"
    found = [
        parse_mapping(entry.read_text("utf-8"), entry.name)
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    ]
    return tuple(sorted(found, key=lambda mapping: mapping.id))


def mapping_by_id(name: str) -> Mapping:
    """A ready mapping, by id or by the path of a YAML file; raises MappingUnknown."""
    for mapping in ready_mappings():
        if name in (mapping.id, mapping.label):
            return mapping
    if name.endswith((".yaml", ".yml")) and Path(name).is_file():
        return parse_mapping(Path(name).read_text("utf-8"), name)
    known = [mapping.id for mapping in ready_mappings()]
    raise MappingUnknown(
        Text(f"‘{name}’ 매핑이 없습니다.", f"There is no mapping '{name}'."),
        Text(f"있는 매핑: {listed(known)}", f"Ready mappings: {listed(known)}"),
        {"mapping": name, "known": known},
    )


@cache
def _schema() -> Any:
    return json.loads((files("issuer.intake") / "mapping.schema.json").read_text("utf-8"))


def parse_mapping(text: str, source: str) -> Mapping:
    """A mapping from YAML; raises MappingInvalid with the place."""
    remedy = Text("매핑 파일의 그 부분을 고쳐 주세요.", "Correct that place in the mapping file.")
    try:
        body = yaml.safe_load(text)
        jsonschema.validate(body, _schema())
    except yaml.YAMLError as error:
        raise MappingInvalid(
            Text(f"{source}: YAML이 아닙니다.", f"{source}: not YAML."), remedy
        ) from error
    except jsonschema.ValidationError as error:
        raise MappingInvalid(
            Text(
                f"{source} {error.json_path}: 형식에 맞지 않습니다.",
                f"{source} {error.json_path}: {error.message}",
            ),
            remedy,
            {"path": error.json_path},
        ) from error
    fields = {name: _field(name, rule) for name, rule in body["fields"].items()}
    mapping = Mapping(
        body["id"],
        body["version"],
        Text(**body["name"]),
        body["makes"],
        body.get("series", body["id"][:32]),
        body.get("kind"),
        body["scheme"],
        body.get("sheet"),
        body.get("header_within", 20),
        fields,
        tuple(
            ItemRule(
                item["item"],
                item["state"],
                tuple((name, frozenset(values)) for name, values in item["when"].items()),
            )
            for item in body.get("items", [])
        ),
    )
    wrong = _inconsistent(mapping)
    if wrong is not None:
        raise MappingInvalid(Text(f"{source}: {wrong.ko}", f"{source}: {wrong.en}"), remedy)
    return mapping


def _field(name: str, rule: MappingOf[str, Any]) -> FieldRule:
    values = rule.get("values")
    return FieldRule(
        name,
        tuple(plain(column) for column in rule["columns"]),
        tuple(rule["columns"]),
        rule.get("column", "optional") == "required",
        rule.get("cell", "optional") == "required",
        rule.get("default"),
        None if values is None else {plain(key): value for key, value in values.items()},
        tuple(values or ()),
        rule.get("other", "reject"),
        {plain(key): value for key, value in rule.get("corrections", {}).items()},
        rule.get("unit", "minutes"),
        rule.get("lesson_minutes", 50),
    )


def _inconsistent(mapping: Mapping) -> Text | None:
    names = set(mapping.fields)
    if mapping.makes == "award":
        lacking = {"degree", "awarded_on"} - names
    else:
        lacking = {"title_ko"} - names
        if mapping.kind is None and "kind" not in names:
            lacking.add("kind")
        if not names & {"period", "date", "start"}:
            lacking.add("date")
        exact = {"date", "start_time", "end_time"} <= names or {"start", "end"} <= names
        if "minutes" not in names and not exact:
            lacking.add("minutes")
    unknown = {name for item in mapping.items for name, _ in item.when} - names
    if lacking or unknown:
        words = listed(sorted(lacking | unknown))
        return Text(f"필드가 없습니다: {words}", f"fields missing: {words}")
    return None


# --- laying a mapping over a header ---------------------------------------------------------------


def fit(rows: Sequence[tuple[int, Sequence[str]]], mapping: Mapping | None) -> Fitted:
    """The header row among the first ``rows`` and the mapping that reads it.

    With ``mapping`` given, a column it needs and does not find raises ColumnMissing, naming it;
    without, the ready mapping that reads the most columns wins, and MappingUnknown says what is
    near. Raises ColumnTwice, ResidentNumberFound.
    """
    for _, cells in rows:
        for index, cell in enumerate(cells):
            if cell and residents.heading(cell):
                raise ResidentNumberFound.column(index + 1)
    candidates = ready_mappings() if mapping is None else (mapping,)
    best: dict[str, tuple[int, Fitted, tuple[FieldRule, ...]]] = {}
    for candidate in candidates:
        for number, cells in rows[: candidate.header_within]:
            fitted, lacking = _lay(candidate, number, cells)
            score = len(fitted.columns) - 1000 * bool(lacking)
            if fitted.columns and (candidate.id not in best or score > best[candidate.id][0]):
                best[candidate.id] = (score, fitted, lacking)
    ranked = sorted(best.values(), key=lambda entry: -entry[0])
    complete = [entry for entry in ranked if not entry[2]]
    if not complete:
        # Two headings in common is chance; with the mapping named, one is enough to go by.
        near = [entry for entry in ranked if mapping is not None or entry[0] > -998]
        raise _nothing_fits(mapping, near, rows)
    if len(complete) > 1 and complete[0][0] == complete[1][0]:
        same = [entry[1].mapping.id for entry in complete if entry[0] == complete[0][0]]
        raise MappingUnknown(
            Text(f"여러 매핑에 맞습니다: {listed(same)}", f"Several mappings fit: {listed(same)}"),
            Text("어느 것인지 지정해 주세요.", "Say which one it is."),
            {"known": same},
        )
    return complete[0][1]


def _lay(
    mapping: Mapping, number: int, cells: Sequence[str]
) -> tuple[Fitted, tuple[FieldRule, ...]]:
    places: dict[str, list[int]] = {}
    for index, cell in enumerate(cells):
        if cell:
            places.setdefault(plain(cell), []).append(index)
    columns: dict[str, int] = {}
    headings: dict[str, str] = {}
    for rule in mapping.fields.values():
        for wanted in rule.columns:
            found = places.get(wanted)
            if found is None:
                continue
            if len(found) > 1:
                heading = cells[found[0]]
                raise ColumnTwice(
                    Text(f"‘{heading}’ 열이 둘 이상입니다.", f"There are two columns '{heading}'."),
                    Text("쓰지 않는 열을 지우세요.", "Delete the one that is not used."),
                    {"column": heading},
                )
            columns[rule.name] = found[0]
            headings[rule.name] = " ".join(cells[found[0]].split())
            break
    lacking = tuple(
        rule
        for rule in mapping.fields.values()
        if rule.column_required and rule.name not in columns
    )
    used = set(columns.values())
    unused = tuple(
        " ".join(cell.split()) for index, cell in enumerate(cells) if cell and index not in used
    )
    return Fitted(mapping, number, columns, headings, unused, len(cells)), lacking


def _nothing_fits(
    mapping: Mapping | None,
    near: Sequence[tuple[int, Fitted, tuple[FieldRule, ...]]],
    rows: Sequence[tuple[int, Sequence[str]]],
) -> ColumnMissing | MappingUnknown:
    if near:
        _, fitted, lacking = near[0]
        names = [rule.headings[0] for rule in lacking]
        found = [*fitted.headings.values(), *fitted.unused]
        return ColumnMissing(
            Text(
                f"‘{fitted.mapping.name.ko}’ 파일에 필요한 열이 없습니다: {listed(names)}. "
                f"{fitted.header_row}행에서 찾은 열: {listed(found)}",
                f"A '{fitted.mapping.name.en}' file needs the column(s) {listed(names)}; "
                f"row {fitted.header_row} has: {listed(found)}",
            ),
            Text(
                f"열을 넣거나 이름을 맞추세요. 받는 이름: {listed(lacking[0].headings)}",
                f"Add the column or rename it; accepted headings: {listed(lacking[0].headings)}",
            ),
            {"missing": names, "mapping": fitted.mapping.id, "row": fitted.header_row},
        )
    if mapping is not None:
        needed = [r.headings[0] for r in mapping.fields.values() if r.column_required]
        return ColumnMissing(
            Text(
                f"처음 {len(rows)}행에서 머리글을 찾지 못했습니다. 필요한 열: {listed(needed)}",
                f"No header in the first {len(rows)} rows; needed columns: {listed(needed)}",
            ),
            Text("머리글 행을 넣어 주세요.", "Add the header row."),
            {"missing": needed, "mapping": mapping.id},
        )
    known = [each.id for each in ready_mappings()]
    return MappingUnknown(
        Text(
            "머리글이 준비된 어느 매핑과도 맞지 않습니다.",
            "The header fits none of the ready mappings.",
        ),
        Text(
            f"매핑을 지정하거나 새로 만드세요. 있는 매핑: {listed(known)}",
            f"Name a mapping or write one. Ready: {listed(known)}",
        ),
        {"known": known},
    )
