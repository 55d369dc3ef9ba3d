"""The URLs of a list or an access log: of CloudFront, a load balancer or a web server, also packed by gzip."""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO, TextIO, cast

import click

_REQUEST_LINE = re.compile(r'"([A-Z]+) (\S+)(?: HTTP/[0-9.]+)?"')
"""The request of a line in the common log format, as web servers and load balancers write it."""
_WHOLE_URL = re.compile(r"(?:https?://[^\s/]+)?(/[^\s#]*)(?:#\S*)?")
_URL_IN_TEXT = re.compile(r"(?:https?://[^\s/\"'<>]+)?(/[^\s\"'<>#]*)")
_FIELDS = "#Fields:"
_COLUMNS = ("cs-method", "cs-uri-stem", "cs-uri-query")
_LOGGED_ESCAPE = re.compile(r"%(25|22|27|3C|3E|5B|5C|5D|5E|60|7B|7C|7D|7E)", re.IGNORECASE)
"""Characters that CloudFront encodes when it writes a log, whether or not they were encoded in the URL; `%` is one:
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html."""
_METHODS = ("GET", "HEAD")
_LONGEST_LINE = 100_000
_GZIP, _UTF_16 = b"\x1f\x8b", (b"\xff\xfe", b"\xfe\xff")
_PEEKED = 4096


class AccessLog:
    """A list of URLs or an access log."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.skipped = 0
        """How many lines are too long, or hold no URL of a GET or HEAD request."""

    def read_urls(self) -> Iterator[str]:
        """Yield the path and query of each URL. Raise click.UsageError for a file that is damaged or no text."""
        columns: tuple[int, ...] = ()
        try:
            for line in self._read_lines():
                if line.startswith(_FIELDS):
                    names = line.removeprefix(_FIELDS).split()
                    if set(_COLUMNS) <= set(names):
                        columns = tuple(map(names.index, _COLUMNS))
                elif line.strip() and not line.startswith("#"):
                    url = _read_columns(line, columns) if columns else _find_url(line.strip())
                    self.skipped += not url
                    if url:
                        yield url
        except (EOFError, OSError, zlib.error) as error:
            raise click.UsageError(f"FILE cannot be read: {error}") from error

    def _read_lines(self) -> Iterator[str]:
        """Yield each line that is not too long."""
        with _open_text(self._file) as lines:
            while line := lines.readline(_LONGEST_LINE):
                if len(line) < _LONGEST_LINE or line.endswith("\n"):
                    yield line
                    continue
                self.skipped += 1
                while line and not line.endswith("\n"):
                    line = lines.readline(_LONGEST_LINE)


def _open_text(file: BinaryIO) -> TextIO:
    """Return the text of a file, unpacked. Raise click.UsageError for a file that is no text."""
    binary = io.BufferedReader(cast(io.RawIOBase, file))
    if binary.peek(2)[:2] == _GZIP:
        binary = io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=binary)))
    head = binary.peek(_PEEKED)[:_PEEKED]
    encoding = "utf-16" if head.startswith(_UTF_16) else "utf-8-sig"
    if encoding != "utf-16" and b"\0" in head:
        raise click.UsageError(
            "FILE must be a list of URLs or an access log, as text or packed by gzip, got binary data"
        )
    return io.TextIOWrapper(binary, encoding=encoding, errors="replace")


def _read_columns(line: str, columns: tuple[int, ...]) -> str:
    """Return the URL of a line in CloudFront's log, in which tabs separate cells, or in a web server's of that kind."""
    is_cloudfront = "\t" in line
    cells = line.rstrip("\r\n").split("\t" if is_cloudfront else " ")
    if len(cells) <= max(columns):
        return ""
    url = _join(*(cells[column] for column in columns))
    return _unescape(url) if is_cloudfront else url


def _join(method: str, path: str, query: str) -> str:
    """Return the URL of a request, nothing for other methods; an empty query is a hyphen."""
    if method not in _METHODS or not path.startswith("/"):
        return ""
    return path + (f"?{query}" if query not in ("", "-") else "")


def _unescape(logged: str) -> str:
    """Return a URL as it was requested, from CloudFront's log."""
    return _LOGGED_ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), logged)


def _find_url(line: str) -> str:
    """Return the URL of a line: its request as a log has it, or the first URL or path in it."""
    if line.startswith("{") and _COLUMNS[1] in line and (logged := _read_json(line)):
        return logged
    request = _REQUEST_LINE.search(line)
    if request and request[1] not in _METHODS:
        return ""
    found = _WHOLE_URL.fullmatch(request[2] if request else line) or (None if request else _URL_IN_TEXT.search(line))
    return found[1] if found else ""


def _read_json(line: str) -> str:
    """Return the URL of a line of CloudFront's log in JSON."""
    try:
        entry = json.loads(line)
    except ValueError:
        return ""
    return _unescape(_join(*(str(entry.get(name, "")) for name in _COLUMNS)))
