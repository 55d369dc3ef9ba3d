"""Request signatures against botocore's, which signs for all of AWS's own clients."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from tests.stand_ins.scripted_http import Reply, scripted_server

from handler.aws import AwsAccess, Credentials, endpoint_of
from handler.aws.client import Connection, call
from handler.aws.signing import AwsRequest, signed_headers
from handler.errors import UpstreamError

NOW = datetime(2026, 8, 1, 9, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize("token", ["", "a/session+token=="])
@pytest.mark.parametrize("url", ["https://secretsmanager.eu-west-1.amazonaws.com", "http://127.0.0.1:5000"])
def test_botocore_signs_alike(monkeypatch: pytest.MonkeyPatch, token: str, url: str) -> None:
    monkeypatch.setattr(auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None))
    body = b'{"SecretId": "caf\xc3\xa9"}'
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "secretsmanager.GetSecretValue"}
    ours = signed_headers(
        AwsRequest("secretsmanager", "eu-west-1", url, body, headers), Credentials("AKID", "secret/+", token), NOW
    )
    request = AWSRequest("POST", f"{url}/", dict(headers), body)
    auth.SigV4Auth(BotoCredentials("AKID", "secret/+", token or None), "secretsmanager", "eu-west-1").add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]
    assert ours["x-amz-date"] == request.headers["X-Amz-Date"] == "20260801T090507Z"
    assert ours.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")


@pytest.mark.parametrize("name", ["heavy", "arn:aws:lambda:eu-west-1:111122223333:function:a-heavy_1"])
def test_escapes_in_a_path_are_escaped_again(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None))
    url = f"https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/{quote(name, safe='')}/invocations"
    ours = signed_headers(AwsRequest("lambda", "eu-west-1", url, b"{}", {}), Credentials("AKID", "secret"), NOW)
    request = AWSRequest("POST", url, {}, b"{}")
    auth.SigV4Auth(BotoCredentials("AKID", "secret"), "lambda", "eu-west-1").add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]


def test_endpoints() -> None:
    access = AwsAccess(region="eu-west-1", endpoint_url="http://all", endpoint_url_s3="http://s3")
    assert (access.s3, access.secrets, access.home) == ("http://s3", "http://all", "eu-west-1")
    assert (AwsAccess().s3, AwsAccess().secrets, AwsAccess().home) == ("", "", "us-east-1")
    assert AwsAccess(region="eu-west-1").functions == "https://lambda.eu-west-1.amazonaws.com"
    assert AwsAccess(region="eu-west-1").cloudfront == "https://cloudfront.amazonaws.com"
    assert AwsAccess(region="cn-north-1").cloudfront.endswith(".amazonaws.com.cn")
    assert endpoint_of("s3", "cn-north-1") == "https://s3.cn-north-1.amazonaws.com.cn"


def test_without_any_credentials_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handler.aws.credentials._credential_chain", lambda: None)
    request = AwsRequest("lambda", "eu-west-1", "http://127.0.0.1:9/", b"{}", {})
    with pytest.raises(UpstreamError, match="no credentials") as refused:
        call(request, AwsAccess(region="eu-west-1"), 1)
    assert refused.value.status == 502


def test_a_connection_carries_one_request_after_another() -> None:
    with scripted_server(lambda asked: Reply(201, asked.body, {"X-Seen": asked.method})) as server:
        with Connection(server.url, 5) as connection:
            replies = [connection.send("POST", f"/{word}?q=1", word, {}) for word in ("one", "two")]
        assert [(reply.status, reply.headers["x-seen"], reply.body) for reply in replies] == [
            (201, "POST", b"one"),
            (201, "POST", b"two"),
        ]
        assert [asked.path for asked in server.asked] == ["/one?q=1", "/two?q=1"]
        assert server.connections == 1


def test_secrets_stay_out_of_texts() -> None:
    assert "hush" not in repr(AwsAccess(credentials=Credentials("AKID", "hush", "hush-token")))
