"""Many rows into one table, past the per-row work of the statement layer.

SQLite: one prepared statement for all rows; PostgreSQL: COPY. Both in the session's transaction.
Rows are tuples in the order of ``columns``, with the values the models take.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import orjson
import psycopg
from sqlalchemy import JSON, Date, Table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger.database.failures import translate
from ledger.database.models import UtcDateTime


def insert_rows(
    session: Session, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert ``rows``; every column without a value here must allow NULL.

    Raises what an ordinary insert would: IntegrityError, DiskFull, DatabaseLocked …
    """
    if not rows:
        return
    connection = session.connection()
    quoted = connection.dialect.identifier_preparer
    name = quoted.format_table(table)
    listed = ", ".join(quoted.quote(column) for column in columns)
    if connection.dialect.name == "sqlite":
        ready = _converted(rows, [_SQLITE.get(type(table.c[c].type)) for c in columns])
        marks = ", ".join("?" * len(columns))
        # Names come from the models, values are bound.
        connection.exec_driver_sql(f"INSERT INTO {name} ({listed}) VALUES ({marks})", ready)  # noqa: S608
        return
    ready = _converted(rows, [_POSTGRES.get(type(table.c[c].type)) for c in columns])
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {name} ({listed}) FROM STDIN") as copy:
            for row in ready:
                copy.write_row(row)
    except psycopg.IntegrityError as error:
        raise IntegrityError(None, None, error) from error
    except psycopg.Error as error:
        typed = translate(error)
        raise error if typed is None else typed from error


def _converted(
    rows: Sequence[tuple[Any, ...]], converters: Sequence[Callable[[Any], Any] | None]
) -> list[tuple[Any, ...]]:
    """The rows column by column, so that only columns that need it are touched."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for index, convert in enumerate(converters):
        if convert is not None:
            columns[index] = [None if v is None else convert(v) for v in columns[index]]
    return list(zip(*columns, strict=True))


@lru_cache(maxsize=65_536)
def _instant(value: datetime) -> str:
    """As SQLAlchemy writes it to SQLite: UTC, no zone, six digits."""
    if value.tzinfo is None:
        raise ValueError("naive datetime: give the instant a zone")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _json(value: Any) -> str:
    return "[]" if value == [] else orjson.dumps(value).decode()


def _day(value: date) -> str:
    return value.isoformat()


_SQLITE: dict[type, Callable[[Any], Any]] = {UtcDateTime: _instant, JSON: _json, Date: _day}
_POSTGRES: dict[type, Callable[[Any], Any]] = {JSON: _json}
