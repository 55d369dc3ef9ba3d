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


PLACES = (
    b"local:///folder/none.jpg", b"none.jpg", b"\x01none", b"https://elsewhere.example/t.jpg", b"s3://elsewhere/t.jpg",
    b"local:///../t.jpg", b"local:///a\x00b", b"/", b"local://", b"x" * 2000, b"s3://vault/t.jpg", b"\xff\xfe", b"",
)  # fmt: skip
"""What decrypts with the key, but is the place of no image that is served."""


def unreadable() -> list[str]:
    """Return encrypted URLs with every fault that decryption finds."""
    text = encrypted(b"local:///t.jpg")
    data = base64.urlsafe_b64decode(text + "==")
    spoilt = [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in (0, 15, 16, 31)]
    encoded = [base64.urlsafe_b64encode(each).decode() for each in (*spoilt, data[:-1], data[:16], b"x")]
    return [*encoded, encrypted(b"local:///t.jpg", "00" * 32), "abc", "***", "a" * 64]


SETTINGS: dict[str, dict[str, str]] = {
    "plain": {},
    "base URL": {"IMGPROXY_BASE_URL": "local:///"},
    "allowed sources": {"IMGPROXY_ALLOWED_SOURCES": "local://"},
    "fallback image": {"IMGPROXY_FALLBACK_IMAGE_URL": "t.jpg"},
    "presets": {"IMGPROXY_ONLY_PRESETS": "true", "IMGPROXY_PRESETS": "w=w:20"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_nobody_learns_what_an_encrypted_url_holds_from_the_answer(folder: Path, name: str) -> None:
    """Answers that tell wrong padding from another fault would decrypt a URL byte by byte."""
    served = client(folder, **SETTINGS[name])
    several = ("w:50", "w:x", "nothing:1", "bd:5:face", "raw:1", "wm:1/wmu:bG9jYWw6Ly8vbm9uZS5qcGc")
    for options in ("w", "x") if name == "presets" else several:
        answers = {
            (answer.status, answer.body, answer.headers.get("Content-Type"))
            for source in (*unreadable(), *map(encrypted, PLACES))
            for answer in (served.get(f"/unsafe/{options}/enc/{source}"),)
        }
        assert len(answers) == 1, (options, answers)


def test_the_answer_to_an_encrypted_url_does_not_name_its_place(folder: Path) -> None:
    served = client(folder, MAX_SOURCE_BYTES="100")
    for place in (b"local:///folder/none.jpg", b"local:///t.jpg"):
        answer = served.get(f"/unsafe/w:50/enc/{encrypted(place)}")
        assert answer.status == {b"local:///t.jpg": 413}.get(place, 404)
        assert not any(word in answer.body for word in (b"none.jpg", b"t.jpg", b"local"))


@pytest.mark.parametrize("page", ["explain?", "translate?to=query&"])
def test_only_the_operator_is_told_the_place_of_an_encrypted_url(folder: Path, tmp_path: Path, page: str) -> None:
    (tmp_path / "token").write_text("tok3n")
    served = client(folder, OPERATOR_TOKEN_FILE=str(tmp_path / "token"))
    readable, wrong = encrypted(b"local:///t.jpg"), unreadable()[1]
    answers = [served.get(f"/_api/{page}url=/unsafe/w:50/enc/{source}") for source in (readable, wrong)]
    assert [answer.status for answer in answers] == [403, 403]
    assert answers[0].body == answers[1].body
    told = [
        served.get(f"/_api/{page}url=/unsafe/w:50/enc/{source}", authorization="Bearer tok3n")
        for source in (readable, wrong)
    ]
    assert [answer.status for answer in told] == [200, 404]
    assert b"t.jpg" in told[0].body


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
