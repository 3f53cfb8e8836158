"""A template as data: checked when loaded, filled per record.

The file has the credential's JSON with ``"{hole}"`` strings, phrases composed from the record's
values in Korean and, when the record has an English title, in English, and the list of values a
record may lack. ``$needs`` on an object leaves it out when one of the values it names is absent.
A member whose own hole is absent is left out without saying so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from string import Formatter
from typing import Any, ClassVar, Final

from credential.errors import BaeumError
from credential.text import Text
from issuer.templates.facts import NAMES, OPTIONAL

_HOLE: Final = re.compile(r"\{([A-Za-z]+)\}")
_NEEDS: Final = "$needs"
_DROPPED: Final = object()


class TemplateInvalid(BaeumError):
    """A template file is not one."""

    code = "template-invalid"
    title = Text("증명 서식이 잘못되었습니다", "The credential template is wrong")
    status: ClassVar[int] = 500


class TemplateMissing(BaeumError):
    """There is no template for this kind of record."""

    code = "template-missing"
    title = Text("증명 서식이 없습니다", "There is no credential template")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A composed text. ``en`` is added after ``ko`` when the record has an English title."""

    ko: str
    en: str | None

    def filled(self, values: Mapping[str, Any]) -> str:
        text = self.ko.format_map(values)
        if self.en is not None and "titleEn" in values:
            return f"{text} / {self.en.format_map(values)}"
        return text


@dataclass(frozen=True, slots=True)
class Template:
    """One kind's credential. ``name`` carries the version: ``course/1``."""

    name: str
    kind: str
    optional: frozenset[str]
    phrases: Mapping[str, Phrase]
    document: Mapping[str, Any] = field(repr=False)
    hours: bool = True
    """Whether it recognises time; without it a record needs no minutes."""
    ongoing: bool = False
    """Whether what it tells of may not have ended yet."""

    def shape(self, absent: frozenset[str]) -> dict[str, Any]:
        """The document with its holes, without the members that need an absent value."""
        shaped = _shaped(self.document, absent & self.optional)
        assert isinstance(shaped, dict)
        return shaped

    def variant(self, absent: frozenset[str]) -> frozenset[str]:
        """The absences that make a difference to this template."""
        return absent & self.optional

    def fill(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values with the phrases composed from them: what the shape's holes take."""
        phrases = {name: phrase.filled(values) for name, phrase in self.phrases.items()}
        return values | phrases


def load(text: str, source: str) -> Template:
    """Read and check one template file. Raises ``TemplateInvalid`` naming what is wrong."""
    try:
        body = json.loads(text)
        phrases = {
            name: Phrase(str(both["ko"]), both.get("en")) for name, both in body["phrases"].items()
        }
        template = Template(
            name=body["template"],
            kind=body["kind"],
            optional=frozenset(body["optional"]),
            phrases=phrases,
            document=body["document"],
            hours=bool(body.get("hours", True)),
            ongoing=bool(body.get("ongoing", False)),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _invalid(source, f"{type(error).__name__}: {error}") from error
    _check(template, source)
    return template


_folders: tuple[Path, ...] = ()


def add_folders(*folders: Path) -> None:
    """Take the templates of these folders too, in this process."""
    global _folders
    _folders = tuple(dict.fromkeys((*_folders, *folders)))
    kinds.cache_clear()


def folders() -> tuple[Path, ...]:
    """The folders beside the package's own."""
    return _folders


@cache
def kinds() -> Mapping[str, Template]:
    """Every template there is, by kind of record. Raises ``TemplateInvalid``."""
    found: dict[str, Template] = {}
    places = [resources.files(__package__), *_folders]
    for entry in sorted((e for p in places for e in p.iterdir()), key=lambda e: e.name):
        if entry.name.endswith(".json"):
            template = load(entry.read_text(encoding="utf-8"), entry.name)
            if template.kind in found:
                raise _invalid(entry.name, f"a second template for {template.kind}")
            found[template.kind] = template
    return found


def template_for(kind: str) -> Template:
    """The template of a kind of record. Raises ``TemplateMissing``."""
    template = kinds().get(kind)
    if template is None:
        raise TemplateMissing(
            Text(
                f"'{kind}' 종류의 증명 서식이 없습니다", f"No template for records of kind {kind!r}"
            ),
            Text(
                "issuer/templates에 이 종류의 서식 파일을 추가해 주세요",
                "Add a file for this kind to issuer/templates",
            ),
            {"kind": kind},
        )
    return template


def hole(text: str) -> str | None:
    """The name in a string that is exactly one hole."""
    found = _HOLE.fullmatch(text)
    return found.group(1) if found else None


def _shaped(node: Any, absent: frozenset[str]) -> Any:
    if isinstance(node, str):
        return _DROPPED if hole(node) in absent else node
    if isinstance(node, Mapping):
        if absent.intersection(node.get(_NEEDS, ())):
            return _DROPPED
        kept = {key: _shaped(value, absent) for key, value in node.items() if key != _NEEDS}
        return {key: value for key, value in kept.items() if value is not _DROPPED}
    if isinstance(node, list):
        items = [item for item in (_shaped(n, absent) for n in node) if item is not _DROPPED]
        return items if items or not node else _DROPPED
    return node


def _check(template: Template, source: str) -> None:
    if not template.optional <= OPTIONAL:
        raise _invalid(source, f"not optional: {sorted(template.optional - OPTIONAL)}")
    for name, phrase in template.phrases.items():
        if name in NAMES:
            raise _invalid(source, f"the phrase {name} hides a value")
        for text in (phrase.ko, phrase.en or ""):
            used = {part[1] for part in Formatter().parse(text) if part[1] is not None}
            if not used <= NAMES - OPTIONAL:
                raise _invalid(source, f"phrase {name}: {sorted(used - (NAMES - OPTIONAL))}")
        if "{titleEn}" in phrase.ko:
            raise _invalid(source, f"phrase {name}: the Korean text needs an English title")
    known = (NAMES | template.phrases.keys()) - {"titleEn", "timeEn", "issuerNameEn"}
    for needed, path in _holes(template.document, ""):
        if needed not in known:
            raise _invalid(source, f"{path}: unknown value {needed}")
    if template.shape(template.optional).get("id") != "{credentialId}":
        raise _invalid(source, "the document's id is not {credentialId}")


def _holes(node: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(node, str):
        if "{" in node and hole(node) is None:
            return [(node, path)]
        name = hole(node)
        return [(name, path)] if name else []
    found: list[tuple[str, str]] = []
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == _NEEDS:
                found.extend((name, f"{path}/{key}") for name in value)
            else:
                found.extend(_holes(value, f"{path}/{key}"))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            found.extend(_holes(value, f"{path}/{index}"))
    return found


def _invalid(source: str, what: str) -> TemplateInvalid:
    return TemplateInvalid(
        Text(f"{source}: {what}", f"{source}: {what}"),
        Text("서식 파일을 고쳐 주세요", "Correct the template file"),
        {"template": source},
    )
