"""Connections of ours, and whom they trust."""

from __future__ import annotations

import os
import ssl
from functools import cache
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

# Where distributions keep one file for each root, named by its hash (Debian; Fedora and Amazon Linux).
_HASHED = ("/etc/ssl/certs", "/etc/pki/ca-trust/extracted/pem/directory-hash")

_RANDOM_BYTES = 64


@cache
def client_tls() -> ssl.SSLContext:
    """A context that verifies chain and name.

    Reading all roots from their bundle takes 20 to 40 ms of every cold start; from a folder of hashed names OpenSSL
    reads the one root it needs. A bundle that the environment names (`SSL_CERT_FILE`, `SSL_CERT_DIR`) is kept to.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    paths = ssl.get_default_verify_paths()
    untouched = paths.cafile in {None, paths.openssl_cafile} and paths.capath in {None, paths.openssl_capath}
    folder = next((folder for folder in _HASHED if any(Path(folder).glob("*.0"))), None) if untouched else None
    if folder:
        context.load_verify_locations(capath=folder)
    else:
        context.load_default_certs()
    return context


def renew_tls() -> None:
    """Make a new context for the connections that follow, and give OpenSSL's generator random bytes of this process.

    After the restore of a snapshot, copies of the process would otherwise draw the same numbers.
    """
    ssl.RAND_add(os.urandom(_RANDOM_BYTES), _RANDOM_BYTES)
    client_tls.cache_clear()


def connection_to(url: str, timeout: float) -> HTTPConnection:
    """A connection to the host of a URL; `timeout`: seconds for each step."""
    address = urlsplit(url)
    if address.scheme == "http":
        return HTTPConnection(address.netloc, timeout=timeout)
    return HTTPSConnection(address.netloc, timeout=timeout, context=client_tls())
