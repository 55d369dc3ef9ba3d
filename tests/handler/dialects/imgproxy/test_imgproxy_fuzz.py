"""Random options and sources of imgproxy are parsed or refused quickly, with a 4xx that names the mistake."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client import Client
from tests.handler.dialects.test_fuzz import ANY_WORD, MISSING, client, refused

from handler.requests.dialects.imgproxy.handlers import ALIASES, HANDLERS
from handler.requests.dialects.imgproxy.paid import REFUSED

NAMES = st.sampled_from(sorted({*HANDLERS, *ALIASES, *REFUSED, "preset", "klingon"}))
ARGUMENTS = ANY_WORD | st.sampled_from(["ce", "soea", "sm", "fp", "re", "obj", "face", "fill", "auto", "t", "jpg", "-"])
OPTIONS = st.builds(
    lambda name, arguments: ":".join((name, *arguments)), NAMES, st.lists(ARGUMENTS, min_size=1, max_size=7)
)
SOURCES = st.sampled_from([
    "plain/" + MISSING, "plain/local:///" + MISSING + "@png", "YS9ub3N1Y2guanBn.webp", "plain/s3://x/y", "plain", "",
    "plain/http://127.0.0.1/a",
]) | ANY_WORD  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _silence() -> Iterator[None]:
    logging.disable(logging.INFO)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module", params=["strict", "lenient"])
def served(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Client:
    folder: Path = tmp_path_factory.mktemp("pictures")
    return client(folder, DIALECTS="imgproxy", COMPATIBILITY=request.param, IMGPROXY_WATERMARK_URL="mark.png")


@given(st.sampled_from(["/unsafe/", "/info/_/"]), st.lists(OPTIONS, max_size=6), SOURCES)
def test_any_options_are_parsed_or_refused(served: Client, head: str, options: list[str], source: str) -> None:
    refused(served, head + quote("/".join((*options, source)).encode(errors="replace"), safe="/:@"))
