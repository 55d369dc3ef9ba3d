"""The Protocol of counters and of values that are taken once, which expire by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from handler.records.store import Records


class Counters(Protocol):
    """Counts events within limits, and keeps values until they are taken. Every method may raise UpstreamError.

    Names are ASCII; those of counters and of values are apart. What has expired counts as absent, whether it is deleted
    yet or not. Times are exact to a second. After an UpstreamError it is unknown whether the call has taken effect.
    """

    def count(self, name: str, *, limit: int, now: datetime, until: datetime) -> bool:
        """Add one to a counter, unless it is `limit` already: then return False and change nothing.

        An absent counter is 0, and expires at `until`. However many callers there are, `limit` of them are counted.
        """
        ...

    def uncount(self, name: str, *, now: datetime) -> None:
        """Take one from a counter, unless it is absent or 0."""
        ...

    def keep(self, name: str, value: str, *, now: datetime, until: datetime) -> bool:
        """Keep a value until it is taken or expires. Return False, and keep nothing, if the name is in use."""
        ...

    def take(self, name: str, *, now: datetime) -> str | None:
        """Return a value and forget it, None if it is absent. Of several callers at a time one gets the value."""
        ...


class Database(Records, Protocol):
    """A database of records, with counters beside them."""

    @property
    def counters(self) -> Counters: ...
