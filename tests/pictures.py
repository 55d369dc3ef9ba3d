"""Test pictures of every kind that the decoder takes, made on the spot and the same each time.

`scene()` is what all of them show; `NAMES` and `sample(name)` give one file of each kind with what is known of it; the
functions beside them (`jpeg(…)`, `png(…)`, …) make variants. Each file whose format can hold one carries a GPS
position: no answer may contain one of `GPS_MARKS`.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pyvips

if TYPE_CHECKING:
    from PIL import Image as PillowImage

WIDTH, HEIGHT = 160, 120
SECONDS = (2961737, 100003)
GPS_TEXT = "48,51.4935911N"
GPS_MARKS: tuple[bytes, ...] = (struct.pack("<II", *SECONDS), struct.pack(">II", *SECONDS), GPS_TEXT.encode())
"""Byte strings that give the planted GPS position away: EXIF in both byte orders, and XMP or other text."""
ARTIST, COPYRIGHT = b"Ada Example\0", b"(c) Ada Example\0"
DELAYS = (80, 120, 160)

Image = Any
"""A pyvips image; pyvips has no types of its own."""


@dataclass(frozen=True)
class Sample:
    """A file and what an inspection of it has to find."""

    name: str
    format: str
    body: bytes
    frames: int = 1
    alpha: bool = False
    bands: int = 3
    bits: int = 8
    orientation: int = 1
    profile: bool = False
    gps: bool = True
    """A GPS position is planted; BMP has no place for one."""
    tolerance: float = 6.0
    """Mean difference to `scene()` that the format is allowed, of 255."""


def scene(width: int = WIDTH, height: int = HEIGHT, *, turn: float = 0.0) -> Image:
    """The picture in sRGB, 8 bit, no two corners alike; `turn` (degrees) shifts its hues."""
    across: Image
    across, down = pyvips.Image.xyz(width, height).bandsplit()
    red, green = across * (200 / max(width - 1, 1)) + 20, down * (200 / max(height - 1, 1)) + 20
    blue = ((across * (6.0 / width) * 57.3).sin() * (down * (4.0 / height) * 57.3).sin()) * 60 + 110
    picture = red.bandjoin([green, blue]).cast("uchar").copy(interpretation="srgb")
    side = max(height // 5, 1)
    picture = picture.insert(pyvips.Image.black(side, side, bands=3) + [250, 240, 40], side // 3, side // 3)
    picture = picture.cast("uchar").copy(interpretation="srgb")
    if turn:
        picture = (picture.colourspace("lch") + [0, 0, turn]).copy(interpretation="lch").colourspace("srgb")
    return picture.copy_memory()


def scene_with_alpha(width: int = WIDTH, height: int = HEIGHT) -> Image:
    """The scene, opaque on its left half and fading out towards the right."""
    across = pyvips.Image.xyz(width, height)[0]
    alpha = (255 - (across - width / 2) * (2 * 255 / width)).cast("uchar")
    return scene(width, height).bandjoin(alpha).copy_memory()


def film(width: int = WIDTH, height: int = HEIGHT, delays: tuple[int, ...] = DELAYS, loop: int = 2) -> Image:
    """An animation: the scene, then the same in other hues, one below the other."""
    turns = [scene(width, height, turn=360 * index / len(delays)) for index in range(len(delays))]
    tall = pyvips.Image.arrayjoin(turns, across=1)
    return _with(tall, {"page-height": height, "delay": list(delays), "loop": loop})


def turned(picture: Image, orientation: int) -> Image:
    """The picture as a camera stores it that writes this EXIF orientation: undone, it stands upright."""
    stored = {
        1: lambda it: it,
        2: lambda it: it.fliphor(),
        3: lambda it: it.rot180(),
        4: lambda it: it.flipver(),
        5: lambda it: it.rot270().flipver(),
        6: lambda it: it.rot270(),
        7: lambda it: it.rot90().flipver(),
        8: lambda it: it.rot90(),
    }
    return stored[orientation](picture).copy_memory()


def exif(orientation: int = 1) -> bytes:
    """A TIFF block with orientation, artist, copyright and a GPS position, without JPEG's `Exif` mark before it."""
    entries, gps_at = 4, 8 + 2 + 4 * 12 + 4
    latitude_at = gps_at + 2 + 2 * 12 + 4
    artist_at = latitude_at + 24
    block = struct.pack("<2sHIH", b"II", 42, 8, entries)
    block += struct.pack("<HHII", 0x0112, 3, 1, orientation)
    block += struct.pack("<HHII", 0x013B, 2, len(ARTIST), artist_at)
    block += struct.pack("<HHII", 0x8298, 2, len(COPYRIGHT), artist_at + len(ARTIST))
    block += struct.pack("<HHIII", 0x8825, 4, 1, gps_at, 0)
    block += struct.pack("<HHHI4sHHIII", 2, 1, 2, 2, b"N\0\0\0", 2, 5, 3, latitude_at, 0)
    return block + struct.pack("<6I", 48, 1, 51, 1, *SECONDS) + ARTIST + COPYRIGHT


