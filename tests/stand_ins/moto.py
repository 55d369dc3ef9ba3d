"""AWS on loopback: moto's server in its own process (S3 with conditional writes, Secrets Manager and more)."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from handler.aws import AwsAccess, Credentials

REGION = "eu-west-1"
_PROGRAM = Path(__file__).with_name("moto_process.py")


@dataclass(frozen=True)
class Moto:
    """The server's URL, and clients with which tests prepare buckets and secrets."""

    url: str

    @property
    def access(self) -> AwsAccess:
        return AwsAccess(region=REGION, endpoint_url=self.url, credentials=Credentials("AKID", "secret", "token"))

    def client(self, service: str) -> Any:
        """Return a boto3 client."""
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="AKID",
            aws_secret_access_key="secret",
        )

    @cached_property
    def s3(self) -> Any:
        return self.client("s3")

    @cached_property
    def _dynamodb(self) -> Any:
        return self.client("dynamodb")

    def bucket(self, **objects: bytes) -> str:
        """Create a bucket with these objects."""
        name = f"bucket-{uuid.uuid4().hex}"
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        for key, body in objects.items():
            self.s3.put_object(Bucket=name, Key=key, Body=body)
        return name

    def table(self) -> str:
        """Create a table of records."""
        from handler.records.dynamodb.table import TABLE, TTL_ATTRIBUTE

        name = f"records-{uuid.uuid4().hex}"
        self._dynamodb.create_table(TableName=name, **TABLE)
        expiry = {"Enabled": True, "AttributeName": TTL_ATTRIBUTE}
        self._dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
        return name


@contextmanager
def moto_server() -> Iterator[Moto]:
    """Start an empty server, which takes about half a second."""
    command = [sys.executable, "-P", "-u", str(_PROGRAM), "-H", "127.0.0.1", "-p", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    # A pipe that nobody reads is full after some errors, and the server stands still.
    reader = threading.Thread(target=deque, args=(process.stdout, 0))
    try:
        url = _listening(process)
        reader.start()
        yield Moto(url)
    finally:
        process.terminate()
        process.wait(30)
        if reader.ident is not None:
            reader.join()
        process.stdout.close()


def _listening(process: subprocess.Popen[str]) -> str:
    said = []
    for line in process.stdout or ():
        said.append(line)
        if found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", line):
            return found[1]
    raise RuntimeError("moto's server did not start:\n" + "".join(said))
