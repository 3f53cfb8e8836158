"""Which of the two languages a reader gets: what they asked for, else what their browser says."""

from __future__ import annotations

from typing import Literal

from starlette.requests import Request

from credential.text import Text

Language = Literal["ko", "en"]
DEFAULT: Language = "ko"


def named(tag: str | None) -> Language | None:
    """``ko`` or ``en`` for a language tag such as ``en-GB``; ``None`` for any other."""
    primary = (tag or "").strip().lower().split("-")[0]
    if primary == "ko":
        return "ko"
    if primary == "en":
        return "en"
    return None


def preferred(accept_language: str | None) -> Language:
    """The better liked of our languages in an ``Accept-Language`` value (RFC 9110, 12.5.4).

    A reader of neither language gets English when they name any language at all, Korean when
    they name none: this is a service of Seoul.
    """
    wishes: list[tuple[float, int, str]] = []
    for position, part in enumerate((accept_language or "")[:500].split(",")):
        tag, _, parameters = part.partition(";")
        weight = _weight(parameters)
        if tag.strip() and weight > 0:
            wishes.append((-weight, position, tag))
    for _, _, tag in sorted(wishes):
        language = named(tag)
        if language is not None:
            return language
    spoken = [tag.strip() for _, _, tag in wishes if tag.strip() != "*"]
    return "en" if spoken else DEFAULT


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0


def of(request: Request) -> Language:
    """The language of the answer: the ``lang`` parameter first, then ``Accept-Language``."""
    return named(request.query_params.get("lang")) or preferred(
        request.headers.get("accept-language")
    )


def say(text: Text, language: Language) -> str:
    """The sentence in one language."""
    return text.ko if language == "ko" else text.en
