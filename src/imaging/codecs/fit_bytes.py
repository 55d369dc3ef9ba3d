"""The best encoding that is no larger than asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from imaging.errors import InvalidParameter

RungT = TypeVar("RungT")


def largest_that_fits(ladder: Sequence[RungT], encode: Callable[[RungT], bytes], most: int) -> bytes:
    """The first rung, from the best to the smallest, whose encoding has at most `most` bytes; few of them are tried.

    InvalidParameter that names the smallest size when none fits.
    """
    best = encode(ladder[0])
    if len(best) <= most:
        return best
    smallest = encode(ladder[-1]) if len(ladder) > 1 else best
    if len(smallest) > most:
        raise InvalidParameter("maxBytes", f"at least {min(len(smallest), len(best))} for this picture", most)
    return _search(ladder, encode, most, (len(best), smallest))


def _search(ladder: Sequence[RungT], encode: Callable[[RungT], bytes], most: int, ends: tuple[int, bytes]) -> bytes:
    """Between a rung that is too large and one that fits: guess by the logarithm of sizes, halve every other time."""
    over, fits = 0, len(ladder) - 1
    size_over, found = ends
    halve = False
    while fits - over > 1:
        guess = (over + fits) // 2
        if not halve and size_over > len(found):
            share = math.log(size_over / most) / math.log(size_over / len(found))
            guess = min(max(over + math.ceil(share * (fits - over)), over + 1), fits - 1)
        tried = encode(ladder[guess])
        if len(tried) <= most:
            fits, found = guess, tried
        else:
            over, size_over = guess, len(tried)
        halve = not halve
    return found
