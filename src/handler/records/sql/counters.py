"""Counters, and values that are taken once, in an SQL database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, case, or_, update

from handler.records.encoding import check_name, time_text
from handler.records.sql.schema import COUNTERS
from handler.records.sql.transactions import Transactions


class SqlCounters:
    """Implements `handler.records.counters.Counters`: one statement for each call, so that callers cannot collide."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def count(self, name: str, *, limit: int, now: datetime, until: datetime) -> bool:
        """Add one to a counter, unless it is `limit` already."""
        if limit < 1:
            return False
        is_absent = time_text(now) >= COUNTERS.c.expires_at
        values = {"id": _counter_key(name), "count": 1, "expires_at": time_text(until)}
        statement = self._transactions.insert(COUNTERS).values(values)
        statement = statement.on_conflict_do_update(
            index_elements=["id"],
            set_={
                "count": case((is_absent, 1), else_=COUNTERS.c["count"] + 1),
                "expires_at": case((is_absent, values["expires_at"]), else_=COUNTERS.c.expires_at),
            },
            where=or_(is_absent, limit > COUNTERS.c["count"]),
        )
        with self._transactions.write() as connection:
            return connection.execute(statement.returning(COUNTERS.c.id)).scalar() is not None

    def uncount(self, name: str, *, now: datetime) -> None:
        """Take one from a counter, unless it is absent or 0."""
        is_there = and_(
            COUNTERS.c.id == _counter_key(name), COUNTERS.c.expires_at > time_text(now), COUNTERS.c["count"] > 0
        )
        with self._transactions.write() as connection:
            connection.execute(update(COUNTERS).where(is_there).values(count=COUNTERS.c["count"] - 1))

    def keep(self, name: str, value: str, *, now: datetime, until: datetime) -> bool:
        """Keep a value until it is taken or expires. Return False if the name is in use."""
        values = {"count": 1, "value": value, "expires_at": time_text(until)}
        statement = self._transactions.insert(COUNTERS).values({"id": _value_key(name), **values})
        statement = statement.on_conflict_do_update(
            index_elements=["id"], set_=values, where=time_text(now) >= COUNTERS.c.expires_at
        )
        with self._transactions.write() as connection:
            return connection.execute(statement.returning(COUNTERS.c.id)).scalar() is not None

    def take(self, name: str, *, now: datetime) -> str | None:
        """Return a value and forget it, None if it is absent."""
        is_there = and_(COUNTERS.c.id == _value_key(name), COUNTERS.c.expires_at > time_text(now))
        statement = COUNTERS.delete().where(is_there).returning(COUNTERS.c.value)
        with self._transactions.write() as connection:
            value: str | None = connection.execute(statement).scalar()
        return value


def _counter_key(name: str) -> str:
    return f"counter#{check_name(name)}"


def _value_key(name: str) -> str:
    return f"value#{check_name(name)}"
