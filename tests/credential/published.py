"""The published contexts the vectors use beside the bundled ones (examples with a @vocab)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from vectors import vectors

from credential import contexts


@cache
def _extra() -> dict[str, dict[str, Any]]:
    folder = vectors("contexts")
    # of digitalbazaar/citizenship-context 6e37b5e (W3C Software and Document
    # License), which the W3C vectors use
    citizenship = Path(__file__).parent / "data" / "citizenship-v4rc1.jsonld"
    found = {"https://w3id.org/citizenship/v4rc1": json.loads(citizenship.read_bytes())}
    for row in (folder / "INDEX.tsv").read_text().splitlines()[1:]:
        url, file, *_ = row.split("\t")
        if " " not in url and url not in contexts.index():
            found[url] = json.loads((folder / file).read_bytes())
    return found


def load(url: str) -> dict[str, Any]:
    """Bundled contexts first, then the other published ones."""
    extra = _extra()
    return extra[url] if url in extra else contexts.load(url)
