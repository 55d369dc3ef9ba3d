"""Limits per hour, for each visitor and for each address."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from datetime import datetime, timedelta
from http import HTTPStatus

import msgspec

from handler.core.errors import HandlerError
from handler.core.ports import SecretSource
from handler.gallery.visitors import Visitor
from handler.records.counters import Counters

MAX_ATTEMPTS = 10
"""Wrong passwords and codes of one address in an hour."""
RENDERS_OF_UPLOAD = 10
"""Results with a model in an hour for each upload that is allowed in it."""
MAX_CODES = 60
"""Codes for other devices that a visitor can have made in an hour."""
_HOUR = timedelta(hours=1)
_IPV6_NETWORK = 64
"""Bits of an IPv6 address that a provider gives to one customer."""


class HourlyLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Counts in the database, so that the limits hold for all servers and functions together."""

    counters: Counters
    secret: SecretSource
    """Hides the addresses in the names of the counters."""
    uploads: int
    """GALLERY_UPLOADS_PER_HOUR."""

    def admit_upload(self, visitor: Visitor, address: str, now: datetime) -> None:
        """Count an upload. Raise HandlerError with status 429 if there are too many of the visitor or the address."""
        self._admit("upload", visitor, address, self.uploads, "uploads", now)

    def admit_render(self, visitor: Visitor, address: str, now: datetime) -> None:
        """Count a result that takes seconds of a processor, or is billed. Raise HandlerError with status 429."""
        self._admit("render", visitor, address, RENDERS_OF_UPLOAD * self.uploads, "results with a model", now)

    def admit_attempt(self, address: str, now: datetime) -> None:
        """Count an attempt to guess a password or code. Raise HandlerError with status 429 after too many of them."""
        if not self._count(self._attempt(address), MAX_ATTEMPTS, now):
            message = f"at most {MAX_ATTEMPTS} wrong passwords or codes can be sent in an hour: try again later"
            raise _too_many(message, "too_many_attempts", now)

    def admit_code(self, visitor: Visitor, now: datetime) -> None:
        """Count a code for another device. Raise HandlerError with status 429 if there are too many of the visitor."""
        if not self._count(f"gallery codes {visitor.id}", MAX_CODES, now):
            message = f"at most {MAX_CODES} codes can be made in an hour: try again later"
            raise _too_many(message, "too_many_codes", now)

    def forgive_attempt(self, address: str, now: datetime) -> None:
        """Take back the count of an attempt that was right."""
        self.counters.uncount(_in_hour(self._attempt(address), now), now=now)

    def _admit(self, kind: str, visitor: Visitor, address: str, limit: int, what: str, now: datetime) -> None:
        """Count something of a visitor and of an address, or nothing if one of them has reached the limit."""
        names = [f"gallery {kind} {visitor.id}"] + ([f"gallery {kind} of {self._hide(address)}"] if address else [])
        for number, name in enumerate(names):
            if not self._count(name, limit, now):
                for counted in names[:number]:
                    self.counters.uncount(_in_hour(counted, now), now=now)
                message = f"there can be at most {limit} {what} in an hour: try again later"
                raise _too_many(message, f"too_many_{kind}s", now)

    def _count(self, name: str, limit: int, now: datetime) -> bool:
        return self.counters.count(_in_hour(name, now), limit=limit, now=now, until=_end_of_hour(now))

    def _attempt(self, address: str) -> str:
        return f"gallery attempt {self._hide(address)}"

    def _hide(self, address: str) -> str:
        """Return a name of an address, or of the network of an IPv6 address, that does not reveal it."""
        try:
            known = ipaddress.ip_address(address)
            network = ipaddress.ip_network((known, _IPV6_NETWORK if known.version == 6 else 32), strict=False)
            text = str(network)
        except ValueError:  # no address: a proxy may say anything
            text = address
        return hmac.new(self.secret.values()[0].encode(), text.encode(), hashlib.sha256).hexdigest()[:32]


def _in_hour(name: str, now: datetime) -> str:
    return f"{name} {now:%Y%m%d%H}"


def _end_of_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + _HOUR


def _too_many(message: str, code: str, now: datetime) -> HandlerError:
    seconds = int((_end_of_hour(now) - now).total_seconds()) + 1
    headers = {"Retry-After": str(seconds)}
    return HandlerError(message, code=code, status=HTTPStatus.TOO_MANY_REQUESTS, headers=headers)
