"""The functions as the template makes them: its environment, and of AWS what its roles allow, neither less nor more."""

from __future__ import annotations

import json
from typing import Any

import pytest
import pyvips
from tests import pictures
from tests.client import Answered, Client, size
from tests.stand_ins.moto import REGION, Moto
from tests.template.account import Account, account
from tests.template.conftest import create_secrets
from tests.template.provider import deliver
from tests.template.samples import LEAST, UPLOADS

from handler.aws import secrets
from handler.pages.demo_site import SAMPLES
from handler.records.record import record_id

pytestmark = pytest.mark.slow

SIGNING = {**LEAST, "EnableSignature": "Yes"}
KEEPING = {**LEAST, "StoreResults": "Yes"}
ORIGIN, OPERATOR = "from-the-cdn", "the-operator-s"
_NOISE = pyvips.Image.gaussnoise(4500, 1200, mean=128, sigma=90, seed=1).cast("uchar").write_to_memory()
LARGE = pictures.png(pyvips.Image.new_from_memory(_NOISE, 1500, 1200, 3, "uchar"))
"""Over 4.7 MB, which is more than Lambda answers in base64."""
OF_LAMBDA = {"Log", "Trace", "TakeUploads"}
"""Statements for what Lambda does in the role's name."""


@pytest.fixture
def moto(fresh_account: Moto) -> Moto:
    """What the stack makes and the user brings, fresh for each test."""
    put = fresh_account.s3.put_object
    put(Bucket="photos", Key="cat.jpg", Body=pictures.jpeg())
    put(Bucket="photos", Key="large.png", Body=LARGE)
    put(Bucket="photos", Key="404.png", Body=pictures.png())
    put(Bucket="photos", Key="presets.json", Body=b'{"thumb": "width=30&format=webp", "cut": "width=20"}')
    put(Bucket="other.photos", Key="dog.jpg", Body=pictures.jpeg())
    put(Bucket="demobucket", Key="_demo/samples/cat.jpg", Body=(SAMPLES / "photos/cat.jpg").read_bytes())
    made = {"OriginSecret": ORIGIN, "OperatorToken": OPERATOR, "SignatureSecret": '{"SECRET_KEY": "a key"}'}
    create_secrets(fresh_account, made)
    return fresh_account


def get(client: Client, address: str, secret: str = ORIGIN) -> Answered:
    return client.get(address, x_origin_secret=secret)


def operator(client: Client, page: str, body: bytes = b"", token: str = OPERATOR, method: str = "GET") -> Answered:
    bearer = f"Bearer {token}"
    if body:
        return client.post(f"/_api/{page}", body, x_origin_secret=ORIGIN, authorization=bearer)
    return client.get(f"/_api/{page}", method=method, x_origin_secret=ORIGIN, authorization=bearer)


def keys(moto: Moto, bucket: str) -> list[str]:
    return [entry["Key"] for entry in moto.s3.list_objects_v2(Bucket=bucket).get("Contents", ())]


def test_pictures_of_every_bucket_and_nothing_past_the_cdn(moto: Moto) -> None:
    with account(moto, LEAST) as stack:
        client = stack.client()
        assert size(get(client, "/cat.jpg?width=40").body)[0] == 40
        assert get(client, "/dog.jpg?bucket=other.photos&width=40").status == 200
        assert get(client, "/cat.jpg?bucket=samples&width=40").status == 200
        assert get(client, "/nothing.jpg").status == 404
        assert get(client, "/cat.jpg?bucket=strangers").status == 403
        assert client.get("/cat.jpg?width=40").status == 403
        assert client.get("/cat.jpg?width=40", x_origin_secret="a guess").status == 403
    assert stack.denied == []


