"""In which region a bucket lies."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from handler.aws.tls import client_tls

_SECONDS = 3.0


def region_of(bucket: str, endpoint: str) -> str | None:
    """The region, which S3 tells anyone whatever the status. Empty if the store does not, None if it is silent."""
    url = urlsplit(endpoint)
    connection = (
        http.client.HTTPSConnection(url.netloc, timeout=_SECONDS, context=client_tls())
        if url.scheme == "https"
        else http.client.HTTPConnection(url.netloc, timeout=_SECONDS)
    )
    try:
        connection.request("HEAD", f"{url.path}/{bucket}")
        return str(connection.getresponse().headers.get("x-amz-bucket-region", ""))
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
