"""The bundled contexts and schemas are the published bytes, and nothing else is known."""

from __future__ import annotations

import hashlib
from importlib import resources

import pytest
from vectors import vectors

from credential import contexts


@pytest.mark.parametrize("folder", ["contexts", "schemas"])
def test_every_file_has_its_recorded_digest_and_licence(folder):
    data = resources.files("credential").joinpath("data", folder)
    entries = contexts.index(folder).values()
    for entry in entries:
        read = data.joinpath(entry.file).read_bytes()
        assert hashlib.sha256(read).hexdigest() == entry.sha256, entry.file
        assert entry.licence
        assert entry.source
    on_disk = {item.name for item in data.iterdir()} - {"INDEX.tsv"}
    assert on_disk == {entry.file for entry in entries}


def test_bundled_contexts_are_the_published_copies():
    published = {}
    for row in (vectors("contexts") / "INDEX.tsv").read_text().splitlines()[1:]:
        url, _, digest, *_ = row.split("\t")
        published.setdefault(url.split(" ")[0], set()).add(digest)
    for entry in contexts.index().values():
        # without a minor version: the newest under which those certificates verify
        address = {"https://w3id.org/blockcerts/v3": "https://w3id.org/blockcerts/v3.1"}.get(
            entry.url, entry.url
        )
        assert entry.sha256 in published[address], entry.url


def test_an_unknown_context_is_refused():
    with pytest.raises(contexts.UnknownContext):
        contexts.load("https://example.org/ctx")


def test_a_changed_file_is_noticed():
    entry = contexts.index()[contexts.VC_V2]
    changed = contexts.Bundled(entry.url, entry.file, "00" * 32, entry.source, entry.licence)
    with pytest.raises(contexts.ContextDamaged):
        changed.read("contexts")
