"""The canonical bytes of every released template, kept for ever.

A credential signed from a template must verify as long as there are verifiers, so a released
template never changes. When one of these tests fails, do not renew the file: give the changed
template a new version and add a file for it. Before a first release only:
``BAEUM_RENEW_GOLDEN=1 pytest tests/issuer/test_golden.py``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from credential import rdf
from issuer.signing import prepare, sample_values
from issuer.templates import kinds
from issuer.templates.facts import OPTIONAL

GOLDEN = Path(__file__).parent / "golden"
VARIANTS = {"full": frozenset[str](), "bare": OPTIONAL}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", sorted(kinds()))
def test_a_released_template_never_changes(kind: str, variant: str) -> None:
    template = kinds()[kind]
    absent = VARIANTS[variant]
    values = template.fill(sample_values(kind, absent))
    shape = prepare(template, absent).shape
    path = GOLDEN / f"{template.name.replace('/', '-')}-{variant}.nq"
    if os.environ.get("BAEUM_RENEW_GOLDEN") == "1":
        path.write_bytes(shape.nquads(values))
    expected = path.read_bytes()
    assert shape.nquads(values) == expected
    assert rdf.canonical_nquads(shape.document(values)) == expected
