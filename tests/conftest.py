"""What holds for every test."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).resolve().parent

MARKERS = {
    "browser": "browser",
    "image": "image",
    "peers": "peers",
    "features/remove_background": "models",
}
"""Directories below tests/ and the marker of every test in them."""

LONGEST_BYTES_IN_A_NAME = 30

# No test is timed: machines are shared. pytest-timeout ends what hangs.
settings.register_profile("untimed", deadline=None)
settings.register_profile("long", deadline=None, max_examples=5000)
settings.load_profile("untimed")


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Gives each worker the next test, but all tests of the container image to one: others would wait for it."""

    def _split_scope(self, nodeid: str) -> str:
        return "image" if nodeid.startswith("tests/image/") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    """Return what divides the tests among the workers. xdist's own marker for it has no effect with pytest 9.2."""
    return Scheduling(config, log)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a long byte string by its parameter: its bytes may differ between the workers, which then run nothing."""
    return argname if isinstance(val, bytes) and len(val) > LONGEST_BYTES_IN_A_NAME else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Set the marker of each test's directory."""
    missing = [directory for directory in MARKERS if not (TESTS / directory).is_dir()]
    if missing:
        raise pytest.UsageError(f"tests/conftest.py marks directories that are not there: {', '.join(missing)}")
    for item in items:
        for directory, marker in MARKERS.items():
            if item.path.is_relative_to(TESTS / directory):
                item.add_marker(marker)
