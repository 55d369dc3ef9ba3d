"""A service with a private source, its twin whose private source is empty, and addresses of private images."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from tests import pictures
from tests.client import Client
from tests.mutants import SECRET, in_json

IMGPROXY_KEY, IMGPROXY_SALT = "746573742d6b6579", "74657374"
KEY = "a b/cat.jpg"
"""Of the private picture, in its source."""
_QUOTED = quote(KEY)
_BASE64 = base64.urlsafe_b64encode(f"local:///{KEY}".encode()).decode().rstrip("=")

ADDRESSES: Mapping[str, str] = {
    "query": f"/{_QUOTED}?bucket=vault",
    "query, edits": f"/{_QUOTED}?bucket=vault&width=20&format=png",
    "query, key": f"/_key/{_QUOTED}?bucket=vault",
    "query, facts": f"/{_QUOTED}?bucket=vault&info=true",
    "query, preset": f"/{_QUOTED}?bucket=vault&preset=small",
    "query, source path": f"/inside/{_QUOTED}",
    "query, source path with escapes": "/%69nside%2Fa%20b%2Fcat%2Ejpg?width=9",
    "query, URL of an origin": "/https://example.com/pictures/a.jpg",
    "query, http URL of an origin": "/http://EXAMPLE.com:80/p%2569ctures/a.jpg",
    "query, key that no store has": "/a/../b.jpg?bucket=vault",
    "watermark": f"/public.jpg?watermark.bucket=vault&watermark.key={_QUOTED}",
    "watermark of a preset": "/public.jpg?preset=marked",
    "watermark, address": f"/public.jpg?watermark.address=/{quote(_QUOTED)}%3Fbucket=vault%26width=9",
    "steps": f"/public.jpg?steps=[{{%22watermark%22:{{%22bucket%22:%22vault%22,%22key%22:%22{_QUOTED}%22}}}}]",
    "background": f"/public.jpg?removeBackground.backgroundBucket=vault&removeBackground.background={_QUOTED}",
    "boolean": f"/public.jpg?boolean.bucket=vault&boolean.key={_QUOTED}&boolean.operator=and",
    "frame": f"/public.jpg?frame.bucket=vault&frame.key={_QUOTED}",
    "json": in_json({"bucket": "vault", "key": KEY}),
    "json, edits": in_json({"bucket": "vault", "key": KEY, "edits": {"resize": {"width": 20}}}),
    "json, source path": in_json({"key": f"inside/{KEY}", "outputFormat": "webp"}),
    "json, headers": in_json({"bucket": "vault", "key": KEY, "headers": {"Cache-Control": "public,max-age=9999999"}}),
    "json, overlay": in_json({"key": "public.jpg", "edits": {"overlayWith": {"bucket": "vault", "key": KEY}}}),
    "thumbor": f"/unsafe/20x0/inside/{_QUOTED}",
    "thumbor, facts": f"/unsafe/meta/20x0/inside/{_QUOTED}",
    "aws's thumbor, bucket": f"/s3:vault/fit-in/20x20/{_QUOTED}",
    "aws's thumbor, watermark": f"/fit-in/30x20/filters:watermark(vault,{_QUOTED},0,0,0)/public.jpg",
    "imgproxy": f"/unsafe/rs:fit:20:20/plain/local:///{_QUOTED}@png",
    "imgproxy, base64": f"/insecure/w:9/{_BASE64}.png",
    "imgproxy, facts": f"/info/unsafe/plain/local:///{_QUOTED}",
    "imgproxy, preset": f"/unsafe/pr:small/plain/local:///{_QUOTED}",
    "imgproxy, URL of an origin": "/unsafe/w:9/plain/https://example.com/pictures/a.jpg",
    "imgproxy, watermark": f"/unsafe/wm:1:ce:0:0:1/wmu:{_BASE64}/plain/public.jpg",
    "imgproxy, unedited": f"/unsafe/raw:1/plain/local:///{_QUOTED}",
    "imagor": f"/unsafe/stretch/20x20/inside/{_QUOTED}",
    "imagor, facts": f"/unsafe/meta/inside/{_QUOTED}",
    "rewritten": f"/alias/{_QUOTED}",
}
"""One address for each way in which a URL can name an image of the private source `vault` or `origin`. imgproxy's
addresses name the vault `local`.
"""


class Vault:
    """Both services. They have the same secret and the same public picture."""

    def __init__(self, folder: Path, **settings: str) -> None:
        for name in ("photos", "full", "empty", "results-of-full", "results-of-empty"):
            (folder / name).mkdir()
        (folder / "photos" / "public.jpg").write_bytes(pictures.jpeg(pictures.scene(60, 40)))
        private = folder / "full" / KEY
        private.parent.mkdir()
        private.write_bytes(pictures.jpeg(pictures.scene(50, 30)))
        (folder / "secret").write_text(SECRET)
        self.folder, self._settings = folder, settings
        self.full, self.empty = self.client("full"), self.client("empty")

    def client(self, vault: str, **settings: str) -> Client:
        """Return one of the two services, with more settings."""
        folder, settings = self.folder, self._settings | settings
        name = "local" if "imgproxy" in settings.get("DIALECTS", "") else "vault"
        environment = {
            "SOURCE_BUCKETS": f"photos=file://{folder}/photos,{name}=file://{folder}/{vault},"
            "origin=https://example.com/pictures",
            "PRIVATE_SOURCES": f"{name},origin",
            "SOURCE_PATHS": f"inside/={name}",
            "SIGNATURE_SECRET_FILE": f"{folder}/secret",
            "REWRITE_MATCH_PATTERN": "/^.alias/",
            "REWRITE_SUBSTITUTION": "/inside",
            "PRESETS": '{"small": "width=9", "marked": "watermark.bucket=vault&watermark.key=a b/cat.jpg"}'.replace(
                "vault", name
            ),
            "RESULTS_BUCKET": f"results=file://{folder}/results-of-{vault}",
            "STORE_RESULTS": "Yes",
            "PUBLIC_FEATURES": "*",
        }
        return Client(environment | settings)


def imgproxy_signature(path: str) -> str:
    """Return the signature of a path that begins with a slash, by the keys of imgproxy."""
    digest = hmac.new(bytes.fromhex(IMGPROXY_KEY), bytes.fromhex(IMGPROXY_SALT) + path.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
