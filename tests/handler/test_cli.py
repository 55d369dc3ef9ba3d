"""The command line, as a user starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import pyvips
from tests import pictures
from tests.tools import require_tool

from features import CATALOGUE, by_name
from handler.auth.canonical import decode_path, split_query
from handler.auth.signature import sign
from handler.cli.commands import run as run_command
from imaging import Output, fields

SECRET = "a secret of the tests"


def image_handler(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    program = require_tool("image-handler", "make setup")
    return subprocess.run(
        [program, *map(str, arguments)], cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **environment},
        capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip


def size(path: Path) -> tuple[int, int]:
    picture = pyvips.Image.new_from_file(str(path))
    return picture.width, picture.height


def refused(run: subprocess.CompletedProcess[str], message: str) -> bool:
    """Whether bad input ended the program as it should: status 2, one line, nothing else."""
    lines = run.stderr.splitlines()
    return run.returncode == 2 and run.stdout == "" and len(lines) == 1 and message in lines[0]


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text(SECRET + "\n", encoding="utf-8")
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photos" / "photo.jpg"
    path.parent.mkdir()
    path.write_bytes(pictures.jpeg())
    return path


def test_sign(secret_file: Path) -> None:
    run = image_handler("sign", "/a cat.jpg?width=300&utm_source=x", "--expires", "1h", "--secret-file", secret_file)
    assert (run.returncode, run.stderr) == (0, "")
    raw_path, _, raw_query = run.stdout.strip().partition("?")
    pairs = dict(split_query(raw_query))
    signature = pairs.pop("signature")
    del pairs["utm_source"]
    assert signature == sign(decode_path(raw_path), pairs.items(), SECRET)
    assert re.fullmatch(r"\d{8}T\d{6}Z", pairs["expires"])


def test_the_secret_of_the_environment_signs_too(secret_file: Path) -> None:
    run = image_handler("sign", "/cat.jpg", SIGNATURE_SECRET_FILE=str(secret_file))
    assert run.stdout == f"/cat.jpg?signature={sign('/cat.jpg', (), SECRET)}\n"


def test_an_option_wins_over_the_environment(secret_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("another secret", encoding="utf-8")
    run = image_handler("sign", "/cat.jpg", "--secret-file", other, SIGNATURE_SECRET_FILE=str(secret_file))
    assert run.stdout == f"/cat.jpg?signature={sign('/cat.jpg', (), 'another secret')}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cat.jpg",), "begins with a slash"),
        (("/cat.jpg?signature=1",), "`signature` must be left out"),
        (("/cat.jpg", "--expires", "soon"), "such as 90s, 1h or 7d"),
        (("/cat.jpg", "--expires", "999999999w"), "at most 36500 days"),
        (("/cat.jpg", "--secret-id", "some"), "exclude each other"),
        (("/cat.jpg", "--what"), "No such option"),
    ],
)
def test_what_cannot_be_signed(secret_file: Path, arguments: tuple[str, ...], message: str) -> None:
    assert refused(image_handler("sign", *arguments, "--secret-file", secret_file), message)


def test_sign_needs_a_secret() -> None:
    assert refused(image_handler("sign", "/cat.jpg"), "--secret-file or --secret-id")


def test_transform(photo: Path, tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(pictures.png())
    out = tmp_path / "deep" / "out"
    run = image_handler("transform", photo, logo, "width=40", "--query", "format=webp", "--out", out)
    assert (run.returncode, run.stdout, run.stderr) == (0, f"2 of 2 written to {out}\n", "")
    assert sorted(path.name for path in out.iterdir()) == ["logo.webp", "photo.webp"]
    assert size(out / "photo.webp") == (40, 30)


def test_pictures_of_one_stem_keep_their_whole_names(photo: Path, tmp_path: Path) -> None:
    other = photo.with_suffix(".png")
    other.write_bytes(pictures.png())
    run = image_handler("transform", photo, other, "format=png", "--jobs", 1, "--out", tmp_path / "out")
    assert run.returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["photo.jpg.png", "photo.png.png"]


def test_a_watermark_comes_from_the_folder_that_is_named(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(pictures.png())
    run = image_handler("transform", photo, "watermark.key=logo.png", "--images", tmp_path, "--out", tmp_path / "out")
    assert (run.returncode, run.stderr) == (0, "")
    here = image_handler("transform", photo, "watermark.key=logo.png", "--out", tmp_path / "here", cwd=tmp_path)
    assert (here.returncode, here.stderr) == (0, "")
    assert (tmp_path / "out" / "photo.jpg").read_bytes() == (tmp_path / "here" / "photo.jpg").read_bytes()


def test_a_report_is_json(photo: Path, tmp_path: Path) -> None:
    assert image_handler("transform", photo, "feature=info", "--out", tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / "photo.json").read_text(encoding="utf-8").startswith("{")


def test_a_file_that_fails_is_named_and_the_others_are_made(photo: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    run = image_handler("transform", photo, broken, "width=40", "--out", tmp_path / "out")
    assert (run.returncode, run.stdout) == (1, f"1 of 2 written to {tmp_path / 'out'}\n")
    assert run.stderr.startswith(f"{broken}: ")
    assert len(run.stderr.splitlines()) == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["photo.jpg"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("width=x",), "width` must be"),
        (("nothing=1",), "`nothing` must be"),
        (("width=1", "width=2"), "`width` must be given once"),
        (("width=1", "--query", "width=2"), "`width` must be given once"),
        (("--query", "width=%FF"), "`width` must be percent-encoded"),
        (("none.jpg",), "none.jpg must be a file"),
        (("--jobs", "0"), "--jobs"),
    ],
)
def test_invalid_input_is_reported_before_any_work(
    photo: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    assert refused(image_handler("transform", photo, *arguments, "--out", tmp_path / "out"), message)
    assert not (tmp_path / "out").exists()


def test_an_original_is_never_overwritten(photo: Path, tmp_path: Path) -> None:
    assert refused(image_handler("transform", photo, "width=4", "--out", photo.parent), "must be another folder")
    assert refused(image_handler("transform", "width=4", "--out", tmp_path), "at least one file")


def test_two_files_of_one_name_are_refused(photo: Path, tmp_path: Path) -> None:
    same = tmp_path / "photo.jpg"
    same.write_bytes(pictures.jpeg())
    run = image_handler("transform", photo, same, "--out", tmp_path / "out")
    assert refused(run, "two files would be written as")


@pytest.mark.slow
def test_nothing_half_written_stays(photo: Path, tmp_path: Path) -> None:
    """Interrupted amid many pictures: what is there is whole."""
    many = [photo.with_name(f"{number}.jpg") for number in range(60)]
    for each in many:
        each.write_bytes(pictures.jpeg(pictures.scene(1600, 1200)))
    out = tmp_path / "out"
    program = require_tool("image-handler", "make setup")
    process = subprocess.Popen(
        [program, "transform", *many, "format=png", "--jobs", "2", "--out", out],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (out.exists() and len(list(out.glob("*.png"))) > 1):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=60)
    made = list(out.iterdir())
    assert 0 < len(made) < len(many)
    assert {path.suffix for path in made} == {".png"}
    assert {size(path) for path in made} == {(1600, 1200)}


def test_features() -> None:
    table = image_handler("features").stdout
    for feature in CATALOGUE:
        assert re.search(rf"^{feature.name}\b.*{re.escape(feature.help)}$", table, re.MULTILINE)
    for name, model in (("resize", by_name("resize").params), ("output", Output)):
        shown = image_handler("features", name).stdout
        assert re.findall(r"^(\w+)  +", shown, re.MULTILINE)[1:] == list(fields(model))
    assert refused(image_handler("features", "nothing"), "must be one of")


def test_doctor() -> None:
    run = image_handler("doctor")
    assert (run.returncode, run.stderr) == (0, "")
    for line in ("jpeg +yes +yes", "avif +yes +yes", "heif +yes +no", "svg +yes +no", "bmp +yes +yes", "ico +yes +no"):
        assert re.search(f"^{line}$", run.stdout, re.MULTILINE), line
    assert re.search(r"^pyvips +\d", run.stdout, re.MULTILINE)


def test_help_and_version() -> None:
    shown = image_handler("--help").stdout
    assert "transform" in shown
    assert "..." not in shown.partition("Commands:")[2], "the sentence of a command is cut"
    assert re.fullmatch(r"image-handler, version \d\S+\n", image_handler("--version").stdout)
    assert image_handler().returncode == 2
    assert refused(image_handler("nothing"), "No such command")


def test_serve_needs_something_to_serve(tmp_path: Path) -> None:
    assert refused(image_handler("serve"), "pass --images DIR, or set SOURCE_BUCKETS")
    assert refused(image_handler("serve", "--images", tmp_path / "none"), "does not exist")


def test_without_click_it_says_what_to_install() -> None:
    script = "import sys; sys.modules['click'] = None; from handler.cli import main; main()"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stderr) == (1, "image-handler: click is missing: pip install 'image-handler[server]'\n")


def test_check_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SOURCE_BUCKETS", f"p={tmp_path.as_uri()}")
    assert run_command(["check-settings"]) == 0
    assert capsys.readouterr().out == "the settings are valid\n"
    monkeypatch.setenv("PRESETS", "[")
    monkeypatch.setenv("SOURCE_PATHS", "old/=elsewhere,new")
    monkeypatch.setenv("SIGNATURE_SECRET_FILE", str(tmp_path / "missing"))
    assert run_command(["check-settings"]) == 2
    complaints = capsys.readouterr().err
    assert "PRESETS must be a JSON object or an address such as s3://bucket/key, got '['" in complaints
    assert f"SIGNATURE_SECRET_FILE must name a file that exists, got '{tmp_path / 'missing'}'" in complaints
