"""The part of Thumbor's grammar that AWS's image handler has: segments in any order and, in lenient mode, anywhere.

The source is `thumbor-mapper.ts` and `image-request.ts` of AWS's Dynamic Image Transformation for Amazon CloudFront.
"""

from __future__ import annotations

import re

from handler.requests.dialects.dialect import STRICT, Faults
from handler.requests.dialects.thumbor.grammar import (
    AREA,
    PIXELS,
    ThumborPath,
    take_crop,
    take_filters,
    take_fit_in,
    take_size,
)

# A path behind `unsafe` or a signature imports this module and needs no pattern: each is compiled when it is used.
_SIZE = rf"({PIXELS})x({PIXELS})"
_ONE_SIDE = rf"(?:{PIXELS})x|x(?:{PIXELS})"
_BUCKET = r"s3:([^/]+)"


def parse_aws_path(text: str, faults: Faults = STRICT) -> ThumborPath | None:
    """Parse a path in the part of the grammar that AWS's image handler has; return None for any other path.

    The segments may come in any order, each of them once, except that `filters:` may come several times. In lenient
    mode they may stand behind folders too, as AWS looks for them anywhere, and the later ones of a kind are dropped
    from the key as well. Raise InvalidParameter.
    """
    path = ThumborPath(faults=faults)
    rest, folders, is_found = text.lstrip("/"), "", False
    while True:
        after = _take_segment(path, rest, is_first=not (folders or is_found))
        if after is not None:
            rest, is_found = after, True
            continue
        head, slash, after = rest.partition("/")
        if not slash or not faults.is_lenient:
            break
        folders, rest = f"{folders}{head}/", after
    path.image = (folders + rest).lstrip("/")
    return path if is_found and path.image else None


def _take_segment(path: ThumborPath, text: str, *, is_first: bool) -> str | None:
    """Take one segment off the front of the text and return the rest; return None where a part of the key begins."""
    if (after := take_filters(path, text)) != text:
        return after
    head, slash, after = text.partition("/")
    segments = (_take_bucket, _take_crop, _take_fit_in, _take_size)
    if slash and any(take(path, head) for take in segments):
        return after
    if not slash or not path.faults.is_lenient:
        return None
    # AWS drops every size, crop and `fit-in` from the key, of which the first counts.
    if head == "fit-in" or re.fullmatch(_SIZE, head) or AREA.fullmatch(head):
        return after
    # `100x` or `x100` at the front of a path is a size with one free side.
    is_one_side = is_first and re.fullmatch(_ONE_SIDE, head) and take_size(path, head)
    return after if is_one_side else None


def _take_crop(path: ThumborPath, head: str) -> bool:
    return path.crop is None and AREA.fullmatch(head) is not None and take_crop(path, head)


def _take_fit_in(path: ThumborPath, head: str) -> bool:
    return path.fit_in is None and head == "fit-in" and take_fit_in(path, head)


def _take_size(path: ThumborPath, head: str) -> bool:
    return path.size is None and re.fullmatch(_SIZE, head) is not None and take_size(path, head)


def _take_bucket(path: ThumborPath, head: str) -> bool:
    found = None if path.bucket else re.fullmatch(_BUCKET, head)
    if found:
        path.bucket = found[1]
    return found is not None
