"""Files of other projects that the gallery's page loads: they are the published ones, with their licence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.local_server import ROOT
from tests.tools import lacking

LOCKED = Path(__file__).with_name("vendored")
VENDORED = ROOT / "demo-ui" / "gallery" / "vendor"
PACKAGES = json.loads((LOCKED / "package.json").read_text(encoding="utf-8"))["dependencies"]


def test_each_vendored_package_is_locked() -> None:
    assert {path.name for path in VENDORED.iterdir()} == set(PACKAGES)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_vendored_file_equals_that_of_its_package(name: str) -> None:
    package = LOCKED / "node_modules" / name
    if not package.exists():
        lacking(f"{name} is not installed: run `make setup`, which needs npm")
    files = sorted(path for path in (VENDORED / name).rglob("*") if path.is_file())
    assert len(files) >= 2
    for path in files:
        assert path.read_bytes() == (package / path.relative_to(VENDORED / name)).read_bytes()


@pytest.mark.parametrize(("name", "version"), PACKAGES.items())
def test_the_notice_names_its_version_and_licence(name: str, version: str) -> None:
    locked = json.loads((LOCKED / "package-lock.json").read_text(encoding="utf-8"))["packages"][f"node_modules/{name}"]
    [line] = [each for each in (ROOT / "NOTICE").read_text(encoding="utf-8").splitlines() if each.startswith(name)]
    assert line.split()[1] == version == locked["version"]
    assert f" {locked['license']}," in line
    assert "Permission is hereby granted" in (VENDORED / name / "LICENSE.txt").read_text(encoding="utf-8")
