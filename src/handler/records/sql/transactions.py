"""Transactions of an SQL database, whose tables exist from the first one on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, CursorResult, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from handler.core.errors import UpstreamError
from handler.records.sql.engine import WRITES, open_engine
from handler.records.sql.schema import migrate


class Transactions:
    """Opens transactions. Threads may share it."""

    def __init__(self, address: str) -> None:
        """Take an SQLAlchemy URL. Raise ValueError for an invalid one; the first transaction connects."""
        self._engine = open_engine(address)
        self._writing = self._engine.execution_options(**{WRITES: True})
        self._lock = threading.Lock()
        self._is_migrated = False
        self.is_postgresql = self._engine.dialect.name == "postgresql"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads. What the database refuses is an UpstreamError."""
        with _upstream_errors():
            self._ensure_tables()
            with self._engine.begin() as connection:
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes, and commit it at the end of the block."""
        with _upstream_errors():
            self._ensure_tables()
            with self._writing.begin() as connection:
                yield connection

    def insert(self, table: Any) -> postgresql.Insert | sqlite.Insert:
        """Return an insertion into a table that can declare how a conflict is resolved."""
        return postgresql.insert(table) if self.is_postgresql else sqlite.insert(table)

    def take_lock(self, connection: Connection, number: int) -> None:
        """Let only one transaction at a time hold a lock, until its end. In SQLite one transaction writes at a time."""
        if self.is_postgresql:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": number})

    def close(self) -> None:
        """Close the connections that no thread uses."""
        self._engine.dispose()

    def _ensure_tables(self) -> None:
        if self._is_migrated:
            return
        with self._lock:
            if not self._is_migrated:
                with self._writing.begin() as connection:
                    migrate(connection)
                self._is_migrated = True


def count_rows(result: CursorResult[Any]) -> int:
    """Return the number of rows that a statement has changed."""
    return int(result.rowcount)


@contextmanager
def _upstream_errors() -> Iterator[None]:
    """Raise the errors of a database as UpstreamError. The detail for the log holds no statement and no values."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        detail = f"{type(cause).__name__}: {str(cause).partition(chr(10))[0][:300]}"
        raise UpstreamError("the database of records does not answer", detail=detail, status=503) from error
