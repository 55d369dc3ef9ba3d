"""The best encoding that fits, in few tries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imaging.codecs.fit_bytes import encode_within


@given(
    steps=st.lists(st.integers(0, 400), min_size=1, max_size=100),
    most=st.integers(1, 30_000),
)
def test_first_rung_that_fits(steps: list[int], most: int) -> None:
    """Rungs of any sizes that do not grow."""
    sizes = [1 + sum(steps[rung:]) for rung in range(len(steps))]
    tried: list[int] = []

    def encode(rung: int) -> bytes:
        tried.append(rung)
        return bytes(sizes[rung])

    found = encode_within(range(len(sizes)), encode, most)
    best = max((size for size in sizes if size <= most), default=sizes[-1])
    assert len(found) == best or 0.98 * most <= len(found) <= most
    assert len(tried) == len(set(tried)) <= 2 + 2 * len(sizes).bit_length()


def test_sizes_that_fall_evenly_by_a_share_take_few_tries() -> None:
    for most in range(300, 20_000, 500):
        tried: list[int] = []

        def encode(quality: int, tried: list[int] = tried) -> bytes:
            tried.append(quality)
            return bytes(round(200 * 1.06**quality))

        found = encode_within(range(80, 0, -1), encode, most)
        assert len(found) <= most
        assert len(tried) <= 6
