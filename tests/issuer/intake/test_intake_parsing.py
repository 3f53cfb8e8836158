"""Dates, times and amounts as offices write them; and what is not one of them."""

# ruff: noqa: E501  (tables of Korean words: a syllable counts twice)

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.intake import residents
from issuer.intake.dates import (
    KST,
    Days,
    Moment,
    NotADate,
    end_of,
    parse_day,
    parse_period,
    parse_time,
    parse_when,
    start_of,
)
from issuer.intake.names import Likeness, likeness
from issuer.intake.quantities import NotAnAmount, parse_attendance, parse_count, parse_minutes

days = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@given(days)
def test_every_korean_way_to_write_a_day_is_that_day(day: date) -> None:
    y, m, d = day.year, day.month, day.day
    for text in (
        f"{y}-{m:02}-{d:02}",
        f"{y}. {m}. {d}.",
        f"{y}.{m}.{d}",
        f"{y}/{m:02}/{d:02}",
        f"{y}{m:02}{d:02}",
        f"{y}년 {m}월 {d}일",
        f"{y}년{m}월{d}일(월)",
        f"{y % 100:02}. {m}. {d}.",
        f"'{y % 100:02}. {m}. {d}.",
        f"’{y % 100:02}.{m}.{d}(토)",
        f"‘{y % 100:02}/{m}/{d}",
        f" {y} - {m} - {d} ",
    ):
        assert parse_day(text) == day, text
    serial = (day - date(1899, 12, 30)).days
    assert parse_day(serial) == day
    assert parse_day(str(serial)) == day
    assert parse_day(datetime(y, m, d)) == day  # noqa: DTZ001  (as a spreadsheet has it)
    assert parse_day(day) == day


@given(days)
def test_a_month_is_all_its_days_and_no_day(day: date) -> None:
    for text in (
        f"{day.year}. {day.month}.",
        f"'{day.year % 100:02}. {day.month}.",
        f"{day.year}년 {day.month}월",
    ):
        found = parse_when(text)
        assert isinstance(found, Days)
        assert found.first <= day <= found.last
        assert (found.first.day, (found.last + timedelta(days=1)).day) == (1, 1)
        with pytest.raises(NotADate):
            parse_day(text)


@pytest.mark.parametrize(
    "text",
    ["", "?", "봄", "2025", "25", "13/2025", "2025-02-30", "2025-13-01", "2025-00-10", "99999999",
     "250301", "1e5", "2025-03-01x", "2025-03-01 25:00", "2025-1-1-1", "nan", "-5", "９９９９９９９９"],
)  # fmt: skip
def test_what_is_no_date_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NotADate):
        parse_when(text)


@given(st.text(max_size=40) | st.floats() | st.integers() | st.booleans() | st.none())
def test_parsing_any_cell_gives_a_value_or_the_refusal(cell: object) -> None:
    for parse in (parse_when, parse_day, parse_period, parse_time):
        with suppress(NotADate):
            parse(cell)
    for parse in (lambda c: parse_minutes(c, "hours"), parse_count, parse_attendance):
        with suppress(NotAnAmount):
            parse(cell)


@given(st.times(), days)
def test_times_of_day(clock: time, day: date) -> None:
    clock = clock.replace(second=0, microsecond=0)
    h, m = clock.hour, clock.minute
    half = "오전" if h < 12 else "오후"
    for text in (
        f"{h}:{m:02}",
        f"{h:02}:{m:02}:00",
        f"{h}시 {m}분",
        f"{half} {(h + 11) % 12 + 1}:{m:02}",
    ):
        assert parse_time(text) == (clock, False), text
    assert parse_time((h * 60 + m) / 1440) == (clock, False)
    found = parse_when(f"{day.year}. {day.month}. {day.day}. {h}:{m:02}")
    assert isinstance(found, Moment)
    assert found.at == datetime.combine(day, clock, KST)
    assert parse_time("24:00") == (time.min, True)


