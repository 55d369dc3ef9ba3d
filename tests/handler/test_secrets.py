"""Secrets through the real protocol of Secrets Manager: rotation, outage, and how often anyone is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.stand_ins.moto import Moto
from tests.stand_ins.scripted_http import ParsedRequest, Reply, ScriptedServer, scripted_server

from handler.aws import AwsAccess, Credentials
from handler.aws.secrets import AwsSecret, FileSecret, KeptSecret, prefetch
from handler.core.errors import UpstreamError


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Vault:
    """Secrets Manager as a test scripts it: the values at each stage, or an outage."""

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.stages: dict[str, str] = {"AWSCURRENT": json.dumps({"SECRET_KEY": "one"})}
        self.down = 0
        server.script = self._answer

    def _answer(self, asked: ParsedRequest) -> Reply:
        if self.down:
            return Reply(self.down, b"{}")
        value = self.stages.get(json.loads(asked.body)["VersionStage"])
        if value is None:
            return Reply(400, b'{"__type": "ResourceNotFoundException"}')
        return Reply(200, json.dumps({"SecretString": value}).encode())

    @property
    def access(self) -> AwsAccess:
        return AwsAccess(
            region="eu-west-1", endpoint_url_secrets=self.server.url, credentials=Credentials("AKID", "secret")
        )

    def json_endpoints(self) -> int:
        """How often the current value was asked for."""
        return sum(b"AWSCURRENT" in asked.body for asked in self.server.asked)


@pytest.fixture
def vault() -> Iterator[Vault]:
    with scripted_server() as server:
        yield Vault(server)


def test_current_and_previous_through_a_rotation(moto: Moto, clock: Clock) -> None:
    client = moto.client("secretsmanager")
    name = f"signing/{uuid.uuid4().hex}"
    arn = client.create_secret(Name=name, SecretString=json.dumps({"SECRET_KEY": "one", "other": "x"}))["ARN"]
    by_name, by_arn = (AwsSecret(secret_id, aws=moto.access, clock=clock) for secret_id in (name, arn))
    assert by_name.values() == by_arn.values() == ("one",)
    client.put_secret_value(SecretId=name, SecretString=json.dumps({"SECRET_KEY": "two"}))
    assert by_name.values() == ("one",)
    clock.now += 10
    assert by_name.values(refresh=True) == ("two", "one")
    assert by_arn.values() == ("one",)
    clock.now += 290
    assert by_arn.values() == ("two", "one")


def test_a_bare_secret_and_one_that_only_looks_like_json(moto: Moto) -> None:
    client = moto.client("secretsmanager")
    for text in ("a bare secret", "12345", '["a"]'):
        name = uuid.uuid4().hex
        client.create_secret(Name=name, SecretString=text)
        assert AwsSecret(name, aws=moto.access).values() == (text,)


def test_a_secret_that_does_not_exist(moto: Moto) -> None:
    with pytest.raises(UpstreamError) as refused:
        AwsSecret("no-such-secret", aws=moto.access).values()
    assert "no-such-secret" in refused.value.detail
    assert "no-such-secret" not in refused.value.message


@pytest.mark.parametrize("text", ['{"SECRET_KEY": ""}', '{"SECRET_KEY": 5}', '{"other": "x"}', "{}", " "])
def test_a_secret_without_the_field(vault: Vault, text: str) -> None:
    vault.stages["AWSCURRENT"] = text
    with pytest.raises(UpstreamError):
        AwsSecret("signing", aws=vault.access).values()


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"SecretString": 1}'])
def test_an_answer_that_is_none(vault: Vault, status: int, body: bytes) -> None:
    vault.server.script = lambda _: Reply(status, body)
    with pytest.raises(UpstreamError) as refused:
        AwsSecret("prod", aws=vault.access).values()
    assert refused.value.status == 502


def test_another_field(vault: Vault) -> None:
    vault.stages = {"AWSCURRENT": '{"key": "new"}', "AWSPREVIOUS": '{"key": "old"}'}
    secret = AwsSecret("signing", "key", aws=vault.access)
    assert secret.values() == ("new",)
    assert secret.values(refresh=True) == ("new", "old")


def test_a_cold_start_asks_for_the_current_value_alone(vault: Vault, clock: Clock) -> None:
    """The previous one is there as soon as something does not fit, and at every later renewal."""
    vault.stages["AWSPREVIOUS"] = '{"SECRET_KEY": "zero"}'
    first, later = (AwsSecret("signing", aws=vault.access, clock=clock) for _ in range(2))
    assert first.values() == later.values() == ("one",)
    assert len(vault.server.asked) == 2
    for _ in range(20):
        assert first.values(refresh=True) == ("one", "zero")
    assert len(vault.server.asked) == 3, "the current value is not asked for again"
    clock.now += 300
    assert later.values() == ("one", "zero")


def test_the_request_is_signed_for_its_region(vault: Vault) -> None:
    AwsSecret("arn:aws:secretsmanager:ap-south-1:111122223333:secret:s-AbCdEf", aws=vault.access).values()
    AwsSecret("s", aws=vault.access).values()
    regions = [asked.headers["authorization"].split("/")[2] for asked in vault.server.asked]
    assert regions == ["ap-south-1", "eu-west-1"]
    assert vault.server.asked[0].headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert vault.server.connections == 2


def test_the_previous_value_is_asked_for_again_soon_after_an_outage(vault: Vault, clock: Clock) -> None:
    vault.stages["AWSPREVIOUS"] = '{"SECRET_KEY": "zero"}'
    secret = AwsSecret("signing", aws=vault.access, clock=clock)
    secret.values()
    vault.down = 403
    for _ in range(20):
        assert secret.values(refresh=True) == ("one",)
    assert len(vault.server.asked) == 2
    vault.down = 0
    clock.now += 1
    assert secret.values(refresh=True) == ("one", "zero")


def test_valid_signatures_do_not_wait_for_an_invalid_one(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets Manager hangs; forged requests queue up for a fresh value, others have the one that is kept."""
    monkeypatch.setattr("handler.aws.secrets._CALL_SECONDS", 1)
    secret = AwsSecret("signing", aws=vault.access)
    assert secret.values() == ("one",)
    vault.server.script = lambda _: Reply(before=8)
    with ThreadPoolExecutor(4) as pool:
        forged = [pool.submit(secret.values, refresh=True) for _ in range(4)]
        time.sleep(0.1)
        assert secret.values() == ("one",)
        assert not any(each.done() for each in forged)
        assert {each.result() for each in forged} == {("one",)}
    assert len(vault.server.asked) == 2, "those that waited do not ask once more"


