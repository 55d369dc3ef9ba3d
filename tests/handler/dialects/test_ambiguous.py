"""Languages that share `unsafe`: the operator's order decides, and a language that comes later changes no address."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import permutations
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import pictures
from tests.client import Client
from tests.handler.dialects.test_fuzz import SEGMENTS

LANGUAGES = ("thumbor", "imagor", "imgproxy")
AMBIGUOUS = {
    "/unsafe/t.jpg": "a key; imgproxy reads base64",
    "/unsafe/dC5qcGc": "a key; imgproxy reads the source t.jpg in base64",
    "/unsafe/plain/t.jpg": "a key in the folder plain; imgproxy reads the source t.jpg",
    "/unsafe/w:50/plain/t.jpg": "a key in the folder w:50; imgproxy reads a width",
    "/unsafe/rs:fill:50:50/g:no/plain/t.jpg@png": "a key; imgproxy reads options and a format",
    "/unsafe/filters:blur(2)/t.jpg": "a filter; imgproxy reads an unknown option",
    "/unsafe/300x200/t.jpg": "a size; imgproxy reads base64",
    "/unsafe/fit-in/300x200/t.jpg": "a size; imgproxy reads base64",
    "/unsafe/300x200/10x10/t.jpg": "a size and a folder; imagor reads a padding",
    "/unsafe/stretch/300x200/t.jpg": "a key in the folder stretch; imagor reads a segment",
    "/unsafe/filters:rotate(90)/t.jpg": "anticlockwise for Thumbor, clockwise for imagor",
    "/unsafe/filters:blur(5)/t.jpg": "a radius for Thumbor, twice a sigma for imagor",
    "/unsafe/filters:proportion(1)/t.jpg": "a factor for Thumbor; up to 1 for imagor as well",
    "/unsafe/meta/t.jpg": "a report; imgproxy reads base64",
    "/unsafe/smart/t.jpg": "an alignment; imgproxy reads base64",
    "/unsafe//t.jpg": "a key; imgproxy reads base64 behind an empty segment",
}
"""Addresses that more than one language reads, and what they mean in them."""
OWN = {"/insecure/w:50/plain/t.jpg": "imgproxy", "/_/w:50/plain/t.jpg": "imgproxy", "/AbC/w:50/plain/t.jpg": "imgproxy"}
"""Addresses that one language alone reads."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Client]]:
    """Clients by DIALECTS, for each order of each pair of languages and for each alone."""
    folder = tmp_path_factory.mktemp("originals")
    (folder / "t.jpg").write_bytes(pictures.jpeg(pictures.scene(40, 30)))
    orders = ["", *LANGUAGES, *(",".join(pair) for pair in permutations(LANGUAGES, 2))]
    logging.disable(logging.INFO)
    settings = {"SOURCE_BUCKETS": f"p=file://{folder}"}
    yield {order: Client({**settings, **({"DIALECTS": f"{order},query"} if order else {})}) for order in orders}
    logging.disable(logging.NOTSET)


def meaning(client: Client, address: str) -> tuple[int, Any]:
    """Return what an address means to a service, or why it is refused."""
    answer = client.get("/_api/explain?" + urlencode({"url": address}))
    return answer.status, answer.json()


@pytest.mark.parametrize("address", AMBIGUOUS)
def test_the_first_language_of_the_list_reads_an_ambiguous_address(served: dict[str, Client], address: str) -> None:
    for pair in permutations(LANGUAGES, 2):
        assert meaning(served[",".join(pair)], address) == meaning(served[pair[0]], address), pair
    # Without a choice of the operator it is Thumbor's.
    assert meaning(served[""], address) == meaning(served["thumbor"], address)


def test_the_ambiguous_addresses_mean_different_things(served: dict[str, Client]) -> None:
    for address in AMBIGUOUS:
        if "proportion" not in address:
            found = [str(meaning(served[name], address)[1]) for name in LANGUAGES]
            assert len(set(found)) > 1, address


@pytest.mark.parametrize(("address", "language"), OWN.items())
def test_an_address_of_one_language_alone_is_read_in_any_order(
    served: dict[str, Client], address: str, language: str
) -> None:
    for pair in permutations(LANGUAGES, 2):
        if language in pair:
            assert meaning(served[",".join(pair)], address) == meaning(served[language], address), pair


@given(SEGMENTS, st.sampled_from([*permutations(LANGUAGES, 2)]))
def test_a_language_that_comes_later_changes_no_address_under_unsafe(
    served: dict[str, Client], segments: list[str], pair: tuple[str, str]
) -> None:
    address = quote("/unsafe/" + "".join(segments) + "t.jpg", safe="/:(),;|'[]@!*~")
    if len(address) < 1500:
        assert meaning(served[",".join(pair)], address) == meaning(served[pair[0]], address)
