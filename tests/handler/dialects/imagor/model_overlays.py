"""The filters of the model: what imagor's filter.go and overlay.go do to one frame."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import pyvips

if TYPE_CHECKING:
    from tests.handler.dialects.imagor.model import Model

Image = Any
Filters = list[tuple[str, list[str]]]
_BLENDS = {"multiply": "multiply", "mask": "dest-in"}
_IGNORED_ON_NOTHING = ("background_color", "round_corner", "padding", "rotate", "proportion", "watermark", "hue",
                       "brightness", "contrast", "saturation", "rgb", "modulate")  # fmt: skip


def plain(name: str, width: int, height: int) -> Image:
    """Return a picture of one colour."""
    from tests.handler.dialects.imagor.model import color

    word = name.removeprefix("color:")
    size = (width or height or 1, height or width or 1)
    if word in ("none", "transparent"):
        return pyvips.Image.black(*size, bands=4).copy(interpretation="srgb")
    alpha = [int(word[6:], 16)] if re.fullmatch("[0-9a-f]{8}", word) else []
    levels = [*color(word[:6] if alpha else word), *alpha]
    return (pyvips.Image.black(*size, bands=len(levels)) + levels).cast("uchar").copy(interpretation="srgb")


def turn(image: Image, angle: int) -> Image:
    return image.rot(f"d{angle}") if angle in (90, 180, 270) else image


def apply(model: Model, image: Image, filters: Filters, box: tuple[int, int], padding: str | None) -> Image:
    """Return the picture after all filters."""
    edges = [int(text) for text in re.split("[x:]", padding)] if padding else [0, 0]
    edges = edges if len(edges) == 4 else edges * 2
    for name, args in filters:
        if not args and name in _IGNORED_ON_NOTHING:
            continue
        if name == "fill":
            image = fill(image, args[0], box, edges)
        elif name == "padding":
            left, top, right, bottom = (
                ([int(text) for text in args[1:]] * 4)[:4] if len(args) > 4 else [int(args[1])] * 4
            )
            image = fill(image, args[0], (image.width, image.height), [left, top, right, bottom])
        elif name == "rotate":
            image = turn(image, int(args[0]))
            if int(args[0]) in (90, 270):
                box, edges = (box[1], box[0]), [edges[1], edges[0], edges[3], edges[2]]
        elif name in ("watermark", "image"):
            image = overlay(model, image, name, args)
        elif name in ("label", "text"):
            image = write(image, name, args)
        elif name in _EFFECTS:
            image = _EFFECTS[name](image, args)
    return image


def on_colors(image: Image, change: Any) -> Image:
    colors = image[: image.bands - 1] if image.hasalpha() else image
    changed = change(colors).cast("uchar").copy(interpretation=colors.interpretation)
    return changed.bandjoin(image[image.bands - 1]) if image.hasalpha() else changed


def fill(image: Image, word: str, box: tuple[int, int], edges: list[int]) -> Image:
    from tests.handler.dialects.imagor.model import color

    left, top = int((box[0] - image.width) / 2) + edges[0], int((box[1] - image.height) / 2) + edges[1]
    width, height = box[0] + edges[0] + edges[2], box[1] + edges[1] + edges[3]
    if word == "blur":
        behind = image.thumbnail_image(width, height=height, size="force").gaussblur(50).cast("uchar")
        return behind.composite2(image, "over", x=left, y=top).cast("uchar")
    if word in ("none", "transparent"):
        image = image.colourspace("srgb") if image.bands < 3 else image
        image = image if image.hasalpha() else image.addalpha()
        return image.embed(left, top, width, height)
    background = color(word, image)
    if image.hasalpha():
        image = image.colourspace("srgb").flatten(background=background)
    return image.embed(left, top, width, height, extend="background", background=background)


def linear(image: Image, factor: float, offsets: list[float]) -> Image:
    return on_colors(image, lambda colors: colors.linear([factor] * 3, offsets, uchar=True))


def modulate(image: Image, light: float, saturation: float, hue: float) -> Image:
    def change(colors: Image) -> Image:
        lch = colors.colourspace("lch").linear([light, saturation, 1], [0, 0, hue]).copy(interpretation="lch")
        return lch.colourspace("srgb")

    return on_colors(image, change)


def contrast(image: Image, args: list[str]) -> Image:
    amount = max(-255.0, min(255.0, float(args[0]) * 2.55))
    factor = (259 * (amount + 255)) / (255 * (259 - amount))
    return linear(image, factor, [128 - factor * 128] * 3)


def sharpen(image: Image, args: list[str]) -> Image:
    sigma = 1 + 2 * float(args[0] if len(args) == 1 else args[1])
    return on_colors(image, lambda colors: colors.sharpen(sigma=min(10, sigma), x1=1, m2=2)) if sigma > 0 else image


def blur(image: Image, args: list[str]) -> Image:
    from imaging.ops.alpha import premultiplied

    return premultiplied(image, lambda it: it.gaussblur(float(args[-1]) / 2)).cast("uchar")


def round_corner(image: Image, args: list[str]) -> Image:
    from tests.handler.dialects.imagor.model import color

    radii = (int(args[0]), int(args[1] if len(args) > 1 else args[0]))
    size = f'width="{image.width}" height="{image.height}"'
    shape = f'<rect rx="{radii[0]}" ry="{radii[1]}" {size} fill="#fff"/>'
    view = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {image.width} {image.height}"'
    svg = f"<svg {view} {size}>{shape}</svg>"
    mask = pyvips.Image.svgload_buffer(svg.encode())
    rounded = image.colourspace("srgb").composite2(mask, "dest-in").cast("uchar")
    return rounded.flatten(background=color(args[2])) if len(args) == 3 else rounded


def crop(image: Image, args: list[str]) -> Image:
    numbers = [float(text) for text in args]
    sides = (image.width, image.height) * 2
    left, top, width, height = (
        number * side if 0 < number < 1 else number for number, side in zip(numbers, sides, strict=True)
    )
    left, top = min(left, image.width), min(top, image.height)
    width, height = min(width, image.width - left), min(height, image.height - top)
    return image.crop(int(left), int(top), int(width), int(height))


def proportion(image: Image, args: list[str]) -> Image:
    scale = min(100.0, float(args[0]))
    scale = scale / 100 if scale > 1 else scale
    width, height = int(image.width * scale), int(image.height * scale)
    return image.thumbnail_image(width, height=height) if scale > 0 and width and height else image


def trim(image: Image, args: list[str]) -> Image:
    from tests.handler.dialects.imagor.model import edges_of

    return image.crop(*edges_of(image, args[1] if len(args) > 1 else "", int(args[0])))


def pixelate(image: Image, args: list[str]) -> Image:
    size = int(args[0]) if args else 10
    small = image.resize(1 / size)
    return small.resize(image.width / small.width, vscale=image.height / small.height, kernel="nearest").cast("uchar")


def flatten(image: Image, args: list[str]) -> Image:
    from tests.handler.dialects.imagor.model import color

    return image.flatten(background=color(args[0])) if image.hasalpha() else image


_EFFECTS: dict[str, Any] = {
    "background_color": flatten, "blur": blur, "contrast": contrast, "crop": crop, "pixelate": pixelate,
    "proportion": proportion, "round_corner": round_corner, "sharpen": sharpen, "trim": trim,
    "brightness": lambda image, args: linear(image, 1, [float(args[0]) * 2.55] * 3),
    "grayscale": lambda image, _: image.colourspace("b-w"),
    "hue": lambda image, args: modulate(image, 1, 1, float(args[0])),
    "modulate": lambda image, args: modulate(image, 1 + float(args[0]) / 100, 1 + float(args[1]) / 100, float(args[2])),
    "rgb": lambda image, args: linear(image, 1, [float(arg) * 2.55 for arg in args]),
    "saturation": lambda image, args: modulate(image, 1, 1 + float(args[0]) / 100, 0),
}  # fmt: skip


def place(text: str, room: int, side: int) -> tuple[int, int]:
    """Return where an overlay begins, and how often it is repeated."""
    if found := re.fullmatch(r"(left|l|top|t)-(\d+)", text):
        return -int(found[2]), 1
    if found := re.fullmatch(r"(right|r|bottom|b)-(\d+)", text):
        return room - side + int(found[2]), 1
    if text == "repeat":
        return 0, room // side + 1
    words = {"center": (room - side) // 2, "left": 0, "top": 0, "right": room - side, "bottom": room - side, "": 0}
    if text in words:
        return words[text], 1
    if text.removeprefix("-").startswith("0."):
        start = int(float(text) * room)
    else:
        start = int(text[:-1]) * room // 100 if text.endswith("p") else int(text)
    return (start + room - side if start < 0 else start), 1


def overlay(model: Model, image: Image, name: str, args: list[str]) -> Image:
    """Return the picture with another one over it."""
    args = args + [""] * (6 - len(args))
    path = unquote_plus(args[0])
    if name == "watermark":
        mark = model.load(path, [])
        if args[4]:
            width, height = (
                side if text == "none" else side * int(text) // 100
                for side, text in zip((image.width, image.height), args[4:6], strict=True)
            )
            mark = mark.thumbnail_image(width, height=height)
    else:
        mark = model.process(full_sides(path, image))[0]
    mark = mark.colourspace("srgb") if mark.bands < 3 else mark
    mark = mark if mark.hasalpha() else mark.addalpha()
    mark = mark.linear([1, 1, 1, 1 - float(args[3] or 0) / 100], [0] * 4, uchar=True)
    (x, across), (y, down) = place(args[1], image.width, mark.width), place(args[2], image.height, mark.height)
    mark = mark.replicate(across, down) if across * down > 1 else mark
    canvas = image.colourspace("srgb") if image.bands < 3 else image
    return canvas.composite2(mark, _BLENDS.get(args[4] if name == "image" else "", "over"), x=x, y=y).cast("uchar")


def full_sides(path: str, image: Image) -> str:
    """Return the path of an overlay with the sides of the parent in the places of `f` and `full`."""
    head, filters, tail = path.partition("filters:")

    def side(text: str, whole: int) -> str:
        return re.sub(r"f(?:ull)?(-\d+)?", lambda found: str(whole + int(found[1] or 0)), text)

    sized = re.sub(
        r"((?:f(?:ull)?)?-?\d*)x((?:f(?:ull)?)?-?\d*)/",
        lambda found: f"{side(found[1], image.width)}x{side(found[2], image.height)}/",
        head,
        count=1,
    )
    return sized + filters + tail


def wrap(text: str, room: int) -> int:
    """Return the width at which lines break: far away where none is given."""
    if text.startswith("f"):
        return room + int(text[1:] or 0)
    return room * int(text[:-1]) // 100 if text.endswith("p") else int(text or 10_000)


def write(image: Image, name: str, args: list[str]) -> Image:
    """Return the picture with a text over it."""
    from tests.handler.dialects.imagor.model import color

    text = unquote_plus(args[0])
    if text.startswith("b64:"):
        text = base64.urlsafe_b64decode(text[4:] + "==").decode()
    args = args + [""] * (10 - len(args))
    letters: Image
    if name == "label":
        size = int(args[3] or 20)
        letters = pyvips.Image.text(text, dpi=72, font=f"sans {size}px")
    else:
        font, align = (args[3] or "sans 20").replace("-", " "), {"centre": "centre"}.get(args[8], "low")
        letters = pyvips.Image.text(text, dpi=72, font=font, align=align, width=wrap(args[7], image.width))
        size = letters.height
    ink, clear = color(args[4] or "black"), args[5]
    x = place(args[1], image.width, letters.width)[0]
    y = place(args[2], image.height, size)[0] + (letters.yoffset if name == "label" else 0)
    levels = letters.linear([1 - float(clear or 0) / 100], [0], uchar=True)
    layer = (letters.new_from_image(ink).cast("uchar").copy(interpretation="srgb")).bandjoin(levels)
    canvas = image.colourspace("srgb") if image.bands < 3 else image
    blend = _BLENDS.get(args[6], "over") if name == "text" else "over"
    return canvas.composite2(layer, blend, x=x, y=y).cast("uchar")