def test_kept_for_five_minutes(vault: Vault, clock: Clock) -> None:
    secret = AwsSecret("signing", aws=vault.access, clock=clock)
    for seconds in (0, 1, 298.9):
        clock.now += seconds
        secret.values()
    assert vault.json_endpoints() == 1
    clock.now += 0.1
    secret.values()
    assert vault.json_endpoints() == 2


def test_refreshed_at_most_once_in_ten_seconds(vault: Vault, clock: Clock) -> None:
    secret = AwsSecret("signing", aws=vault.access, clock=clock)
    secret.values()
    for _ in range(50):
        secret.values(refresh=True)
    assert vault.json_endpoints() == 1
    for _ in range(100):
        clock.now += 0.5
        secret.values(refresh=True)
    assert vault.json_endpoints() == 6


@pytest.mark.parametrize("status", [500, 400, 403])
def test_the_last_good_value_is_kept_through_an_outage(vault: Vault, clock: Clock, status: int) -> None:
    secret = AwsSecret("signing", aws=vault.access, clock=clock)
    assert secret.values() == ("one",)
    vault.down = status
    clock.now += 3600
    before = len(vault.server.asked)
    for _ in range(20):
        assert secret.values() == ("one",)
        assert secret.values(refresh=True) == ("one",)
    assert len(vault.server.asked) - before <= 2, "once, or twice where a fault may pass"
    vault.down, vault.stages["AWSCURRENT"] = 0, '{"SECRET_KEY": "two"}'
    clock.now += 10
    assert secret.values() == ("two",)


def test_without_any_good_value_the_refusal_lasts_a_second(vault: Vault, clock: Clock) -> None:
    vault.down = 403
    secret = AwsSecret("signing", aws=vault.access, clock=clock)
    for _ in range(5):
        with pytest.raises(UpstreamError) as refused:
            secret.values()
        assert refused.value.status == 502
    assert len(vault.server.asked) == 1
    vault.down = 0
    clock.now += 1
    assert secret.values() == ("one",)


