"""What imagor answers, in libvips' calls: its process.go, filter.go and overlay.go written anew for one frame.

It is no part of the service, and shares no code with it: the tests compare the service's answers with this one's.
"""

from __future__ import annotations

import base64
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pyvips
from PIL import ImageColor
from tests.handler.dialects.imagor import model_overlays as overlays

Image = Any
"""A pyvips image."""
_PATH = re.compile(
    r"/*(?P<meta>meta/)?(?P<trim>trim(:(?P<by>top-left|bottom-right))?(:(?P<tolerance>\d+))?/)?"
    r"((?P<crop>[\d.]+x[\d.]+:[\d.]+x[\d.]+)/)?(?P<adaptive>adaptive-)?(?P<full>full-)?(?P<fit>fit-in/)?"
    r"(?P<stretch>stretch/)?((?P<hflip>-?)(?P<width>\d*)x(?P<vflip>-?)(?P<height>\d*)/)?"
    r"((?P<padding>\d+x\d+(:\d+x\d+)?)/)?((?P<halign>left|right|center)/)?((?P<valign>top|bottom|middle)/)?"
    r"(?P<smart>smart/)?(?P<rest>.*)"
)
_FORMATS = {"jpg": "jpeg", "heif": "heif", "tif": "tiff"}


@dataclass
class Made:
    """An answer: its format, its size, and the pixels of its first frame."""

    format: str
    width: int
    height: int
    image: Image


def color(name: str, image: Image = None) -> list[float]:
    """Return red, green and blue of a name, of hexadecimal digits or of the first pixel."""
    name = name.lower().removeprefix("#")
    if name == "auto":
        return [*image(0, 0)][:3]
    if re.fullmatch("[0-9a-f]{3}|[0-9a-f]{6}", name):
        digits = name if len(name) == 6 else "".join(digit * 2 for digit in name)
        return [*bytes.fromhex(digits)]
    if name in ImageColor.colormap:
        return [*ImageColor.getrgb(name)][:3]
    # Letters that are no digits count as 0.
    return color(re.sub("[^0-9a-f]", "0", name)) if len(name) in (3, 6) else [0, 0, 0]


def split(text: str) -> tuple[list[tuple[str, list[str]]], str]:
    """Return the filters at the beginning of a text, and what follows."""
    if not text.startswith("filters:"):
        return [], text
    found, depth, start, name = [], 0, len("filters:"), ""
    for at in range(start, len(text)):
        if text[at] == "(":
            if not depth:
                name, start = text[start:at], at + 1
            depth += 1
        elif text[at] == ")":
            depth -= 1
            if not depth:
                found.append((name, arguments(text[start:at])))
                start = at + 2
        elif text[at] == "/" and not depth:
            return found, text[at + 1 :]
    return found, ""


def arguments(text: str) -> list[str]:
    """Return the arguments of a filter, separated by commas outside brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts if text else []


class Model:
    """Answers paths for the originals of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loaded: dict[tuple[str, int], Image] = {}

    def answer(self, path: str) -> Made:
        if path.startswith("meta/"):
            return Made("json", 0, 0, None)
        image, filters, source = self.process(path)
        kind = source
        for name, args in filters:
            if name == "format" and args[0] not in ("bmp", "svg", "pdf"):
                kind = _FORMATS.get(args[0], args[0])
            kind = "jpeg" if name == "autojpg" else kind
        return Made(kind, image.width, image.height, saved(image, kind, filters))

    def process(self, path: str) -> tuple[Image, list[tuple[str, list[str]]], str]:
        """Return the picture of a path, its filters, and the format that it has without any."""
        found = _PATH.fullmatch(path)
        assert found is not None
        filters, name = split(found["rest"])
        names = {each for each, _ in filters}
        width, height = int(found["width"] or 0), int(found["height"] or 0)
        is_color = name.startswith("color:")
        image = overlays.plain(name, width, height) if is_color else self.load(name, filters)
        if not is_color:
            image = overlays.turn(image, next((int(args[0]) for each, args in filters if each == "orient"), 0))
            image, left, top = self.cut(image, found)
            enlarges = not found["fit"] or bool(found["full"])
            for each, _ in filters:
                enlarges = {"upscale": True, "no_upscale": False}.get(each, enlarges)
            image, width, height = self.resize(
                image, found, (width, height), enlarges, "stretch" in names, focal(filters, image, (left, top))
            )
        image = image.fliphor() if found["hflip"] else image
        image = image.flipver() if found["vflip"] else image
        image = overlays.apply(self, image, filters, (width or image.width, height or image.height), found["padding"])
        kind = "jpeg" if is_color else Path(name).suffix[1:]
        return image, filters, {"jpg": "jpeg", "bmp": "jpeg", "svg": "jpeg"}.get(kind, kind)

    def load(self, name: str, filters: list[tuple[str, list[str]]]) -> Image:
        name = unquote_plus(name)
        if name.startswith("b64:"):
            name = base64.urlsafe_b64decode(name[4:] + "==").decode()
        page = max((int(args[0]) for each, args in filters if each == "page"), default=1)
        if (name, page) not in self.loaded:
            frames = sorted(self.folder.glob(f"decoded/{name}.*.png"))
            still = self.folder / "decoded" / f"{name}.png"
            file = frames[min(page, len(frames)) - 1] if frames else still
            self.loaded[name, page] = pyvips.Image.new_from_file(str(file)).copy_memory()
        return self.loaded[name, page]

    def cut(self, image: Image, found: re.Match[str]) -> tuple[Image, int, int]:
        """Return what crop and trim leave, and where it begins."""
        left = top = right = bottom = 0.0
        if found["crop"]:
            left, top, right, bottom = map(float, re.split("[x:]", found["crop"]))
            if left < 1 and top < 1 and right <= 1 and bottom <= 1:
                sides = (image.width, image.height) * 2
                edges = (left, top, right, bottom)
                left, top, right, bottom = (float(round(edge * side)) for edge, side in zip(edges, sides, strict=True))
            if any((left, top, right, bottom)):
                right = min(right or image.width - 1, image.width - 1)
                bottom = min(bottom or image.height - 1, image.height - 1)
        if found["trim"]:
            x, y, width, height = edges_of(image, found["by"] or "top-left", int(found["tolerance"] or 0))
            left, top = max(left, x), max(top, y)
            right, bottom = (min(right or 1e9, x + width), min(bottom or 1e9, y + height))
        if right <= left or bottom <= top:
            return image, 0, 0
        box = (int(left), int(top), int(right - left), int(bottom - top))
        return image.crop(*box), int(left), int(top)

    def resize(
        self, image: Image, found: re.Match[str], size: tuple[int, int], enlarges: bool, stretches: bool,
        point: tuple[float, float] | None,
    ) -> tuple[Image, int, int]:  # fmt: skip
        """Return the resized picture, and the box that `fill` fills."""
        width, height = size
        if found["adaptive"] and width and height and (image.width > image.height) != (width > height):
            width, height = height, width
        if not width and not height:
            return image, image.width, image.height
        kind = "cover"
        if not width or not height:
            kind = "fit"
            other = image.width * height // image.height if not width else image.height * width // image.width
            if not enlarges:
                other = min(other, image.width if not width else image.height)
            width, height = width or other, height or other
        ratio = (width / image.width, height / image.height)
        if found["fit"] and found["full"]:
            scale = max(ratio)
            width, height = math.ceil(image.width * scale), math.ceil(image.height * scale)
        elif found["fit"] or kind == "fit":
            scale = min(ratio)
        elif found["stretch"] or stretches:
            return scaled(image, *ratio), width, height
        else:
            scale = max(ratio)
        scale = scale if enlarges else min(1.0, scale)
        image = scaled(image, scale, scale)
        if found["fit"] or kind == "fit":
            return image, width, height
        return cover(image, (width, height), found, point), width, height


