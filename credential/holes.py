"""Templates: JSON documents with holes, and their RFC 8785 form filled in one go.

A hole is a string that is exactly ``"{name}"``, as a whole value; it takes a string, a number or
a boolean. Member names, types and contexts are never holes: they make the shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import orjson

from credential import jcs
from credential.errors import BaeumError
from credential.text import Text

Scalar = str | int | float | bool

_SCALARS = frozenset((str, int, float, bool))
_HOLE = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")


class ShapeInvalid(BaeumError):
    """The template cannot be compiled, or a value does not fit its hole."""

    code: ClassVar[str] = "shape-invalid"
    title: ClassVar[Text] = Text("서식을 채울 수 없습니다", "The template cannot be filled")
    status: ClassVar[int] = 500

    def __init__(self, ko: str, en: str, **facts: Any) -> None:
        super().__init__(
            Text(ko, en),
            Text("서식 파일과 값을 확인하십시오.", "Check the template file and the values."),
            facts,
        )


def hole(value: object) -> str | None:
    """The name of the hole a template value is, or None."""
    if isinstance(value, str) and (match := _HOLE.fullmatch(value)):
        return match[1]
    return None


def holes(template: Any) -> Iterator[str]:
    """The names of a template's holes, in document order, with repetitions."""
    if (name := hole(template)) is not None:
        yield name
    elif isinstance(template, Mapping):
        for key, value in template.items():
            if hole(key) is not None or (key == "@context" and any(True for _ in holes(value))):
                raise ShapeInvalid(
                    "이름과 컨텍스트는 빈칸이 될 수 없습니다.",
                    "Member names and contexts cannot be holes.",
                    member=str(key),
                )
            yield from holes(value)
    elif isinstance(template, list):
        for item in template:
            yield from holes(item)


def fill(template: Any, values: Mapping[str, Scalar]) -> Any:
    """A new document with every hole filled; raises ``ShapeInvalid`` for a missing value."""
    if (name := hole(template)) is not None:
        return scalar(name, values)
    if isinstance(template, Mapping):
        return {key: fill(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(item, values) for item in template]
    return template


def scalar(name: str, values: Mapping[str, Scalar]) -> Scalar:
    """The value for a hole; raises ``ShapeInvalid`` when it is missing or not a scalar."""
    if name not in values:
        raise ShapeInvalid(f"빈칸 {name}의 값이 없습니다.", f"No value for {name}.", hole=name)
    value = values[name]
    if type(value) not in _SCALARS:
        raise ShapeInvalid(
            f"빈칸 {name}에는 글자, 수, 참거짓만 넣을 수 있습니다.",
            f"{name} takes a string, a number or a boolean.",
            hole=name,
        )
    return value


def scalars(names: Sequence[str], values: Mapping[str, Scalar]) -> list[Scalar]:
    """The values for holes, in the order of their names; raises as ``scalar`` does."""
    try:
        found = [values[name] for name in names]
    except KeyError:
        found = []
    if len(found) == len(names) and _SCALARS.issuperset(map(type, found)):
        return found
    return [scalar(name, values) for name in names]


class CanonicalJson:
    """The RFC 8785 form of a template: constant pieces with holes between."""

    __slots__ = ("_names", "_pieces")

    def __init__(self, template: Any) -> None:
        pieces: list[bytes] = [b""]
        names: list[str] = []
        for piece in _pieces(template):
            if isinstance(piece, str):
                names.append(piece)
                pieces.append(b"")
            else:
                pieces[-1] += piece
        self._pieces = pieces
        self._names = names

    def fill(self, encoded: Mapping[str, bytes]) -> bytes:
        """The document's bytes, from each hole's value as ``encode`` gives it."""
        parts = [self._pieces[0]]
        for name, piece in zip(self._names, self._pieces[1:], strict=True):
            parts.append(encoded[name])
            parts.append(piece)
        return b"".join(parts)


def encode(value: Scalar) -> bytes:
    """A scalar as RFC 8785 writes it; raises ``jcs.NotCanonical``."""
    if type(value) is str:
        try:
            return orjson.dumps(value)
        except orjson.JSONEncodeError:
            pass  # a lone surrogate: the error comes from the one place that words it
    return jcs.canonical(value)


def _pieces(template: Any) -> Iterator[bytes | str]:
    """Bytes are constant, a str names a hole."""
    if (name := hole(template)) is not None:
        yield name
    elif isinstance(template, Mapping):
        yield b"{"
        # RFC 8785 section 3.2.3: member names sort by UTF-16 code units
        for count, key in enumerate(sorted(template, key=lambda key: key.encode("utf-16-be"))):
            yield (b"," if count else b"") + jcs.canonical(key) + b":"
            yield from _pieces(template[key])
        yield b"}"
    elif isinstance(template, list):
        yield b"["
        for count, item in enumerate(template):
            if count:
                yield b","
            yield from _pieces(item)
        yield b"]"
    else:
        yield jcs.canonical(template)
