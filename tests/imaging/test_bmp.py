"""BMP as an output: what Pillow reads of it, its limits, and that nothing but its name chooses it."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pytest
import pyvips
from PIL import Image as Pillow
from tests import pictures
from tests.client import Client

from imaging import Context, Limits, Output, Rendered, TooLarge, check, run


def write(original: bytes, limits: Limits | None = None, **options: Any) -> bytes:
    made = run(original, (), check(Output, {"format": "bmp", **options}), Context(limits=limits or Limits()))
    assert isinstance(made, Rendered)
    assert made.media_type == "image/bmp"
    return made.body


def read(body: bytes) -> Any:
    image = Pillow.open(io.BytesIO(body))
    image.load()
    return image


@pytest.mark.parametrize("name", pictures.NAMES)
def test_every_input_is_written_with_the_pixels_of_a_png(name: str) -> None:
    original = pictures.sample(name).body
    made = run(original, (), check(Output, {"format": "png", "animated": False}), Context())
    assert isinstance(made, Rendered)
    image, expected = read(write(original)), read(made.body)
    assert image.mode == ("RGBA" if "A" in expected.mode else "RGB")
    assert image.tobytes() == expected.convert(image.mode).tobytes()


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_rows_of_any_width_are_padded_and_are_read_here_too(width: int, bands: int) -> None:
    pixels = bytes(range(16, 16 + 3 * width * bands))
    image: Any = pyvips.Image.new_from_memory(pixels, width, 3, bands, "uchar")
    png = image.copy(interpretation="b-w" if bands < 3 else "srgb").pngsave_buffer()
    body = write(png)
    size, start = struct.unpack_from("<I4xI", body, 2)
    bits = 32 if bands in (2, 4) else 24
    assert struct.unpack_from("<iiHH", body, 18) == (width, -3, 1, bits)
    assert size == len(body) == start + 3 * ((width * bits // 8 + 3) // 4 * 4)
    mode = "RGBA" if bits == 32 else "RGB"
    expected = read(png).convert(mode).tobytes()
    assert read(body).tobytes() == expected
    again = run(body, (), check(Output, {"format": "png"}), Context())
    assert isinstance(again, Rendered)
    assert read(again.body).convert(mode).tobytes() == expected


def test_transparent_pixels_stay_transparent() -> None:
    """Nothing is laid under them, since the format has a channel for alpha."""
    clear = pictures.png(pyvips.Image.black(4, 4, bands=4).copy(interpretation="srgb"))
    assert read(write(clear)).getpixel((0, 0)) == (0, 0, 0, 0)


def test_it_is_limited_by_pixels_and_memory() -> None:
    body = pictures.png(pictures.scene(40, 30))
    with pytest.raises(TooLarge, match="a bmp answer may have 1199 pixels"):
        write(body, Limits(result_pixels_of={"bmp": 1199}))
    assert Limits().result_pixels_of["bmp"] == 12_000_000


def test_max_bytes_encodes_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from imaging.codecs import encode
    from imaging.codecs.save import save

    calls: list[str] = []

    def counted(image: Any, chosen: str, *rest: Any, **more: Any) -> bytes:
        calls.append(chosen)
        return save(image, chosen, *rest, **more)

    monkeypatch.setattr(encode, "save", counted)
    assert len(write(pictures.png(pictures.scene(40, 30)), maxBytes=200, quality=70)) > 200
    assert calls == ["bmp"]


def test_no_negotiation_chooses_it(tmp_path: Path) -> None:
    (tmp_path / "a.bmp").write_bytes(pictures.bmp())
    served = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}", "AUTO_FORMAT": "Yes"})
    formats = {"": "png", "&format=auto": "png", "&format=original": "png", "&format=bmp": "bmp"}
    for query, expected in formats.items():
        answer = served.get(f"/a.bmp?width=20{query}", accept="image/bmp,*/*")
        assert (answer.status, answer.headers["Content-Type"]) == (200, f"image/{expected}"), query
