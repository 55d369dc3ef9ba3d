"""The image and a store of pictures; both for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.image.container import Image, built_image
from tests.stand_ins.moto import Moto, moto_server


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    with built_image() as built:
        yield built


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with moto_server() as running:
        yield running
