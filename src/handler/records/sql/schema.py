"""The tables, and the numbered migrations that create them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, Text, inspect, text

_METADATA = MetaData()
RECORDS = Table(
    "image_records",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("source", Text),
    Column("key", Text),
    Column("status", Text),
    Column("owner", Text),  # NULL without an owner, so that the index of owners holds only those that have one
    Column("updated_at", Text),
    Column("expires_at", Text),
    Column("revision", Integer),
    Column("bytes", BigInteger),  # NULL if the record counts for no storage
    Column("token", Text),  # of the call that wrote the row: a call whose commit was not answered finds its own write
    Column("body", Text),
)
NOTICES = Table(
    "image_notices",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("attempts", Integer),
    Column("due_at", Text),
    Column("sent_to", Text),  # the names of receivers, separated by commas
    Column("settled_at", Text),  # NULL until the notice was sent
    Column("body", Text),
)
COUNTERS = Table(
    "image_counters",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("count", BigInteger),
    Column("value", Text),  # of what is taken once; NULL in a counter
    Column("expires_at", Text),
)
_VERSION = "image_records_version"
_MIGRATION_LOCK = 0x696D61676573  # any number that all replicas use
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE image_records (
             id {text} PRIMARY KEY, source {text} NOT NULL, key {text} NOT NULL, status {text} NOT NULL, owner {text},
             updated_at {text} NOT NULL, expires_at {text}, revision INTEGER NOT NULL, token {text} NOT NULL,
             body TEXT NOT NULL)""",
        "CREATE INDEX image_records_key ON image_records (source, key)",
        "CREATE INDEX image_records_updated ON image_records (updated_at, id)",
        "CREATE INDEX image_records_status ON image_records (status, updated_at, id)",
        "CREATE INDEX image_records_owner ON image_records (owner, updated_at, id) WHERE owner IS NOT NULL",
        "CREATE INDEX image_records_expires ON image_records (expires_at) WHERE expires_at IS NOT NULL",
        """CREATE TABLE image_notices (
             id {text} PRIMARY KEY, attempts INTEGER NOT NULL, due_at {text} NOT NULL, sent_to {text} NOT NULL,
             settled_at {text}, body TEXT NOT NULL)""",
        "CREATE INDEX image_notices_due ON image_notices (due_at, id) WHERE settled_at IS NULL",
        "CREATE INDEX image_notices_settled ON image_notices (settled_at) WHERE settled_at IS NOT NULL",
    ),
    (
        "ALTER TABLE image_records ADD COLUMN bytes BIGINT",
        "CREATE INDEX image_records_bytes ON image_records (source, expires_at, bytes) WHERE bytes IS NOT NULL",
        """CREATE TABLE image_counters (
             id {text} PRIMARY KEY, count BIGINT NOT NULL, value {text}, expires_at {text} NOT NULL)""",
        "CREATE INDEX image_counters_expires ON image_counters (expires_at)",
    ),
)
"""The statements that lead from one version of the tables to the next. An entry is never changed, only added.

While replicas are updated one after the other, old code works on new tables: a migration only adds tables, indexes, and
columns that may be NULL.
"""


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest version, within the transaction of a connection that may write.

    Replicas that start at the same time wait for one another: in SQLite a writing transaction has the whole database,
    in PostgreSQL it takes a lock here. Tables that are newer than this code stay as they are.
    """
    if _version(connection) >= len(MIGRATIONS):
        return
    postgresql = connection.dialect.name == "postgresql"
    if postgresql:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
    # Sorted by bytes, as SQLite and DynamoDB do, and not by the rules of a language.
    column = 'TEXT COLLATE "C"' if postgresql else "TEXT"
    version = _version(connection)
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS {_VERSION} (version INTEGER PRIMARY KEY)"))
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        for statement in statements:
            connection.execute(text(statement.format(text=column)))
        connection.execute(text(f"INSERT INTO {_VERSION} VALUES (:number)"), {"number": number})  # noqa: S608 - a constant


def _version(connection: Connection) -> int:
    """Return the version of the tables, 0 without tables."""
    if not inspect(connection).has_table(_VERSION):
        return 0
    return int(connection.execute(text(f"SELECT MAX(version) FROM {_VERSION}")).scalar() or 0)  # noqa: S608 - a constant
