"""`image-handler transform`: files, folders and pipes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import pyvips
from tests import pictures
from tests.command_line import command_environment, image_handler, image_handler_bytes, refused, size
from tests.tools import require_tool


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photos" / "photo.jpg"
    path.parent.mkdir()
    path.write_bytes(pictures.jpeg())
    return path


def test_transform(photo: Path, tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(pictures.png())
    out = tmp_path / "deep" / "out"
    run = image_handler("transform", photo, logo, "width=40", "--query", "format=webp", "--out", out)
    assert (run.returncode, run.stderr) == (0, "")
    *lines, summary = run.stdout.splitlines()
    assert sorted(line.partition(" → ")[2].partition(":")[0] for line in lines) == [
        str(out / "logo.webp"), str(out / "photo.webp"),
    ]  # fmt: skip
    assert re.fullmatch(rf"2 of 2 written to {re.escape(str(out))}, \S+ \w+ → \S+ \w+ \([−+]\d+ %\)", summary)
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
    assert run.returncode == 1
    assert run.stdout.splitlines()[-1].startswith(f"1 of 2 written to {tmp_path / 'out'}, ")
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
        (("none.jpg",), "none.jpg must be a file or a folder"),
        (("--jobs", "0"), "--jobs"),
        (("-", "width=4"), "take one image"),
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
    process = subprocess.Popen(
        [require_tool("image-handler", "make setup"), "transform", *many, "format=png", "--jobs", "2", "--out", out],
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


def test_folders_keep_their_structure_and_only_their_images_are_read(photo: Path, tmp_path: Path) -> None:
    nested = photo.parent / "2024" / "may"
    nested.mkdir(parents=True)
    (nested / "cat.png").write_bytes(pictures.png())
    (nested / "cat.jpg").write_bytes(pictures.jpeg())
    (nested / ".hidden.jpg").write_bytes(b"no image")
    (nested / "notes.txt").write_text("no image")
    out = photo.parent / "out"
    for _ in range(2):  # results that stand in the folder itself are no originals
        run = image_handler("transform", photo.parent, "width=8", "format=webp", "--out", out, "--jobs", 1)
        assert (run.returncode, run.stderr) == (0, "")
        made = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
        assert made == ["2024/may/cat.jpg.webp", "2024/may/cat.png.webp", "photo.webp"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refused(image_handler("transform", empty, "width=8", "--out", tmp_path / "o"), "folders without any")


def test_standard_input_and_output(photo: Path, tmp_path: Path) -> None:
    run = image_handler_bytes("transform", "-", "width=40", "format=webp", stdin=photo.read_bytes())
    assert (run.returncode, run.stderr) == (0, b"")
    assert pyvips.Image.new_from_buffer(run.stdout, "").width == 40
    assert image_handler_bytes("transform", photo, "width=40", "format=webp", "--out", "-").stdout == run.stdout
    broken = image_handler("transform", "-", "width=40", stdin=b"no image")
    assert refused(broken, "")
    assert refused(image_handler("transform", "-", photo, "width=4", "--out", "-"), "take one image")
    assert refused(image_handler("transform", photo, "width=4"), "--out must name a folder")
    assert refused(image_handler("transform", photo, "width=4", "--out", photo), "must be a folder")
    assert not (tmp_path / "-").exists()


def test_existing_results_are_skipped_until_the_file_changes(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("transform", photo, "width=40", "--out", out, "--skip-existing", "--quiet")
    assert "1 of 1 written" in image_handler(*command).stdout
    assert image_handler(*command).stdout == f"0 of 0 written to {out}, 1 skipped\n"
    later = time.time() + 5
    os.utime(photo, (later, later))
    assert "1 of 1 written" in image_handler(*command).stdout


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.05)


@pytest.fixture
def watching(photo: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    program = require_tool("image-handler", "make setup")
    command = [program, "transform", str(photo.parent), "width=40", "--out", str(tmp_path / "out"), "--watch"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=command_environment()
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_watch_transforms_what_is_added_and_changed(
    photo: Path, tmp_path: Path, watching: subprocess.Popen[str]
) -> None:
    out = tmp_path / "out"
    wait_for(out / "photo.jpg")
    (photo.parent / "new").mkdir()
    (photo.parent / "new" / "added.png").write_bytes(pictures.png())
    wait_for(out / "new" / "added.png")
    before = (out / "photo.jpg").read_bytes()
    photo.write_bytes(pictures.jpeg(pictures.scene(300, 100)))
    deadline = time.monotonic() + 60
    while (out / "photo.jpg").read_bytes() == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    watching.send_signal(signal.SIGINT)
    output, errors = watching.communicate(timeout=60)
    assert watching.returncode == 0, errors
    assert output.splitlines()[-1].startswith(f"3 of 3 written to {out}, ")
