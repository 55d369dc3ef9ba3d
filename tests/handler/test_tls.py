"""Whom our HTTPS connections trust."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from handler.aws import tls


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    tls.client_tls.cache_clear()
    yield
    tls.client_tls.cache_clear()


def test_chain_and_name_are_verified() -> None:
    context = tls.client_tls()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_bundle_of_the_environment_is_kept_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bundle = tmp_path / "roots.pem"
    bundle.write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("SSL_CERT_DIR", str(bundle.parent))
    assert tls.client_tls().cert_store_stats()["x509_ca"] == 0


def test_without_a_folder_of_hashed_roots_the_bundle_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "_HASHED", ("/nowhere",))
    asked = []

    def load(context: ssl.SSLContext) -> None:
        asked.append(context)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", load)
    assert tls.client_tls() in asked


def test_a_folder_of_hashed_roots_is_read_root_by_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "1234abcd.0").write_text("")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setattr(tls, "_HASHED", (str(tmp_path),))
    assert tls.client_tls().cert_store_stats()["x509"] == 0