@pytest.mark.parametrize("text", ["25:00", "12:60", "24:01", "오후 13:00", "noon", "9", "", "12:3"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(NotADate):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2025. 3. 4. ~ 2025. 5. 6.", (2025, 3, 4), (2025, 5, 6)),
        ("2025.3.4~5.6", (2025, 3, 4), (2025, 5, 6)),
        ("2025.3.4.～20.", (2025, 3, 4), (2025, 3, 20)),
        ("'21. 9. ~ '21. 11.", (2021, 9, 1), (2021, 11, 30)),
        ("2025-03-04", (2025, 3, 4), (2025, 3, 4)),
    ],
)
def test_periods(text: str, first: tuple[int, int, int], last: tuple[int, int, int]) -> None:
    assert parse_period(text) == Days(date(*first), date(*last))


@given(days)
def test_a_day_begins_and_ends_in_seoul(day: date) -> None:
    assert start_of(day).astimezone(KST).date() == end_of(day).astimezone(KST).date() == day
    assert start_of(day + timedelta(days=1)) - end_of(day) == timedelta(seconds=1)


@given(st.integers(1, 100_000))
def test_minutes_in_every_writing(minutes: int) -> None:
    h, m = divmod(minutes, 60)
    for text in (f"{minutes}", f"{minutes}분", f"{h}시간 {m}분", f"{h}h {m}m", f"{minutes:,}"):
        assert parse_minutes(text, "minutes") == minutes, text
    if h < 10_000:
        assert parse_minutes(f"{h}:{m:02}", "hours") == minutes
    assert parse_minutes(minutes, "minutes") == minutes
    assert parse_minutes(float(minutes), "minutes") == minutes
    assert parse_minutes(minutes / 60, "hours") == minutes  # a spreadsheet's own arithmetic


@given(st.integers(1, 400), st.integers(1, 240))
def test_lessons(count: int, length: int) -> None:
    assert parse_minutes(count, "lessons", length) == count * length
    assert parse_minutes(f"{count}차시", "hours", length) == count * length


@given(st.decimals(0, 100, places=2, allow_nan=False))
def test_hours_are_exact_or_refused(hours: Decimal) -> None:
    exact = hours * 60
    if exact > 0 and exact == exact.to_integral_value():
        assert parse_minutes(str(hours), "hours") == exact
    else:
        with pytest.raises(NotAnAmount):
            parse_minutes(str(hours), "hours")


@pytest.mark.parametrize(
    "text", ["-1", "0", "NaN", "inf", "1e400", "1.5.5", "시간", "٣x", "1_000", "9" * 400]
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(NotAnAmount):
        parse_minutes(text, "minutes")


def test_attendance_and_counts() -> None:
    assert parse_attendance("8/10") == (8, 10)
    assert parse_attendance("8회 / 10회") == (8, 10)
    assert parse_count("10회") == 10
    assert parse_count(10.0) == 10


@pytest.mark.parametrize(
    "text",
    [
        "900101-1234567",
        "9001011234567",
        "900101 - 1234567",
        "번호 900101-2234567 끝",
        "050505-4******",
        "850101-5●●●●●●",
    ],
)
def test_a_resident_number_is_seen(text: str) -> None:
    assert residents.present(text)


@pytest.mark.parametrize(
    "text",
    [
        "20250525093000",
        "SM24-000101",
        "010-1234-5678",
        "2025-04-07",
        "991399-1234567",
        "12345678901234567890",
        "900101|1234567",
    ],
)
def test_other_numbers_are_none(text: str) -> None:
    assert not residents.present(text)


@pytest.mark.parametrize(
    "heading", ["주민등록번호", "주민 번호", "외국인등록번호", "RRN", "Resident Registration No"]
)
def test_headings_that_ask_for_one(heading: str) -> None:
    assert residents.heading(heading)
    assert not residents.heading("회원번호")


@pytest.mark.parametrize(
    ("known", "given_name", "expected"),
    [
        ("김하나", "김 하나", Likeness.SAME),
        ("김하나", "김하니", Likeness.SIMILAR),
        ("이영희", "리영희", Likeness.SIMILAR),
        ("김하나", "Kim Hana", Likeness.SIMILAR),
        ("김하나", "독고영재", Likeness.OTHER),
    ],
)
def test_likeness_of_names(known: str, given_name: str, expected: Likeness) -> None:
    assert likeness(known, given_name) is expected
