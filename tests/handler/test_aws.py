"""Request signatures against botocore's, which signs for all of AWS's own clients."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from tests.stand_ins.scripted_http import Reply, scripted_server

from handler.aws import AwsAccess, Credentials, endpoint_of, signing
from handler.aws.client import Connection, call
from handler.aws.signing import AwsRequest, presigned_s3_url, signed_headers, signed_post_fields
from handler.core.errors import UpstreamError

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


EXAMPLE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
"""The keys of the examples in AWS's documentation of Signature Version 4."""


def test_a_url_is_presigned_as_in_the_example_of_aws() -> None:
    """AWS: "Authenticating Requests: Using Query Parameters", the example."""
    url = presigned_s3_url(
        "GET", "https://examplebucket.s3.amazonaws.com/test.txt", "us-east-1", EXAMPLE,
        datetime(2013, 5, 24, tzinfo=UTC), seconds=86_400,
    )  # fmt: skip
    assert url.endswith("X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")


@pytest.mark.parametrize("token", ["", "a/session+token=="])
@pytest.mark.parametrize("key", ["cat.jpg", "a folder/é+~*'()%2F.png"])
def test_botocore_presigns_alike(monkeypatch: pytest.MonkeyPatch, token: str, key: str) -> None:
    monkeypatch.setattr(auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None))
    url = f"https://bucket.s3.eu-west-1.amazonaws.com/{quote(key, safe='/~')}"
    headers = {"content-type": "image/png", "if-none-match": "*", "x-amz-meta-name": "a b"}
    ours = presigned_s3_url(
        "PUT", url, "eu-west-1", Credentials("AKID", "secret/+", token), NOW,
        seconds=60, query={"partNumber": "2", "uploadId": "a/b+c="}, headers=headers,
    )  # fmt: skip
    request = AWSRequest("PUT", f"{url}?partNumber=2&uploadId=a/b%2Bc%3D", dict(headers))
    boto = BotoCredentials("AKID", "secret/+", token or None)
    auth.S3SigV4QueryAuth(boto, "s3", "eu-west-1", expires=60).add_auth(request)
    assert dict(parse_qsl(urlsplit(ours).query)) == dict(parse_qsl(urlsplit(request.url).query))


def test_a_form_is_signed_as_in_the_example_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS: "Example: Browser-Based Upload using HTTP POST". The signature covers the text of the policy."""
    policy = (
        '{ "expiration": "2015-12-30T12:00:00.000Z",\r\n  "conditions": [\r\n    {"bucket": "sigv4examplebucket"},\r\n'
        '    ["starts-with", "$key", "user/user1/"],\r\n    {"acl": "public-read"},\r\n'
        '    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},\r\n'
        '    ["starts-with", "$Content-Type", "image/"],\r\n    {"x-amz-meta-uuid": "14365123651274"},\r\n'
        '    {"x-amz-server-side-encryption": "AES256"},\r\n    ["starts-with", "$x-amz-meta-tag", ""],\r\n\r\n'
        '    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},\r\n'
        '    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},\r\n    {"x-amz-date": "20151229T000000Z" }\r\n  ]\r\n}'
    )
    monkeypatch.setattr(signing, "dumps", lambda _: policy)
    now = datetime(2015, 12, 29, tzinfo=UTC)
    fields = signed_post_fields({}, [], "us-east-1", EXAMPLE, now, expires=now)
    assert fields == {
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request",
        "x-amz-date": "20151229T000000Z",
        "policy": b64encode(policy.encode()).decode(),
        "x-amz-signature": "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e",
    }


def test_botocore_signs_a_form_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None))
    conditions = [{"bucket": "pictures"}, ["content-length-range", 1, 100]]
    fields = {"key": "é.png", "Content-Type": "image/png", "x-amz-meta-name": "a b"}
    expires = NOW + timedelta(minutes=15)
    ours = signed_post_fields(
        fields, conditions, "eu-west-1", Credentials("AKID", "secret/+", "a/token=="), NOW, expires=expires
    )
    rules = [*conditions, *({name: value} for name, value in fields.items())]
    policy = {"expiration": "2026-08-01T09:20:07.000Z", "conditions": rules}
    request = AWSRequest("POST", "https://pictures.s3.eu-west-1.amazonaws.com")
    request.context["s3-presign-post-fields"] = dict(fields)
    request.context["s3-presign-post-policy"] = policy
    auth.S3SigV4PostAuth(BotoCredentials("AKID", "secret/+", "a/token=="), "s3", "eu-west-1").add_auth(request)
    theirs = request.context["s3-presign-post-fields"]
    assert json.loads(b64decode(ours["policy"]))["conditions"] == json.loads(b64decode(theirs["policy"]))["conditions"]
    assert ours == theirs
