"""Text of libvips that is not UTF-8: read, cleared, and never in the way of what comes after."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips
from tests import pictures, poison

import features


def buffered() -> bytes:
    return bytes(pyvips.ffi.string(pyvips.vips_lib.vips_error_buffer()))


@pytest.mark.parametrize("name", poison.FILES)
def test_an_error_in_other_bytes_is_an_error_and_leaves_nothing(name: str) -> None:
    file = poison.FILES[name]
    for _ in range(2):
        with pytest.raises(pyvips.Error) as caught:
            pyvips.Operation.call(file.operation, file.body)
        assert caught.value.detail
        assert buffered() == b""
        assert not hasattr(pyvips.Image.black(1, 1), "no_such_property")


def test_an_error_with_its_text_given_says_that() -> None:
    error = pyvips.Error("first", "second")
    assert (error.message, error.detail, str(error)) == ("first", "second", "first\n  second")


def test_names_of_metadata_in_other_bytes_are_read_and_found() -> None:
    image: Any = pictures.scene(8, 8).copy()
    name = "png-comment-0-T\udce9l\udce9"
    # libvips makes values valid itself, and leaves names as they are.
    image.set_type(pyvips.GValue.gstr_type, name, "\udcfc")
    assert image.get(name) == "�"
    again: Any = pyvips.Image.new_from_buffer(image.pngsave_buffer(), "").copy()
    assert name in again.get_fields()
    assert again.remove(name)
    assert name not in again.get_fields()


def test_the_check_of_drawing_passes_and_finds_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    features.check_drawing()
    monkeypatch.setattr("features.self_check._LEVEL", 300)
    with pytest.raises(RuntimeError, match="level 300 was rendered as 8 × 8, level 255"):
        features.check_drawing()
