"""Sizes and positions by imgproxy's rules, compared with another computation of them."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from tests import pictures
from tests.client import Client

from features import by_name
from features.resize import plan
from features.resize.parameters import Resize
from imaging import InvalidParameter, Output, check
from imaging.params.types import FormatQuality, Gravity

SIDES = st.integers(1, 3000)
FREE = st.integers(0, 3000)
FITS = st.sampled_from(["inside", "cover", "fill", "cover-ratio", "auto"])
RATIOS = st.sampled_from([0.25, 0.5, 1.0, 1.5, 2.0, 3.0])


def half_up(number: Fraction) -> int:
    return math.floor(number + Fraction(1, 2))


def expected(requested: Resize, full: tuple[int, int]) -> tuple[tuple[int, int], Fraction]:
    """Return the size of the result in exact fractions, and the device pixel ratio, as imgproxy's manual describes."""
    width, height = Fraction(requested.width or full[0]), Fraction(requested.height or full[1])
    scales = [width / full[0], height / full[1]]
    fit: str = requested.fit
    if fit == "auto":
        fit = "cover" if (full[0] >= full[1]) == (width >= height) else "inside"
    if fit != "fill":
        if not requested.width:
            scales = [scales[1]] * 2
        elif not requested.height:
            scales = [scales[0]] * 2
        else:
            scales = [min(scales) if fit == "inside" else max(scales)] * 2
    dpr = Fraction(requested.dpr)
    if requested.without_enlargement:
        largest = max(scales)
        if largest > 1:
            scales = [scale / largest for scale in scales]
            dpr = dpr if requested.extended else dpr * largest
        dpr = min(dpr, 1 / max(scales))
    sizes = [
        max(1, half_up(side * max(scale * dpr, Fraction(1, side)))) for side, scale in zip(full, scales, strict=True)
    ]
    box = [half_up(side * dpr) for side in (requested.width or 0, requested.height or 0)]
    if fit == "cover-ratio" and requested.without_enlargement:
        lacking = [Fraction(box[0], sizes[0]), Fraction(box[1], sizes[1])]
        if lacking[0] > 1 and lacking[0] > lacking[1]:
            box = [sizes[0], half_up(Fraction(sizes[0] * box[1], box[0]))]
        elif lacking[1] > 1 and lacking[1] > lacking[0]:
            box = [half_up(Fraction(sizes[1] * box[0], box[1])), sizes[1]]
    return (min(box[0] or sizes[0], sizes[0]), min(box[1] or sizes[1], sizes[1])), dpr


@given(SIDES, SIDES, FREE, FREE, FITS, RATIOS, st.booleans(), st.booleans())
def test_sizes_are_those_of_exact_fractions(
    across: int, down: int, width: int, height: int, fit: str, dpr: float, keeps: bool, extended: bool
) -> None:
    params: dict[str, Any] = {"fit": fit, "dpr": dpr, "withoutEnlargement": keeps, "extended": extended}
    requested = check(Resize, {"rules": "imgproxy", "width": width, "height": height, **params})
    planned = plan(requested, (across, down))
    size, ratio = expected(requested, (across, down))
    # The factors are floating-point numbers, so half a pixel can be rounded the other way.
    assert max(abs(planned.result[0] - size[0]), abs(planned.result[1] - size[1])) <= 1
    assert planned.dpr == pytest.approx(float(ratio))
    assert min(planned.result) >= 1
    if keeps:
        assert planned.scaled[0] <= across
        assert planned.scaled[1] <= down


@given(
    st.sampled_from(["ce", "no", "so", "ea", "we", "nowe", "noea", "sowe", "soea"]),
    st.integers(1, 500), st.integers(1, 500), st.floats(0, 1), st.floats(-50, 50), st.booleans(),
)  # fmt: skip
def test_a_box_lies_inside_and_an_overlay_touches(
    kind: str, room: int, other: int, share: float, offset: float, overflows: bool
) -> None:
    side = max(1, int(room * share))
    left, top = Gravity(kind, offset, -offset).place((room, other), (side, 1), 2.0, overflows=overflows)
    assert (1 - side if overflows else 0) <= left <= (room - 1 if overflows else room - side)
    assert 0 <= top <= other - 1


@pytest.mark.parametrize(
    ("gravity", "corner"),
    [
        # imgproxy's calcPosition: 100 x 60 in 200 x 101, halves to even numbers.
        (Gravity("ce"), (50, 21)), (Gravity("no"), (50, 0)), (Gravity("soea"), (100, 41)), (Gravity("we", 5), (5, 21)),
        (Gravity("ea", 5), (95, 21)), (Gravity("so", 0, 7), (50, 34)), (Gravity("nowe", 0.1, 0.1), (20, 10)),
        (Gravity("ce", -10, 10), (40, 31)), (Gravity("fp", 0.0, 1.0), (0, 41)), (Gravity("fp", 0.5, 0.5), (50, 20)),
        (Gravity("nowe", 500, 500), (100, 41)),
    ],
)  # fmt: skip
def test_positions_are_imgproxys(gravity: Gravity, corner: tuple[int, int]) -> None:
    assert gravity.place((200, 101), (100, 60)) == corner


