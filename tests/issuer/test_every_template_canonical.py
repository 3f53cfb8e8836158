"""Compiled canonicalisation equals the generic JSON-LD processor, byte for byte, on every template.

Every template file is covered by being there, in its variants, with awkward values of every kind in
its holes, and with its texts tagged with a language as well. The verifier's path for shapes it has
seen before is held against the same bytes. The default run takes a sample; ten thousand of every
template:

    python -m pytest -m soak tests/issuer/test_every_template_canonical.py
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapes import broken_iris, iris, numbers, texts

from credential import familiar, rdf
from credential.errors import BaeumError
from credential.holes import hole
from credential.shape import Shape
from issuer.signing import sample_values
from issuer.templates import Template, kinds

LANGUAGES = (None, "ko", "ko-KR", "en-x-a")
RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))

# Seconds, fractions, zones, far years, and what only looks like an instant.
instants = st.one_of(
    st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    st.sampled_from(["2026-03-02T09:00:00+09:00", "-0044-03-15T00:00:00Z", "2026-03-02", "어제"]),
)
_shapes: dict[tuple[str, frozenset[str], str | None], Shape] = {}


def shape_of(template: Template, absent: frozenset[str], language: str | None) -> Shape:
    key = (template.kind, template.variant(absent), language)
    if key not in _shapes:
        document = template.shape(absent)
        if language is not None:
            for name in ("name", "description"):
                if isinstance(document.get(name), str):
                    document[name] = {"@value": document[name], "@language": language}
        _shapes[key] = Shape(document)
    return _shapes[key]


def value_like(sample: Any) -> st.SearchStrategy[Any]:
    """What may come in place of a sample's value: the ordinary, the awkward and the wrong."""
    if isinstance(sample, bool):
        return st.booleans()
    if isinstance(sample, (int, float)):
        return numbers
    if rdf.IRI.fullmatch(sample):
        return st.one_of(iris, iris, iris, iris, iris, broken_iris, st.just(sample))
    if sample[:4].isdigit() and "T" in sample:
        return st.one_of(instants, instants, texts)
    return texts


@st.composite
def filled(draw: st.DrawFn, template: Template) -> tuple[Shape, dict[str, Any]]:
    absent = frozenset(draw(st.sets(st.sampled_from(sorted(template.optional)))))
    shape = shape_of(template, absent, draw(st.sampled_from(LANGUAGES)))
    sample: dict[str, Any] = template.fill(sample_values(template.kind, absent))  # type: ignore[arg-type]
    # Most values as they are, some awkward: a single broken one must not hide all the others.
    changed = draw(st.sets(st.sampled_from(shape.names), max_size=8))
    return shape, sample | {name: draw(value_like(sample[name])) for name in sorted(changed)}


def outcome(call: Any) -> Any:
    """The bytes, or the class of the refusal."""
    try:
        return call()
    except BaeumError as error:
        return type(error)


def hold_equal(shape: Shape, values: dict[str, Any]) -> None:
    document = shape.document(values)
    expected = outcome(lambda: rdf.canonical_nquads(document))
    assert outcome(lambda: shape.nquads(values)) == expected
    assert outcome(lambda: familiar.canonical_nquads(document)) == expected


def property_of(kind: str, examples: int) -> None:
    @settings(RELAXED, max_examples=examples)
    @given(filled(kinds()[kind]))
    def equal(found: tuple[Shape, dict[str, Any]]) -> None:
        hold_equal(*found)

    equal()


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_a_sample_of_every_template(kind: str) -> None:
    property_of(kind, 20)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", sorted(kinds()))
def test_ten_thousand_of_every_template(kind: str) -> None:
    property_of(kind, 10_000)


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_the_samples_fill_every_hole(kind: str) -> None:
    """So that no hole of a template is left out of the comparison above."""
    template = kinds()[kind]
    sample: dict[str, Any] = template.fill(sample_values(kind, frozenset()))  # type: ignore[arg-type]
    shape = shape_of(template, frozenset(), None)
    assert set(shape.names) <= sample.keys()
    assert hole(shape.template["id"]) == "credentialId"
    compiled = outcome(lambda: shape.nquads(sample))
    assert isinstance(compiled, bytes)