def test_a_passing_fault_is_asked_again(vault: Vault) -> None:
    faults = [Reply(500), Reply(500)]
    answer = vault._answer
    vault.server.script = lambda asked: faults.pop() if faults and b"CURRENT" in asked.body else answer(asked)
    faults.pop()
    assert AwsSecret("signing", aws=vault.access).values() == ("one",)


def test_a_silent_secrets_manager_is_given_up_soon(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handler.aws.secrets._CALL_SECONDS", 0.2)
    vault.server.script = lambda _: Reply(before=100)
    started = time.monotonic()
    with pytest.raises(UpstreamError):
        AwsSecret("signing", aws=vault.access).values()
    assert time.monotonic() - started < 40


def test_many_threads_ask_once(vault: Vault) -> None:
    secret = AwsSecret("signing", aws=vault.access)
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: secret.values(), range(64))) == {("one",)}
    assert vault.json_endpoints() == 1


class Meeting(KeptSecret):
    """Its fetch ends only when another is going on at the same time."""

    barrier = threading.Barrier(2, timeout=10)

    def _fetch(self, *, previous: bool) -> tuple[str, ...]:
        self.barrier.wait()
        return ("met",)


def test_prefetch_fetches_side_by_side_and_does_not_wait() -> None:
    one, two = Meeting(), Meeting()
    prefetch([one, two])
    assert one.values() == two.values() == ("met",)


def test_prefetch_leaves_a_failure_to_those_who_ask(vault: Vault) -> None:
    vault.down = 403
    secret = AwsSecret("signing", aws=vault.access)
    prefetch([secret])
    with pytest.raises(UpstreamError):
        secret.values()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("one\n", ("one",)),
        ("  one  ", ("one",)),
        ("new\nold\n", ("new", "old")),
        ("new\r\n\r\nold", ("new", "old")),
        ('{"SECRET_KEY": "one"}', ("one",)),
        ('{\n  "SECRET_KEY": "one"\n}\n', ("one",)),
        ("ünï", ("ünï",)),
    ],
)
def test_a_file(tmp_path: Path, text: str, values: tuple[str, ...]) -> None:
    (tmp_path / "secret").write_text(text, "utf-8")
    assert FileSecret(tmp_path / "secret").values() == values


@pytest.mark.parametrize("content", [None, b"", b"\n \n", b"1\n2\n3", b"\xff", b"{}", b'{"SECRET_KEY": null}'])
def test_a_file_without_a_secret(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    with pytest.raises(UpstreamError) as refused:
        FileSecret(tmp_path / "secret").values()
    assert str(tmp_path) not in refused.value.message


def test_a_file_that_changes(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "secret"
    path.write_text("one")
    secret = FileSecret(path, clock=clock)
    assert secret.values() == ("one",)
    path.write_text("two\none")
    clock.now += 10
    assert secret.values() == ("one",)
    assert secret.values(refresh=True) == ("two", "one")
    path.unlink()
    clock.now += 300
    assert secret.values() == ("two", "one")


def test_credentials_of_the_usual_chain(vault: Vault) -> None:
    """A program without keys of its own, as a pod or a laptop is."""
    program = f"""
from handler.aws import AwsAccess
from handler.aws.secrets import AwsSecret
print(AwsSecret("s", aws=AwsAccess(region="eu-west-1", endpoint_url="{vault.server.url}")).values())
"""
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "FROM-THE-CHAIN",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_SESSION_TOKEN": "session",
    }
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "('one',)"
    assert "Credential=FROM-THE-CHAIN/" in vault.server.asked[0].headers["authorization"]
    assert vault.server.asked[0].headers["x-amz-security-token"] == "session"


def test_no_sdk_is_imported_where_lambda_hands_its_keys_over(vault: Vault) -> None:
    program = f"""
import sys
from handler.aws import AwsAccess, Credentials
from handler.aws.secrets import AwsSecret
assert "http.client" not in sys.modules
aws = AwsAccess(region="eu-west-1", endpoint_url="{vault.server.url}", credentials=Credentials("AKID", "x"))
AwsSecret("s", aws=aws).values()
print(sorted({{"boto3", "botocore", "awscrt", "_awscrt", "concurrent.futures"}} & set(sys.modules)))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
