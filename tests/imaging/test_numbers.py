"""Lists of numbers as a URL or JSON writes them."""

from __future__ import annotations

import pytest

from imaging.params.lists import Numbers


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("1,-2.5, 3", (1, -2.5, 3)),
        (7, (7,)),
        ("0.0000001", (0,)),
        ([1, 2], (1, 2)),
        ([[1, 0], [0, 1.5]], (1, 0, 0, 1.5)),
        (["1", "2"], (1, 2)),
    ],
)
def test_numbers(said: object, expected: tuple[float, ...]) -> None:
    assert tuple(Numbers.parse(said)) == expected


@pytest.mark.parametrize(
    "said", ["", ",", "1,", "1;2", "1e3", "nan", True, None, [], {}, [[[1]]], [True], float("inf"), 1e10, [0] * 1025]
)
def test_what_is_no_list_of_numbers(said: object) -> None:
    with pytest.raises(ValueError, match=r"^1 to 1024 numbers, "):
        Numbers.parse(said)


def test_as_a_matrix_and_as_text() -> None:
    numbers = Numbers.parse("1,2,3,4,5,6")
    assert numbers.rows(2) == [[1, 2], [3, 4], [5, 6]]
    assert str(Numbers(-0.0, 1.50, 2)) == "0,1.5,2"
