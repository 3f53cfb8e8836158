"""The one error root. Every failure says what is wrong and what to do next, in both languages.

The edges map these to RFC 9457 problems (``api``) and to exit code 2 (``baeum``); a room adds
its own subclasses and never invents another root.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from credential.text import Text


class BaeumError(Exception):
    """Something the user can act on.

    ``code`` is stable and kebab-case; ``status`` is what HTTP says; ``facts`` are machine-readable
    members (row, field, claim …) that go into the problem details as extension members.
    """

    code: ClassVar[str] = "internal"
    title: ClassVar[Text] = Text("처리하지 못했습니다", "Could not be done")
    status: ClassVar[int] = 400

    def __init__(
        self, detail: Text, remedy: Text | None = None, facts: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail.en)
        self.detail = detail
        self.remedy = remedy
        self.facts: dict[str, Any] = dict(facts or {})

    def __reduce__(self) -> tuple[Any, ...]:
        # Comes back from a worker process whole, whatever its own __init__ asks for.
        return _restored, (type(self), self.detail, self.remedy, self.facts)

    def to_json(self) -> dict[str, Any]:
        """The error as plain data: ``code``, ``title``, ``detail``, ``remedy`` and the facts."""
        body: dict[str, Any] = {
            "code": self.code,
            "title": self.title.to_json(),
            "detail": self.detail.to_json(),
        }
        if self.remedy is not None:
            body["remedy"] = self.remedy.to_json()
        return body | self.facts


def _restored(
    kind: type[BaeumError], detail: Text, remedy: Text | None, facts: Mapping[str, Any]
) -> BaeumError:
    error = kind.__new__(kind)
    BaeumError.__init__(error, detail, remedy, facts)
    return error
