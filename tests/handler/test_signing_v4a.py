"""Signature Version 4A, against awscrt's signature of the same request and against another implementation of ECDSA."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicNumbers,
    derive_private_key,
)

from handler.aws import Credentials
from handler.aws.signing_v4a import derive_key, public_key, signed_headers

EXAMPLE = Credentials("AKISORANDOMAASORANDOM", "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRQYw==", "tok")
HOST = "123.cloudfront-kvs.global.api.aws"
PATH = "/key-value-stores/arn%3Aaws%3Acloudfront%3A%3A1%3Akey-value-store%2Fx"
OF_AWSCRT = (
    "304502204fb2f28e14ce8f59274aa232c195aaae1488308f95971e63a2be2bf0c44e898e"
    "022100ee941467f73b71d292445ac946b06583f5ed947f53e0e2f222a30a615a0654c1"
)
"""What awscrt 0.38 signs a GET of that path with, on 2026-11-30 at midnight."""


def signed_text(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """The text that a request's signature covers, put together from its headers."""
    found = re.fullmatch(
        r"AWS4-ECDSA-P256-SHA256 Credential=[^/]+/(\S+), SignedHeaders=(\S+), Signature=[0-9a-f]+",
        headers["authorization"],
    )
    assert found is not None
    lines = "".join(f"{name}:{headers[name]}\n" for name in found[2].split(";"))
    canonical = f"{method}\n{path.replace('%', '%25')}\n\n{lines}\n{found[2]}\n{hashlib.sha256(body).hexdigest()}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return f"AWS4-ECDSA-P256-SHA256\n{headers['x-amz-date']}\n{found[1]}\n{digest}".encode()


def verify(credentials: Credentials, signature: str, text: bytes) -> None:
    """Raise InvalidSignature unless these credentials have signed the text."""
    x, y = public_key(derive_key(credentials))
    key = EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
    key.verify(bytes.fromhex(signature), text, ECDSA(hashes.SHA256()))


def signature_of(headers: Mapping[str, str]) -> str:
    return headers["authorization"].rpartition("=")[2]


def sign(method: str, body: bytes, credentials: Credentials, **headers: str) -> dict[str, str]:
    return signed_headers(
        method,
        f"https://{HOST}{PATH}",
        body,
        headers,
        service="cloudfront-keyvaluestore",
        credentials=credentials,
        now=datetime(2026, 11, 30, tzinfo=UTC),
    )


def test_awscrt_signs_the_same_text_with_the_same_key() -> None:
    headers = sign("GET", b"", EXAMPLE)
    text = signed_text("GET", PATH, b"", headers)
    verify(EXAMPLE, OF_AWSCRT, text)
    verify(EXAMPLE, signature_of(headers), text)
    assert headers["x-amz-region-set"] == "*"
    assert headers["x-amz-security-token"] == "tok"
    with pytest.raises(InvalidSignature):
        verify(EXAMPLE, signature_of(headers), text + b"x")


def test_every_key_signs_what_another_implementation_verifies() -> None:
    """Enough keys and signatures for every length of their two numbers."""
    chance = Random(4)
    for number in range(60):
        credentials = Credentials(f"AKID{number}", chance.randbytes(20).hex())
        expected = derive_private_key(derive_key(credentials), SECP256R1()).public_key().public_numbers()
        assert public_key(derive_key(credentials)) == (expected.x, expected.y)
        body = chance.randbytes(9)
        headers = sign("PUT", body, credentials, **{"If-Match": "etag"})
        assert "if-match;" in headers["authorization"]
        verify(credentials, signature_of(headers), signed_text("PUT", PATH, body, headers))


def test_no_two_signatures_share_their_random_number() -> None:
    """Two that did would give the private key away."""
    first, second = (signature_of(sign("GET", b"", EXAMPLE)) for _ in range(2))
    assert first[8:72] != second[8:72]
