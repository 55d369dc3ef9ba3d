"""`image-handler upload` against the real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import pictures
from tests.local_server import Server, running
from tests.stand_ins.scripted_http import ParsedRequest, Reply, scripted_server
from tests.tools import require_tool

from handler.cli import upload_client
from handler.cli.commands import run

PNG, JPEG = pictures.png(), pictures.jpeg()


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("originals")


@pytest.fixture(scope="module")
def server(originals: Path) -> Iterator[Server]:
    (originals.parent / "token").write_text("op-token")
    environment = {
        "SOURCE_BUCKETS": f"originals={originals.as_uri()}",
        "UPLOAD_SOURCE": "originals",
        "OPERATOR_TOKEN_FILE": str(originals.parent / "token"),
    }
    with running(
        require_tool("image-handler", "make setup"), "serve", "--port", "0", environment=environment
    ) as started:
        yield started


@pytest.fixture
def command(server: Server, originals: Path) -> list[str]:
    url = f"http://127.0.0.1:{server.port}"
    return ["upload", "--url", url, "--token-file", str(originals.parent / "token")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with images, other files, hidden ones, and a folder in it."""
    for name, body in {
        "cat.png": PNG, "sub folder/é.jpg": JPEG, "notes.txt": b"x", ".hidden.png": PNG, ".git/a.png": PNG,
    }.items():  # fmt: skip
        path = tmp_path / "summer" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    (tmp_path / "elsewhere.png").write_bytes(PNG)
    (tmp_path / "summer" / "link.png").symlink_to(tmp_path / "elsewhere.png")
    return tmp_path / "summer"


def test_the_images_of_a_folder_are_uploaded_once(
    command: list[str], folder: Path, originals: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "--prefix", "2026/", str(folder)]) == 0
    assert "2 uploaded, 0 unchanged, 0 failed" in capsys.readouterr().out
    stored = {
        path.relative_to(originals / "2026").as_posix() for path in (originals / "2026").rglob("*") if path.is_file()
    }
    assert stored == {"cat.png", "sub folder/é.jpg"}
    assert (originals / "2026/sub folder/é.jpg").read_bytes() == JPEG
    assert run([*command, "--prefix", "2026/", str(folder)]) == 0
    assert "0 uploaded, 2 unchanged, 0 failed" in capsys.readouterr().out


def test_a_key_with_other_contents_is_kept_unless_told_otherwise(
    command: list[str], tmp_path: Path, originals: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (originals / "taken.png").write_bytes(b"first")
    (tmp_path / "taken.png").write_bytes(PNG)
    (tmp_path / "free.png").write_bytes(PNG)
    assert run([*command, str(tmp_path / "taken.png"), str(tmp_path / "free.png")]) == 1
    printed = capsys.readouterr()
    assert "1 uploaded, 0 unchanged, 1 failed" in printed.out
    assert "taken.png: 409: the key `taken.png` exists already" in printed.err
    assert (originals / "taken.png").read_bytes() == b"first"
    assert run([*command, "--overwrite", str(tmp_path / "taken.png")]) == 0
    assert (originals / "taken.png").read_bytes() == PNG


def test_an_empty_file_in_a_folder_does_not_keep_the_others_from_being_uploaded(
    command: list[str], folder: Path, originals: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "empty.png").touch()
    assert run([*command, str(folder)]) == 1
    printed = capsys.readouterr()
    assert "2 uploaded, 0 unchanged, 1 failed" in printed.out
    assert "empty.png: the file is empty" in printed.err
    assert not (originals / "empty.png").exists()


def test_a_large_file_is_uploaded_in_parts(
    command: list[str], tmp_path: Path, originals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_client, "MULTIPART_BYTES", 1_000_000)
    body = bytes(range(256)) * 40_000
    (tmp_path / "large.png").write_bytes(body)
    assert run([*command, "--quiet", str(tmp_path / "large.png")]) == 0
    assert (originals / "large.png").read_bytes() == body
    assert [path.name for path in (originals / ".uploads").iterdir()] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.png"], "missing.png"),
        (["--url", "ftp://example.com", "{cat}"], "--url must be an http or https URL"),
        (["--parallel", "0", "{cat}"], "--parallel"),
        (["--prefix", "../", "{cat}"], "`key` must have"),
        (["{cat}", "{other}"], "must have different keys"),
        (["{empty}"], "must have contents"),
        (["{bare}"], "folders without any"),
        (["--token-file", "nowhere", "{cat}"], "nowhere"),
    ],
)
def test_wrong_input_is_told_in_one_line(
    tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, body in {"cat.png": PNG, "other/cat.png": PNG, "empty.png": b"", "bare/notes.txt": b"x"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(body)
    names = {"cat": "cat.png", "other": "other/cat.png", "empty": "empty.png", "bare": "bare"}
    paths = {name: str(tmp_path / path) for name, path in names.items()}
    assert run(["upload", *(argument.format(**paths) for argument in arguments)]) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert len(printed.splitlines()) == 1


def test_a_wrong_token_is_told(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    (tmp_path / "token").write_text("wrong")
    assert run([*command, "--token-file", str(tmp_path / "token"), str(tmp_path / "cat.png")]) == 1
    assert "401: the header Authorization must be" in capsys.readouterr().err


def test_a_busy_service_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    granted = json.dumps({"url": "/_upload", "fields": {"key": "cat.png"}}).encode()
    replies = {
        "/_api/uploads": [Reply(503, b"", {"Retry-After": "7"}), Reply(201, granted)],
        "/_upload": [Reply(502), Reply(201)],
    }

    def script(asked: ParsedRequest) -> Reply:
        return replies[asked.path].pop(0)

    with scripted_server() as server:
        server.script = script
        assert run(["upload", "--url", server.url, str(tmp_path / "cat.png")]) == 0
    assert replies == {"/_api/uploads": [], "/_upload": []}
    assert [pause for pause in pauses if pause >= 1] == [7, 1]


def test_an_answer_of_another_service_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    with scripted_server() as server:
        server.script = lambda _: Reply(201, b"<html>")
        assert run(["upload", "--url", server.url, str(tmp_path / "cat.png")]) == 1
    assert "1 failed" in capsys.readouterr().out
