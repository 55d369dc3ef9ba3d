"""Which keys obstore takes as they are: the rule is held against obstore itself."""

from __future__ import annotations

import obstore
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from handler.storage.sources.keys import is_invalid, needs_boto, other_forms

SEGMENT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["", ".", "..", "a", "%2F", "~"]
)


@given(st.lists(SEGMENT, min_size=1, max_size=4).map("/".join))
def test_obstore_takes_every_key_that_is_not_odd(key: str) -> None:
    assume(not is_invalid(key))
    assume(not needs_boto(key))
    store = MemoryStore()
    obstore.put(store, key, b"x")
    assert [meta["path"] for meta in obstore.list(store).collect()] == [key]
    assert bytes(obstore.get(store, key).bytes()) == b"x"


@pytest.mark.parametrize("key", ["a//b", "/a", "a/", "a\x01", "a\x7f", "a\nb"])
def test_obstore_refuses_or_mangles_the_odd_ones(key: str) -> None:
    assert needs_boto(key)
    store = MemoryStore()
    try:
        obstore.put(store, key, b"x")
    except ValueError:
        return
    assert [meta["path"] for meta in obstore.list(store).collect()] != [key]


@pytest.mark.parametrize("key", ["", ".", "..", "a/..", "../a", "a/./b", "\ud800", "a" * 1025, "é" * 513])
def test_impossible_keys(key: str) -> None:
    assert is_invalid(key)


@pytest.mark.parametrize("key", ["...", ".a", "a..b", "a" * 1024, "é" * 512, "😀"])
def test_possible_keys(key: str) -> None:
    assert not is_invalid(key)


@given(st.text(max_size=20))
def test_other_forms_are_other_and_equivalent(key: str) -> None:
    forms = list(other_forms(key))
    assert key not in forms
    assert len(forms) <= 2
