"""Connections to SQLite and PostgreSQL, with bounds on the time that they wait."""

from __future__ import annotations

import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

_BUSY_SECONDS = 10
"""How long SQLite waits for another process that writes."""
_CONNECT_SECONDS = 5
_STATEMENT_MS = 10_000
WRITES = "writes"
"""The execution option of a connection whose transaction writes."""


def open_engine(address: str) -> Engine:
    """Return the engine for an SQLAlchemy URL. No connection is opened. Raise ValueError for an invalid URL.

    The URL can hold a password, so no message repeats it.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise ValueError("must be a URL such as sqlite:///file or postgresql+psycopg://user@host/database") from None
    if url.drivername == "sqlite":
        return _open_sqlite(url)
    if url.drivername == "postgresql+psycopg":
        return _open_postgresql(url)
    raise ValueError(f"must begin with sqlite:// or postgresql+psycopg://, got {url.drivername}://")


def _open_sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:" or url.query:
        raise ValueError("must name a file, as in sqlite:///records.db")
    # sqlite3 begins no transaction by itself: _begin does.
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS, "isolation_level": None}, hide_parameters=True)
    event.listen(engine, "do_connect", partial(_create_private_file, Path(url.database)))
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


def _create_private_file(path: Path, *_: Any) -> None:
    # SQLite would create a file that every user of the machine can read. The files that it adds get the same mode.
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _prepare_connection(connection: sqlite3.Connection, _: Any) -> None:
    connection.execute("PRAGMA journal_mode = WAL")  # readers and a writer do not wait for each other
    connection.execute("PRAGMA synchronous = FULL")  # what was committed survives a power failure


def _begin(connection: Connection) -> None:
    # A transaction that reads and then writes fails at once if another has written meanwhile, so one that is going to
    # write takes the lock first, and waits for it.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _open_postgresql(url: URL) -> Engine:
    bounds = {
        "statement_timeout": _STATEMENT_MS,
        # The locks of a process that was killed are released, also while a child of it holds the connection open.
        "idle_in_transaction_session_timeout": _STATEMENT_MS,
        "timezone": "UTC",
    }
    options = [url.query.get("options"), *(f"-c {name}={value}" for name, value in bounds.items())]
    return create_engine(
        url.difference_update_query(["options"]),
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "tcp_user_timeout": _STATEMENT_MS,
            "options": " ".join(str(option) for option in options if option),
            # A pooler such as PgBouncer gives each transaction another connection, without prepared statements.
            "prepare_threshold": None,
        },
        pool_pre_ping=True,
        pool_timeout=_CONNECT_SECONDS,
        hide_parameters=True,
    )
