"""Identity keys and identifiers; the register of institutions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import institutions
from ledger.database.session import Database
from ledger.identifiers import ordered_ids, random_id
from ledger.learners import Identities, normal_identifier

NOW = datetime(2026, 5, 1, tzinfo=UTC)
KEYS = Identities(b"c" * 32, b"n" * 32)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_different_parts_never_give_the_same_key(a: str, b: str, c: str, d: str) -> None:
    assert (KEYS.keyed(a, b) == KEYS.keyed(c, d)) == ((a, b) == (c, d))
    assert KEYS.keyed(a, b) != KEYS.keyed(a + b)


@pytest.mark.parametrize("spelt", ["sm24-1", " SM24-1 ", "ＳＭ２４－１", "SM 24-1"])
def test_one_identifier_spelt_in_several_ways(spelt: str) -> None:
    assert KEYS.commit("seoul-member", spelt) == KEYS.commit("seoul-member", "SM24-1")
    assert KEYS.commit("other", spelt) != KEYS.commit("seoul-member", spelt)


@given(st.text(max_size=50))
def test_normal_form_is_stable(text: str) -> None:
    assert normal_identifier(normal_identifier(text)) == normal_identifier(text)


@given(st.text(min_size=1, max_size=50))
def test_a_sealed_name_opens_and_two_seals_differ(name: str) -> None:
    sealed = KEYS.seal_name("lrn_a", name)
    assert KEYS.open_name("lrn_a", sealed) == name
    assert sealed != KEYS.seal_name("lrn_a", name)


def test_keys_do_not_show_and_have_their_length() -> None:
    assert "c" * 5 not in repr(KEYS)
    with pytest.raises(ValueError, match="32 bytes"):
        Identities(b"short", b"n" * 32)


def test_ids_are_distinct_of_one_form_and_ordered_by_time() -> None:
    ids = {random_id("lrn") for _ in range(100)}
    assert len(ids) == 100
    assert {len(each) for each in ids} == {30}
    early = ordered_ids("rec", 50, NOW)
    late = ordered_ids("rec", 50, NOW + timedelta(seconds=1))
    assert len(set(early + late)) == 100
    assert max(early) < min(late)
    assert {len(each) for each in early} == {30}


REGISTER = """
institutions:
  - id: a-university
    name: {ko: 가나대학교, en: A University}
    issuer_group: network
    accredited:
      - {kind: course, from: "2022-03-01", to: "2025-03-01"}
"""


def test_a_register_is_read_and_dates_are_days_in_seoul(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "register.yaml"
    path.write_text(REGISTER, "utf-8")
    entries = institutions.read_register(path)
    with database.session() as session:
        assert institutions.register(session, entries, NOW) == ["a-university"]
        assert institutions.register(session, entries, NOW) == []
    first = datetime(2022, 2, 28, 15, tzinfo=UTC)
    last = datetime(2025, 2, 28, 15, tzinfo=UTC)
    with database.reading() as session:
        for moment, expected in (
            (first - timedelta(seconds=1), False),
            (first, True),
            (last - timedelta(seconds=1), True),
            (last, False),
        ):
            assert institutions.accredited(session, "a-university", "course", moment) is expected
        assert not institutions.accredited(session, "a-university", "project", first)
        assert institutions.closest(session, "가나대") == ["a-university"]
        with pytest.raises(institutions.UnknownInstitution) as caught:
            institutions.require(session, "a-univercity")
        assert caught.value.facts["near"] == ["a-university"]


@pytest.mark.parametrize(
    "text",
    [
        "institutions: [",
        "institutions: [{id: Has Spaces}]",
        REGISTER.replace("2025-03-01", "2025-02-30"),
        REGISTER.replace("course", "Course!"),
        REGISTER + "extra: 1",
    ],
)
def test_a_wrong_register_is_refused_with_the_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "register.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(institutions.RegisterInvalid) as caught:
        institutions.read_register(path)
    assert caught.value.remedy is not None
