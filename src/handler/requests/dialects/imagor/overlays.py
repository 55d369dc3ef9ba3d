"""The filters of imagor that put something over the image: `watermark`, `image`, `text` and `label`."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from handler.requests.dialects.imagor.collector import Filter, ImagorSteps
from handler.requests.dialects.imagor.colors import read_color
from handler.requests.dialects.imagor.path import decode_prefixed, parse_path
from handler.requests.dialects.imagor.places import Along, anchor, position, read_place
from handler.requests.dialects.thumbor.arguments import Arguments, Usage
from imaging import suggest

_BLENDS = {
    "normal": "over", "multiply": "multiply", "color-burn": "colour-burn", "darken": "darken", "screen": "screen",
    "color-dodge": "colour-dodge", "lighten": "lighten", "add": "add", "overlay": "overlay",
    "soft-light": "soft-light", "hard-light": "hard-light", "difference": "difference", "exclusion": "exclusion",
    "mask": "dest-in", "mask-out": "dest-out",
}  # fmt: skip
_WEIGHTS = {"thin": 100, "light": 300, "regular": 400, "medium": 500, "semibold": 600, "bold": 700, "black": 900}
_ALIGNS = {"low": "left", "left": "left", "centre": "center", "center": "center", "high": "right", "right": "right"}
_FULL_SIDES = re.compile(
    r"(?P<fit>fit-in/|stretch/)?(?P<width>f(?:ull)?(?:-[0-9]{1,6})?|[0-9]{0,9})x"
    r"(?P<height>f(?:ull)?(?:-[0-9]{1,6})?|[0-9]{0,9})/"
)
"""A size whose sides may be those of the parent, less some pixels."""
_WRAP = re.compile(r"([0-9]{1,5})(p?)|(0?\.[0-9]{1,12})|f(?:ull)?(?:-([0-9]{1,6}))?")
_DEFAULT_SIZE = 20
_BARE = "/:(),;|'[]@!*~=+$"
"""Characters that need no percent-encoding in a path."""


def _place(arguments: Arguments) -> dict[str, object]:
    """Return the parameters that place an overlay by its second and third argument."""
    across, down = read_place(arguments, 1, 0), read_place(arguments, 2, 1)
    if across.repeats and down.repeats:
        return {"tile": True, "anchor": "nowe", "position": "top-left"}
    if across.repeats or down.repeats:
        repeat = "x" if across.repeats else "y"
        return {"repeat": repeat, "dense": True, "anchor": anchor(across, down)}
    return {"anchor": anchor(across, down)}


def _opacity(arguments: Arguments, at: int) -> float:
    clear = arguments.number(at, 0.0)
    if not 0 <= clear <= 100:
        arguments.tolerate("a transparency from 0 to 100")
    return 100 - min(100.0, max(0.0, clear))


def _add_watermark(steps: ImagorSteps, arguments: Arguments) -> None:
    params = _place(arguments)
    for at, side in ((4, "width"), (5, "height")) if len(arguments) > 5 else ():
        if arguments.text(at) != "none":
            params[side] = arguments.integer(at, min_value=1, max_value=100)
        else:
            params[side] = 100
    key = decode_prefixed(arguments.text(0))
    steps.add(arguments.where, "watermark", key=key, opacity=_opacity(arguments, 3), **params)


def _add_image(steps: ImagorSteps, arguments: Arguments) -> None:
    """Put another image over this one, in the size that its own path names."""
    nested = arguments.text(0).lstrip("/")
    sides = ["", ""]
    if (full := _FULL_SIDES.match(nested)) is not None and "f" in full["width"] + full["height"]:
        sides = [_full_side(steps, arguments, full, name) for name in ("width", "height")]
        nested = (
            f"{full['fit'] or ''}{'x'.join('' if side.endswith('p') else side for side in sides)}/"
            + nested[full.end() :]
        )
    path = parse_path(nested, arguments.faults)
    if path.meta:
        arguments.refuse("the path of an image, not of its metadata")
    is_plain = not (path.trim or any(path.crop) or path.filters or path.flop or path.flip)
    is_plain = is_plain and not (path.adaptive or path.full or path.smart or any(path.padding))
    blend = arguments.text(4, "normal")
    if blend not in _BLENDS:
        arguments.tolerate("one of " + ", ".join(_BLENDS) + suggest(blend, _BLENDS))
    box: dict[str, object] = {}
    for name, side, share in zip(("boxWidth", "boxHeight"), (path.width, path.height), sides, strict=True):
        box |= {name: share if share.endswith("p") else side} if share.endswith("p") or side else {}
    if not is_plain and any(side.endswith("p") for side in sides):
        arguments.refuse("sides in pixels where the path has edits other than a size")
    # Another image with edits of its own is an address, as the path of the whole request is.
    source = {"key": path.image} if is_plain else {"address": "/unsafe/" + quote(nested, safe=_BARE)}
    if box and is_plain:
        box["boxFit"] = "inside" if path.fit_in else "fill" if path.stretch else "cover"
    else:
        box = {}
    params = {**source, **_place(arguments), **box, "blend": _BLENDS.get(blend, "over")}
    steps.add(arguments.where, "watermark", opacity=_opacity(arguments, 3), **params)


def _full_side(steps: ImagorSteps, arguments: Arguments, found: re.Match[str], name: str) -> str:
    """Return a side in pixels, or as a share of the parent's. Raise InvalidParameter."""
    text = found[name]
    if not text.startswith("f"):
        return text
    inset = text.partition("-")[2]
    if not inset:
        return "100p"
    if steps.size is None:
        arguments.refuse("a side such as full-50 behind a fill that sets both sides, and full anywhere")
    return str(max(1, steps.size[0 if name == "width" else 1] - int(inset)))


