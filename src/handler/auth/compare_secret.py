"""Compares secrets that callers send."""

from __future__ import annotations

import hmac

from handler.core.ports import SecretSource


def matches_secret(given: str, secrets: SecretSource) -> bool:
    """Return whether `given` is the current or the previous value of a secret; the comparison takes constant time.

    If it is neither, the values are fetched again, because the secret may have been rotated.
    """

    def matches(values: tuple[str, ...]) -> bool:
        return any([hmac.compare_digest(given.encode(), value.encode()) for value in values])  # noqa: C419 - all are compared

    return matches(secrets.values()) or (bool(given) and matches(secrets.values(refresh=True)))
