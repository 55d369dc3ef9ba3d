"""Calls of DynamoDB. What it refuses for a time is tried again; what remains is an UpstreamError."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handler.aws import AwsAccess
from handler.aws.sdk import SdkError, SdkRefusal, sdk_client, sdk_errors
from handler.core.errors import UpstreamError
from handler.records.dynamodb.table import Item, from_attributes, to_attributes

_CONNECT_SECONDS, _READ_SECONDS, _SDK_ATTEMPTS = 2, 5, 4
_ATTEMPTS = 8
_FIRST_WAIT, _LONGEST_WAIT = 0.02, 1.0
_KEYS_PER_CALL = 100
_CONDITION = "ConditionalCheckFailed"
_BUSY = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "TransactionInProgress"}
"""Reasons after which the same transaction can succeed."""


class DynamoTable:
    """One table; threads share the client, which the first call opens."""

    def __init__(self, name: str, aws: AwsAccess) -> None:
        self._name = name
        self._aws = aws
        self._sdk: Any = None
        self._lock = threading.Lock()

    def get(self, item_id: str, *, fields: Iterable[str] = ()) -> Item | None:
        """Return an item, None if it does not exist. A write that has been answered is seen."""
        names = {f"#{name}": name for name in fields}
        projection: dict[str, Any] = (
            {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names} if names else {}
        )
        found = self._call("get_item", Key=to_attributes({"id": item_id}), ConsistentRead=True, **projection)
        return from_attributes(found["Item"]) if "Item" in found else None

    def get_all(self, item_ids: Iterable[str]) -> dict[str, Item]:
        """Return the items that exist, by ID. A write that has been answered is seen."""
        keys = [to_attributes({"id": each}) for each in item_ids]
        items: dict[str, Item] = {}
        waits = _waits()
        while keys:
            request = {self._name: {"Keys": keys[:_KEYS_PER_CALL], "ConsistentRead": True}}
            found = self._call("batch_get_item", with_table=False, RequestItems=request)
            for attributes in found["Responses"].get(self._name, ()):
                item = from_attributes(attributes)
                items[item["id"]] = item
            # What did not fit into the answer, or was too much at once
            rest = found.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            if len(rest) == len(keys[:_KEYS_PER_CALL]):
                next(waits)
            keys = [*rest, *keys[_KEYS_PER_CALL:]]
        return items

    def query(
        self, index: str, condition: str, names: Mapping[str, str], values: Item, **options: Any
    ) -> Iterator[Item]:
        """Yield the entries of an index, in its order; further ones are read when they are needed."""
        start: dict[str, Any] = {}
        while True:
            found = self._call(
                "query",
                IndexName=index,
                KeyConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=to_attributes(values),
                **start,
                **options,
            )
            yield from map(from_attributes, found["Items"])
            if "LastEvaluatedKey" not in found:
                return
            start = {"ExclusiveStartKey": found["LastEvaluatedKey"]}

    def put(self, item: Item, condition: Mapping[str, Any]) -> bool:
        """Write an item if a condition holds."""
        return self._write("put_item", Item=to_attributes(item), **condition)

    def update(self, item_id: str, expression: Mapping[str, Any]) -> bool:
        """Change an item if a condition holds."""
        return self._write("update_item", Key=to_attributes({"id": item_id}), **expression)

    def delete(self, item_id: str, condition: Mapping[str, Any]) -> bool:
        """Delete an item if a condition holds."""
        return self._write("delete_item", Key=to_attributes({"id": item_id}), **condition)

    def transact(self, operations: Iterable[tuple[str, Mapping[str, Any]]]) -> list[bool]:
        """Write all of these, or none of them if a condition does not hold.

        An operation is `Put`, `Update` or `Delete` and its parameters. Return for each whether its condition held.
        """
        listed = [{kind: {"TableName": self._name, **parameters}} for kind, parameters in operations]
        for _ in _waits():
            try:
                self._send("transact_write_items", TransactItems=listed)
            except SdkRefusal as refusal:
                if _CONDITION in refusal.reasons:
                    return [reason != _CONDITION for reason in refusal.reasons]
                if not _BUSY.intersection((refusal.code.removesuffix("Exception"), *refusal.reasons)):
                    raise _unavailable(refusal) from refusal
            except SdkError as error:
                raise _unavailable(error) from error
            else:
                return [True] * len(listed)
        raise AssertionError("unreachable: the last wait raises")

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._sdk is not None:
                self._sdk.close()
            self._sdk = None

    def _write(self, operation: str, **parameters: Any) -> bool:
        for _ in _waits():
            try:
                self._send(operation, TableName=self._name, **parameters)
            except SdkRefusal as refusal:
                code = refusal.code.removesuffix("Exception")
                if code == _CONDITION:
                    return False
                if code not in _BUSY:
                    raise _unavailable(refusal) from refusal
            except SdkError as error:
                raise _unavailable(error) from error
            else:
                return True
        raise AssertionError("unreachable: the last wait raises")

    def _call(self, operation: str, *, with_table: bool = True, **parameters: Any) -> Any:
        try:
            return self._send(operation, **({"TableName": self._name} if with_table else {}), **parameters)
        except SdkError as error:
            raise _unavailable(error) from error

    def _send(self, operation: str, **parameters: Any) -> Any:
        with self._lock:
            self._sdk = self._sdk or self._open()
            sdk = self._sdk
        with sdk_errors():
            return getattr(sdk, operation)(**parameters)

    def _open(self) -> Any:
        return sdk_client(
            "dynamodb",
            self._aws,
            region=self._aws.home,
            endpoint=self._aws.dynamodb,
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            attempts=_SDK_ATTEMPTS,
            max_pool_connections=50,
        )


def _waits() -> Iterator[None]:
    """Yield at once, then after longer and longer waits. Raise UpstreamError instead of the last."""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(random.uniform(0.5, 1) * min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT))  # noqa: S311 - a delay
        yield
    raise UpstreamError("the database of records is busy", detail="DynamoDB: too many attempts", status=503)


def _unavailable(error: SdkError) -> UpstreamError:
    return UpstreamError("the database of records does not answer", detail=f"DynamoDB: {error!s:.300}", status=503)
