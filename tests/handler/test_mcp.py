"""`image-handler mcp`, called by the protocol's own client over standard input and output."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest
from jsonschema import Draft202012Validator
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from tests.client import size
from tests.command_line import command_environment, refused
from tests.local_server import SAMPLES, Server, serving
from tests.tools import require_tool

from features import CATALOGUE
from handler.cli.commands import run as run_command
from imaging import Output, fields

pytestmark = pytest.mark.slow

ResultT = TypeVar("ResultT")
SECRET = "a secret of the tests"
CAT = "photos/cat.jpg"


def in_a_thread(work: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Run a coroutine in a thread: in the main thread, browser tests of the same process keep an event loop running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(anyio.run, work).result()


class Assistant:
    """A client of the protocol, with the command as its server."""

    def __init__(self, *arguments: object, **environment: str) -> None:
        self.parameters = StdioServerParameters(
            command=require_tool("image-handler", "make setup"),
            args=["mcp", *map(str, arguments)],
            env=command_environment(**environment),
        )

    def run(self, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
        """Return the results of calls, all in one session."""

        async def work() -> list[Any]:
            async with Client(stdio_client(self.parameters)) as client:
                return [await client.call_tool(name, arguments) for name, arguments in calls]

        return in_a_thread(work)

    def tools(self) -> dict[str, Any]:
        """Return the tools by name."""

        async def work() -> dict[str, Any]:
            async with Client(stdio_client(self.parameters)) as client:
                return {tool.name: tool for tool in (await client.list_tools()).tools}

        return in_a_thread(work)


def content(result: Any) -> dict[str, Any]:
    """Return what a result says, which its text and its structure both hold."""
    found: dict[str, Any] = json.loads(result.content[0].text)
    assert found == result.structured_content
    return found


def error(result: Any) -> dict[str, Any]:
    assert result.is_error
    found: dict[str, Any] = content(result)["error"]
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("service")
    (folder / "secret").write_text(SECRET)
    options = ("--uploads", str(folder / "uploads"))
    with serving(SAMPLES, *options, ENABLE_SIGNATURE="Yes", SIGNATURE_SECRET_FILE=str(folder / "secret")) as started:
        yield started


@pytest.fixture
def secret(tmp_path: Path) -> str:
    (tmp_path / "secret.txt").write_text(SECRET)
    return str(tmp_path / "secret.txt")


def test_the_schemas_are_those_of_the_catalogue() -> None:
    tools = Assistant("--images", SAMPLES).tools()
    assert set(tools) == {"edit", "info", "explain", "features"}, "uploads are off"
    for tool in tools.values():
        Draft202012Validator.check_schema(tool.input_schema)
        assert tool.description
        assert tool.annotations.read_only_hint
    edit = tools["edit"].input_schema
    assert set(edit["properties"]["edits"]["properties"]) == {*(feature.name for feature in CATALOGUE), "steps"}
    assert set(edit["properties"]["output"]["properties"]) == set(fields(Output))
    check = Draft202012Validator(edit).is_valid
    assert check({"image": "a.jpg", "edits": {"resize": {"width": 300}, "blur": 3, "flip": True}})
    assert check({"image": "a.jpg", "edits": {"watermark": [{"key": "b.png"}]}, "output": {"format": "webp"}})
    for wrong in ({}, {"image": "a.jpg", "edits": {"rezise": 1}}, {"image": "a.jpg", "edits": {"blur": {"sigma": -1}}}):
        assert not check(wrong), wrong


def test_a_folder_is_edited_without_a_server() -> None:
    edits = {"resize": {"width": 120, "fit": "cover"}, "grayscale": True, "watermark": [{"key": "logo.png"}]}
    shown, described, listed, report = Assistant("--images", SAMPLES).run(
        ("edit", {"image": CAT, "edits": edits, "output": {"format": "png"}, "show": True}),
        ("info", {"image": CAT, "include": {"details": True}}),
        ("features", {"names": ["blur", "output"]}),
        ("edit", {"image": CAT, "edits": {"resize": {"width": 10}, "info": {"result": True}}, "show": True}),
    )
    url = f"/{CAT}?format=png&grayscale=true&resize.fit=cover&watermark.0.key=logo.png&width=120"
    assert content(shown)["url"] == url
    picture = shown.content[1]
    assert (picture.type, picture.mime_type) == ("image", "image/png")
    assert size(base64.b64decode(picture.data))[0] == 120
    assert (content(described)["width"], len(content(described)["sha256"])) == (451, 64)
    assert content(listed)["blur"]["properties"]["sigma"]["minimum"] == 0.3
    assert "quality" in content(listed)["output"]["properties"]
    assert content(report)["answer"]["result"]["width"] == 10


def test_urls_of_a_service_are_signed(server: Server, secret: str) -> None:
    base = f"http://127.0.0.1:{server.port}"
    call = {"image": CAT, "edits": {"resize": {"width": 90}}, "output": {"format": "webp"}, "show": True}
    shown, lasting, described = Assistant("--url", base, SIGNATURE_SECRET_FILE=secret).run(
        ("edit", call), ("edit", {**call, "expires": "1h", "show": False}), ("info", {"image": CAT})
    )
    for result in (shown, lasting):
        url = content(result)["url"]
        assert url.startswith(f"{base}/{CAT}?")
        answer = server.ask(url.removeprefix(base))
        assert (answer.status, size(answer.body)[0]) == (200, 90)
    assert "expires=" in content(lasting)["url"]
    assert base64.b64decode(shown.content[1].data) == server.ask(content(shown)["url"].removeprefix(base)).body
    assert content(described)["format"] == "jpeg"
    [unsigned, expiring] = Assistant("--url", base).run(("edit", call), ("edit", {**call, "expires": "1h"}))
    assert error(unsigned)["status"] in (400, 403)
    assert "`expires` must be left out" in error(expiring)["message"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "`image` must be given"),
        ({"image": 5}, "`image` must be `str`, got `int`"),
        ({"image": CAT, "edits": {"resize": {"width": -1}}}, "`resize.width` must be a whole number from 0"),
        ({"image": CAT, "edits": {"resize": {"widht": 1}}}, "`resize.widht` must be a known parameter"),
        ({"image": CAT, "edits": {"rezise": {"width": 1}}}, "`edits.rezise` must be one of"),
        ({"image": CAT, "edits": {"steps": [{"blur": {"sigma": -3}}]}}, "`steps[0].blur.sigma` must be"),
        ({"image": CAT, "output": {"format": "wepb"}}, "`format` must be one of"),
        ({"image": CAT, "size": 3}, "`size` must be one of the arguments image, edits"),
        ({"image": "../secret.jpg"}, "`image` must have 1 to 1024 bytes"),
        ({"image": "photos/none.jpg", "show": True}, "the key `photos/none.jpg` does not exist"),
        ({"image": CAT, "edits": {"watermark": [[[]]]}}, "`edits` must be an object"),
        ({"image": CAT, "expires": "soon"}, "such as 90s, 1h or 7d"),
    ],
)
def test_an_error_names_field_and_expectation(
    folder_call: Callable[..., Any], arguments: dict[str, Any], message: str
) -> None:
    assert message in error(folder_call("edit", arguments))["message"]


@pytest.fixture(scope="module")
def folder_call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Call a tool for the samples, beside which is a file that belongs to nobody else."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret.jpg").write_bytes((SAMPLES / CAT).read_bytes())
    (folder / "images" / "photos").mkdir(parents=True)
    (folder / "images" / CAT).write_bytes((SAMPLES / CAT).read_bytes())
    (folder / "images" / "link.jpg").symlink_to(folder / "secret.jpg")
    assistant = Assistant("--images", folder / "images", "--max-image-bytes", "9000")
    with anyio.from_thread.start_blocking_portal() as portal:
        entered = portal.wrap_async_context_manager(Client(stdio_client(assistant.parameters)))
        with entered as client:
            yield lambda name, arguments: portal.call(client.call_tool, name, arguments)


@pytest.mark.parametrize("key", ["link.jpg", "/etc/passwd", "..%2fsecret.jpg", "photos/../../secret.jpg"])
def test_files_outside_the_folder_stay_closed(folder_call: Callable[..., Any], key: str) -> None:
    result = folder_call("edit", {"image": key, "show": True})
    assert result.is_error
    assert len(result.content) == 1


def test_a_large_image_has_a_url_alone(folder_call: Callable[..., Any]) -> None:
    result = folder_call("edit", {"image": CAT, "output": {"format": "png"}, "show": True})
    assert not result.is_error
    assert len(result.content) == 1
    assert "more than 9000 bytes" in content(result)["note"]
    small = {"image": CAT, "edits": {"resize": {"width": 60}}, "show": True}
    assert len(folder_call("edit", small).content) == 2
    other = folder_call("edit", {**small, "output": {"format": "tiff"}})
    assert "image/tiff is not shown" in content(other)["note"]


def test_a_url_of_any_language_is_explained(folder_call: Callable[..., Any]) -> None:
    def explain(url: str, **more: bool) -> dict[str, Any]:
        return content(folder_call("explain", {"url": url, **more}))

    thumbor = explain(f"/300x200/filters:blur(3)/{CAT}")
    assert (thumbor["dialect"], thumbor["steps"][0]["width"]) == ("thumbor", 300)
    assert explain(f"/{CAT}?width=60", request=True)["answer"] == {"status": 200, "type": "image/jpeg"}
    mistyped = explain(f"/{CAT}?widht=60", request=True)
    assert "`widht` must be a known parameter" in mistyped["refused"]["message"]
    assert mistyped["answer"]["status"] == 400
    assert explain("/nö such.jpg", request=True)["answer"]["code"] == "NoSuchKey"


@pytest.mark.parametrize(
    "url", ["https://other.example/a.jpg", "//other.example/a.jpg", "/_api/images", "/%5Fapi/images"]
)
def test_only_images_of_the_service_are_requested(folder_call: Callable[..., Any], url: str) -> None:
    assert "`url` must be" in error(folder_call("explain", {"url": url, "request": True}))["message"]


def test_uploads_come_from_the_folder_alone(server: Server, secret: str, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name in ("inbox/new.jpg", "inbox/.hidden.jpg", "outside.jpg"):
        (tmp_path / name).write_bytes((SAMPLES / CAT).read_bytes())
    (inbox / "notes.txt").write_text("no image")
    (inbox / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    (inbox / "large.jpg").write_bytes(bytes(50_001))
    assistant = Assistant(
        "--url", f"http://127.0.0.1:{server.port}", "--upload-from", inbox, "--max-upload-bytes", "50000",
        SIGNATURE_SECRET_FILE=secret,
    )  # fmt: skip
    assert not assistant.tools()["upload"].annotations.read_only_hint
    closed = (
        "../outside.jpg",
        "link.jpg",
        ".hidden.jpg",
        "notes.txt",
        "large.jpg",
        "none.jpg",
        str(tmp_path / "outside.jpg"),
    )
    sent, again, shown, *others = assistant.run(
        ("upload", {"file": "new.jpg", "key": "mcp/new.jpg"}),
        ("upload", {"file": "new.jpg", "key": "mcp/new.jpg"}),
        ("edit", {"image": "mcp/new.jpg", "source": "uploads", "edits": {"resize": {"width": 40}}, "show": True}),
        *(("upload", {"file": name}) for name in closed),
    )
    assert content(sent) == {"key": "mcp/new.jpg", "outcome": "uploaded"}
    assert content(again)["outcome"] == "unchanged"
    assert size(base64.b64decode(shown.content[1].data))[0] == 40
    for name, result in zip(closed, others, strict=True):
        assert "`file` must" in error(result)["message"], name
    [unknown] = Assistant("--images", SAMPLES).run(("upload", {"file": "new.jpg"}))
    assert "one of the tools edit, info, explain, features" in error(unknown)["message"]


def test_a_service_that_does_not_answer_is_an_error() -> None:
    assistant = Assistant("--url", "http://127.0.0.1:9")
    [shown] = assistant.run(("edit", {"image": CAT, "show": True}))
    assert "http://127.0.0.1:9 does not answer" in error(shown)["message"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to edit: pass --url or --images"),
        (("--url", "images.example.com"), "must be http:// or https:// and a host"),
        (("--url", "https://a.example", "--images", SAMPLES), "exclude each other"),
        (("--images", SAMPLES, "--upload-from", SAMPLES), "--upload-from needs --url"),
        (("--images", "nowhere"), "does not exist"),
    ],
)
def test_wrong_options(
    arguments: tuple[object, ...], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SOURCE_BUCKETS", raising=False)
    assert run_command(["mcp", *map(str, arguments)]) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert message in said.err


def test_without_the_sdk_it_says_what_to_install() -> None:
    script = "import sys; sys.modules['mcp'] = None; sys.argv[1:] = ['mcp']; from handler.cli import main; main()"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert refused(run, "pip install '.[mcp]' in a checkout")
