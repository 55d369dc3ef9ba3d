"""Counters, and values that are taken once, in a table of DynamoDB."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handler.records.dynamodb.client import DynamoTable
from handler.records.dynamodb.table import TTL_ATTRIBUTE, Item, to_attributes
from handler.records.encoding import check_name

_NAMES = {"#ttl": TTL_ATTRIBUTE}
_IS_ABSENT = "attribute_not_exists(id) OR #ttl <= :now"


class DynamoCounters:
    """Implements `handler.records.counters.Counters`: conditional writes of one item each."""

    def __init__(self, table: DynamoTable) -> None:
        self._table = table

    def count(self, name: str, *, limit: int, now: datetime, until: datetime) -> bool:
        """Add one to a counter, unless it is `limit` already."""
        if limit < 1:
            return False
        key = f"counter#{check_name(name)}"
        names = {**_NAMES, "#count": "count"}
        values = {":now": _seconds(now), ":one": 1}
        another = _expression("ADD #count :one", "#ttl > :now AND #count < :limit", names, {**values, ":limit": limit})
        first = _expression(
            "SET #count = :one, #ttl = :until", _IS_ABSENT, names, {**values, ":until": _seconds(until)}
        )
        # Another caller may make the counter between the two writes, so the first one is tried again.
        return any(self._table.update(key, each) for each in (another, first, another))

    def uncount(self, name: str, *, now: datetime) -> None:
        """Take one from a counter, unless it is absent or 0."""
        names = {**_NAMES, "#count": "count"}
        values = {":now": _seconds(now), ":less": -1, ":none": 0}
        expression = _expression("ADD #count :less", "#ttl > :now AND #count > :none", names, values)
        self._table.update(f"counter#{check_name(name)}", expression)

    def keep(self, name: str, value: str, *, now: datetime, until: datetime) -> bool:
        """Keep a value until it is taken or expires. Return False if the name is in use."""
        item = {"id": _value_key(name), "value": value, TTL_ATTRIBUTE: _seconds(until)}
        return self._table.put(item, _condition(_IS_ABSENT, _NAMES, {":now": _seconds(now)}))

    def take(self, name: str, *, now: datetime) -> str | None:
        """Return a value and forget it, None if it is absent."""
        item = self._table.get(_value_key(name))
        if item is None:
            return None
        values = {":now": _seconds(now), ":value": item["value"]}
        condition = _condition("#ttl > :now AND #value = :value", {**_NAMES, "#value": "value"}, values)
        return str(item["value"]) if self._table.delete(item["id"], condition) else None


def _value_key(name: str) -> str:
    return f"value#{check_name(name)}"


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _condition(condition: str, names: Mapping[str, str], values: Item) -> dict[str, Any]:
    return {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": to_attributes(values),
    }


def _expression(change: str, condition: str, names: Mapping[str, str], values: Item) -> dict[str, Any]:
    return {"UpdateExpression": change, **_condition(condition, names, values)}
