"""Codes that carry a visitor to another device: valid once, and for five minutes."""

from __future__ import annotations

import hashlib
import io
import re
import secrets
from datetime import datetime, timedelta

import msgspec

from handler.core.errors import Forbidden
from handler.gallery.visitors import Visitor
from handler.records.counters import Counters

LIFE = timedelta(minutes=5)
_CODE = re.compile("[0-9a-f]{32}")
_MARGIN = 4
"""Modules around a QR code, which its standard demands."""


class DeviceCodes(msgspec.Struct, frozen=True):
    """Makes and redeems codes. The database has only their hashes, so that no reader of it can use one."""

    counters: Counters

    def make(self, visitor: Visitor, now: datetime) -> tuple[str, datetime]:
        """Return a new code of a visitor, and until when it is valid."""
        code, until = secrets.token_hex(16), now + LIFE
        self.counters.keep(_name(code), f"{visitor.id} {visitor.password_tag}", now=now, until=until)
        return code, until

    def redeem(self, code: str, now: datetime) -> Visitor:
        """Return the visitor of a code, which is not valid any more then. Raise Forbidden for any other text."""
        kept = self.counters.take(_name(code), now=now) if _CODE.fullmatch(code) else None
        if kept is None:
            raise Forbidden("the code is wrong, was used already, or is older than 5 minutes", code="wrong_code")
        identifier, _, tag = kept.partition(" ")
        return Visitor(id=identifier, password_tag=tag, needs_cookie=True)


def draw_qr_code(text: str) -> str:
    """Return a QR code as SVG, black on white whatever the colours of the page are."""
    import segno  # noqa: PLC0415 - nothing else needs it

    image = io.BytesIO()
    code = segno.make_qr(text, error="m")
    code.save(image, kind="svg", xmldecl=False, border=_MARGIN, dark="#000", light="#fff", omitsize=True)
    return image.getvalue().decode().strip()


def _name(code: str) -> str:
    return f"gallery device {hashlib.sha256(code.encode()).hexdigest()}"
