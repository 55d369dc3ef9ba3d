"""What holds for every test."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session
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
MAX_MEMORY = 1_500_000_000
"""Bytes of a process, beyond which it closes its neural networks after a test: its tests and one of them take less."""
MODEL_CACHES = {
    "imaging.models.saliency": "_opened",
    "imaging.models.upscaling": "_opened",
    "features.remove_background.masks": "_session",
}
"""Modules and the function in each that keeps the sessions of its networks."""

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
    markers: dict[Path, list[str]] = {}
    for item in items:
        if item.path not in markers:
            markers[item.path] = [name for place, name in MARKERS.items() if item.path.is_relative_to(TESTS / place)]
        for name in markers[item.path]:
            item.add_marker(name)


def pytest_collection_finish() -> None:
    """Exempt the collected tests from garbage collection, which would visit their millions of objects each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def service_models() -> Iterator[None]:
    """Read each description of an AWS service once per process; every session of boto3 would read it again."""
    entries: dict[str | None, dict[Any, Any]] = {}
    create = botocore.loaders.create_loader

    def create_loader(search_path: str | None = None) -> Any:
        loader = create(search_path)
        loader._cache = entries.setdefault(search_path, {})
        return loader

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", create_loader)
        yield


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Close neural networks once they take much memory. onnxruntime keeps what their largest run has taken."""
    if sys.platform != "linux" or _resident() < MAX_MEMORY:
        return
    caches = [getattr(sys.modules[module], name) for module, name in MODEL_CACHES.items() if module in sys.modules]
    if any(cache.cache_info().currsize for cache in caches):
        for cache in caches:
            cache.cache_clear()
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)


def _resident() -> int:
    """Return the bytes of memory that this process occupies."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096