def xmp() -> bytes:
    """An XMP packet with the GPS position."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="{GPS_TEXT}"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def profile(name: str = "p3") -> bytes:
    """One of libvips' own ICC profiles: p3, srgb or cmyk."""
    return bytes(pyvips.Operation.call("profile_load", name))


def _with(picture: Image, fields: dict[str, object]) -> Image:
    kinds = {int: pyvips.GValue.gint_type, bytes: pyvips.GValue.blob_type, list: pyvips.GValue.array_int_type}
    picture = picture.copy()
    for name, value in fields.items():
        picture.set_type(kinds[type(value)], name, value)
    return picture


def _tagged(picture: Image, orientation: int = 1, icc: bytes | None = None) -> Image:
    fields: dict[str, object] = {"exif-data": exif(orientation), "xmp-data": xmp(), "orientation": orientation}
    return _with(picture, fields | ({"icc-profile-data": icc} if icc else {}))


def jpeg(picture: Image = None, *, orientation: int = 1, icc: bytes | None = None, **options: object) -> bytes:
    """A JPEG of the picture (default: the scene), stored as a camera that was held that way does."""
    stored = turned(scene() if picture is None else picture, orientation)
    return bytes(_tagged(stored, orientation, icc).jpegsave_buffer(**{"Q": 92, "keep": "all", **options}))


def png(picture: Image = None, *, orientation: int = 1, icc: bytes | None = None, **options: object) -> bytes:
    """A PNG; `interlace=True`, `palette=True` and `bitdepth=16` as pngsave takes them."""
    stored = turned(scene() if picture is None else picture, orientation)
    return bytes(_tagged(stored, orientation, icc).pngsave_buffer(**{"keep": "all", **options}))


def webp(picture: Image = None, *, orientation: int = 1, icc: bytes | None = None, **options: object) -> bytes:
    """A WebP; of `film()` an animated one."""
    stored = turned(scene() if picture is None else picture, orientation)
    return bytes(_tagged(stored, orientation, icc).webpsave_buffer(**{"Q": 90, "keep": "all", **options}))


def avif(picture: Image = None, *, orientation: int = 1, icc: bytes | None = None, **options: object) -> bytes:
    """An AVIF."""
    stored = turned(scene() if picture is None else picture, orientation)
    settings = {"Q": 85, "effort": 1, "compression": "av1", "keep": "all", **options}
    return bytes(_tagged(stored, orientation, icc).heifsave_buffer(**settings))


def gif(picture: Image = None, **options: object) -> bytes:
    """A GIF, of `film()` an animated one, with XMP and a comment that hold the position."""
    body = bytes((scene() if picture is None else picture).gifsave_buffer(keep="none", **options))
    packet = b"\x21\xff\x0bXMP DataXMP" + xmp() + b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    text = f"taken at {GPS_TEXT}".encode()
    comment = b"\x21\xfe" + bytes([len(text)]) + text + b"\0"
    return body[:-1] + packet + comment + body[-1:]


def frames_of(picture: Image) -> list[PillowImage.Image]:
    """The frames of `film()` for Pillow."""
    height = int(picture.get("page-height"))
    return [pillow(picture.crop(0, top, picture.width, height)) for top in range(0, picture.height, height)]


def animated_avif(picture: Image = None, **options: Any) -> bytes:
    """An AVIF of `film()` or the like, by Pillow, which plays twice."""
    first, *others = frames_of(film() if picture is None else picture)
    out = io.BytesIO()
    settings = {"quality": 90, "speed": 8, "subsampling": "4:4:4", "duration": list(DELAYS), "exif": exif(), **options}
    first.save(out, "AVIF", save_all=True, append_images=others, xmp=xmp(), **settings)
    # The length of the movie and of its tracks, which Pillow leaves without an end.
    return out.getvalue().replace(b"\xff" * 8, (2 * sum(DELAYS)).to_bytes(8, "big"))


def apng(picture: Image = None, **options: Any) -> bytes:
    """An APNG of `film()` or the like, by Pillow, with the position in EXIF and in a text."""
    from PIL.PngImagePlugin import PngInfo

    first, *others = frames_of(film() if picture is None else picture)
    text, out = PngInfo(), io.BytesIO()
    text.add_itxt("XML:com.adobe.xmp", xmp().decode())
    settings = {"duration": list(DELAYS), "loop": 2, "exif": exif(), **options}
    first.save(out, "PNG", save_all=True, append_images=others, pnginfo=text, **settings)
    return out.getvalue()


