"""Requests to services with other settings, and what imgproxy answers: signatures, presets, info, headers.

The answers are those of security/*_test.go, options/parser/*_test.go, integration/*_test.go, server/*_test.go and of
imgproxy's documentation.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import NamedTuple

Size = tuple[int, int]
KEY, SALT = "746573742d6b6579", "746573742d73616c74"
"""test-key and test-salt in hexadecimal digits, as in imgproxy's own tests."""
SECOND = ("746573742d6b657932", "746573742d73616c7432")
SIGNING = {"IMGPROXY_KEY": KEY, "IMGPROXY_SALT": SALT}
PAIRS = {"IMGPROXY_KEY": f"{KEY},{SECOND[0]}", "IMGPROXY_SALT": f"{SALT},{SECOND[1]}"}
PLAIN = "plain/local:///t.jpg"


class Request(NamedTuple):
    """A request, the settings of the service that gets it, and what imgproxy answers."""

    group: str
    address: str
    status: int = 200
    size: Size | None = None
    format: str = ""
    settings: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    """Headers of the answer."""
    keys: frozenset[str] | None = None
    """The keys of an answer in JSON."""


def signed(path: str, key: str = KEY, salt: str = SALT, size: int = 32) -> str:
    """Return the address of a path with its signature."""
    digest = hmac.new(bytes.fromhex(key), bytes.fromhex(salt) + b"/" + path.encode(), hashlib.sha256).digest()
    return f"/{base64.urlsafe_b64encode(digest[:size]).rstrip(b'=').decode()}/{path}"


def requests() -> list[Request]:
    """Return all requests."""
    return [*signatures(), *_presets(), *_only_presets(), *_info(), *_headers(), *_names(), *_limits()]


def signatures() -> Iterator[Request]:
    """Yield the 56 cases of signatures."""
    forms = ("w:50/" + PLAIN, PLAIN, "rs:fit:50:50/" + PLAIN + "@png", "w:50//" + base64_url("local:///t.jpg"),
             "w:50/" + base64_url("local:///t.jpg") + ".png", "h:20/plain/local:///t.jpg@jpg")  # fmt: skip

    def each(address: str, status: int, settings: Mapping[str, str] = SIGNING) -> Request:
        return Request("signatures", address, status, settings=settings)

    for path in forms:
        yield each(signed(path), 200)
        yield each(signed(path, *SECOND), 403)
        yield each(signed(path, *SECOND), 200, PAIRS)
        yield each(signed(path, KEY, SECOND[1]), 403, PAIRS)
    for size in (1, 5, 8, 16, 31):
        settings = {**SIGNING, "IMGPROXY_SIGNATURE_SIZE": str(size)}
        yield each(signed(forms[0], size=size), 200, settings)
        yield each(signed(forms[0]), 403, settings)
        yield each(signed(forms[0], size=size), 403)
    head, _, rest = signed(forms[0])[1:].partition("/")
    for wrong in (head[:-1], head + "=", head.swapcase(), "x" + head, "unsafe", "insecure", "_", "bad-signature"):
        yield each(f"/{wrong}/{rest}", 403)
    # Colons that a proxy has encoded, and slashes that it has merged, are mended before the signature is verified.
    yield each(f"/{head}/{rest.replace('w:50', 'w%3A50')}", 200)
    yield each(f"/{head}/{rest.replace(':///', ':/')}", 200)
    yield each(f"/{head}//{rest}", 200)
    yield each(f"/{head}/{rest.replace('w:50', 'w:51')}", 403)
    yield each(f"/{head}/{rest}@png", 403)
    # Without keys any word will do, unless it looks like an option.
    for word, status in (("unsafe", 200), ("insecure", 200), ("w:50", 403), ("_", 200)):
        yield each(f"/{word}/{rest}", status, {})


def base64_url(url: str) -> str:
    """Return a source in URL-safe base64."""
    return base64.urlsafe_b64encode(url.encode()).rstrip(b"=").decode()


PRESETS = {"IMGPROXY_PRESETS": "small=w:50,png=f:png,both=pr:small:png,square=rs:fill:40:40/g:no,loop=pr:loop/w:30"}
DEFAULTS = {"IMGPROXY_PRESETS": "default=w:50,wide=w:100"}


