"""What lies beside the code: the lock files and the sample pictures."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import pyvips

ROOT = Path(__file__).parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
OF_THEIR_OWN = {"checkov"}
"""Locks of what is installed apart from everything else."""
SAMPLES = [path for path in sorted((ROOT / "samples").rglob("*")) if path.is_file() and path.suffix != ".md"]
PINNED = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==([^\s;]+)", re.MULTILINE)
REQUIREMENT = re.compile(r"^[A-Za-z0-9-]+")


def _pins(lock: Path) -> set[tuple[str, str]]:
    return set(PINNED.findall(lock.read_text(encoding="utf-8")))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_lock_files_hold_names_versions_and_hashes_alone(lock: Path) -> None:
    for entry in re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip()):
        assert PINNED.match(entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
        assert "://" not in entry


@pytest.mark.parametrize("lock", [lock for lock in LOCKS if lock.stem not in OF_THEIR_OWN], ids=lambda lock: lock.stem)
def test_lock_files_agree_with_what_the_function_runs_on(lock: Path) -> None:
    runtime = _pins(ROOT / "requirements" / "runtime.txt")
    shared = {name for name, _ in runtime}
    # A name may stand there twice: another version for another Python.
    assert {(name, version) for name, version in _pins(lock) if name in shared} <= runtime


@pytest.mark.parametrize(("requirements", "lock"), [("dependencies", "runtime"), ("server", "server")])
def test_what_the_project_asks_for_is_locked(requirements: str, lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project.get(requirements) or project["optional-dependencies"][requirements]
    locked = {name for name, _ in _pins(ROOT / "requirements" / f"{lock}.txt")}
    assert {match.group().lower() for text in wanted if (match := REQUIREMENT.match(text))} <= locked


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_sample_opens_and_is_credited(sample: Path) -> None:
    credited = (ROOT / "samples" / "CREDITS.md").read_text(encoding="utf-8")
    assert f"`{sample.relative_to(ROOT / 'samples').as_posix()}`" in credited
    assert pyvips.Image.new_from_file(str(sample), fail_on="warning").avg() > 0
    assert sample.stat().st_size < 300_000
