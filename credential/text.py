"""A sentence in the two languages Baeum speaks."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """The same sentence in Korean and English."""

    ko: str
    en: str

    def format(self, **facts: object) -> Text:
        """Fill ``{name}`` places in both languages with the same facts."""
        return Text(self.ko.format(**facts), self.en.format(**facts))

    def to_json(self) -> dict[str, str]:
        return {"ko": self.ko, "en": self.en}
