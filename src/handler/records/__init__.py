"""Records: what is known of each original, its variants, and the notices that are still to be sent.

`record` declares the data, `store` and `counters` the Protocols. Each adapter is a package of its own: `sql` for SQLite
and PostgreSQL, `dynamodb`. `open_records` is the function that chooses one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handler.aws import AwsAccess

if TYPE_CHECKING:
    from handler.records.counters import Database

DYNAMODB = "dynamodb://"
SQL = ("sqlite://", "postgresql+psycopg://")


def open_records(address: str, aws: AwsAccess) -> Database:
    """Return the database at an address; its first call connects.

    The addresses are `sqlite:///file`, `postgresql+psycopg://user:password@host/database` and `dynamodb://table`. Raise
    ValueError for another one; the message does not repeat the address, which can hold a password.
    """
    if address.startswith(SQL):
        from handler.records.sql.database import SqlRecords  # noqa: PLC0415 - SQLAlchemy takes 300 ms

        return SqlRecords(address)
    if address.startswith(DYNAMODB):
        from handler.records.dynamodb.database import DynamoRecords  # noqa: PLC0415 - boto3 takes 200 ms

        return DynamoRecords(address.removeprefix(DYNAMODB), aws)
    raise ValueError(f"must begin with one of {', '.join((*SQL, DYNAMODB))}")
