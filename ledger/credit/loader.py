"""From a YAML file to a ``Policy``: safe, strict about types, with the line of everything.

YAML's implicit types are what breaks rule files: ``2025.10`` becomes 2025.1, ``no`` becomes
false, ``12:30`` becomes 750, an unquoted date an object. Here a plain scalar is null, true,
false, a decimal integer, or text; a float, an anchor, a tag or a doubled key is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jsonschema
import yaml

from credential.jcs import canonical
from credential.text import Text
from ledger.credit.build import build
from ledger.credit.errors import PolicyUnreadable
from ledger.credit.policy import Policy

LARGEST = 256 * 1024
DEEPEST = 30
Path_ = tuple[str | int, ...]
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_FLOAT = re.compile(r"[-+]?(\d[\d_]*)?\.?\d+([eE][-+]?\d+)?|[-+]?\.(inf|nan)|\d+\.", re.IGNORECASE)


def refused(line: int, rule: str, ko: str, en: str) -> PolicyUnreadable:
    """A ``PolicyUnreadable`` that names line and rule."""
    return PolicyUnreadable(
        Text(f"{line}번째 줄: {ko}", f"Line {line}: {en}"),
        Text(
            "docs/credit-policies.md의 형식에 맞게 고쳐 주십시오.",
            "Correct it as docs/credit-policies.md describes.",
        ),
        {"line": line, "rule": rule},
    )


def read_yaml(text: str) -> tuple[Any, dict[Path_, int]]:
    """Strict YAML to JSON values and the line (from 1) of every path. Raises PolicyUnreadable."""
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST:
        raise refused(1, "F-SIZE", "파일이 256 KB를 넘습니다.", "The file is larger than 256 KB.")
    try:
        _check_events(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = str(getattr(error, "problem", None) or error)[:200]
        raise refused(
            mark.line + 1 if mark else 1,
            "F-YAML",
            "YAML 문법에 맞지 않습니다.",
            f"Not YAML: {problem}.",
        ) from error
    except RecursionError as error:
        raise refused(1, "F-DEPTH", "너무 깊이 중첩되어 있습니다.", "Nested too deeply.") from error
    if node is None:
        raise refused(1, "F-EMPTY", "빈 파일입니다.", "The file is empty.")
    lines: dict[Path_, int] = {}
    return _value(node, (), lines), lines


def _check_events(text: str) -> None:
    """Refuse anchors, aliases, tags and deep nesting before anything is built."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise refused(
                line,
                "F-ANCHOR",
                "앵커와 별칭은 쓸 수 없습니다.",
                "Anchors and aliases are not allowed.",
            )
        if getattr(event, "tag", None) is not None:
            raise refused(line, "F-TAG", "태그는 쓸 수 없습니다.", "Tags are not allowed.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise refused(line, "F-DEPTH", "너무 깊이 중첩되어 있습니다.", "Nested too deeply.")


def _value(node: yaml.Node, path: Path_, lines: dict[Path_, int]) -> Any:
    line = node.start_mark.line + 1
    lines[path] = line
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            at = key_node.start_mark.line + 1
            if not isinstance(key, str) or key == "<<":
                raise refused(at, "F-KEY", "이름은 글자여야 합니다.", "A key must be plain text.")
            if key in found:
                raise refused(
                    at, "F-TWICE", f"‘{key}’이(가) 두 번 있습니다.", f"'{key}' appears twice."
                )
            found[key] = _value(value_node, (*path, key), lines)
            lines[(*path, key)] = at
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, i), lines) for i, child in enumerate(node.value)]
    text = str(node.value)
    if getattr(node, "style", None) is not None:
        return text
    if text in ("", "null", "~"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        raise refused(
            line,
            "F-FLOAT",
            f"‘{text}’: 소수는 쓸 수 없습니다. 판 번호라면 따옴표로 묶어 주십시오.",
            f"'{text}' would be a float; quote it if it is a version, use a fraction if a ratio.",
        )
    return text


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """The JSON Schema of degree-rules/1 (package data)."""
    text = (files("ledger.credit") / "schema" / "degree-rules-1.json").read_text("utf-8")
    return dict(json.loads(text))


@lru_cache(maxsize=1)
def _validator() -> Any:
    return jsonschema.Draft202012Validator(schema())


def parse_policy(text: str) -> Policy:
    """A policy from YAML text; shape only, see ``lint`` for what may be published.

    Raises ``PolicyUnreadable`` with ``facts`` line and rule.
    """
    document, lines = read_yaml(text)
    problems = sorted(
        _validator().iter_errors(document),
        key=lambda e: (list(map(str, e.absolute_path)), e.message),
    )
    if problems:
        problem = jsonschema.exceptions.best_match(iter(problems)) or problems[0]
        place = tuple(problem.absolute_path)
        where = ".".join(str(part) for part in place) or "(root)"
        raise refused(
            line_of(lines, place),
            "F-SCHEMA",
            f"‘{where}’이(가) 형식에 맞지 않습니다.",
            f"'{where}': {problem.message[:300]}.",
        )
    _check_dates(document, (), lines)
    try:
        ZoneInfo(document["clock"]["timezone"])
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise refused(
            line_of(lines, ("clock", "timezone")),
            "F-ZONE",
            "모르는 시간대입니다.",
            "Unknown time zone.",
        ) from error
    digest = "sha256:" + hashlib.sha256(canonical(document)).hexdigest()
    return build(document, digest, lines)


def line_of(lines: Any, path: Path_) -> int:
    """The line of a path, or of the nearest part of it that exists."""
    while path and path not in lines:
        path = path[:-1]
    return int(lines.get(path, 1))


_DATES = {"from", "to", "published", "holidays"}
_MONTH_DAYS = {"year", "terms"}
_RATIOS = {"attended_ratio_at_least", "ratio", "max_ratio", "else"}
_RATIO = re.compile(r"[0-9]+/[1-9][0-9]*")


def _check_dates(value: Any, path: Path_, lines: dict[Path_, int]) -> None:
    if isinstance(value, dict):
        for key, child in value.items():
            _check_dates(child, (*path, key), lines)
    elif isinstance(value, list):
        for i, child in enumerate(value):
            _check_dates(child, (*path, i), lines)
    elif isinstance(value, str):
        name = next((p for p in reversed(path) if isinstance(p, str)), "")
        try:
            if name in _DATES:
                date.fromisoformat(value)
            elif name in _MONTH_DAYS and path[0] == "clock" and value != "calendar":
                date.fromisoformat("2001-" + value.removeprefix("academic:"))
        except ValueError as error:
            raise refused(
                line_of(lines, path),
                "F-DATE",
                f"‘{value}’은(는) 날짜가 아닙니다.",
                f"'{value}' is not a date.",
            ) from error
        ratio = _RATIO.fullmatch(value)
        if ratio and Fraction(value) > 1 and (name in _RATIOS or name.startswith("sessions_ge_")):
            raise refused(
                line_of(lines, path), "F-RATIO", "비율이 1보다 큽니다.", "A ratio above 1."
            )


def load_policy(path: Path) -> Policy:
    """A policy from a file. Raises ``PolicyUnreadable``."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise PolicyUnreadable(
            Text(f"{path} 파일을 열 수 없습니다.", f"Cannot open {path}: {error.strerror}."),
            facts={"line": 0, "rule": "F-OPEN"},
        ) from error
    except UnicodeDecodeError as error:
        raise refused(1, "F-UTF8", "UTF-8 파일이 아닙니다.", "The file is not UTF-8.") from error
    return parse_policy(text.removeprefix("\ufeff"))


@lru_cache(maxsize=1)
def bundled() -> tuple[Policy, ...]:
    """The policies that come with the package, in order of id and version."""
    folder = files("ledger.credit") / "policies"
    texts = [f.read_text("utf-8") for f in folder.iterdir() if f.name.endswith(".yaml")]
    return tuple(sorted((parse_policy(t) for t in texts), key=lambda p: (p.id, p.effective_from)))