def test_results_are_kept_and_purged(moto: Moto) -> None:
    with account(moto, KEEPING) as stack:
        client = stack.client()
        first = get(client, "/cat.jpg?width=40&format=avif")
        assert get(client, "/cat.jpg?width=40&format=avif").body == first.body
        (kept,) = keys(moto, "resultsbucket")
        assert kept.startswith("private/")
        redirect = get(client, "/large.png")
        assert (redirect.status, redirect.headers["Location"][:10]) == (302, "/_results/")
        assert f"public{redirect.headers['Location']}" in keys(moto, "resultsbucket")
        purged = operator(client, "purge", b'{"keys": ["cat.jpg", "large.png"]}')
        assert (purged.status, purged.json()["invalidation"]) == (200, "I1")
        assert keys(moto, "resultsbucket") == []
    assert stack.denied == []


def test_a_signed_picture_too_large_for_an_answer_is_presigned(moto: Moto) -> None:
    with account(moto, SIGNING) as stack:
        client = stack.client()
        assert get(client, "/large.png").status == 400
        signed = operator(client, "sign", b'{"url": "/large.png"}').json()["url"]
        redirect = get(client, signed)
        assert (redirect.status, redirect.headers["Cache-Control"]) == (302, "no-store")
        assert "X-Amz-Signature=" in redirect.headers["Location"]
        assert "/resultsbucket/private/" in redirect.headers["Location"]
    assert stack.denied == []


@pytest.mark.parametrize("said", ["Yes", "No"])
def test_the_operator_s_doors(moto: Moto, said: str) -> None:
    posts = {
        "sign": b'{"url": "/cat.jpg"}',
        "purge": b'{"keys": ["cat.jpg"]}',
        "transform?width=20": pictures.jpeg(),
        "images": b"",
    }
    with account(moto, {**LEAST, "OperatorApi": said}) as stack:
        client = stack.client()
        for page, body in posts.items():
            assert operator(client, page, body).status == (200 if said == "Yes" else 404), page
            assert operator(client, page, body, "a guess").status == (401 if said == "Yes" else 404), page
        assert get(client, "/_api/openapi.json").status == 200
    assert stack.denied == []


def test_what_a_model_works_on_goes_to_the_heavy_function(moto: Moto) -> None:
    """On the samples anyone may ask for it, elsewhere nobody unless PublicFeatures says so."""
    heavy = "feature=smartCropping&smartCropping.subject=faces&width=40&height=40"
    with account(moto, KEEPING) as stack:
        client = stack.client()
        assert get(client, f"/cat.jpg?{heavy}").status == 403
        answer = get(client, f"/cat.jpg?bucket=samples&{heavy}")
        assert (answer.status, size(answer.body)) == (200, (40, 40))
        assert get(client, "/cat.jpg?bucket=samples&feature=contentModeration").status == 200
        assert any(key.startswith("detections/") for key in keys(moto, "resultsbucket"))
    assert stack.denied == []
    assert "Delegate" in stack.used["FunctionRole"]
    assert "Detect" in stack.used["HeavyRole"]


def event_of_uploads(
    *uploaded: str, kind: str = "Object Created", sequencer: str = "0055AED6DCD90281E5"
) -> dict[str, Any]:
    """As EventBridge tells the queue, and the queue the function."""
    records = []
    for key in uploaded:
        about = {"key": key, "size": 1, "sequencer": sequencer}
        detail = {"bucket": {"name": "photos"}, "object": about, "reason": "PutObject"}
        body = {"version": "0", "detail-type": kind, "source": "aws.s3", "detail": detail}
        records.append({"messageId": key, "eventSource": "aws:sqs", "body": json.dumps(body)})
    return {"Records": records}


def queued(stack: Account) -> dict[str, Any]:
    """Return what the queue hands to the upload function: the messages that the operator API has sent."""
    bodies = [(f"m{number}", body) for number, body in enumerate(stack.queued)]
    return {"Records": [{"messageId": name, "eventSource": "aws:sqs", "body": body} for name, body in bodies]}


