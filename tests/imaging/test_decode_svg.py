"""Drawings are drawn to measure, read nothing from outside, and cannot cost more than is allowed."""

from __future__ import annotations

import base64
import gzip
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import pyvips
from msgspec import structs
from tests import odd_files, pictures
from tests.similarity import mean_difference

from features import edits
from imaging import Context, DamagedSource, Deadline, Limits, Output, Rendered, TimeExceeded, TooLarge, check, run
from imaging.codecs.decode import decode, inspect
from imaging.codecs.decode.svg import survey

Image = Any
"""A pyvips image; pyvips has no types of its own."""

DISC = '<circle cx="50" cy="50" r="40" fill="#f00"/>'


def drawing(inside: str, head: str = 'width="100" height="100"', before: str = "") -> bytes:
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"{before}<svg {spaces} {head}>{inside}</svg>".encode()


def drawn(original: bytes, shrink: float = 1.0) -> Image:
    return decode(original, inspect(original, Limits()), Output(), Context(), shrink).image.copy_memory()


@pytest.mark.parametrize(
    ("head", "size"),
    [
        ('width="100" height="50"', (100, 50)),
        ('viewBox="0 0 300 100"', (300, 100)),
        ('width="100%" height="100%" viewBox="0 0 200 100"', (200, 100)),
        ('width="50" viewBox="0 0 200 100"', (50, 25)),
        # 96 pixels are an inch (CSS Values, 5.2), and an em is that of the root, 16 unless it says otherwise.
        ('width="2in" height="1in"', (192, 96)),
        ('width="100mm" height="5cm"', (378, 189)),
        ('width="72pt" height="6pc"', (96, 96)),
        ('width="2em" height="1em"', (32, 16)),
        ('width="2rem" height="1rem"', (32, 16)),
        ('width="2em" height="1em" font-size="20"', (40, 20)),
        ('width="2em" height="1em" style="font-size: 20px"', (40, 20)),
        # Without a size: 300 × 150, each side by itself (CSS 2.2, 10.3.2).
        ("", (300, 150)),
        ('width="200"', (200, 150)),
        ("height='200'", (300, 200)),
        ('width="100%" height="100%"', (300, 150)),
        ('width = "none"\n height="40"', (300, 40)),
        ('width="120" height="auto"', (120, 150)),
    ],
)
def test_a_drawing_has_the_size_that_browsers_give_it(head: str, size: tuple[int, int]) -> None:
    image = drawn(drawing(DISC, head))
    assert (image.width, image.height) == size


def test_lengths_inside_a_drawing_count_96_pixels_for_an_inch() -> None:
    image = drawn((odd_files.FOLDER / "e1-mm.svg").read_bytes())
    assert (image.width, image.height) == (100, 100)
    assert image[3].getpoint(48, 48) == [255]
    assert image[3].getpoint(51, 51) == [0]


@pytest.mark.parametrize(
    "original",
    [
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY w "9">]><!-- <svg> --><svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<s:svg xmlns:s="http://www.w3.org/2000/svg" data-x="a > b" width=\'100%\'><s:g/></s:svg>',
        '<?xml version="1.0" encoding="UTF-8"?>\ufeff<svg xmlns="http://www.w3.org/2000/svg"></svg>'.replace(
            "\ufeff", ""
        ).encode("utf-8-sig"),
    ],
)
def test_a_root_of_any_spelling_gets_a_size(original: bytes) -> None:
    assert drawn(original).width == 300


def test_a_drawing_of_two_bytes_a_character_is_left_as_it_is() -> None:
    declared = drawing(DISC, before='<?xml version="1.0" encoding="UTF-16"?>')
    image = drawn(declared.decode().encode("utf-16"))
    assert (image.width, image.height) == (100, 100)


def test_a_packed_drawing() -> None:
    plain = drawing(DISC)
    packed = gzip.compress(plain)
    assert (drawn(packed) - drawn(plain)).abs().max() == 0
    answer = run(packed, [], Output(), Context(deadline=Deadline.after(30)))
    assert isinstance(answer, Rendered)
    assert answer.media_type == "image/svg+xml"
    assert answer == structs.replace(
        run(plain, [], Output(), Context(deadline=Deadline.after(30))), source=answer.source
    )


def test_a_packed_drawing_is_limited_in_bytes() -> None:
    bomb = gzip.compress(drawing(DISC) + b" " * 3_000_000)
    assert len(bomb) < 10_000
    with pytest.raises(TooLarge, match="unpack to at most 2000000 bytes"):
        inspect(bomb, Limits(source_bytes=2_000_000))
    with pytest.raises(DamagedSource):
        inspect(gzip.compress(drawing(DISC))[:-60], Limits())


