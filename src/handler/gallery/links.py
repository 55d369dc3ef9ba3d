"""Signed URLs of pictures and results: requests in the JSON dialect."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import quote

import msgspec

from handler.gallery.built_in import VIEWED
from handler.gallery.edits import fit_edits
from handler.gallery.recipes import Edits
from handler.requests.parsed_request import Recipe
from imaging import describe

THUMBNAIL, VIEW = 400, 1600
"""The longer side of a thumbnail, and of a picture that is shown large, in pixels."""


class Links(msgspec.Struct, frozen=True):
    """Makes signed URLs of one source."""

    source: str
    sign_url: Callable[[str], str]
    """Returns a path and query with its signature."""

    def sign(self, key: str, edits: Edits, expires: datetime, preset: str = "") -> str:
        """Return the path and query of a picture with these edits on top of a preset, valid until then."""
        request = {"bucket": self.source, "key": key} | ({"edits": dict(edits)} if edits else {})
        text = json.dumps(request, ensure_ascii=False, separators=(",", ":"))
        path = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        query = f"expires={expires:%Y%m%dT%H%M%SZ}" + (f"&preset={quote(preset, safe='')}" if preset else "")
        return self.sign_url(f"/{path}?{query}")

    def of_original(self, key: str, expires: datetime) -> dict[str, str]:
        """Return the URLs of a picture as it is, as a browser can show it, and small."""
        return {
            "url": self.sign(key, {}, expires),
            "view": self.sign(key, fit_edits(VIEWED, Recipe(), VIEW), expires),
            "thumbnail": self.sign(key, fit_edits(VIEWED, Recipe(), THUMBNAIL), expires),
        }

    def of_result(self, key: str, edits: Edits, recipe: Recipe, expires: datetime, preset: str = "") -> dict[str, str]:
        """Return the URLs of a result, whole and small."""
        return {
            "url": self.sign(key, edits, expires, preset),
            "thumbnail": self.sign(key, _shrink(edits, recipe), expires, preset),
        }


def _shrink(edits: Edits, recipe: Recipe) -> Edits:
    """Return the edits of a thumbnail: WebP in any case, which is small and has transparency."""
    names = {*describe(recipe.output), "toFormat"}
    return {**fit_edits({name: each for name, each in edits.items() if name not in names}, recipe, THUMBNAIL), **VIEWED}


def end_of_next_day(now: datetime) -> datetime:
    """Return the end of the next day in UTC: the URLs of one day are the same, so that caches work."""
    return (now + timedelta(days=1)).replace(hour=23, minute=59, second=59, microsecond=0)
