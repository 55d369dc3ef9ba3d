"""What holds for every test."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).resolve().parent

MARKERS = {
    "browser": "browser",
    "image": "image",
    "peers": "peers",
    "features/remove_background": "models",
}
"""Directories below tests/ and the marker of every test in them."""


# No test is timed: machines are shared. pytest-timeout ends what hangs.
settings.register_profile("untimed", deadline=None)
settings.register_profile("long", deadline=None, max_examples=5000)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Set the marker of each test's directory."""
    missing = [directory for directory in MARKERS if not (TESTS / directory).is_dir()]
    if missing:
        raise pytest.UsageError(f"tests/conftest.py marks directories that are not there: {', '.join(missing)}")
    for item in items:
        for directory, marker in MARKERS.items():
            if item.path.is_relative_to(TESTS / directory):
                item.add_marker(marker)