def saved(image: Image, kind: str, filters: list[tuple[str, list[str]]]) -> Image:
    """Return the picture as it comes back out of a file, for formats that lose something."""
    options = {name: int(args[0]) for name, args in filters if name in ("max_bytes", "bitdepth", "quality")}
    if kind == "gif":
        return pyvips.Image.new_from_buffer(image.gifsave_buffer(), "")
    if kind == "png" and "bitdepth" in options:
        return pyvips.Image.new_from_buffer(image.pngsave_buffer(palette=True, bitdepth=options["bitdepth"]), "")
    if kind != "jpeg":
        return image
    quality, body = options.get("quality", 75), b""
    while not body or (len(body) > options.get("max_bytes", 10**9) and quality > 10):
        if body:
            excess = len(body) / options["max_bytes"]
            quality = int(quality * (0.25 if excess > 3 else 0.5 if excess > 1.5 else 0.75))
        body = image.jpegsave_buffer(Q=quality)
    return pyvips.Image.new_from_buffer(body, "")


def scaled(image: Image, across: float, down: float) -> Image:
    width, height = max(1, round(image.width * across)), max(1, round(image.height * down))
    if (width, height) == (image.width, image.height):
        return image
    return image.thumbnail_image(width, height=height, size="force").cast("uchar")


def cover(image: Image, box: tuple[int, int], found: re.Match[str], point: tuple[float, float] | None) -> Image:
    """Return the part of the picture that has the size of the box."""
    width, height = min(box[0], image.width), min(box[1], image.height)
    if found["smart"] and point is None:
        return image.smartcrop(width, height, interesting="attention")
    spare = (image.width - width, image.height - height)
    shares = [
        {"left": 0.0, "right": 1.0}.get(found["halign"], 0.5),
        {"top": 0.0, "bottom": 1.0}.get(found["valign"], 0.5),
    ]
    left, top = (round(room * share) for room, share in zip(spare, shares, strict=True))
    if point is not None:
        left, top = int(image.width * point[0] - width / 2), int(image.height * point[1] - height / 2)
        left, top = max(0, min(left, spare[0])), max(0, min(top, spare[1]))
    return image.crop(left, top, width, height)


def focal(filters: list[tuple[str, list[str]]], image: Image, corner: tuple[int, int]) -> tuple[float, float] | None:
    """Return the centre of the focal areas as fractions of what the crop has left."""
    found, weight = [0.0, 0.0], 0.0
    for name, args in filters:
        numbers = [float(text) for text in re.split("[x:,]", ",".join(args)) if text] if name == "focal" else []
        if len(numbers) not in (2, 4):
            continue
        if max(numbers[:2]) < 1 and max(numbers) <= 1:
            sides = (image.width, image.height) * 2
            numbers = [number * side for number, side in zip(numbers, sides, strict=False)]
        left, top, right, bottom = numbers if len(numbers) == 4 else (*numbers, numbers[0] + 1, numbers[1] + 1)
        area = (right - left) * (bottom - top)
        found = [found[0] + (left + right) / 2 * area, found[1] + (top + bottom) / 2 * area]
        weight += area
    if not weight:
        return None
    x, y = ((total / weight - start) for total, start in zip(found, corner, strict=True))
    return x / image.width, y / image.height


def edges_of(image: Image, corner: str, tolerance: int) -> tuple[int, int, int, int]:
    flat = image.flatten(background=[255, 0, 255]) if image.hasalpha() else image
    at = (flat.width - 1, flat.height - 1) if corner == "bottom-right" else (0, 0)
    left, top, width, height = flat.find_trim(threshold=tolerance or 1, background=[*flat(*at)])
    return left, top, width, height
