"""The version of the code that draws, reckoned and as a container image carries it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from handler.config.version import drawing_version

SOURCE = Path(__file__).parents[2] / "src"


def version_in(folder: Path) -> str:
    program = "from handler.config.version import drawing_version; print(drawing_version())"
    ran = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def test_an_image_carries_what_is_reckoned_from_the_sources(tmp_path: Path) -> None:
    for package in ("features", "imaging", "handler"):
        shutil.copytree(SOURCE / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    assert version_in(tmp_path) == drawing_version()
    subprocess.run([sys.executable, tmp_path / "handler/config/version.py"], check=True)
    assert version_in(tmp_path) == drawing_version()
    (tmp_path / "features/blur.py").write_text("changed")
    assert version_in(tmp_path) == drawing_version(), "nothing changes in an image, and nothing is read again"
    (tmp_path / "imaging/VERSION").unlink()
    assert version_in(tmp_path) != drawing_version()