def _text(arguments: Arguments) -> str:
    return decode_prefixed(unquote(arguments.text(0)))


def _put(across: Along, down: Along) -> dict[str, object]:
    """Return the parameters that place a text."""
    return {"position": position(across, down), "x": across.length, "y": down.length}


def _add_label(steps: ImagorSteps, arguments: Arguments) -> None:
    size = arguments.integer(3, _DEFAULT_SIZE, min_value=1, max_value=2000)
    params: dict[str, object] = {"size": max(4, size), "color": read_color(arguments, 4), "width": "100p"}
    params |= _read_font(arguments.text(6, "sans"))
    params |= _put(read_place(arguments, 1, 0), read_place(arguments, 2, 1))
    steps.add(arguments.where, "text", text=_text(arguments), opacity=_opacity(arguments, 5), **params)


def _add_text(steps: ImagorSteps, arguments: Arguments) -> None:
    params: dict[str, object] = {
        "color": read_color(arguments, 4),
        "size": _DEFAULT_SIZE,
        "width": "100p",
        "tight": True,
    }
    params |= _read_font(arguments.text(3, "sans-20").replace("-", " "))
    params |= _put(read_place(arguments, 1, 0), read_place(arguments, 2, 1))
    if arguments.text(6, "normal") != "normal" or any(arguments.text(at) for at in (10, 11, 12)):
        arguments.tolerate("the blend mode normal, and without WRAP, SPACING and DPI")
    if (width := _wrap_width(steps, arguments)) is not None:
        params["width"] = width
    params["align"] = _ALIGNS[arguments.choice(8, tuple(_ALIGNS))] if arguments.text(8) else "left"
    if arguments.text(9).lower() in ("true", "1"):
        params["align"] = "justify"
    steps.add(arguments.where, "text", text=_text(arguments), opacity=_opacity(arguments, 5), **params)


def _wrap_width(steps: ImagorSteps, arguments: Arguments) -> str | None:
    """Return the width at which lines break, None where none is given. Raise InvalidParameter."""
    found = _WRAP.fullmatch(arguments.text(7, "0"))
    if found is None:
        arguments.refuse("a width in pixels, in percent such as 80p, in fractions, or full such as full-40")
    if found[3]:
        return f"{100 * float(found[3]):.6f}p"
    if found[1]:
        return found[0] if int(found[1]) else None
    if not int(found[4] or 0):
        return "100p"
    if steps.size is None:
        arguments.refuse("full-40 behind a fill that sets both sides, and full anywhere")
    return str(max(1, steps.size[0] - int(found[4])))


def _read_font(text: str) -> dict[str, object]:
    """Return font, weight, slant and size of a description such as `sans bold 24`."""
    family: list[str] = []
    params: dict[str, object] = {}
    for word in text.split():
        if word.lower() in _WEIGHTS:
            params["weight"] = _WEIGHTS[word.lower()]
        elif word.lower() in ("italic", "oblique"):
            params["italic"] = True
        elif word.isascii() and word.isdecimal() and family:
            params["size"] = max(4, min(2000, int(word[:5])))
        else:
            family.append(word)
    known = {"monospace": "mono", "tahoma": "sans"}
    name = " ".join(family) or "sans"
    return {"font": known.get(name.lower(), name), **params}


FILTERS = {
    "image": Filter(Usage(1, 5, "image(PATH[,X,Y[,ALPHA[,BLEND]]])"), _add_image),
    "label": Filter(Usage(1, 7, "label(TEXT[,X,Y[,SIZE[,COLOUR[,ALPHA[,FONT]]]]])"), _add_label),
    "text": Filter(
        Usage(1, 13, "text(TEXT[,X,Y[,FONT[,COLOUR[,ALPHA[,BLEND[,WIDTH[,ALIGN[,JUSTIFY]]]]]]]])"), _add_text
    ),
    "watermark": Filter(Usage(1, 6, "watermark(KEY,X,Y[,ALPHA[,WIDTH,HEIGHT]])"), _add_watermark),
}
