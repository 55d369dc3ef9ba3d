"""Whether a caller knows a secret."""

from __future__ import annotations

import hmac

from handler.ports import SecretSource


def matches_secret(given: str, secrets: SecretSource) -> bool:
    """Compared in constant time with the current and the previous value, which are fetched again when neither fits."""

    def fits(values: tuple[str, ...]) -> bool:
        return any([hmac.compare_digest(given.encode(), value.encode()) for value in values])  # noqa: C419 - all are compared

    return fits(secrets.values()) or (bool(given) and fits(secrets.values(refresh=True)))
