"""The colours of imagor: a name, or three or six hexadecimal digits."""

from __future__ import annotations

import re

from features import by_name
from handler.requests.dialects.thumbor.arguments import Arguments
from imaging import InvalidParameter, check

BLACK = "000000"
_EXPECTED = "a colour as a name, or as 3 or 6 hexadecimal digits"


def read_color(arguments: Arguments, at: int) -> str:
    """Return the colour of an argument. Raise InvalidParameter.

    In lenient mode each character that is no digit is a 0, and what has another length is black, as in imagor.
    """
    text = arguments.text(at, BLACK).lower().removeprefix("#")
    try:
        check(by_name("flatten").params, {"background": text}, where="flatten")
    except InvalidParameter:
        arguments.tolerate(_EXPECTED)
        return re.sub("[^0-9a-f]", "0", text) if len(text) in (3, 6) else BLACK
    return text