def test_a_large_embedded_image() -> None:
    """libxml2 alone parses no attribute of more than 10 MB."""
    noise = pyvips.Image.gaussnoise(1650, 1650, mean=128, sigma=40).cast("uchar")
    data = base64.b64encode(noise.bandjoin(noise).bandjoin(noise).pngsave_buffer(compression=0)).decode()
    assert len(data) > 10_500_000
    image = drawn(drawing(f'<image width="100" height="100" xlink:href="data:image/png;base64,{data}"/>'))
    assert image.getpoint(50, 50) == pytest.approx((128, 128, 128, 255), abs=30)


@pytest.mark.parametrize("shrink", [4.0, 1.0, 0.25, 0.1])
def test_a_drawing_is_drawn_to_measure(shrink: float) -> None:
    original = pictures.svg()
    picture = decode(original, inspect(original, Limits()), Output(), Context(), shrink)
    assert (picture.width, picture.height) == (round(160 / shrink), round(120 / shrink))
    assert picture.full == (160, 120)
    edge = picture.image.copy_memory()[3]
    # Few pixels are neither clear nor opaque: the edge of the disc is drawn, not enlarged.
    blurred = ((edge > 20) & (edge < 235)).avg() / 255 * edge.width
    assert blurred < 3


def test_a_drawing_is_enlarged_by_the_resize_that_asks_for_it() -> None:
    answer = run(pictures.svg(), edits({"resize": {"width": 1600}}), check(Output, {"format": "png"}), Context())
    assert isinstance(answer, Rendered)
    assert (answer.width, answer.height) == (1600, 1200)
    exact = drawn(pictures.svg(1600, 1200))
    assert mean_difference(pyvips.Image.new_from_buffer(answer.body, ""), exact) < 0.5


def test_a_huge_drawing_is_drawn_small_but_not_large() -> None:
    huge = drawing(DISC, 'width="100000" height="100000" viewBox="0 0 100 100"')
    assert drawn(huge, 500.0).width == 200
    with pytest.raises(TooLarge, match="got 100000 × 100000"):
        drawn(huge)
    with pytest.raises(TooLarge, match="at most 32000 pixels a side"):
        drawn(drawing(DISC), 0.001)


def test_a_drawing_reads_nothing_from_outside(tmp_path: Path) -> None:
    red = tmp_path / "red.png"
    (pyvips.Image.black(100, 100, bands=3) + [255, 0, 0]).cast("uchar").write_to_file(str(red))
    (tmp_path / "red.css").write_text("rect { fill: #f00 }")
    (tmp_path / "red.svg").write_text(drawing('<rect id="a" width="100" height="100" fill="#f00"/>').decode())
    (tmp_path / "secret.txt").write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        caught: list[object] = []
        listener = threading.Thread(target=lambda: caught.extend(_accepted(server)))
        listener.start()
        site = f"http://127.0.0.1:{server.getsockname()[1]}"
        places = [tmp_path.as_uri(), str(tmp_path), site]
        inside = '<rect width="100" height="100" fill="#0f0"/>'
        for place in places:
            inside += f'<image width="100" height="100" xlink:href="{place}/red.png"/>'
            inside += f'<image width="100" height="100" href="{place}/red.svg"/>'
            inside += f'<use xlink:href="{place}/red.svg#a"/><style>@import url("{place}/red.css");</style>'
            inside += f'<include xmlns="http://www.w3.org/2001/XInclude" href="{place}/secret.txt" parse="text"/>'
        sheet = f'<?xml-stylesheet href="{tmp_path.as_uri()}/red.css"?>'
        image = drawn(drawing(inside, before=sheet))
        listener.join()
    assert not caught
    assert image.getpoint(50, 50) == [0, 255, 0, 255]


def _accepted(server: socket.socket) -> list[object]:
    try:
        return [server.accept()]
    except TimeoutError:
        return []


@pytest.mark.parametrize("address", ["file:///etc/hostname", "http://127.0.0.1:9/x", "secret.txt"])
def test_entities_from_outside_are_not_fetched(address: str) -> None:
    original = drawing("<text y='50'>&e;</text>", before=f'<!DOCTYPE svg [<!ENTITY e SYSTEM "{address}">]>')
    try:
        image = drawn(original)
    except DamagedSource:
        return
    assert image.max() == 0


def test_entities_may_not_multiply() -> None:
    rows = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
    original = drawing("<text y='50'>&l9;</text>", before=f'<!DOCTYPE svg [<!ENTITY l0 "lollollol">{rows}]>')
    with pytest.raises(DamagedSource):
        inspect(original, Limits())


