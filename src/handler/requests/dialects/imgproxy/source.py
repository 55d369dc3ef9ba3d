"""From the URL of a source to the bucket and the key of the original."""

from __future__ import annotations

from typing import Any

from handler.core.errors import NotFound
from handler.requests.dialects.imgproxy.configuration import Configuration
from handler.requests.dialects.imgproxy.path import ENCRYPTED, ImgproxyPath
from imaging import ObjectRef


def describe_original(path: ImgproxyPath, configuration: Configuration) -> dict[str, Any]:
    """Return the fields of a ParsedRequest that say where the original is. Raise NotFound if it is in no source.

    An encrypted URL that cannot be decrypted becomes a key that is never stored. It is then fetched and refused as
    every other missing original is: a client that could tell the two apart would learn, byte by byte, what a URL holds.
    """
    if not path.encrypted:
        return {"ref": locate_source(path.source, configuration)}
    try:
        ref = locate_source(path.source, configuration) if path.source else None
    except NotFound:
        ref = None
    missing = ObjectRef("", f"{ENCRYPTED}/{path.encrypted}")
    return {"ref": ref or missing, "hides_source": True, "is_unreadable": ref is None}


def locate_source(url: str, configuration: Configuration) -> ObjectRef:
    """Return where the original of a source URL is stored. Raise NotFound if it is in none of the sources."""
    for pattern, replacement in configuration.replacements:
        url = pattern.sub(replacement, url, count=1) if pattern.match(url) else url
    if not url.startswith(configuration.base_url):
        url = configuration.base_url + url
    if configuration.allowed_sources and not any(pattern.match(url) for pattern in configuration.allowed_sources):
        raise NotFound("the source URL is not one of IMGPROXY_ALLOWED_SOURCES", code="InvalidSourceURL")
    found = configuration.find_source(url)
    if found is None or not found.key:
        raise NotFound("the source URL is not under any of the sources in SOURCE_BUCKETS", code="InvalidSourceURL")
    return found
