"""Purges, through the operator API and through the command line."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unicodedata import normalize

import pytest
from tests import pictures
from tests.client import Answered, Client
from tests.stand_ins.moto import Moto
from tests.stand_ins.scripted_http import ParsedRequest, Reply, ScriptedServer, scripted_server

import handler
from handler.app import lambda_handler
from handler.entrypoints.operator.local_access import DOMAIN

TOKEN = "op-token"
LARGE = {"MAX_ANSWER_BYTES": "12000"}
AVIF = "?width=40&format=avif"
MARKED = "&watermark.key=logo.png"
CREATED = "<Invalidation><Id>I123</Id><Status>InProgress</Status></Invalidation>"
TOO_MANY = "<ErrorResponse><Error><Code>TooManyInvalidationsInProgress</Code></Error></ErrorResponse>"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "results").mkdir()
    return tmp_path / "results"


@pytest.fixture
def environment(tmp_path: Path, results: Path) -> dict[str, str]:
    sources = tmp_path / "sources"
    sources.mkdir()
    for name in ("cat.jpg", "dog.jpg", normalize("NFD", "é.jpg")):
        (sources / name).write_bytes(pictures.jpeg())
    (sources / "logo.png").write_bytes(pictures.png(pictures.scene(20, 10)))
    (tmp_path / "token").write_text(TOKEN)
    return {
        "SOURCE_BUCKETS": f"p=file://{sources}",
        "RESULTS_BUCKET": f"results=file://{results}",
        "STORE_RESULTS": "Yes",
        "OPERATOR_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }


def purge(client: Client, *keys: object, **more: object) -> Answered:
    return client.post("/_api/purge", json.dumps({"keys": keys, **more}).encode(), authorization=f"Bearer {TOKEN}")


def kept(results: Path) -> list[str]:
    parts = ("private", "public", "detections")
    files = (path for part in parts for path in (results / part).rglob("*") if path.is_file())
    return sorted(path.relative_to(results).as_posix() for path in files)


def tag(answer: Answered) -> str:
    return answer.headers["x-amz-meta-cache-tag"].partition(",")[0]


def test_what_was_kept_of_an_original_goes(environment: dict[str, str], results: Path) -> None:
    client = Client({**environment, **LARGE})
    cat, dog = client.get(f"/cat.jpg{AVIF}"), client.get(f"/dog.jpg{AVIF}")
    assert client.get("/cat.jpg?format=png").status == 302
    seen = results / "detections" / tag(cat) / "faces.json"
    seen.parent.mkdir(parents=True)
    seen.write_text("{}")
    assert len(kept(results)) == 5
    answer = purge(client, "cat.jpg")
    assert (answer.status, answer.json()) == (200, {"keys": 1, "results": 2, "invalidation": None})
    assert [path.split("/")[1] for path in kept(results)] == [tag(dog)]
    assert purge(client, "cat.jpg", "dog.jpg", bucket="p").json()["results"] == 1
    assert kept(results) == []


def test_what_an_overlay_went_into_goes_with_it(environment: dict[str, str], results: Path) -> None:
    client = Client({**environment, **LARGE})
    assert client.get(f"/cat.jpg{AVIF}{MARKED}").status == 200
    assert client.get(f"/cat.jpg?format=png{MARKED}").status == 302
    plain = client.get(f"/cat.jpg{AVIF}")
    assert purge(client, "logo.png").json()["results"] == 2
    assert kept(results) == [f"private/{tag(plain)}/" + plain.headers["ETag"].strip('"')]


def test_in_every_language(environment: dict[str, str], results: Path, cloudfront: ScriptedServer) -> None:
    """However a variation was asked for, it carries the same tag, and one withdrawal reaches it."""
    edits = b'{"key": "cat.jpg", "edits": {"resize": {"width": 41}, "toFormat": "avif"}}'
    client = with_cdn({**environment, "PRESETS": '{"small": "width=42&format=avif"}'}, cloudfront)
    answers = [
        client.get(address)
        for address in (
            "/cat.jpg?width=40&format=avif",
            f"/{base64.urlsafe_b64encode(edits).decode()}",
            "/cat.jpg?preset=small",
            "/unsafe/43x0/filters:format(avif)/cat.jpg",
            "/fit-in/44x44/filters:format(avif)/cat.jpg",
            "/_key/cat.jpg?width=45&format=avif",
            "/cat.jpg?bucket=p&width=46&format=avif",
        )
    ]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.headers["ETag"] for answer in answers}) == len(answers) == len(kept(results))
    assert purge(client, "cat.jpg").json()["results"] == len(answers)
    assert kept(results) == []
    (asked,) = cloudfront.asked
    assert {f"<Path>#{tag(answer)}</Path>" for answer in answers} == {
        *re.findall("<Path>.*?</Path>", asked.body.decode())
    }


def test_the_other_spelling_of_a_key(environment: dict[str, str], results: Path) -> None:
    client = Client(environment)
    assert client.get(f"/%C3%A9.jpg{AVIF}").status == 200
    assert purge(client, normalize("NFC", "é.jpg")).json()["results"] == 1
    assert kept(results) == []


def test_a_key_as_an_address_names_it(environment: dict[str, str], tmp_path: Path, results: Path) -> None:
    """Under SOURCE_PATHS an address says another key than the source has; both can be purged."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "cat.jpg").write_bytes(pictures.jpeg())
    sources = f"{environment['SOURCE_BUCKETS']},shop=file://{other}"
    client = Client({**environment, "SOURCE_BUCKETS": sources, "SOURCE_PATHS": "goods/=shop"})
    for keys, more in [(("goods/cat.jpg",), {}), (("cat.jpg",), {"bucket": "shop"})]:
        assert client.get(f"/goods/cat.jpg{AVIF}").status == 200
        assert purge(client, *keys, **more).json()["results"] == 1
        assert kept(results) == []
    assert client.get(f"/goods/cat.jpg{AVIF}").status == 200
    assert purge(client, "cat.jpg").json()["results"] == 0
    assert purge(client, "goods/cat.jpg", bucket="shop").json()["results"] == 0


