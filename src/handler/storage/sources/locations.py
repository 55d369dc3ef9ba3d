"""Parse `SOURCE_BUCKETS`: a comma list of S3 bucket names or `name=URL`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_S3_OPTIONS = ("region", "endpoint")


class StoreLocation(msgspec.Struct, frozen=True):
    """One parsed entry."""

    name: str
    """The name of the source in requests."""
    scheme: str
    """s3, file, https, gs or az."""
    url: str
    """As given, without the prefix and options of S3; `s3://name` for a bucket given by its name."""
    bucket: str = ""
    """S3 only."""
    prefix: str = ""
    """S3 and HTTPS only; decoded, without slashes at its ends."""
    region: str = ""
    endpoint: str = ""
    folder: Path = Path()
    """Folders only; absolute, with symbolic links resolved."""


def read_locations(spec: str, setting: str = "SOURCE_BUCKETS") -> tuple[StoreLocation, ...]:
    """Parse all entries, in their order. ValueError has a line for each invalid entry."""
    locations: dict[str, StoreLocation] = {}
    faults = []
    for entry in spec.split(",") if spec.strip() else ():
        try:
            location = read_location(entry.strip())
            if location.name in locations:
                raise ValueError("an entry whose name no other entry has")
            locations[location.name] = location
        except ValueError as error:
            faults.append(f"{setting}: `{entry.strip()}` must be {error}")
    if faults:
        raise ValueError("\n".join(faults))
    return tuple(locations.values())


def read_location(entry: str) -> StoreLocation:
    """Parse one entry. ValueError states what was expected."""
    name, is_named, address = entry.partition("=")
    if not _BUCKET.fullmatch(name):
        raise ValueError("the name of a bucket, or name=URL")
    if not is_named:
        return StoreLocation(name, "s3", f"s3://{name}", bucket=name)
    url = urlsplit(address)
    if url.scheme not in _READERS:
        raise ValueError("name=URL with one of " + ", ".join(f"{scheme}://" for scheme in _READERS))
    if url.fragment or "@" in url.netloc or (url.query and url.scheme != "s3"):
        raise ValueError("a URL without user, query and fragment")
    return _READERS[url.scheme](name, url)


def _s3(name: str, url: SplitResult) -> StoreLocation:
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    if not _BUCKET.fullmatch(url.netloc):
        raise ValueError("s3://bucket or s3://bucket/prefix")
    if set(options) - set(_S3_OPTIONS):
        raise ValueError("s3://bucket with the options " + " and ".join(_S3_OPTIONS))
    endpoint = options.get("endpoint", "")
    if endpoint and not _is_web_address(endpoint):
        raise ValueError("s3://bucket with an endpoint such as https://minio.example.com:9000")
    return StoreLocation(
        name,
        "s3",
        f"s3://{url.netloc}",
        bucket=url.netloc,
        prefix=unquote(url.path).strip("/"),
        region=options.get("region", ""),
        endpoint=endpoint.rstrip("/"),
    )


def _file(name: str, url: SplitResult) -> StoreLocation:
    folder = Path(unquote(url.path))
    if url.netloc not in {"", "localhost"} or not folder.is_absolute() or not folder.is_dir():
        raise ValueError("file:///folder of a folder that exists")
    return StoreLocation(name, "file", url.geturl(), folder=folder.resolve())


def _https(name: str, url: SplitResult) -> StoreLocation:
    if not _is_web_address(url.geturl()):
        raise ValueError("https://host or https://host/prefix")
    return StoreLocation(name, "https", url.geturl().rstrip("/"), prefix=unquote(url.path).strip("/"))


def _cloud(name: str, url: SplitResult) -> StoreLocation:
    if not url.netloc:
        raise ValueError(f"{url.scheme}://bucket or {url.scheme}://bucket/prefix")
    return StoreLocation(name, url.scheme, url.geturl())


def _is_web_address(text: str) -> bool:
    url = urlsplit(text)
    try:
        return url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:  # an invalid port
        return False


_READERS: dict[str, Callable[[str, SplitResult], StoreLocation]] = {
    "s3": _s3,
    "file": _file,
    "https": _https,
    "gs": _cloud,
    "az": _cloud,
}
