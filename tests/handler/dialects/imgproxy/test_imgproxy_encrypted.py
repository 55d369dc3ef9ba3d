"""Encrypted source URLs, as imgproxy's documentation makes them: AES-CBC behind its initialisation vector."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st
from tests import pictures
from tests.client import Client, size

from handler.config import SettingsError

KEY = "1eb5b0e971ad7f45324c1bb15c947cb207c43152fa5c6c7f35c4f36e0c18e0f1"
"""The key of the example in imgproxy's documentation."""
IV = bytes(range(16))


def encrypted(url: bytes, key: str = KEY) -> str:
    padder = padding.PKCS7(128).padder()
    padded = padder.update(url) + padder.finalize()
    encryptor = Cipher(algorithms.AES(bytes.fromhex(key)), modes.CBC(IV)).encryptor()
    return base64.urlsafe_b64encode(IV + encryptor.update(padded) + encryptor.finalize()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("originals")
    (made / "t.jpg").write_bytes(pictures.jpeg(pictures.scene(200, 100)))
    return made


def client(folder: Path, **settings: str) -> Client:
    own = {"IMGPROXY_SOURCE_URL_ENCRYPTION_KEY": KEY, **settings}
    return Client({"IMGPROXY_LOCAL_FILESYSTEM_ROOT": str(folder), "DIALECTS": "imgproxy", **own})


def test_a_url_is_decrypted_and_may_be_in_parts_and_have_an_extension(folder: Path) -> None:
    served, text = client(folder), encrypted(b"local:///t.jpg")
    for source in (text, f"{text[:16]}/{text[16:]}", text + "="):
        assert size(served.get(f"/unsafe/w:50/enc/{source}").body) == (50, 25), source
    assert served.get(f"/unsafe/w:50/enc/{text}.png").headers["Content-Type"] == "image/png"
    assert served.get(f"/info/unsafe/enc/{text}").json()["width"] == 200


@pytest.mark.parametrize("length", [16, 24, 32])
def test_each_length_of_a_key(folder: Path, length: int) -> None:
    key = KEY[: 2 * length]
    served = client(folder, IMGPROXY_SOURCE_URL_ENCRYPTION_KEY=key)
    assert served.get(f"/unsafe/w:50/enc/{encrypted(b'local:///t.jpg', key)}").status == 200


def test_the_key_may_be_beside_the_keys_of_signatures(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(
        json.dumps({"IMGPROXY_KEY": "aa", "IMGPROXY_SALT": "bb", "IMGPROXY_SOURCE_URL_ENCRYPTION_KEY": KEY})
    )
    settings = {"IMGPROXY_SOURCE_URL_ENCRYPTION_KEY": "", "IMGPROXY_KEYS_FILE": str(file), "ENABLE_SIGNATURE": "No"}
    assert client(folder, **settings).get(f"/unsafe/w:50/enc/{encrypted(b'local:///t.jpg')}").status == 200


def test_what_is_not_encrypted_with_the_key_is_refused_with_one_message(folder: Path) -> None:
    served, text = client(folder), encrypted(b"local:///t.jpg")
    data = base64.urlsafe_b64decode(text + "==")
    flipped = [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in (20, 31)]
    spoilt = [base64.urlsafe_b64encode(each).decode() for each in (*flipped, data[:-1], data[:16])]
    others = [encrypted(b"local:///t.jpg", "00" * 32), encrypted(b""), encrypted(b"\xff\xfe")]
    messages = set()
    for source in (*spoilt, *others, "abc", "***"):
        answer = served.get(f"/unsafe/w:50/enc/{source}")
        assert answer.status == 404, source
        messages.add(answer.json()["message"].partition(", got")[0])
    assert len([each for each in messages if "encrypted" in each]) == 1


def test_without_a_key_the_word_is_a_part_of_base64(folder: Path) -> None:
    served = client(folder, IMGPROXY_SOURCE_URL_ENCRYPTION_KEY="")
    assert served.get(f"/unsafe/w:50/enc/{encrypted(b'local:///t.jpg')}").status == 404


def test_a_wrong_key_stops_the_service_and_is_not_shown(folder: Path) -> None:
    with pytest.raises(SettingsError, match="must be 32, 48 or 64 hexadecimal digits") as refused:
        client(folder, IMGPROXY_SOURCE_URL_ENCRYPTION_KEY="abcd99")
    assert "abcd99" not in str(refused.value)


@given(st.binary(max_size=80))
def test_random_bytes_are_refused(folder: Path, data: bytes) -> None:
    served = _SERVED.setdefault("one", client(folder))
    assert served.get(f"/unsafe/w:50/enc/{base64.urlsafe_b64encode(data).decode()}").status == 404


_SERVED: dict[str, Client] = {}


def test_cryptography_is_imported_when_an_encrypted_url_comes() -> None:
    assert "handler.requests.dialects.imgproxy.decryption" in sys.modules
    source = Path(sys.modules["handler.requests.dialects.imgproxy.decryption"].__file__ or "").read_text()
    head = source.partition("\ndef ")[0]
    assert "import cryptography" not in head
    assert "from cryptography" not in head
