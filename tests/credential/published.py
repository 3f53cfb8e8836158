"""The published contexts the vectors use beside the bundled ones (examples with a @vocab)."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from vectors import vectors

from credential import contexts


@cache
def _extra() -> dict[str, dict[str, Any]]:
    folder = vectors("contexts")
    found = {}
    for row in (folder / "INDEX.tsv").read_text().splitlines()[1:]:
        url, file, *_ = row.split("\t")
        if " " not in url and url not in contexts.index():
            found[url] = json.loads((folder / file).read_bytes())
    return found


def load(url: str) -> dict[str, Any]:
    """Bundled contexts first, then the other published ones."""
    extra = _extra()
    return extra[url] if url in extra else contexts.load(url)
