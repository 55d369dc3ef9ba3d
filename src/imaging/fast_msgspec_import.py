"""msgspec without `typing_extensions`: `typing` has all that it looks for there, and a cold start is spared 13 ms."""

import sys

_NAME = "typing_extensions"

if _NAME not in sys.modules:
    # An import of None fails, and msgspec then takes what it needs from typing.
    sys.modules[_NAME] = None  # type: ignore[assignment]  # its stubs know modules alone
    try:
        import msgspec  # noqa: F401 - for whoever imports it next
    finally:
        del sys.modules[_NAME]