def tiff(picture: Image = None, *, orientation: int = 1, icc: bytes | None = None, **options: object) -> bytes:
    """A TIFF; several pages where the picture has a `page-height`. XMP and a GPS directory hold the position."""
    stored = turned(scene() if picture is None else picture, orientation)
    body = bytes(_tagged(stored, orientation, icc).tiffsave_buffer(**{"keep": "all", **options}))
    return _with_gps_directory(body)


def _with_gps_directory(body: bytes) -> bytes:
    """Append a copy of the first directory that has a GPS directory, and point the header at it."""
    body += b"\0" * (len(body) % 2)
    (first,) = struct.unpack_from("<I", body, 4)
    (count,) = struct.unpack_from("<H", body, first)
    entries = [body[at : at + 12] for at in range(first + 2, first + 2 + 12 * count, 12)]
    gps_at = len(body) + 2 + 12 * (count + 1) + 4
    entries.append(struct.pack("<HHII", 0x8825, 4, 1, gps_at))
    entries.sort(key=lambda entry: int.from_bytes(entry[:2], "little"))
    following = body[first + 2 + 12 * count :][:4]
    gps = struct.pack("<HHHI4sHHIII", 2, 1, 2, 2, b"N\0\0\0", 2, 5, 3, gps_at + 2 + 24 + 4, 0)
    directory = struct.pack("<H", count + 1) + b"".join(entries) + following + gps
    directory += struct.pack("<6I", 48, 1, 51, 1, *SECONDS)
    return body[:4] + struct.pack("<I", len(body)) + body[8:] + directory


def pillow(picture: Image) -> PillowImage.Image:
    """The same picture for Pillow."""
    from PIL import Image as Pillow

    mode = {1: "L", 3: "RGB", 4: "RGBA"}[picture.bands]
    return Pillow.frombytes(mode, (picture.width, picture.height), bytes(picture.write_to_memory()))


def heic(picture: Image = None, *, orientation: int = 1, icc: bytes | None = None, quality: int = 90) -> bytes:
    """A HEIC as a phone stores it; the orientation becomes the container's own turn, so inspection finds 1."""
    import pillow_heif

    stored = pillow(turned(scene() if picture is None else picture, orientation))
    made, out = pillow_heif.from_pillow(stored), io.BytesIO()
    settings = {"exif": exif(orientation), "xmp": xmp(), "quality": quality}
    if icc:
        info: dict[str, Any] = made[0].info
        info.update(icc_profile=icc, icc_profile_type="prof")
    made.save(out, **settings)
    return out.getvalue()


def bmp(picture: Image = None) -> bytes:
    """A BMP; the format has no place for metadata."""
    out = io.BytesIO()
    pillow(scene() if picture is None else picture).save(out, "BMP")
    return out.getvalue()


def ico(sizes: tuple[int, ...] = (16, 64, 32)) -> bytes:
    """An icon of PNGs in these sizes, in this order, with the position in the EXIF of each."""
    pictures = [png(scene_with_alpha(size, size)) for size in sizes]
    at = 6 + 16 * len(sizes)
    directory = struct.pack("<HHH", 0, 1, len(sizes))
    for size, body in zip(sizes, pictures, strict=True):
        directory += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(body), at)
        at += len(body)
    return directory + b"".join(pictures)


def svg(width: int = WIDTH, height: int = HEIGHT, inside: str = "") -> bytes:
    """A drawing of a red disc on clear ground, with the position in its metadata; `inside` is drawn last."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" '
        f'height="{height}" viewBox="0 0 160 120"><metadata>{xmp().decode()}</metadata>'
        f'<circle cx="80" cy="60" r="50" fill="#e01020"/>{inside}</svg>'
    ).encode()


def grey() -> Image:
    """The scene in grey."""
    return scene().colourspace("b-w").copy_memory()


def cmyk(*, icc: bool) -> bytes:
    """A CMYK JPEG as Adobe's programs write it (inks inverted), in its profile, or in a device's inks without one."""
    if not icc:
        return jpeg(device_inks(scene()))
    return jpeg(_with(scene(), {"icc-profile-data": profile("srgb")}).icc_transform("cmyk"), icc=profile("cmyk"))


def device_inks(picture: Image) -> Image:
    """The picture in inks of which each takes its share of the light, with black in place of half of their grey."""
    largest = picture[0].maxpair(picture[1]).maxpair(picture[2])
    black = ((largest * -0.5) + 127.5).rint().cast("uchar")
    inks = picture * -255 / (black * -1 + 255) + 255
    return inks.rint().cast("uchar").bandjoin(black).copy(interpretation="cmyk")


def _without_profile(picture: Image) -> Image:
    picture = picture.copy()
    picture.remove("icc-profile-data")
    return picture


def deep(picture: Image = None) -> Image:
    """The picture (default: the scene) in 16 bits a band."""
    return (scene() if picture is None else picture).colourspace("rgb16").copy_memory()


def wide() -> Image:
    """The scene's colours written as Display P3 numbers; to be stored with `profile("p3")`."""
    return _without_profile(_with(scene(), {"icc-profile-data": profile("srgb")}).icc_transform("p3"))


