"""Whatever is accepted with a signature means exactly what was signed.

Signed addresses of every dialect are changed at random and sent in each shape in which an address can reach the
function; those that are accepted must mean what the unchanged address means. `tests/mutants.py` signs by itself, after
docs/signing.md, and not with the code that is tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.meanings import Meanings
from tests.mutants import ADDRESSES, WAYS, function_url, mutate, wrapped

KEYS = {"cat.jpg", "photos/cat.jpg", "100%.jpg", "café/a b+c.jpg", "http://example.com/cat.jpg", "é ü+.jpg",
        "a b+c.jpg", "100%/what?.jpg", "photos/a%2Fb.jpg", "fit-in/30x20/cat.jpg", "30x630-ff0000"}  # fmt: skip
MUTANTS = 24_000


@pytest.fixture(scope="module")
def meanings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meanings]:
    with pytest.MonkeyPatch.context() as patch:
        yield Meanings(tmp_path_factory.mktemp("nothing"), patch)


def checked(meanings: Meanings, address: str, mutant: str) -> int:
    """How many ways accept the mutant; each of them with the meaning of the address."""
    signed = meanings.of(function_url(address))
    accepted = 0
    for name, way in WAYS.items():
        meaning = meanings.of(way(mutant))
        assert meaning in (None, signed), (name, address, mutant, meaning)
        accepted += meaning is not None
    return accepted


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES.keys())
def test_each_signed_address_is_accepted_with_its_meaning(meanings: Meanings, address: str) -> None:
    meaning = meanings.of(function_url(address))
    assert meaning is not None
    assert meaning[0].key in KEYS
    assert meanings.of(wrapped(address)) == meaning
    assert checked(meanings, address, address) >= 3


@given(st.sampled_from(sorted(ADDRESSES.values())), st.integers(min_value=0))
def test_an_accepted_url_has_the_content_that_was_signed(meanings: Meanings, address: str, seed: int) -> None:
    checked(meanings, address, mutate(address, Random(seed)))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_accepted_url_has_the_content_that_was_signed_thoroughly(meanings: Meanings) -> None:
    accepted = 0
    for seed in range(MUTANTS):
        random = Random(seed)
        address = random.choice(sorted(ADDRESSES.values()))
        accepted += checked(meanings, address, mutate(address, random)) > 0
    # Enough mutants mean the same as what was signed, so that the comparison says something.
    assert MUTANTS / 20 < accepted < MUTANTS
