"""Base64 JSON in the path."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.requests.dialects import json_edits
from imaging import InvalidParameter


def path(document: object, *, safe: bool = False, padded: bool = True) -> str:
    encode = base64.urlsafe_b64encode if safe else base64.b64encode
    text = encode(json.dumps(document, ensure_ascii=False).encode()).decode()
    return text if padded else text.rstrip("=")


@pytest.mark.parametrize("safe", [False, True])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("key", ["cat.jpg", "what?.jpg", "é/ÿ.jpg", "🐈~>.jpg"])
def test_base64_may_be_url_safe_and_unpadded(key: str, safe: bool, padded: bool) -> None:
    parsed = json_edits.parse(path({"key": key, "bucket": "b"}, safe=safe, padded=padded))
    assert parsed is not None
    assert (parsed.ref.key, parsed.ref.bucket) == (key, "b")


@pytest.mark.parametrize(
    "other", ["cat.jpg", "eyJ.jpg", "eyJrIjoxfQ==", "e", "W10=", "photos/eyJ", path({"name": "x"}), path([1])]
)
def test_another_path_is_not_parsed_as_json(other: str) -> None:
    assert json_edits.parse(other) is None


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"key": "a", "nosuch": 1}, "nosuch"),
        ({"key": 1}, "key"),
        ({"key": ""}, "key"),
        ({"key": "a", "edits": 1}, "edits"),
        ({"key": "a", "headers": {"Location": "https://evil.example"}}, "headers.Location"),
        ({"key": "a", "headers": {"Cache-Control": "a\r\nb: c"}}, "headers.Cache-Control"),
        ({"key": "a", "edits": {"jpeg": {"nosuch": 1}}}, "edits.jpeg.nosuch"),
        ({"key": "a", "edits": {"nosuch": 1}}, "edits.nosuch"),
        ({"key": "a", "outputFormat": "bmp"}, "outputFormat"),
        ({"key": "a", "effort": 7}, "effort"),
        ({"key": "a", "effort": "7.5", "outputFormat": "webp"}, "effort"),
        ({"key": "a", "effort": "inf"}, "effort"),
        ({"key": "a", "effort": True}, "effort"),
        ({"key": "a", "edits": {"overlayWith": {"alpha": "x"}}}, "edits.overlayWith.alpha"),
        ({"key": "a", "edits": {"overlayWith": 1}}, "edits.overlayWith"),
    ],
)
def test_an_invalid_request_is_refused_with_the_name(document: object, name: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        json_edits.parse(path(document))
    assert refused.value.name == name


def test_a_name_given_twice_is_refused() -> None:
    twice = base64.b64encode(b'{"key": "a", "key": "b"}').decode()
    with pytest.raises(InvalidParameter, match="key"):
        json_edits.parse(twice)


def test_deep_nesting_and_infinite_numbers_are_not_accepted() -> None:
    deep = base64.b64encode(b'{"key": ' + b"[" * 100_000).decode()
    assert json_edits.parse(deep) is None
    with pytest.raises(InvalidParameter):
        json_edits.parse(base64.b64encode(b'{"key": "a", "effort": NaN}').decode())


_json = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(_json, st.booleans())
def test_any_json_is_parsed_or_refused(document: object, safe: bool) -> None:
    with contextlib.suppress(InvalidParameter):
        json_edits.parse(path({"key": "a", "edits": document}, safe=safe))


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_is_not_json(text: str) -> None:
    assert json_edits.parse("e" + text) is None