_MAKERS: dict[str, Callable[[], Sample]] = {
    "jpeg": lambda: Sample("jpeg", "jpeg", jpeg()),
    "jpeg-progressive": lambda: Sample("jpeg-progressive", "jpeg", jpeg(interlace=True)),
    "jpeg-grey": lambda: Sample("jpeg-grey", "jpeg", jpeg(grey()), bands=1),
    "jpeg-turned": lambda: Sample("jpeg-turned", "jpeg", jpeg(orientation=6), orientation=6),
    "jpeg-cmyk": lambda: Sample("jpeg-cmyk", "jpeg", cmyk(icc=False), bands=4, tolerance=20),
    "jpeg-cmyk-profile": lambda: Sample(
        "jpeg-cmyk-profile", "jpeg", cmyk(icc=True), bands=4, profile=True, tolerance=20
    ),
    "jpeg-p3": lambda: Sample("jpeg-p3", "jpeg", jpeg(wide(), icc=profile("p3")), profile=True),
    "png": lambda: Sample("png", "png", png()),
    "png-16": lambda: Sample("png-16", "png", png(deep()), bits=16),
    "png-palette": lambda: Sample("png-palette", "png", png(palette=True), tolerance=12),
    "png-interlaced": lambda: Sample("png-interlaced", "png", png(interlace=True)),
    "png-alpha": lambda: Sample("png-alpha", "png", png(scene_with_alpha()), alpha=True, bands=4),
    "png-grey-alpha": lambda: Sample("png-grey-alpha", "png", png(grey().bandjoin(128)), alpha=True, bands=2),
    "png-1-bit": lambda: Sample("png-1-bit", "png", png(grey() > 128, bitdepth=1), bands=1, bits=1, tolerance=128),
    "webp": lambda: Sample("webp", "webp", webp()),
    "webp-lossless": lambda: Sample("webp-lossless", "webp", webp(lossless=True)),
    "webp-alpha": lambda: Sample("webp-alpha", "webp", webp(scene_with_alpha()), alpha=True, bands=4),
    "webp-animated": lambda: Sample("webp-animated", "webp", webp(film()), frames=3),
    "gif": lambda: Sample("gif", "gif", gif(), tolerance=12),
    "gif-animated": lambda: Sample("gif-animated", "gif", gif(film()), frames=3, alpha=True, bands=4, tolerance=12),
    "avif": lambda: Sample("avif", "avif", avif()),
    "avif-alpha": lambda: Sample("avif-alpha", "avif", avif(scene_with_alpha()), alpha=True, bands=4),
    "avif-animated": lambda: Sample("avif-animated", "avif", animated_avif(), frames=3),
    "apng": lambda: Sample("apng", "apng", apng(), frames=3),
    "heic": lambda: Sample("heic", "heif", heic()),
    "heic-turned": lambda: Sample("heic-turned", "heif", heic(orientation=6)),
    "tiff": lambda: Sample("tiff", "tiff", tiff()),
    "tiff-pages": lambda: Sample("tiff-pages", "tiff", tiff(film()), frames=3),
    "tiff-16": lambda: Sample("tiff-16", "tiff", tiff(deep(), compression="deflate"), bits=16),
    "tiff-cmyk": lambda: Sample(
        "tiff-cmyk", "tiff", tiff(_without_profile(scene().colourspace("cmyk"))), bands=4, tolerance=20
    ),
    "bmp": lambda: Sample("bmp", "bmp", bmp(), gps=False),
    "ico": lambda: Sample("ico", "ico", ico(), frames=3, alpha=True, bands=4),
    "svg": lambda: Sample("svg", "svg", svg(), alpha=True, bands=4),
}

NAMES: tuple[str, ...] = tuple(_MAKERS)


@cache
def sample(name: str) -> Sample:
    """One of `NAMES`: the file, and what is known of it."""
    return _MAKERS[name]()
