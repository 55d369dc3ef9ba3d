"""What a refusal says, whoever reads it."""

from __future__ import annotations

import pytest
from tests import pictures

from features import edits
from imaging import Context, InvalidParameter, Output, check, run
from imaging.errors import format_value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (0, "0"),
        ("cat", "'cat'"),
        ("a\nb", r"'a\nb'"),
        ("x" * 100, "'" + "x" * 58 + "…"),
    ],
)
def test_values_are_spelled_as_in_a_request(value: object, text: str) -> None:
    assert format_value(value) == text


def test_messages_say_field_expected_and_got() -> None:
    with pytest.raises(InvalidParameter, match=r"^`frame\.key` must be given, got nothing$"):
        edits({"frame": {"bucket": "photos"}})
    lossless = check(Output, {"format": "jpeg", "lossless": True})
    with pytest.raises(InvalidParameter, match=r"^`lossless` must be left out or false for jpeg, got true$"):
        run(pictures.sample("jpeg").body, (), lossless, Context())
