"""Decrypts source URLs: AES-CBC under a key, behind 16 bytes of initialisation vector, with PKCS#7 padding."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

from handler.core.errors import UpstreamError
from handler.core.ports import SecretSource

Decrypt = Callable[[str], str | None]
"""Returns the URL of its encrypted form in URL-safe base64; None for what does not hold one, whatever the fault is."""
KEY_NAME = "IMGPROXY_SOURCE_URL_ENCRYPTION_KEY"
_BLOCK = 16
_KEY_SIZES = (16, 24, 32)
_BASE64 = re.compile(r"[A-Za-z0-9_-]+")


def read_key(digits: str) -> bytes:
    """Return the key in hexadecimal digits. Raise ValueError, without the key, for one of another form."""
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        key = b""
    if len(key) not in _KEY_SIZES:
        raise ValueError(f"{KEY_NAME} must be 32, 48 or 64 hexadecimal digits")
    return key


def decrypter(keys: SecretSource) -> Decrypt:
    """Return the function that decrypts with the current key, and with the previous one."""

    def decrypt(text: str) -> str | None:
        data = _decode(text)
        if data is None:
            return None
        for digits in keys.values():
            try:
                key = read_key(digits)
            except ValueError as error:
                raise UpstreamError("the key cannot be read", code="SecretUnavailable", detail=str(error)) from None
            if (url := _decrypt(data, key)) is not None:
                return url
        return None

    return decrypt


def _decode(text: str) -> bytes | None:
    """Return the bytes of an initialisation vector and of whole blocks behind it, None for anything else."""
    text = text.rstrip("=")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if _BASE64.fullmatch(text) else b""
    except binascii.Error:
        data = b""
    return data if len(data) >= 2 * _BLOCK and len(data) % _BLOCK == 0 else None


def _decrypt(data: bytes, key: bytes) -> str | None:
    """Return the text, None if its padding or its encoding is wrong."""
    from cryptography.hazmat.primitives import padding  # noqa: PLC0415 - few services have encrypted URLs
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415 - as above

    decryptor = Cipher(algorithms.AES(key), modes.CBC(data[:_BLOCK])).decryptor()
    padded = decryptor.update(data[_BLOCK:]) + decryptor.finalize()
    unpadder = padding.PKCS7(8 * _BLOCK).unpadder()
    try:
        return (unpadder.update(padded) + unpadder.finalize()).decode() or None
    except ValueError:
        return None
