"""Request signatures against botocore's, which signs for all of AWS's own clients."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from handler.aws import AwsAccess, Call, Credentials, endpoint_of, signed_headers

NOW = datetime(2026, 8, 1, 9, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize("token", ["", "a/session+token=="])
@pytest.mark.parametrize("url", ["https://secretsmanager.eu-west-1.amazonaws.com", "http://127.0.0.1:5000"])
def test_botocore_signs_alike(monkeypatch: pytest.MonkeyPatch, token: str, url: str) -> None:
    monkeypatch.setattr(auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None))
    body = b'{"SecretId": "caf\xc3\xa9"}'
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "secretsmanager.GetSecretValue"}
    ours = signed_headers(
        Call("secretsmanager", "eu-west-1", url, body, headers), Credentials("AKID", "secret/+", token), NOW
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
    ours = signed_headers(Call("lambda", "eu-west-1", url, b"{}", {}), Credentials("AKID", "secret"), NOW)
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


def test_secrets_stay_out_of_texts() -> None:
    assert "hush" not in repr(AwsAccess(credentials=Credentials("AKID", "hush", "hush-token")))
