"""Find the best encoding that fits into a number of bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

CandidateT = TypeVar("CandidateT")
_FALL = 0.023
"""By how much the logarithm of the size falls with each step of the quality, about: for the first guess."""
_FULL = 0.98
"""The share of the limit from which on no better candidate is looked for."""


def encode_within(candidates: Sequence[CandidateT], encode: Callable[[CandidateT], bytes], max_bytes: int) -> bytes:
    """Return an encoding of at most `max_bytes` bytes: the best one, or one that nearly fills them.

    `candidates` goes from the best to the smallest. If none fits, the smallest of those that were tried is returned.
    """
    found = smallest = encode(candidates[0])
    if len(found) <= max_bytes:
        return found
    # All up to `over` are too large, and `fits` fits, or is the number of candidates as long as none does.
    over, fits = 0, len(candidates)
    sizes, halves = {0: len(found)}, False
    while fits - over > 1:
        span = fits - over
        # Where a guess leaves more than a quarter of the range, the next one halves it, which bounds their number.
        number = (over + fits) // 2 if halves else _guess(sizes, over, fits, max_bytes)
        tried = encode(candidates[number])
        sizes[number] = len(tried)
        if len(tried) <= max_bytes:
            fits, found = number, tried
            if len(tried) >= _FULL * max_bytes:
                break
        else:
            over, smallest = number, min(smallest, tried, key=len)
        halves = not halves and fits - over > span / 4
    return found if fits < len(candidates) else smallest


def _guess(sizes: dict[int, int], over: int, fits: int, max_bytes: int) -> int:
    """Return the candidate that is expected to fit just so, from the logarithms of the sizes on both sides of it.

    As long as none fits, the fall between the first and the last one that is too large leads on.
    """
    excess = math.log(sizes[over] / max_bytes)
    if fits in sizes and sizes[over] > sizes[fits]:
        fall = math.log(sizes[over] / sizes[fits]) / (fits - over)
    elif over and sizes[0] > sizes[over]:
        fall = math.log(sizes[0] / sizes[over]) / over
    else:
        fall = _FALL
    return min(max(over + math.ceil(excess / fall), over + 1), fits - 1)