@pytest.mark.parametrize(
    ("feature", "params", "message"),
    [
        ("resize", {"width": 9, "minWidth": 5}, "`resize.minWidth` must be given with rules=imgproxy, got 5"),
        ("resize", {"width": 9, "fit": "auto"}, "`resize.fit` must be given with rules=imgproxy, got 'auto'"),
        ("resize", {"width": 9, "dpr": 6}, "`resize.dpr` must be a number from 1 to 5, got 6"),
        ("resize", {"rules": "imgproxy", "ratio": 2}, "`resize.ratio` must be left out with rules=imgproxy, got 2"),
        ("resize", {"rules": "imgproxy", "fit": "contain"}, "`resize.fit` must be left out with rules=imgproxy"),
        ("extend", {"width": 9, "top": 3}, "`extend.top` must be left out with width or height, got 3"),
        ("extend", {"width": 9, "onlyRatio": True}, "`extend.onlyRatio` must be given with width and height"),
        ("extend", {"width": 9, "anchor": "sm"}, "`extend.anchor` must be another one than sm, got sm"),
        ("crop", {"width": 9, "anchor": "so", "position": "top"}, "`crop.anchor` must be left out with a position"),
        ("crop", {"width": 9, "anchor": "fp:2:0"}, "`crop.anchor` must be one of nowe, no, noea"),
        ("watermark", {"key": "a", "gapX": 3}, "`watermark.gapX` must be left out without tile, got 3"),
        ("watermark", {"key": "a", "anchor": "sm"}, "`watermark.anchor` must be another one than sm"),
    ],
)
def test_refusals_name_the_field(feature: str, params: dict[str, Any], message: str) -> None:
    known = by_name(feature)
    with pytest.raises(InvalidParameter) as refused:
        check(known.params, params, where=feature)
    assert refused.value.message.startswith(message)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"preferred": "jpeg,ico"}, "`preferred` must be some of jpeg"),
        ({"unchanged": "klingon"}, "`unchanged` must be some of jpeg"),
        ({"attachment": True}, "`attachment` must be left out without filename"),
        ({"formatQuality": "webp:0"}, "`formatQuality` must be qualities from 1 to 100"),
        ({"formatQuality": "webp:5,webp:6"}, "`formatQuality` must be qualities"),
    ],
)
def test_refused_output_options_name_the_option(params: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        check(Output, params)
    assert refused.value.message.startswith(message)


def test_a_quality_by_format_is_that_of_the_format() -> None:
    assert FormatQuality.parse({"jpg": 40, "webp": 70}) == FormatQuality.parse("webp:70,jpeg:40")
    output = check(Output, {"formatQuality": "webp:70,jpeg:40"})
    assert (output.for_format("webp").quality, output.for_format("png").quality) == (70, None)
    assert check(Output, {"formatQuality": "webp:70", "quality": 9}).for_format("webp").quality == 9


def test_the_query_has_all_of_it(tmp_path: Any) -> None:
    image: Any = pictures.scene(200, 100)
    framed = image.embed(10, 5, 240, 130, extend="background", background=[9, 9, 9])
    (tmp_path / "t.png").write_bytes(pictures.png(image))
    (tmp_path / "framed.png").write_bytes(pictures.png(framed))
    (tmp_path / "t.webp").write_bytes(pictures.webp(image))
    served = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}"})

    def answer(query: str) -> tuple[tuple[int, int], str]:
        found = served.get(query)
        assert found.status == 200, found.body
        loaded = pyvips.Image.new_from_buffer(found.body, "")
        return (loaded.width, loaded.height), found.headers["Content-Type"]

    assert answer("/t.png?width=50&resize.minHeight=60&resize.rules=imgproxy")[0] == (50, 60)
    assert answer("/t.png?resize.zoomX=0.5&resize.rules=imgproxy")[0] == (100, 100)
    assert answer("/t.png?extend.width=300&extend.height=300&extend.onlyRatio=true")[0] == (200, 200)
    assert answer("/t.png?extend.all=10&extend.dpr=2")[0] == (240, 140)
    # 10 and 30 columns, 5 and 25 rows of the frame: the smaller part is trimmed on both sides.
    assert answer("/framed.png?trim=5&trim.equalHorizontal=true&trim.equalVertical=true")[0] == (220, 120)
    assert answer("/framed.png?trim=5")[0] == (200, 100)
    assert answer("/t.webp?preferred=jpeg,png") == ((200, 100), "image/jpeg")
    assert answer("/t.webp?width=20&unchanged=webp,gif") == ((200, 100), "image/webp")
    assert answer("/t.webp?width=20&unchanged=webp&format=png") == ((20, 10), "image/png")
    named = served.get("/t.webp?filename=cat&format=jpeg&attachment=true").headers["Content-Disposition"]
    assert named == "attachment; filename=\"cat.jpg\"; filename*=UTF-8''cat.jpg"
