"""What is stored beside the code: lock files, sample images, and the files that help to work on the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import pyvips
import yaml

ROOT = Path(__file__).parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
OF_THEIR_OWN = {"cdk", "checkov"}
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


def _commands(text: str) -> set[tuple[str, str]]:
    """Return each tool of .venv with its first argument, which is a subcommand or an option."""
    return set(re.findall(r"(?:\.venv/bin|\$\(BIN\))/([\w-]+)(?: (?!\$)([\w./-]+))?", text))


def test_the_hooks_before_a_commit_are_the_steps_of_the_gate() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    hooks = "\n".join(hook["entry"] for hook in config["repos"][0]["hooks"])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    gate = re.findall(r"^check:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[0]
    assert _commands(hooks) == _commands(gate)


def test_the_devcontainer_has_what_the_gate_installs() -> None:
    wanted = re.findall(r"^want (\S+)(?: (\S+))?$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    installed = (ROOT / ".devcontainer" / "Dockerfile").read_text(encoding="utf-8").split()
    assert {package or program for program, package in wanted} <= set(installed)


@pytest.mark.parametrize("path", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda path: path.name)
def test_what_github_reads_is_well_formed(path: Path) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.parent.name == "workflows":
        assert [step["run"] for job in content["jobs"].values() for step in job["steps"] if "run" in step][
            -1
        ] == ".ci/run"
    if path.parent.name == "ISSUE_TEMPLATE" and path.name != "config.yml":
        assert {"name", "description", "body"} <= set(content)