def _presets() -> Iterator[Request]:
    answers: dict[str, tuple[Size | None, str]] = {
        "pr:small": ((50, 25), "jpeg"), "preset:small": ((50, 25), "jpeg"), "pr:png": ((200, 100), "png"),
        "pr:small:png": ((50, 25), "png"), "pr:both": ((50, 25), "png"), "pr:square": ((40, 40), "jpeg"),
        "pr:small/w:60": ((60, 30), "jpeg"), "w:60/pr:small": ((50, 25), "jpeg"), "pr:loop": ((30, 15), "jpeg"),
        "pr:small/h:10": ((20, 10), "jpeg"), "pr:png/f:webp": ((200, 100), "webp"),
        "pr:square/pr:png": ((40, 40), "png"),
    }  # fmt: skip
    for options, (size, kind) in answers.items():
        for source in (PLAIN, base64_url("local:///t.jpg")):
            yield Request("presets", f"/unsafe/{options}/{source}", 200, size, kind, PRESETS)
    for options in ("pr:nosuch", "pr:small:nosuch", "preset:", "pr:Small"):
        yield Request("presets", f"/unsafe/{options}/{PLAIN}", 404, settings=PRESETS)
    for options, size in (("", (50, 25)), ("w:80/", (80, 40)), ("pr:wide/", (100, 50)), ("pr:wide:default/", (50, 25))):
        yield Request("default preset", f"/unsafe/{options}{PLAIN}", 200, size, "jpeg", DEFAULTS)


def _only_presets() -> Iterator[Request]:
    only = {**PRESETS, "IMGPROXY_ONLY_PRESETS": "true"}
    for names, size, kind in (("small", (50, 25), "jpeg"), ("small:png", (50, 25), "png"), ("square", (40, 40), "jpeg"),
                              ("both", (50, 25), "png"), ("square:png", (40, 40), "png")):  # fmt: skip
        for source in (PLAIN, base64_url("local:///t.jpg")):
            yield Request("presets only", f"/unsafe/{names}/{source}", 200, size, kind, only)
    yield Request("presets only", f"/unsafe/small/{PLAIN}@webp", 200, (50, 25), "webp", only)
    for rest in (f"w:50/{PLAIN}", f"nosuch/{PLAIN}", f"small/png/{PLAIN}"):
        yield Request("presets only", f"/unsafe/{rest}", 404, settings=only)
    signing = {**only, **SIGNING}
    yield Request("presets only", signed(f"small/{PLAIN}"), 200, (50, 25), "jpeg", signing)
    yield Request("presets only", f"/unsafe/small/{PLAIN}", 403, settings=signing)


_BASICS = frozenset(("size", "format", "mime_type", "width", "height", "orientation"))


def _info() -> Iterator[Request]:
    answers: dict[str, frozenset[str]] = {
        "": _BASICS, "s:0/": _BASICS - {"size"}, "f:0/": _BASICS - {"format", "mime_type"},
        "d:0/": _BASICS - {"width", "height", "orientation"}, "cs:1/": _BASICS | {"colorspace"},
        "b:1/": _BASICS | {"bands"}, "sf:1/": _BASICS | {"sample_format"}, "pn:1/": _BASICS | {"pages_number"},
        "a:1/": _BASICS | {"alpha"}, "p:4/": _BASICS | {"palette"}, "avg:1/": _BASICS | {"average"},
        "bh:4:3/": _BASICS | {"blurhash"}, "th:1/": _BASICS | {"thumb_hash"}, "ph:1/": _BASICS | {"perceptual_hash"},
        "s:0/f:0/": frozenset(("width", "height", "orientation")),
        "colorspace:t/bands:1/": _BASICS | {"colorspace", "bands"},
        "cb:1/": _BASICS, "exif:0/iptc:0/xmp:0/vm:0/": _BASICS, "p:0/": _BASICS, "avg:0/": _BASICS,
    }  # fmt: skip
    for options, keys in answers.items():
        for source in (PLAIN, base64_url("local:///t.jpg"), "plain/local:///t.png"):
            yield Request("info", f"/info/unsafe/{options}{source}", keys=keys)
    for rest in (f"klingon:1/{PLAIN}", "plain/local:///nosuch.jpg", "plain/", f"w:50/{PLAIN}"):
        yield Request("info", f"/info/unsafe/{rest}", 404)


