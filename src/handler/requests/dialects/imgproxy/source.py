"""From the URL of a source to the bucket and the key of the original."""

from __future__ import annotations

from handler.errors import NotFound
from handler.requests.dialects.imgproxy.configuration import Configuration
from imaging import ObjectRef


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