def test_uploads_become_variations_and_only_failures_come_again(moto: Moto) -> None:
    with account(
        moto, {**LEAST, **UPLOADS, "Presets": "s3://photos/presets.json", "UploadPresets": "thumb,cut"}
    ) as stack:
        client = stack.client("UploadFunction")
        assert client.invoke(event_of_uploads("cat.jpg", "gone.jpg")) == {"batchItemFailures": []}
        assert keys(moto, "variations") == ["cut/photos/cat.jpg", "thumb/photos/cat.jpg"]
        stack.broken.add("/variations/thumb/photos/large.png")
        failed = client.invoke(event_of_uploads("large.png", "404.png"))
        assert failed == {"batchItemFailures": [{"itemIdentifier": "large.png"}]}
        assert "thumb/photos/404.png" in keys(moto, "variations")
        stack.broken.clear()
        assert client.invoke({"task": "sweep"}) is not None
        assert client.invoke(event_of_uploads("cat.jpg", kind="Object Deleted", sequencer="1055AED6DCD90281E5")) == {
            "batchItemFailures": []
        }
        assert [key for key in keys(moto, "variations") if key.endswith("cat.jpg")] == []
    assert stack.denied == []
    told = [(notice["type"], notice["data"]["key"]) for notice in stack.announced]
    assert ("image.ready", "cat.jpg") in told
    assert ("image.deleted", "cat.jpg") in told
    assert [entry["DetailType"] for entry in stack.events] == [kind for kind, _ in told]


def test_only_originals_with_the_tag_are_served_and_processed(moto: Moto) -> None:
    with account(moto, {**LEAST, **UPLOADS, "RequireTag": "scanned=clean", "DeployDemoUI": "No"}) as stack:
        uploads = stack.client("UploadFunction")
        uploads.invoke(event_of_uploads("cat.jpg"))
        assert keys(moto, "variations") == []
        assert get(stack.client(), "/cat.jpg?width=40").status == 403
        moto.s3.put_object_tagging(
            Bucket="photos", Key="cat.jpg", Tagging={"TagSet": [{"Key": "scanned", "Value": "clean"}]}
        )
        assert uploads.invoke(event_of_uploads("cat.jpg")) == {"batchItemFailures": []}
        assert len(keys(moto, "variations")) == 2
        assert get(stack.client(), "/cat.jpg?width=40").status == 200
    assert stack.denied == []
    assert all("ReadTags" in stack.used[role] for role in ("FunctionRole", "UploadRole"))


def test_originals_are_deleted_only_where_the_operator_may_upload(moto: Moto) -> None:
    with account(moto, {**LEAST, **UPLOADS}) as stack:
        assert stack.client("UploadFunction").invoke(event_of_uploads("404.png")) == {"batchItemFailures": []}
        record = f"records/{record_id('photos', '404.png')}"
        assert operator(stack.client(), record, method="DELETE").status == 403
        assert operator(stack.client(), record).json()["status"] == "ready"
    assert [(ask.action, ask.resource) for ask in stack.denied] == [("s3:DeleteObject", "arn:aws:s3:::photos/404.png")]
    assert "404.png" in keys(moto, "photos")


def test_errors_are_answered_with_the_picture_for_them(moto: Moto) -> None:
    with account(moto, {**LEAST, "FallbackImage": "404.png"}) as stack:
        answer = get(stack.client(), "/nothing.jpg")
        assert (answer.status, answer.headers["Content-Type"]) == (404, "image/png")
    assert stack.denied == []