@pytest.mark.parametrize(
    ("said", "status", "named"),
    [
        ({}, 400, "`keys` must be a list of 1 to 300 keys"),
        ({"keys": []}, 400, "`keys`"),
        ({"keys": "cat.jpg"}, 400, "`keys`"),
        ({"keys": ["a", 3]}, 400, "`keys`"),
        ({"keys": ["a"] * 301}, 400, "`keys`"),
        ({"keys": ["../cat.jpg"]}, 400, "`keys` must be valid keys"),
        ({"keys": ["cat.jpg"], "bucket": 3}, 400, "`bucket`"),
        ({"keys": ["cat.jpg"], "all": True}, 400, "`all` must be one of keys, bucket"),
        ({"keys": ["cat.jpg"], "bucket": "secrets"}, 403, "is not in SOURCE_BUCKETS"),
    ],
)
def test_what_is_refused(environment: dict[str, str], said: object, status: int, named: str) -> None:
    client = Client(environment)
    answer = client.post("/_api/purge", json.dumps(said).encode(), authorization=f"Bearer {TOKEN}")
    assert answer.status == status
    assert named in answer.json()["message"]


def test_only_the_operator_purges(environment: dict[str, str], results: Path) -> None:
    client = Client(environment)
    client.get(f"/cat.jpg{AVIF}")
    assert client.post("/_api/purge", b'{"keys": ["cat.jpg"]}').status == 401
    assert client.get("/_api/purge", authorization=f"Bearer {TOKEN}").status == 405
    assert len(kept(results)) == 1


@pytest.fixture
def cloudfront() -> Iterator[ScriptedServer]:
    with scripted_server(lambda _: Reply(201, CREATED.encode())) as server:
        yield server


def with_cdn(environment: dict[str, str], server: ScriptedServer) -> Client:
    return Client({**environment, "DISTRIBUTION_ID": "E123", "AWS_ENDPOINT_URL_CLOUDFRONT": server.url})


def test_the_cdn_forgets_by_tag(environment: dict[str, str], cloudfront: ScriptedServer) -> None:
    client = with_cdn(environment, cloudfront)
    tags = [tag(client.get(f"/{name}.jpg?width=20")) for name in ("cat", "dog")]
    assert purge(client, "cat.jpg", "dog.jpg").json() == {"keys": 2, "results": 0, "invalidation": "I123"}
    (asked,) = cloudfront.asked
    assert (asked.method, asked.path) == ("POST", "/2020-05-31/distribution/E123/invalidation")
    assert re.findall(rb"<Path>([^<]*)</Path>", asked.body) == [f"#{each}".encode() for each in tags]
    assert b"<Quantity>2</Quantity>" in asked.body
    authorization = {name.lower(): value for name, value in asked.headers.items()}["authorization"]
    assert "/us-east-1/cloudfront/aws4_request" in authorization
    purge(client, "cat.jpg")
    references = {re.findall(rb"<CallerReference>(.*)</CallerReference>", each.body)[0] for each in cloudfront.asked}
    assert len(references) == 2


