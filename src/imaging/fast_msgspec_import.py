"""Imports msgspec without `typing_extensions`, which saves a cold start 13 ms.

msgspec tries `typing_extensions` first and falls back to `typing`, which has all that it needs from Python 3.11 on.
This module can go once msgspec no longer imports it there.
"""

import sys

_NAME = "typing_extensions"

if _NAME not in sys.modules:
    # None in sys.modules makes an import fail with ImportError.
    sys.modules[_NAME] = None  # type: ignore[assignment]  # the stubs allow modules only
    try:
        import msgspec  # noqa: F401 - imported here for all later imports of it
    finally:
        del sys.modules[_NAME]