def test_nesting_has_an_end() -> None:
    with pytest.raises(DamagedSource):
        inspect(drawing("<g>" * 100_000 + "</g>" * 100_000), Limits())


def embedded(picture: bytes, kind: str = "png", before: str = "") -> bytes:
    address = f"{before}data:image/{kind};base64,{base64.b64encode(picture).decode()}"
    return drawing(f'<image width="100" height="100" xlink:href="{address}"/>')


def test_pictures_inside_count() -> None:
    large = pyvips.Image.black(4000, 4000, bands=3).copy(interpretation="srgb").pngsave_buffer(compression=9)
    small = pictures.png()
    assert inspect(embedded(small), Limits()).decoder_memory < 2_000_000
    for before in ("", " \n", "&#32;"):
        assert inspect(embedded(large, before=before), Limits()).decoder_memory > 16_000_000 * 10
    hidden = embedded(large).replace(b'"data:', b'"&#100;ata:')
    assert inspect(hidden, Limits()).decoder_memory > 16_000_000 * 10
    with pytest.raises(TooLarge, match="4000 × 4000"):
        inspect(embedded(large), Limits(source_pixels=10_000_000))
    with pytest.raises(TooLarge, match="memory"):
        decode(
            embedded(large), inspect(embedded(large), Limits()), Output(), Context(limits=Limits(memory=100_000_000))
        )


def test_drawings_inside_count_as_drawings() -> None:
    assert (inspect(embedded(drawing(BOMBS["masks"]), "svg+xml"), Limits())).decoder_seconds > 600


def test_pictures_inside_are_drawn() -> None:
    assert drawn(embedded(pictures.png())).getpoint(50, 50)[3] == 255
    assert inspect(embedded(b"no picture"), Limits()).width == 100


BOMBS = {
    "uses": '<g id="a0"><rect width="9" height="9"/></g>'
    + "".join(f'<g id="a{n}">' + f'<use xlink:href="#a{n - 1}"/>' * 10 + "</g>" for n in range(1, 10)),
    "patterns": '<pattern id="p0" width="5" height="5"><rect width="3" height="3"/></pattern>'
    + "".join(
        f'<pattern id="p{n}" width="5" height="5">'
        + f'<rect width="99" height="99" fill="url(#p{n - 1})"/>' * 10
        + "</pattern>"
        for n in range(1, 9)
    )
    + '<rect width="100" height="100" fill="url(#p8)"/>',
    "masks": '<mask id="m0"><rect width="99" height="99"/></mask>'
    + "".join(
        f'<mask id="m{n}">' + f'<rect width="99" height="99" mask="url(#m{n - 1})"/>' * 2 + "</mask>"
        for n in range(1, 32)
    )
    + '<rect width="99" height="99" mask="url(#m31)"/>',
    "turbulence": '<filter id="f"><feTurbulence numOctaves="100000000" baseFrequency="0.1"/></filter>'
    '<rect width="99" height="99" filter="url(#f)"/>',
    "hidden style sheet": "<style>.a{mask:u&#114;l(#m0)}</style><mask id='m0'/>",
    "style sheet": '<style>.a{mask:url(#m0)}.b{mask:url( "#m1" )}</style>'
    '<mask id="m0"><rect class="b" width="9" height="9"/></mask>',
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_may_take_for_ever_is_known_by_its_looks(name: str) -> None:
    assert (inspect(drawing(BOMBS[name]), Limits())).decoder_seconds > 600


def test_what_takes_too_long_is_stopped() -> None:
    with pytest.raises(TimeExceeded):
        run(
            drawing(BOMBS["masks"], 'width="2000" height="2000"'),
            (),
            check(Output, {"format": "png"}),
            Context(deadline=Deadline.after(1.5)),
        )


def test_an_everyday_drawing_is_drawn_at_once() -> None:
    gradients = "".join(f'<linearGradient id="g{n}"><stop stop-color="red"/></linearGradient>' for n in range(50))
    shapes = "".join(f'<path d="M0 0L9 9" fill="url(#g{n})"/>' for n in range(50))
    logo = drawing(f'<defs>{gradients}<clipPath id="c"><rect/></clipPath></defs><g clip-path="url(#c)">{shapes}</g>')
    assert (inspect(logo, Limits())).decoder_seconds < 0.5


def test_a_survey_counts() -> None:
    found = survey(drawing('<filter id="f"><feOffset/><feBlend/></filter><g filter="url(#f)"/>'), lambda _: None)
    assert (found.elements, found.primitives, found.references, found.surfaces) == (5, 2, 1, True)
    assert found.memory(1000) > survey(drawing("<g/>"), lambda _: None).memory(1000)
