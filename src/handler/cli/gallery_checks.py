"""The check of `image-handler doctor --url` that concerns the gallery: whom the CDN takes for whom."""

from __future__ import annotations

from handler.cli.http_probe import Failures, Skipped, Target

_SESSION = "/_api/gallery/session"


def check_gallery(target: Target) -> Failures:
    first = target.service.get(_SESSION)
    if first.status in (401, 404):
        raise Skipped("there is no gallery (DeployGallery)")
    cookie = first.headers.get("set-cookie", "").partition(";")[0]
    if first.status != 200 or not cookie:
        yield f"{_SESSION} must set a cookie, got {first.describe()}"
        return
    other = target.service.get(_SESSION)
    if other.headers.get("set-cookie", "").partition(";")[0] in ("", cookie):
        yield "two visitors must get two cookies: /_api/gallery/* must not be cached"
    again = target.service.get(_SESSION, cookie=cookie)
    if again.status != 200 or "set-cookie" in again.headers:
        yield "a visitor must be recognised by the cookie: does the CDN pass __Host-gallery to /_api/gallery/*?"
    forged = target.service.get("/_api/gallery/devices", method="POST", body=b"{}", content_type="application/json")
    if forged.error.get("code") != "other_site":
        yield f"a request without X-Gallery must be refused as that of another site, got {forged.describe()}"
    page = target.service.get("/_gallery/")
    if page.status != 200 or page.media_type != "text/html":
        yield f"/_gallery/ must be a page, got {page.describe()}"
