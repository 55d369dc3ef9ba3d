"""Signature Version 4A, which is valid in several regions: ECDSA over the curve P-256.

CloudFront's key value stores accept no other signature, and the SDK needs a library in C (awscrt) for it. The private
key is derived from the secret access key, and a new random number goes into each signature (FIPS 186-5).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit

from handler.aws import Credentials

_ALGORITHM = "AWS4-ECDSA-P256-SHA256"
_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
"""The prime of the curve y² = x³ - 3x + b; b is not needed to add points."""
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_Point = tuple[int, int] | None
"""A point of the curve; None is the point at infinity."""


def signed_headers(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    service: str,
    credentials: Credentials,
    now: datetime,
) -> dict[str, str]:
    """Return the request's headers and those of Signature Version 4A for all regions. The URL has no query."""
    moment, scope = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}/{service}/aws4_request"
    named = {name.lower(): value for name, value in headers.items()}
    named |= {"host": urlsplit(url).netloc, "x-amz-date": moment, "x-amz-region-set": "*"}
    if credentials.session_token:
        named["x-amz-security-token"] = credentials.session_token
    signed = ";".join(sorted(named))
    lines = "".join(f"{name}:{named[name]}\n" for name in sorted(named))
    # Escapes in the path are escaped once more.
    path = quote(urlsplit(url).path or "/", safe="/~")
    canonical = f"{method}\n{path}\n\n{lines}\n{signed}\n{hashlib.sha256(body).hexdigest()}"
    text = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = _sign(text.encode(), derive_key(credentials)).hex()
    authorization = f"Credential={credentials.access_key_id}/{scope}, SignedHeaders={signed}, Signature={signature}"
    return {**named, "authorization": f"{_ALGORITHM} {authorization}"}


def derive_key(credentials: Credentials) -> int:
    """Return the private key of these credentials: NIST SP 800-108 in counter mode, until the number is in range."""
    secret = b"AWS4A" + credentials.secret_access_key.encode()
    for attempt in range(1, 255):
        context = credentials.access_key_id.encode() + bytes([attempt])
        text = (1).to_bytes(4, "big") + _ALGORITHM.encode() + b"\0" + context + (256).to_bytes(4, "big")
        number = int.from_bytes(hmac.digest(secret, text, "sha256"), "big")
        if number <= _ORDER - 2:
            return number + 1
    raise ValueError("no key can be derived from these credentials")  # for one in 2 ** 8000 of them


def public_key(private: int) -> tuple[int, int]:
    """Return the point that verifies signatures with this private key."""
    point = _multiply(private)
    if point is None:
        raise ValueError("the private key must be between 0 and the order of the curve")
    return point


def _sign(message: bytes, private: int) -> bytes:
    """Return the signature of a message, in DER."""
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    while True:
        nonce = secrets.randbelow(_ORDER - 1) + 1
        point = _multiply(nonce)
        r = point[0] % _ORDER if point else 0
        s = pow(nonce, -1, _ORDER) * (digest + r * private) % _ORDER
        if r and s:
            numbers = b"".join(map(_der_integer, (r, s)))
            return b"\x30" + bytes([len(numbers)]) + numbers


def _der_integer(number: int) -> bytes:
    content = number.to_bytes(number.bit_length() // 8 + 1, "big")  # with a zero in front of a leading one
    return b"\x02" + bytes([len(content)]) + content


def _multiply(factor: int) -> _Point:
    """Return the base point times a factor, by doubling and adding."""
    total: _Point = None
    power: _Point = _BASE
    while factor:
        if factor & 1:
            total = _add(total, power)
        power = _add(power, power)
        factor >>= 1
    return total


def _add(first: _Point, second: _Point) -> _Point:
    """Return the sum of two points."""
    if first is None or second is None:
        return first or second
    (x1, y1), (x2, y2) = first, second
    if x1 == x2 and (y1 + y2) % _P == 0:
        return None
    slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, _P) if first == second else (y2 - y1) * pow(x2 - x1, -1, _P)
    x = (slope * slope - x1 - x2) % _P
    return x, (slope * (x1 - x) - y1) % _P
