"""Secrets for other purposes, derived from the one that signs URLs."""

from __future__ import annotations

import hashlib
import hmac

from handler.core.ports import SecretSource


class DerivedSecret:
    """A secret for one purpose: its values are HMAC-SHA256 of the purpose with the values of another secret.

    What is signed with it is valid for this purpose alone, and it is rotated together with the other secret.
    """

    def __init__(self, secret: SecretSource, purpose: str) -> None:
        self._secret = secret
        self._purpose = purpose

    def values(self, *, refresh: bool = False) -> tuple[str, ...]:
        """Return the current value and then the previous one, if there is one."""
        return tuple(self._derive(value) for value in self._secret.values(refresh=refresh))

    def _derive(self, value: str) -> str:
        return hmac.new(value.encode(), self._purpose.encode(), hashlib.sha256).hexdigest()
