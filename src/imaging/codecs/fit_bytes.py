"""Find the best encoding that fits into a number of bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

CandidateT = TypeVar("CandidateT")


def encode_within(candidates: Sequence[CandidateT], encode: Callable[[CandidateT], bytes], max_bytes: int) -> bytes:
    """Return the best encoding that has at most `max_bytes` bytes. Few of the candidates are tried.

    `candidates` goes from the best to the smallest. If none fits, the smallest is returned.
    """
    best = encode(candidates[0])
    if len(best) <= max_bytes:
        return best
    smallest = encode(candidates[-1]) if len(candidates) > 1 else best
    if len(smallest) > max_bytes:
        return min(smallest, best, key=len)
    return _search(candidates, encode, max_bytes, (len(best), smallest))


def _search(
    candidates: Sequence[CandidateT], encode: Callable[[CandidateT], bytes], max_bytes: int, ends: tuple[int, bytes]
) -> bytes:
    """Search between a candidate that is too large and one that fits.

    Every other guess interpolates the logarithms of the sizes, and the rest halve the range, which bounds the number
    of attempts.
    """
    over, fits = 0, len(candidates) - 1
    size_over, found = ends
    halve = False
    while fits - over > 1:
        guess = (over + fits) // 2
        if not halve and size_over > len(found):
            share = math.log(size_over / max_bytes) / math.log(size_over / len(found))
            guess = min(max(over + math.ceil(share * (fits - over)), over + 1), fits - 1)
        tried = encode(candidates[guess])
        if len(tried) <= max_bytes:
            fits, found = guess, tried
        else:
            over, size_over = guess, len(tried)
        halve = not halve
    return found