def _headers() -> Iterator[Request]:
    kinds = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif", "avif": "image/avif",
             "tiff": "image/tiff", "bmp": "image/bmp"}  # fmt: skip
    for name, media_type in kinds.items():
        yield Request("headers: type", f"/unsafe/f:{name}/{PLAIN}", headers={"Content-Type": media_type})
        yield Request("headers: type", f"/unsafe/{PLAIN}@{name}", headers={"Content-Type": media_type})
    for options, value in {
        "fn:cat": 'inline; filename="cat.jpg"', "fn:cat/att:1": 'attachment; filename="cat.jpg"',
        "filename:Y2F0:1": 'inline; filename="cat.jpg"', "fn:cat/f:png": 'inline; filename="cat.png"',
        "fn:a.png/f:png": 'inline; filename="a.png.png"',
        "fn:cat/return_attachment:t": 'attachment; filename="cat.jpg"',
    }.items():  # fmt: skip
        yield Request("headers: disposition", f"/unsafe/{options}/{PLAIN}", headers={"Content-Disposition": value})
    for header in ("ETag", "Last-Modified"):
        yield Request("headers: validators", f"/unsafe/w:50/{PLAIN}", headers={header: ""})
    for seconds in ("60", "3600"):
        expected = {"Cache-Control": f"max-age={seconds}"}
        yield Request("headers: age", f"/unsafe/w:50/{PLAIN}", settings={"IMGPROXY_TTL": seconds}, headers=expected)
    auto = {"IMGPROXY_AUTO_WEBP": "true"}
    yield Request("headers: vary", f"/unsafe/w:50/{PLAIN}", settings=auto, headers={"Vary": "Accept"})
    origin = {"IMGPROXY_ALLOW_ORIGIN": "https://shop.example.com"}
    allowed = {"Access-Control-Allow-Origin": "https://shop.example.com"}
    yield Request("headers: origin", f"/unsafe/w:50/{PLAIN}", settings=origin, headers=allowed)
    svg = {"Content-Type": "image/svg+xml", "Content-Security-Policy": "default-src 'none'"}
    yield Request("headers: policy", "/unsafe/plain/local:///t.svg", headers=svg)


def _names() -> Iterator[Request]:
    """Yield settings of sources: prefix, separator, base URL, replacements, allowed sources, SEO names."""
    size = (50, 25)
    prefix, comma = {"IMGPROXY_PATH_PREFIX": "/img"}, {"IMGPROXY_ARGUMENTS_SEPARATOR": ","}
    base = {"IMGPROXY_BASE_URL": "local:///"}
    seo = {"IMGPROXY_BASE64_URL_INCLUDES_FILENAME": "true"}
    cats = {"IMGPROXY_URL_REPLACEMENTS": "cats://*/=local:///"}
    only = {"IMGPROXY_ALLOWED_SOURCES": "local:///t*"}
    some = {"IMGPROXY_ALLOWED_PROCESSING_OPTIONS": "w,height"}
    rows = [
        (f"/img/unsafe/w:50/{PLAIN}", prefix, 200), (f"/unsafe/w,50/{PLAIN}", comma, 200),
        ("/unsafe/w:50/plain/t.jpg", base, 200), (f"/unsafe/w:50/{PLAIN}", base, 200),
        (f"/unsafe/w:50/{base64_url('t.jpg')}", base, 200),
        (f"/unsafe/w:50/{base64_url('local:///t.jpg')}/cat.jpg", seo, 200),
        ("/unsafe/w:50/plain/cats://any/t.jpg", cats, 200), (f"/unsafe/w:50/{PLAIN}", only, 200),
        ("/unsafe/w:50/plain/local:///clear.webp", only, 404), (f"/unsafe/w:50/{PLAIN}", some, 200),
        (f"/unsafe/height:25/{PLAIN}", some, 200), (f"/unsafe/width:50/{PLAIN}", some, 404),
        (f"/unsafe/h:25/{PLAIN}", some, 404),
    ]  # fmt: skip
    for address, settings, status in rows:
        yield Request("names of sources", address, status, size if status == 200 else None, settings=settings)


def _limits() -> Iterator[Request]:
    """Yield settings of qualities, formats, animations and marks."""
    first = {"IMGPROXY_PREFERRED_FORMATS": "png"}
    skipped = {"IMGPROXY_SKIP_PROCESSING_FORMATS": "png"}
    frames = {"IMGPROXY_MAX_ANIMATION_FRAMES": "100"}
    drawn = {"IMGPROXY_ALWAYS_RASTERIZE_SVG": "true"}
    mark = {"IMGPROXY_WATERMARK_URL": "local:///mark.png"}
    yield Request("settings of formats", f"/unsafe/w:50/{PLAIN}", 200, (50, 25), "png", first)
    yield Request("settings of formats", "/unsafe/w:50/plain/local:///t.png", 200, (200, 100), "png", skipped)
    yield Request("settings of formats", f"/unsafe/w:50/{PLAIN}", 200, (50, 25), "jpeg", skipped)
    yield Request("settings of formats", "/unsafe/w:100/plain/local:///film.gif", 200, (100, 75), "gif", frames)
    yield Request("settings of formats", "/unsafe/w:50/plain/local:///t.svg", 200, (50, 25), "png", drawn)
    for options in ("wm:1", "wm:0.5:soea:10:20", "wm:1:re:5:5", "wm:1:ce:0:0:0.5", "wm:0", "wm:1:no:0.1:0.2"):
        yield Request("settings of marks", f"/unsafe/{options}/{PLAIN}", 200, (200, 100), "jpeg", mark)
        yield Request("settings of marks", f"/unsafe/{options}/{PLAIN}", 200, (200, 100), "jpeg", {})
