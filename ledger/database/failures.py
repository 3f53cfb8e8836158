"""What a database can refuse, as errors a person can act on.

Drivers say "database or disk is full" or SQLSTATE 53100; the reader gets one sentence and a remedy
in Korean and English. Nothing here shows a password, a statement or its parameters.
"""

from __future__ import annotations

import sqlite3
from typing import ClassVar

import psycopg

from credential.errors import BaeumError
from credential.text import Text


class DatabaseError(BaeumError):
    """Root of what the database room raises."""

    code: ClassVar[str] = "database"
    title: ClassVar[Text] = Text("데이터베이스를 쓸 수 없습니다", "The database cannot be used")
    status: ClassVar[int] = 503


class DatabaseLocked(DatabaseError):
    """Another process held the lock for longer than we wait."""

    code: ClassVar[str] = "database-locked"
    title: ClassVar[Text] = Text("데이터베이스가 잠겨 있습니다", "The database is locked")

    @classmethod
    def waited(cls) -> DatabaseLocked:
        return cls(
            Text(
                "다른 작업이 데이터베이스를 쓰고 있어 기다렸지만 차례가 오지 않았습니다. "
                "저장된 내용은 없습니다.",
                "Another task was writing to the database and did not finish in time. "
                "Nothing of this step was stored.",
            ),
            Text(
                "다른 작업이 끝난 뒤 같은 명령을 다시 실행하세요. 이어서 처리합니다.",
                "Run the same command again when the other task has ended; it continues.",
            ),
        )


class DatabaseUnavailable(DatabaseError):
    """The server does not answer, or the file cannot be opened or is no database."""

    code: ClassVar[str] = "database-unavailable"
    title: ClassVar[Text] = Text(
        "데이터베이스에 연결할 수 없습니다", "The database cannot be reached"
    )

    @classmethod
    def because(cls, why: Text, where: str | None = None) -> DatabaseUnavailable:
        return cls(
            why,
            Text(
                "데이터베이스 서버가 켜져 있는지, 주소와 권한이 맞는지 확인한 뒤 다시 실행하세요.",
                "Check that the database server runs and that its address and permissions are "
                "right, then run the command again.",
            ),
            {"database": where} if where else None,
        )


class DiskFull(DatabaseError):
    """No room left where the database writes."""

    code: ClassVar[str] = "disk-full"
    title: ClassVar[Text] = Text("저장 공간이 부족합니다", "The disk is full")
    status: ClassVar[int] = 507

    @classmethod
    def writing(cls) -> DiskFull:
        return cls(
            Text(
                "저장 공간이 없어 마지막 단계를 저장하지 못했습니다. "
                "앞서 끝난 단계는 그대로 남아 있습니다.",
                "There was no room to store the last step. The steps before it are kept.",
            ),
            Text(
                "공간을 비우거나 늘린 뒤 같은 명령을 다시 실행하세요. 이어서 처리합니다.",
                "Free or add disk space, then run the same command again; it continues.",
            ),
        )


class DatabaseBroken(DatabaseError):
    """Rows refer to rows that are not there: not something this program did."""

    code = "database-broken"
    title = Text("데이터베이스가 손상되었습니다", "The database is damaged")
    status = 500


class DatabaseVersion(DatabaseError):
    """The tables were made by a newer Baeum than this one."""

    code: ClassVar[str] = "database-newer"
    title: ClassVar[Text] = Text(
        "데이터베이스가 이 프로그램보다 새 버전입니다", "The database is newer than this program"
    )


class DatabaseUrl(DatabaseError):
    """The address is not one of SQLite or PostgreSQL."""

    code: ClassVar[str] = "database-url"
    title: ClassVar[Text] = Text(
        "데이터베이스 주소가 올바르지 않습니다", "The database address is not valid"
    )
    status: ClassVar[int] = 400


_LOCKED_STATES = {"55P03", "40P01", "40001", "57014"}
_FULL_STATES = {"53100", "53200"}


def translate(error: BaseException | None, where: str | None = None) -> DatabaseError | None:
    """The typed error for what a driver raised; None for what is a mistake in our own code."""
    if isinstance(error, sqlite3.Error):
        return _from_sqlite(error, where)
    if isinstance(error, psycopg.Error):
        return _from_postgres(error, where)
    return None


def _from_sqlite(error: sqlite3.Error, where: str | None) -> DatabaseError | None:
    # Extended codes carry the primary one in their low byte.
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    # Growing the shared-memory file is the first thing to fail when WAL is opened on a full disk.
    name = getattr(error, "sqlite_errorname", None)
    if code == sqlite3.SQLITE_FULL or name == "SQLITE_IOERR_SHMSIZE":
        return DiskFull.writing()
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DatabaseLocked.waited()
    if code == sqlite3.SQLITE_CANTOPEN:
        return DatabaseUnavailable.because(
            Text("데이터베이스 파일을 열 수 없습니다.", "The database file cannot be opened."),
            where,
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return DatabaseUnavailable.because(
            Text("데이터베이스 파일에 쓸 수 없습니다.", "The database file is not writable."), where
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return DatabaseUnavailable.because(
            Text(
                "데이터베이스 파일이 손상되었거나 데이터베이스가 아닙니다.",
                "The database file is damaged or is no database.",
            ),
            where,
        )
    if code == sqlite3.SQLITE_IOERR:
        return DatabaseUnavailable.because(
            Text(
                "데이터베이스 파일을 읽거나 쓰는 중 장치 오류가 났습니다.",
                "The device failed while the database file was read or written.",
            ),
            where,
        )
    return None


def _from_postgres(error: psycopg.Error, where: str | None) -> DatabaseError | None:
    state = error.sqlstate
    if state in _FULL_STATES:
        return DiskFull.writing()
    if state in _LOCKED_STATES:
        return DatabaseLocked.waited()
    # Without a SQLSTATE an OperationalError means that the connection never was or is gone.
    gone = isinstance(error, psycopg.OperationalError) and state is None
    if gone or (
        state is not None and (state[:2] in ("08", "28", "3D", "53") or state[:3] == "57P")
    ):
        return DatabaseUnavailable.because(
            Text(
                "데이터베이스 서버가 응답하지 않거나 접속을 거절했습니다.",
                "The database server does not answer or refused the connection.",
            ),
            where,
        )
    return None