def test_the_secret_of_the_cdn_is_rotated_without_an_outage(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that runs and one that starts take what CloudFront sent before and what it sends after."""
    monkeypatch.setattr(secrets, "REFRESH_SECONDS", 0.0)

    def status(client: Client, secret: str) -> int:
        return client.get("/cat.jpg?width=40", x_origin_secret=secret).status

    with account(moto, LEAST) as stack:
        running = stack.client()
        assert status(running, ORIGIN) == 200
        for secret in ("second", "third"):
            moto.client("secretsmanager").put_secret_value(SecretId="OriginSecret", SecretString=secret)
            before = {"second": ORIGIN, "third": "second"}[secret]
            for client in (running, stack.client()):
                assert status(client, before) == 200, "CloudFront sends the old one until it is told"
                assert status(client, secret) == 200, "then, place by place, the new one"
        assert status(running, ORIGIN) == 403
    assert stack.denied == []


def _unused(stack: Account, role: str) -> set[str]:
    named = {
        said["Sid"]
        for policy in stack.stack.resources[role]["Policies"]
        for said in policy["PolicyDocument"]["Statement"]
    }
    return named - stack.used.get(role, set()) - OF_LAMBDA


def test_no_role_may_more_than_its_function_does(moto: Moto) -> None:
    """Every statement is there for something: here it is asked for, and none of it is refused."""
    faces = "feature=smartCropping&smartCropping.subject=faces&width=40&height=40"
    presets = json.dumps({"thumb": faces, "big": "width=200"})
    uploading = {**UPLOADS, "UploadApi": "Yes"}
    parameters = {**SIGNING, **uploading, "StoreResults": "Yes", "PublicFeatures": "*", "Presets": presets}
    with account(moto, parameters) as stack:
        client = stack.client()

        def signed(address: str, asked: Client = client) -> Answered:
            return get(asked, operator(client, "sign", json.dumps({"url": address}).encode()).json()["url"])

        heavy = faces
        for address in (
            "/cat.jpg?width=40&format=avif",
            "/large.png",
            f"/cat.jpg?{heavy}",
            f"/cat.jpg?bucket=samples&{heavy}",
            "/cat.jpg?bucket=samples&width=30",
            "/cat.jpg?feature=contentModeration",
        ):
            assert signed(address).status in (200, 302), address
        for missing in (
            "/none.jpg",
            f"/none.jpg?{heavy}",
            "/none.jpg?bucket=samples",
            f"/none.jpg?bucket=samples&{heavy}",
        ):
            assert signed(missing).status == 404, missing
            # What is deleted after the ordinary function saw it.
            assert signed(missing, stack.client("HeavyWorker")).status == 404, missing
        uploads_function = stack.client("UploadFunction")
        assert uploads_function.invoke(event_of_uploads("404.png", "none.jpg")) == {"batchItemFailures": []}
        assert operator(client, "purge", b'{"keys": ["cat.jpg"]}').status == 200
        assert operator(client, "images").status == 200
        assert operator(client, "uploads", b'{"key": "new.jpg"}').status == 201
        in_parts = b'{"key": "large.tif", "multipart": true, "bytes": 20000000}'
        assert operator(client, "uploads", in_parts).status == 201
        record = f"records/{record_id('photos', '404.png')}"
        assert operator(client, f"{record}/reprocess", b"{}").status == 202
        assert uploads_function.invoke(queued(stack)) == {"batchItemFailures": []}
        assert operator(client, record).json()["status"] == "ready"
        assert operator(client, record, method="DELETE").status == 202
        assert "404.png" not in keys(moto, "photos")
        for resource in ("SelfCheck", "DemoPage"):
            assert deliver(stack, resource)["Status"] == "SUCCESS"
        stack.crashing["DemoFiller"] = {"errorType": "Runtime.ExitError"}
        assert deliver(stack, "DemoPage")["Status"] == "FAILED"
        assert deliver(stack, "DemoPage", "Delete", "fill-demo-demobucket")["Status"] == "SUCCESS"
    assert stack.denied == []
    assert _unused(stack, "ProviderRole") == set()
    assert _unused(stack, "DemoRole") == set()
    assert _unused(stack, "FunctionRole") == set()
    assert _unused(stack, "HeavyRole") == set()
    assert _unused(stack, "UploadRole") == set()


def test_what_a_role_lacks_is_refused(moto: Moto) -> None:
    """The guard itself: without a right the call fails, as it would on AWS."""
    with account(moto, LEAST) as stack:
        client = stack.client()
        moto.s3.create_bucket(Bucket="strangers", CreateBucketConfiguration={"LocationConstraint": REGION})
        moto.s3.put_object(Bucket="strangers", Key="cat.jpg", Body=pictures.jpeg())
        environment = stack.environment("Function") | {"SOURCE_BUCKETS": "strangers,samples=s3://demobucket"}
        assert get(Client(environment), "/cat.jpg").status == 403
        assert [(ask.action, ask.resource) for ask in stack.denied] == [
            ("s3:GetObject", "arn:aws:s3:::strangers/cat.jpg")
        ]
        assert get(client, "/cat.jpg").status == 200