def test_while_the_cdn_has_too_much_to_do_it_waits(
    environment: dict[str, str], cloudfront: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("handler.aws.cloudfront.time.sleep", slept.append)
    busy = Reply(400, TOO_MANY.encode())
    cloudfront.script = lambda _: busy if len(cloudfront.asked) < 3 else Reply(201, CREATED.encode())
    client = with_cdn(environment, cloudfront)
    assert purge(client, "cat.jpg").json()["invalidation"] == "I123"
    assert [pause for pause in slept if pause] == [1, 2]
    cloudfront.script = lambda _: busy
    answer = purge(client, "cat.jpg")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")


def slow(_: ParsedRequest) -> Reply:
    return Reply(201, CREATED.encode(), before=1.0)


@pytest.mark.parametrize(
    ("script", "status"),
    [(lambda _: Reply(403, b"<Code>AccessDenied</Code>"), 502), (lambda _: Reply(500), 502), (slow, 504)],
)
def test_a_cdn_that_fails(
    environment: dict[str, str],
    cloudfront: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    script: Callable[[ParsedRequest], Reply],
    status: int,
) -> None:
    monkeypatch.setattr("handler.aws.cloudfront._CALL_SECONDS", 0.3)
    cloudfront.script = script
    answer = purge(with_cdn(environment, cloudfront), "cat.jpg")
    assert (answer.status, answer.json()["code"]) == (status, "UpstreamError")
    assert "AccessDenied" not in answer.json()["message"]


def test_moto_s_cloudfront_and_s3(moto: Moto, environment: dict[str, str]) -> None:
    origin = {"Id": "o", "DomainName": "a.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    config = {
        "CallerReference": "1",
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all"},
    }
    made = moto.client("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]
    environment |= {"AWS_ENDPOINT_URL": moto.url, "AWS_REGION": "eu-west-1", "DISTRIBUTION_ID": made["Id"]}
    bucket = moto.bucket()
    client = Client({**environment, **LARGE, "RESULTS_BUCKET": bucket})
    assert client.get(f"/cat.jpg{AVIF}{MARKED}").status == 200
    assert client.get("/cat.jpg?format=png").status == 302
    assert moto.s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 4
    said = purge(client, "cat.jpg", "logo.png").json()
    assert said["results"] == 2
    assert {entry["Key"] for entry in moto.s3.list_objects_v2(Bucket=bucket).get("Contents", ())} == set()
    found = moto.client("cloudfront").get_invalidation(DistributionId=made["Id"], Id=said["invalidation"])
    assert found["Invalidation"]["InvalidationBatch"]["Paths"]["Quantity"] == 2


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    source = str(Path(handler.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-c", "from handler.cli import main; main()", "purge", *arguments],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": source, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command(environment: dict[str, str], results: Path) -> None:
    client = Client(environment)
    assert client.get(f"/cat.jpg{AVIF}").status == 200

    def served(asked: ParsedRequest) -> Reply:
        headers = {name.lower(): value for name, value in asked.headers.items()}
        context = {"domainName": DOMAIN, "http": {"method": asked.method}}
        event = {"rawPath": asked.path, "headers": headers, "requestContext": context, "body": asked.body.decode()}
        answer = lambda_handler(event, None)
        return Reply(int(str(answer["statusCode"])), str(answer["body"]).encode())

    with scripted_server(served) as server:
        denied = command("cat.jpg", "--url", server.url, IMAGE_HANDLER_TOKEN="wrong")
        assert denied.returncode == 1
        assert "401: the header Authorization" in denied.stderr
        done = command("cat.jpg", "dog.jpg", "--url", f"{server.url}/", IMAGE_HANDLER_TOKEN=TOKEN)
    assert (done.returncode, done.stdout) == (0, "2 originals purged, 1 stored results deleted\n"), done.stderr
    assert kept(results) == []
    assert command("cat.jpg", "--url", server.url).returncode == 1
    assert command("cat.jpg", "--url", "images.example.com").returncode == 2
