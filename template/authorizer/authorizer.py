"""Authorizer of the API: admits only callers that send the origin secret, its current or its previous value.

API Gateway asks it once an hour for each value, and refuses a request without one by itself, with 401. So a call that
does not come through the CDN runs nothing of the container image. The functions check the secret again.
"""

import hmac
import os
import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

KEPT_SECONDS = 60
"""How long the values are kept, so that guesses do not call Secrets Manager each time."""
_client = boto3.client("secretsmanager", config=Config(connect_timeout=2, read_timeout=2))
_kept: dict[str, Any] = {"values": (), "at": float("-inf")}


def handler(event: Mapping[str, Any], _: object) -> dict[str, bool]:
    """Return whether the header of a request is the secret."""
    (sent,) = event["identitySource"]
    # Every value is compared, so that the time tells nothing.
    matches = [hmac.compare_digest(sent.encode(), value.encode()) for value in read_values()]
    return {"isAuthorized": any(matches)}


def read_values() -> tuple[str, ...]:
    """Return the current and the previous value of the secret. While it cannot be read, the last values count."""
    if time.monotonic() - _kept["at"] >= KEPT_SECONDS:
        try:
            _kept["values"] = tuple(read_stage(stage) for stage in ("AWSCURRENT", "AWSPREVIOUS"))
        except Exception:
            if not _kept["values"]:
                raise
        _kept["at"] = time.monotonic()
    return tuple(value for value in _kept["values"] if value)


def read_stage(stage: str) -> str:
    """Return the value of one stage; empty if the secret was never rotated."""
    try:
        found = _client.get_secret_value(SecretId=os.environ["ORIGIN_SECRET"], VersionStage=stage)
    except _client.exceptions.ResourceNotFoundException:
        if stage == "AWSCURRENT":
            raise
        return ""
    return str(found["SecretString"])
