"""The golden set of imagor's own tests: every path of processor/vipsprocessor/processor_test.go, by its group there.

The pictures of imagor are not here: others, most of the same size, stand for them. `model` says what imagor answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Golden(NamedTuple):
    """A path behind `unsafe`, and the group of the tests that it belongs to."""

    group: str
    path: str
    means: str = ""
    """The path that has the same answer where that group switches filters off or limits them."""


G, F, B, N, C, D = (
    "gopher.png", "gopher-front.png", "dancing-banana.gif", "nyan-cat.gif", "Canon_40D.jpg", "demo1.jpg",
)  # fmt: skip
T, EXIF, ICC = "find_trim.png", "gopher-landscape-exif-cw90.png", "jpg-24bit-icc-adobe-rgb.jpg"
TEXTS = "labels and texts"
DETECTED = "detections"
"""The group whose answers show or hide regions that a detector has found."""
_NOTHING = "proportion():proportion(9999):proportion(0.0000000001):proportion(-10)"
_ALIGNED = ("right/top", "bottom", "left/bottom")
_LABELED = "fit-in/300x200/10x10/filters:fill(yellow)"
_MARKED = "fit-in/500x500/filters:fill(white)"
_LONG = "text(b64:SGVsbG8gV29ybGQgZnJvbSBpbWFnb3I"


def golden() -> list[Golden]:
    """Return the whole set."""
    groups = {
        "basic": _basic(), "meta": _meta(), "strip metadata": _strip(), "operations": _operations(),
        "watermarks and images": _overlays(), "animations": _animations(), TEXTS: _texts(),
        "crop, colours and others": _others(), "frames": _frames(), "pixelate": _pixelate(), DETECTED: _detections(),
    }  # fmt: skip
    paths = [Golden(group, path.format(**_NAMES)) for group, paths in groups.items() for path in paths]
    return [*paths, *(Golden("filters off", path.format(**_NAMES), means.format(**_NAMES)) for path, means in _off())]


_NAMES = {"G": G, "F": F, "B": B, "N": N, "C": C, "D": D, "T": T, "EXIF": EXIF, "ICC": ICC}


def _basic() -> Iterator[str]:
    yield from ("{F}", "fit-in/100x100/{D}", "fit-in/100x100/demo3.webp", "fit-in/100x100/gopher.tiff",
                "fit-in/100x100/gopher-front.avif", "fit-in/100x100/jxl-isobmff.jxl")  # fmt: skip
    for name in ("gif", "webp", "tiff", "jxl", "avif", "heif"):
        yield f"filters:format({name}):quality(70)/{F}"


def _meta() -> Iterator[str]:
    for path in ("fit-in/100x100/{D}", "fit-in/100x100/{B}", "test.svg", "gopher.jp2", "sample.pdf",
                 "gopher-front.heif", "gopher.tiff", "fit-in/100x100/filters:format(jpg)/{B}", "{C}",
                 "filters:strip_exif()/{C}"):  # fmt: skip
        yield f"meta/{path}"


def _strip() -> Iterator[str]:
    names = ("{F}", "{D}", "demo3.webp", "gopher.tiff", "{B}", "gopher-front.avif")
    yield from (f"fit-in/67x67/{name}" for name in names)
    yield "{F}"
    yield from (f"fit-in/67x67/filters:strip_metadata()/{name}" for name in names[1:])


def _operations() -> Iterator[str]:
    yield f"filters:background_color():round_corner():padding():rotate():{_NOTHING}/{F}"
    yield "trim/filters:watermark():blur(2):sharpen(2):brightness():contrast():hue():saturation():rgb():modulate()/{B}"
    yield f"filters:{_NOTHING}:sharpen(-1)/{F}"
    yield "100x100/filters:quality(70):format(jpeg)/{G}"
    yield "100x100/smart/filters:autojpg()/{G}"
    fill = "filters:fill(white):format(jpeg)"
    yield from (f"{size}/{fill}:focal(589x401:1000x814)/{G}" for size in ("300x100", "100x300"))
    yield f"0x100:9999x9999/300x100/{fill}:focal(589x401:1000x814)/{G}"
    yield from (
        f"300x100/{fill}:{focal}/{G}"
        for focal in ("focal(0.35x0.25:0.6x0.3)", "focal(589x401):focal(1000x814)", "focal(9999x9999)")
    )
    yield "300x300/filters:format(jpeg):focal(150:150)/gopher-exif-orientation-cw90.png"
    yield "200x100/top/filters:quality(70):format(tiff)/{G}"
    yield from ("200x100/right/top/{G}", "200x100/bottom/{G}", "200x100/left/bottom/{G}", "100x200/left/{G}",
                "100x200/left/bottom/{G}", "100x200/right/{G}", "100x200/right/top/{G}",
                "filters:proportion(10)/{G}", "filters:proportion(0.1)/{G}",
                "100x200/left/filters:orient(90)/{G}",
                "200x200/filters:format(png):palette():bitdepth(4):compression(8)/{G}")  # fmt: skip
    for head in ("fit-in/50x0", "50x0", "fit-in/0x50", "0x50"):
        yield f"{head}/filters:fill(white):format(jpg)/{C}"
    yield from (f"{size}/filters:no_upscale()/{F}" for size in ("500x400", "500x0", "500x200"))
    yield from ("adaptive-fit-in/100x200/{G}", "adaptive-fit-in/200x100/{F}", "adaptive-fit-in/200x100/{G}",
                "adaptive-fit-in/200x100/filters:fill(white):format(jpeg)/{F}",
                "adaptive-fit-in/200x300/filters:format(png)/{EXIF}", "full-fit-in/300x200/{G}",
                "full-fit-in/200x300/{F}", "full-fit-in/300x200/smart/{G}", "full-fit-in/500x400/{F}",
                "full-fit-in/74x11/{F}", "full-fit-in/30x39/{F}", "full-fit-in/100x65/{ICC}",
                "full-fit-in/102x30/{C}", "full-fit-in/300x200/filters:format(png)/{EXIF}",
                "adaptive-full-fit-in/100x200/{G}",
                "adaptive-full-fit-in/200x100/filters:fill(yellow):format(jpeg)/{F}",
                "adaptive-full-fit-in/500x400/{F}", "adaptive-full-fit-in/200x300/filters:format(png)/{EXIF}",
                "stretch/100x100/filters:modulate(-10,30,20)/{G}",
                "fit-in/-200x0/filters:hue(290):saturation(100):fill(FFO):upscale()/{G}",
                "fit-in/100x100/10x5/filters:fill(white)/{G}", "fit-in/100x100/10x5/filters:fill(none)/{G}",
                "fit-in/100x120/10x5/filters:fill(none):format(png)/{D}",
                "fit-in/stretch/100x100/10x10/filters:fill(transparent)/{G}",
                "fit-in/300x0/filters:max_bytes(999999):format(jpeg)/{EXIF}",
                "100x100/10x5/top/filters:fill(white)/{G}", "stretch/100x100/10x5/filters:fill(white)/{G}",
                "0x0/40x50/filters:fill(white)/{F}")  # fmt: skip
    yield from (f"filters:max_bytes({size}):format(jpg):fill(white)/{G}" for size in (60000, 6000))
    yield "fit-in/400x400/filters:fill(auto)/{T}"
    end = "format(jpeg):quality(70)/{G}"
    yield f"200x-210/top/filters:blur(5):sharpen(5):background_color(ffff00):{end}"
    yield f"200x-210/top/filters:blur(1,2):sharpen(1,2):background_color(ff0):{end}"
    for crop in ("10x20:3000x5000", "0.006120x0.008993:1.0x1.0"):
        yield crop + "/stretch/100x200/filters:brightness(-20):contrast(50):rgb(10,-50,30):fill(black)/{G}"
    yield from ("/fit-in/200x210/20x20/filters:rotate(90):rotate(270):rotate(180):fill(blur):grayscale()/{G}",
                "fit-in/0x210/filters:fill(yellow):round_corner(40,60,green)/{G}",
                "fit-in/100x100/filters:fill(none)/2bands.png", "trim/find_trim_alpha.png",
                "trim:bottom-right/50x50:0x0/{T}",
                "trim:bottom-right/500x500/filters:strip_exif():upscale():no_upscale()/{T}",
                "trim/fit-in/1000x1000/filters:upscale():strip_icc()/{T}",
                "trim:50/500x500/filters:stretch()/{T}", "50x50:0x0/filters:trim(50,bottom-right)/{T}",
                "/fit-in/100x100/filters:fill(auto):trim(50)/{T}")  # fmt: skip


def _overlays() -> Iterator[str]:
    first = "watermark({G},repeat,bottom,30,30,30)"
    for name, x, y in (("{G}", "10p", "-10p"), ("b64:Z29waGVyLnBuZw", "10p", "-10p"), ("{G}", "0.1", "-0.1")):
        last = f"watermark({F},center,{y})"
        yield f"{_MARKED}:watermark({name},{x},repeat,30,20,20):{first}:{last}" + "/{G}"
    yield "filters:watermark({D},repeat,repeat,40,25,50)/{D}"
    yield "filters:background_color(yellow)/{D}"
    yield "filters:watermark(2bands.png,repeat,bottom,40,25,50)/{D}"
    marks = "watermark({G},left,top,30,20,20):watermark({G},right,center,30,30,30):watermark({F},-20,-10)"
    yield f"{_MARKED}:{marks}" + "/{G}"
    for place in ("left-20,top-10", "right-30,bottom-20", "l-20,t-10", "r-30,b-20"):
        yield f"{_MARKED}:image({F},{place})/{G}"
    box = "fit-in/500x500/filters"
    for image in ("/100x100/{F}", "/100x100/{F},center,center"):
        yield f"{box}:image({image})" + "/{G}"
    yield box + ":rotate(90):image(/100x100/{F},center,center)/{G}"
    for image in ("/100x100/filters:rotate(90)/{F},center,center", "/100x100/{F},center,center,50",
                  "/100x100/{F},center,center,0,mask", "/100x100/{F},center,center,50,invalid-mode",
                  "/100x100/{F},center,center,30,multiply", "/100x100/{F},-10,-10"):  # fmt: skip
        yield f"{box}:image({image})" + "/{G}"
    yield "fit-in/300x300/filters:image(/50x50/{F},repeat,repeat)/{G}"
    inner = "image(/50x50/{F},center,center)"
    yield f"{box}:image(/150x150/filters:{inner}" + "/{G},10,10)/{D}"
    yield (
        f"{box}:image(/200x200/filters:image(/100x100/filters:{inner}" + "/{G},center,center)/{D},center,center)/{G}"
    )
    turned = "image(/50x50/filters:rotate(90)/{F},center,center)"
    yield f"filters:image(/150x150/filters:grayscale():{turned}" + "/{G},center,center)/{D}"
    for image in ("fxf/{F},0,0", "f-50xf-50/{F},center,center", "fx0/{F},0,0", "0xf/{F},0,0",
                  "fit-in/fxf/{F},center,center", "stretch/fxf/{F},0,0",
                  "fxf/filters:image(f-50xf-50/{F},center,center)/{G},0,0", "fullxfull/{F},0,0",
                  "full-50xfull-50/{F},center,center"):  # fmt: skip
        yield f"{_MARKED}:image({image})" + "/{G}"
    for place in ("250,50", "50,250", "-50,50", "50,-50", "400,50", "5000,0", "0,5000", "-5000,0", "0,-5000"):
        yield f"fit-in/300x300/filters:image(/100x100/{F},{place})/{G}"
    yield "fit-in/100x100/filters:fill(yellow):image(/fit-in/150x150/filters:grayscale()/{F},center,center)/{B}"


def _animations() -> Iterator[str]:
    yield "filters:fill(white):format(jpeg)/{B}"
    yield "{B}"
    for name in ("quality(60)", "max_frames(3)", "page(5)", "page(999)", "strip_exif()"):
        yield f"filters:{name}/{B}"
    yield from ("fit-in/100x150/filters:rotate(90):fill(yellow)/{B}", "30x20:100x150/{B}",
                "0.1x0.2:0.89x0.72/{B}", "100x30/filters:focal(0.1x0:0.89x0.72)/{B}",
                "100x30/filters:focal(0.89x0.72)/{B}",
                "fit-in/-180x180/10x10/filters:fill(yellow):padding(white,10,20,30,40):format(jpeg)/{G}",
                "fit-in/100x210/10x20:15x3/filters:rotate(90):fill(yellow)/{F}", "100x100/{B}",
                "200x100/top/{B}")  # fmt: skip
    yield from (f"200x100/{align}/{B}" for align in _ALIGNED)
    yield from (f"100x200/{align}/{B}" for align in ("left", "left/bottom", "right", "right/top"))
    yield from ("stretch/100x200/{B}", "100x100/10x5/top/filters:fill(yellow)/{B}")
    box = "fit-in/200x150/filters:fill(yellow)"
    for marks in ("watermark({F},repeat,bottom,0,30,30)", "watermark({F},-20,-10,0,30,30)",
                  "watermark({B},-20,-10,0,30,30):watermark({N},0,10,0,40,30)"):  # fmt: skip
        yield f"{box}:{marks}" + "/{B}"
    yield f"{box}:watermark({B},30,-10,0,40,40):watermark({B},0,10,0,40,40)/{N}"
    marks = "watermark({B},-10,-10,0,50,50):watermark({B},-30,10,0,50,50)"
    yield f"200x0/20x20:100x20/filters:fill(yellow):{marks}" + "/{N}"
    yield "fit-in/200x150/filters:fill(cyan):watermark({B},repeat,bottom,0,50,50)/{B}"
    yield "filters:fill(cyan):round_corner(60)/{B}"


def _texts() -> Iterator[str]:
    for label in ("15,10,30,blue", "left,top,30,red", "right,center,30,red", "center,bottom,30,red",
                  "-15,-10,30,red", "-15p,10p,30,red", "-0.15,0.1,30,red", "left-20,top-10,30,blue",
                  "right-30,bottom-20,30,green", "l-20,t-10,30,blue", "r-30,b-20,30,green"):  # fmt: skip
        yield f"{_LABELED}:label(IMAGOR,{label},30)/{F}"
    yield "fit-in/150x200/10x00:10x50/filters:fill(yellow):label(IMAGOR,center,-30,25,black)/{B}"
    yield "fit-in/150x200/10x00:10x50/filters:fill(cyan):label(IMAGOR,center,-30,25,white,0,monospace)/{B}"
    yield "fit-in/filters:label(imagor,-1,0,50)/2bands.png"
    for text in ("15,10,sans-bold-24,blue,30", "15,10,sans-bold-24,blue,30,multiply", "left,top,sans-20,red,30",
                 "right,bottom,sans-20,green,30"):  # fmt: skip
        yield f"{_LABELED}:text(IMAGOR,{text})/{F}"
    for text in ("20,20,sans-18,black,80,,120", "center,40,sans-18,red,80,,120,centre",
                 "20,20,sans-18,black,80,,60p", "0,20,sans-18,black,80,,f-40"):  # fmt: skip
        yield f"fit-in/300x200/10x10/filters:fill(white):{_LONG},{text})/{F}"
    yield "fit-in/150x200/10x00:10x50/filters:fill(cyan):text(GO,center,-30,sans-bold-18,white,0)/{B}"
    yield "fit-in/filters:text(imagor,-1,0,sans-30)/2bands.png"


def _others() -> Iterator[str]:
    yield from ("filters:strip_exif()/{C}", "100x100/bmp_24.bmp", "100x100/lena_gray.bmp", "test.svg")
    for crop in ("50,50,200,200", "0.1,0.1,0.8,0.8", "250,250,200,200"):
        yield f"300x300/filters:crop({crop})/{G}"
    yield from ("200x200/filters:crop(20,20,160,160)/{B}", "400x400/filters:fill(yellow):crop(50,50,300,300)/{G}",
                "200x200/filters:strip_icc():to_colorspace()/{ICC}", "200x200/filters:to_colorspace(cmyk)/{ICC}",
                "200x200/color:red", "100x50/color:0000ff", "300x200/filters:format(png)/color:transparent",
                "50x50/filters:format(png)/color:ff000080", "10x10/color:fff", "color:green",
                "100x100/filters:format(png)/color:red",
                "200x200/filters:round_corner(20):format(png)/color:ff6600",
                "50x50/filters:grayscale()/color:red", "-100x-50/color:blue",
                "600x600/filters:format(png):image(/300x300/color:red,center,center)/color:none")  # fmt: skip


def _frames() -> Iterator[str]:
    """Yield the groups that run with other settings: a limit of frames or of filters, filters switched off."""
    resized = "200x100/top/{B}"
    marked = "fit-in/200x150/filters:fill(cyan):watermark({B},repeat,bottom,0,50,50)/{B}"
    still = "filters:fill(white):format(jpeg)/{B}"
    for extra in ((), ("filters:max_frames(6)/{B}",)):
        yield from ("{F}", still, "{B}", "trim/{B}", *extra, "30x20:100x150/{B}", resized, marked)
    yield from ("{F}", "{B}", "fit-in/200x150/filters:fill(yellow)/{B}")
    yield from ("filters:format(png)/memory-test.png", "30x0/filters:format(png)/memory-test.png")


def _off() -> Iterator[tuple[str, str]]:
    """Yield paths of the groups where `fill`, `watermark` and `format` are off, and where one filter is allowed."""
    yield "filters:fill(white):format(jpeg)/{B}", "{B}"
    box = "fit-in/200x150/"
    yield box + "filters:fill(cyan):watermark({B},repeat,bottom,0,50,50)/{B}", box + "{B}"
    marks = "watermark({B},-20,-10,0,30,30):watermark({N},0,10,0,40,30)"
    yield f"{box}filters:fill(yellow):{marks}" + "/{B}", box + "filters:fill(yellow)/{B}"


def _pixelate() -> Iterator[str]:
    yield from ("filters:pixelate()/{F}", "filters:pixelate(20)/{F}")


def _detections() -> Iterator[str]:
    yield from ("filters:draw_detections()/{F}",) * 2
    modes = ("", "blur,25", "pixelate", "pixelate,20", "black", "white", "ff0000")
    yield from (f"filters:{name}({mode})/{F}" for name in ("redact", "redact_oval") for mode in modes)
