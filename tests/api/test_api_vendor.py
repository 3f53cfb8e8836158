"""Files of other people are the ones we say they are, and no page asks another server."""

from __future__ import annotations

import hashlib
import json
import re

from api.pages import HERE, STATIC

VENDOR = STATIC / "vendor"


def test_every_vendored_file_has_its_digest_and_licence() -> None:
    listed = {}
    for line in (VENDOR / "SHA256SUMS.txt").read_text().splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    found = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in VENDOR.iterdir()
        if folder.is_dir()
        for path in folder.iterdir()
    }
    assert found == listed
    index = json.loads((VENDOR / "INDEX.json").read_text())
    assert {name.split("/")[0] for name in found} == set(index)
    for entry in index.values():
        assert entry["licence"]
        assert entry["version"]


def test_our_pages_name_no_other_server() -> None:
    ours = [*STATIC.glob("*.*"), *(HERE / "templates").glob("*.html")]
    assert ours
    for path in ours:
        addresses = set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+", path.read_text()))
        assert addresses <= {"http://www.w3.org"}, path.name  # the name of SVG, never fetched
