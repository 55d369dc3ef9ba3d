"""Helpers of tests: required programs, and cases in a loop."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest


def require_tool(name: str, install: str) -> str:
    """Return the path of a program, beside this Python or on PATH.

    Without it the test fails on CI, and anywhere else is skipped with `install`, the command that brings it.
    """
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if path:
        return path
    return lacking(f"{name} is needed: {install}")


def lacking(missing: str) -> NoReturn:
    """Fail on CI because a requirement is missing; elsewhere skip the test and name what installs it."""
    if os.environ.get("CI") == "true":
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


@contextmanager
def case(name: str) -> Iterator[None]:
    """Run one case of a loop; a failure names the case."""
    try:
        yield
    except Exception as error:
        error.add_note(f"in the case {name}")
        raise
