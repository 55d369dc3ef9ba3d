"""What the server answers on its event loop: 304 for originals on a disk of this machine, and nothing else."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import uvicorn
from tests import pictures
from tests.client import Client

from handler.entrypoints.http_call import HttpRequest
from handler.entrypoints.server import at_once as at_once_module
from handler.entrypoints.server.accepting import ConnectionServer
from handler.entrypoints.server.at_once import AnswerAtOnce, build_at_once, is_local
from handler.entrypoints.server.connections import ConnectionLimits
from handler.entrypoints.server.server import PictureServer
from handler.entrypoints.server.workers import Bounds, Remaining
from handler.response import Answer
from handler.storage.sources import Sources
from imaging import Deadline

ROOT = (Path("/"), "ext4")


@pytest.fixture
def client(tmp_path: Path) -> Client:
    for name in ("near", "far", "results"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cat.jpg").write_bytes(pictures.jpeg())
    return Client({
        "SOURCE_BUCKETS": f"near={(tmp_path / 'near').as_uri()},far={(tmp_path / 'far').as_uri()}",
        "STORE_RESULTS": "Yes", "RESULTS_BUCKET": f"results={(tmp_path / 'results').as_uri()}", "VISION": "local",
    })  # fmt: skip


@pytest.fixture
def at_once(client: Client) -> AnswerAtOnce:
    http = client.application.http
    assert isinstance(http.render_context.objects, Sources)
    return AnswerAtOnce(http, http.render_context.objects, frozenset({"near"}))


def call(path: str, query: str = "", method: str = "GET", **headers: str) -> HttpRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest(method, path, encoded=True, query=query, headers=named)


def whole(client: Client, request: HttpRequest) -> Answer:
    return client.application.http.answer(request, Deadline())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("query", ["", "width=40&format=webp", "blur=2&width=10", "width=40&utm_source=a"])
def test_a_copy_that_is_valid_is_told_as_a_worker_would(
    client: Client, at_once: AnswerAtOnce, query: str, method: str
) -> None:
    etag = whole(client, call("/cat.jpg", query)).headers["ETag"]
    request = call("/cat.jpg", query, method, if_none_match=etag)
    answer = at_once(request)
    assert answer is not None
    assert answer == whole(client, request)
    assert (answer.status, answer.headers["ETag"]) == (304, etag)


def test_a_date_is_a_condition_too(client: Client, at_once: AnswerAtOnce) -> None:
    modified = whole(client, call("/cat.jpg", "width=9")).headers["Last-Modified"]
    answer = at_once(call("/cat.jpg", "width=9", if_modified_since=modified))
    assert answer is not None
    assert answer.status == 304
    assert at_once(call("/cat.jpg", "width=9", if_modified_since="Thu, 01 Jan 1970 00:00:00 GMT")) is None


@pytest.mark.parametrize(
    "request_",
    [
        call("/cat.jpg", "width=40"),
        call("/cat.jpg", "width=40", if_none_match='"another"'),
        call("/cat.jpg", "width=40", "POST", if_none_match="*"),
        call("/cat.jpg", "width=many", if_none_match="*"),
        call("/none.jpg", if_none_match="*"),
        call("/cat.jpg", "bucket=far", if_none_match="*"),
        call("/cat.jpg", "bucket=neither", if_none_match="*"),
        call("/cat.jpg", "watermark.key=cat.jpg&watermark.bucket=far", if_none_match="*"),
        call("/cat.jpg", "smartCrop=true", if_none_match="*"),
        call("/cat.jpg", "info=true&v=" + "1" * 600, if_none_match="*"),
        call("/_health", if_none_match="*"),
        call("/%5Fcanvas", "width=9&height=9&color=red", if_none_match="*"),
        call("/_api/openapi.json", if_none_match="*"),
        call("/../far/cat.jpg", if_none_match="*"),
    ],
    ids=lambda request: f"{request.method} {request.path}?{request.query[:40]} {request.headers.get('if-none-match')}",
)
def test_everything_else_is_left_to_a_worker(at_once: AnswerAtOnce, request_: HttpRequest) -> None:
    assert at_once(request_) is None


def test_a_file_that_was_replaced_is_not_told_as_valid(client: Client, at_once: AnswerAtOnce, tmp_path: Path) -> None:
    etag = whole(client, call("/cat.jpg")).headers["ETag"]
    (tmp_path / "near" / "cat.jpg").write_bytes(pictures.png())
    assert at_once(call("/cat.jpg", if_none_match=etag)) is None


def test_a_link_out_of_the_folder_is_left_to_a_worker_and_not_followed(
    client: Client, at_once: AnswerAtOnce, tmp_path: Path
) -> None:
    (tmp_path / "near" / "link.jpg").symlink_to(tmp_path / "far" / "cat.jpg")
    request = call("/link.jpg", if_none_match="*")
    assert at_once(request) is None
    assert whole(client, request).status == 404


def test_no_descriptor_stays_open(client: Client, at_once: AnswerAtOnce) -> None:
    etag = whole(client, call("/cat.jpg")).headers["ETag"]
    at_once(call("/cat.jpg", if_none_match=etag))
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(20):
        at_once(call("/cat.jpg", if_none_match=etag))
        at_once(call("/cat.jpg", if_none_match='"another"'))
    assert len(list(Path("/dev/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        ([], False),
        ([ROOT], True),
        ([ROOT, (Path("/srv"), "nfs4")], False),
        ([ROOT, (Path("/srv"), "nfs4"), (Path("/srv/images"), "xfs")], True),
        ([ROOT, (Path("/srv/images"), "xfs"), (Path("/srv/images"), "nfs4")], False),
        ([ROOT, (Path("/srv/images/archive"), "fuse.s3fs")], False),
        ([ROOT, (Path("/srv/images/archive"), "tmpfs"), (Path("/srv/images-of-others"), "cifs")], True),
        ([(Path("/"), "9p")], False),
    ],
)
def test_a_folder_is_local_if_all_of_its_mounts_are(mounts: list[tuple[Path, str]], *, expected: bool) -> None:
    assert is_local(Path("/srv/images"), mounts) is expected


def test_the_names_of_mounts_are_read_as_the_kernel_writes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "höher und weiter"
    folder.mkdir()
    mounted = str(folder).replace(" ", "\\040")
    lines = ["22 1 8:1 / / rw - ext4 /dev/sda rw", f"23 22 0:9 / {mounted} rw shared:1 - nfs4 server:/ rw"]
    (tmp_path / "mounts").write_text("\n".join(lines))
    http_ = Client({"SOURCE_BUCKETS": f"near={folder.as_uri()}"}).application.http
    assert build_at_once(http_) is not None
    monkeypatch.setattr(at_once_module, "_MOUNTS", tmp_path / "mounts")
    assert build_at_once(http_) is None


def test_a_secret_that_may_have_to_be_fetched_rules_it_out(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret of forty characters, as it should be")
    source = {"SOURCE_BUCKETS": f"near={tmp_path.as_uri()}"}
    assert build_at_once(Client(source).application.http) is not None
    for name in ("SIGNATURE_SECRET_FILE", "ORIGIN_SECRET_FILE"):
        assert build_at_once(Client({**source, name: str(secret)}).application.http) is None
    assert build_at_once(Client({**source, "DIALECTS": "query,imgproxy"}).application.http) is None
    assert build_at_once(Client({"SOURCE_BUCKETS": "bucket"}).application.http) is None


def test_it_answers_while_every_worker_is_taken(client: Client, at_once: AnswerAtOnce) -> None:
    etag = whole(client, call("/cat.jpg")).headers["ETag"]
    taken, release = threading.Event(), threading.Event()

    def handle(_: HttpRequest, __: Remaining) -> Answer:
        taken.set()
        release.wait(60)
        return Answer(200, {}, b"late")

    with_server(handle, at_once, lambda port: ask_twice(port, etag, taken, release))


def ask_twice(port: int, etag: str, taken: threading.Event, release: threading.Event) -> None:
    with (
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as slow,
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as quick,
    ):
        slow.request("GET", "/cat.jpg")
        assert taken.wait(60)
        for _ in range(3):
            quick.request("GET", "/cat.jpg", headers={"If-None-Match": etag})
            answer = quick.getresponse()
            assert (answer.status, answer.read(), answer.getheader("ETag")) == (304, b"", etag)
            assert answer.getheader("Content-Length") is None
        quick.request("GET", "/cat.jpg", headers={"If-None-Match": '"another"'})
        assert quick.getresponse().status == 503
        release.set()
        assert slow.getresponse().read() == b"late"


def with_server(
    handle: Callable[[HttpRequest, Remaining], Answer], at_once: AnswerAtOnce, ask: Callable[[int], None]
) -> None:
    app = PictureServer(handle, Bounds(workers=1, queue=0), at_once=at_once)
    server = ConnectionServer(
        uvicorn.Config(app, lifespan="off", ws="none", log_config=None), ConnectionLimits(), app.measures
    )
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        ask(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()
