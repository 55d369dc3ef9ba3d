"""Visitors: a random ID in a signed cookie. A cookie that is not exactly what was signed is no cookie."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta

import msgspec

from handler.core.ports import SecretSource

NO_PASSWORD = "-"  # noqa: S105 - stands for no password
_COOKIE = re.compile(r"v1\.([0-9a-f]{32})\.([0-9]{1,12})\.([0-9a-f]{16}|-)\.([0-9a-f]{64})")
_RENEWED_AFTER = timedelta(days=1)
_CLOCKS = timedelta(minutes=5)
"""By how much the clocks of two servers may differ."""


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """A visitor of the gallery."""

    id: str
    """32 hexadecimal digits. Who knows it can do nothing without the signature."""
    password_tag: str = NO_PASSWORD
    """Says with which site password the visitor was admitted."""
    is_new: bool = False
    needs_cookie: bool = False
    """Whether the cookie is missing, older than a day, or signed with the previous secret."""

    @property
    def tag(self) -> str:
        """A short name of the visitor for pages and the log, which does not reveal the ID."""
        return hashlib.sha256(f"gallery visitor {self.id}".encode()).hexdigest()[:8]

    @property
    def prefix(self) -> str:
        """The prefix of the keys of all pictures of the visitor."""
        return f"{self.id}/"


class VisitorCookies(msgspec.Struct, frozen=True):
    """Signs the cookies of visitors with a secret, and verifies them by its current and its previous value."""

    secret: SecretSource
    life: timedelta

    def read(self, cookie: str, now: datetime) -> Visitor:
        """Return the visitor of a cookie; a new one if the cookie is missing, forged or expired."""
        match = _COOKIE.fullmatch(cookie)
        if match is None:
            return self.make_visitor()
        signed, _, mac = cookie.rpartition(".")
        which = self._find_secret(signed, mac)
        age = now.timestamp() - int(match[2])
        if which is None or not -_CLOCKS.total_seconds() <= age < self.life.total_seconds():
            return self.make_visitor()
        is_old = which > 0 or age > _RENEWED_AFTER.total_seconds()
        return Visitor(id=match[1], password_tag=match[3], needs_cookie=is_old)

    def write(self, visitor: Visitor, now: datetime) -> str:
        """Return the value of the cookie of a visitor."""
        signed = f"v1.{visitor.id}.{int(now.timestamp())}.{visitor.password_tag}"
        return f"{signed}.{_sign(signed, self.secret.values()[0])}"

    def make_visitor(self) -> Visitor:
        """Return a visitor with a new ID."""
        return Visitor(id=secrets.token_hex(16), is_new=True, needs_cookie=True)

    def tags_of_password(self, password: str) -> list[str]:
        """Return what cookies say of the site password with which their visitor was admitted, by each secret."""
        return [_sign(f"password\n{password}", secret)[:16] for secret in self.secret.values()]

    def _find_secret(self, signed: str, mac: str) -> int | None:
        """Return the number of the value with which a cookie is signed, None if it is signed with none of them."""
        found = self._match(signed, mac, self.secret.values())
        if found is None:
            # The secret may have been rotated since its values were fetched.
            found = self._match(signed, mac, self.secret.values(refresh=True))
        return found

    @staticmethod
    def _match(signed: str, mac: str, values: tuple[str, ...]) -> int | None:
        # All values are compared, so that the time does not depend on which of them matches.
        matches = [hmac.compare_digest(_sign(signed, value).encode(), mac.encode()) for value in values]
        return matches.index(True) if any(matches) else None


def _sign(text: str, secret: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
